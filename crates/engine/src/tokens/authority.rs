//! What a task may use, as others read it: `mission_resource_access` entries (draft-mcguinness-oauth-mission) in
//! `authorization_details` (RFC 9396).

use std::collections::BTreeMap;

use remit_domain::{Authority, Delegate, Delegation, State, Task};
use serde_json::{Map, Value, json};

/// The one type of entry that there is here.
pub const RESOURCE_ACCESS: &str = "mission_resource_access";

/// Writes authority as entries about the gateway at `audience`.
#[derive(Debug, Clone, Copy)]
pub struct Entries<'a> {
    /// Agents by name: a delegate is written with its SPIFFE ID.
    pub state: &'a State,
    /// The gateway's address of tools, `…/mcp`.
    pub audience: &'a str,
}

impl Entries<'_> {
    /// The entries of a task's parts of authority; none, where it has no parts.
    pub fn of_parts(&self, authority: &[Authority]) -> Vec<Value> {
        authority.iter().flat_map(|part| self.of_part(part)).collect()
    }

    /// All that a task may use, also where it is bounded by its scope alone or by nothing.
    pub fn of_task(&self, task: &Task) -> Vec<Value> {
        if !task.authority.is_empty() {
            return self.of_parts(&task.authority);
        }
        if !task.scope.is_empty() {
            let whole = Authority { delegation: task.delegation.clone(), ..Authority::over(task.scope.clone()) };
            return self.of_part(&whole);
        }
        let mut all = self.entry(self.audience.to_owned(), vec!["*"], &Map::new(), task.delegation.as_ref());
        if let Some(members) = all.as_object_mut() {
            members.insert("resource_match".to_owned(), "prefix".into());
        }
        vec![all]
    }

    /// One entry for each connector that a part of authority is about.
    fn of_part(&self, part: &Authority) -> Vec<Value> {
        let mut by_connector: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for pattern in &part.operations {
            if let Some((connector, tool)) = pattern.as_str().split_once('/') {
                by_connector.entry(connector).or_default().push(tool);
            }
        }
        let constraints: Map<String, Value> = part.constraints.clone().into_iter().collect();
        let entry = |(connector, actions): (&str, Vec<&str>)| {
            self.entry(format!("{}/{connector}", self.audience), actions, &constraints, part.delegation.as_ref())
        };
        by_connector.into_iter().map(entry).collect()
    }

    fn entry(
        &self,
        resource: String,
        actions: Vec<&str>,
        constraints: &Map<String, Value>,
        delegation: Option<&Delegation>,
    ) -> Value {
        let mut entry = json!({"type": RESOURCE_ACCESS, "resource": resource, "actions": actions});
        if let Some(members) = entry.as_object_mut() {
            if !constraints.is_empty() {
                members.insert("constraints".to_owned(), Value::Object(constraints.clone()));
            }
            if let Some(delegation) = delegation {
                let delegates: Vec<Value> = delegation.delegates.iter().map(|one| self.delegate(one)).collect();
                let delegation = json!({"max_depth": delegation.depth_max, "allowed_delegates": delegates});
                members.insert("delegation".to_owned(), delegation);
            }
        }
        entry
    }

    fn delegate(&self, delegate: &Delegate) -> Value {
        match delegate {
            Delegate::Agent(name) => json!({"sub": self.id_of(name)}),
            Delegate::AnyAgent => json!({"sub_profile": "ai_agent"}),
        }
    }

    /// The SPIFFE ID of a delegate that may be written by its name.
    pub(super) fn id_of(&self, name: &str) -> String {
        let domain = self.state.realm.as_ref().map(|realm| realm.trust_domain.as_str()).unwrap_or_default();
        self.state.agent_named(name).map_or_else(|_| name.to_owned(), |agent| agent.spiffe_id(domain))
    }
}
