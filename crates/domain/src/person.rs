//! People: owners, approvers, reviewers, administrators. Local for now.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Actor, Event, Moment, PersonId, Refusal, State, Timestamp, limits};

#[cfg(test)]
mod tests;

/// The group whose members administer the realm.
pub const ADMINISTRATORS: &str = "administrators";

/// A named human.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    pub id: PersonId,
    pub name: String,
    pub groups: Vec<String>,
    /// User id of the operating system that is this person on the data directory's socket.
    pub uid: Option<u32>,
    pub added_at: Timestamp,
}

impl Person {
    pub fn is_administrator(&self) -> bool {
        self.in_group(ADMINISTRATORS)
    }

    pub fn in_group(&self, group: &str) -> bool {
        self.groups.iter().any(|own| own == group)
    }
}

/// Adds a person to the realm.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddPerson {
    pub name: String,
    #[serde(default)]
    pub groups: Vec<String>,
}

/// A person has been added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PersonAdded {
    pub person: PersonId,
    pub name: String,
    pub groups: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<u32>,
}

/// Names are used in addresses, SPIFFE ids and policies, so they have one plain form.
pub(crate) fn check_name(field: &str, name: &str) -> Result<(), Refusal> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_' | b'.');
    let starts_well = name.as_bytes().first().is_some_and(|first| first.is_ascii_lowercase() || first.is_ascii_digit());
    // `__` joins connector and tool at the joined address, so no name may hold it.
    if starts_well && name.len() <= limits::NAME_BYTES_MAX && name.bytes().all(plain) && !name.contains("__") {
        return Ok(());
    }
    let shown: String = name.chars().take(limits::NAME_BYTES_MAX).collect();
    let article = if field.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    Err(Refusal::new("bad_name", format!("`{shown}` is not a name for {article} {field}")).help(
        "use up to 64 lower-case letters, digits, `-`, `_` and `.`, starting with a letter or digit, without `__`",
    ))
}

/// Free text is bounded and has no control characters, since people decide by what they read on pages and terminals.
pub(crate) fn check_text(field: &str, text: &str) -> Result<(), Refusal> {
    if text.trim().is_empty() {
        return Err(Refusal::new("missing_text", format!("the {field} is empty"))
            .help(format!("say the {field} in a sentence")));
    }
    check_note(field, text)
}

/// As [`check_text`], but may be empty.
pub(crate) fn check_note(field: &str, text: &str) -> Result<(), Refusal> {
    if text.len() > limits::TEXT_BYTES_MAX {
        return Err(Refusal::new(
            "text_too_long",
            format!("the {field} is longer than {} bytes", limits::TEXT_BYTES_MAX),
        ));
    }
    if text.contains(crate::refusal::is_unsafe_to_show) {
        return Err(Refusal::new("bad_text", format!("the {field} holds control characters")).help("use plain text"));
    }
    Ok(())
}

fn check_groups(groups: &[String]) -> Result<(), Refusal> {
    if groups.len() > limits::PERSON_GROUPS_MAX {
        return Err(Refusal::new(
            "too_many_groups",
            format!("a person is in at most {} groups", limits::PERSON_GROUPS_MAX),
        ));
    }
    groups.iter().try_for_each(|group| check_name("group", group))?;
    match groups.iter().find(|group| matches!(group.as_str(), "owner" | "approver")) {
        Some(reserved) => Err(Refusal::new("reserved_group", format!("the group name `{reserved}` is reserved"))
            .help("`owner` and `approver` are roles that each agent's own record gives")),
        None => Ok(()),
    }
}

pub(crate) fn decide_add(state: &State, actor: &Actor, add: &AddPerson, at: &Moment) -> Result<Vec<Event>, Refusal> {
    actor.administrator(state)?;
    check_name("person", &add.name)?;
    check_groups(&add.groups)?;
    if state.people_by_name.contains_key(&add.name) {
        return Err(Refusal::new("name_taken", format!("there is already a person `{}`", add.name)));
    }
    let (name, groups) = (add.name.clone(), add.groups.clone());
    Ok(vec![Event::PersonAdded(PersonAdded { person: at.fresh_id(), name, groups, uid: None })])
}

pub(crate) fn decide_set_groups(
    state: &State,
    actor: &Actor,
    id: PersonId,
    groups: &[String],
) -> Result<Vec<Event>, Refusal> {
    actor.administrator(state)?;
    check_groups(groups)?;
    let person = state.person(id)?;
    if person.is_administrator() && !groups.iter().any(|group| group == ADMINISTRATORS) {
        keep_one_administrator(state, id)?;
    }
    Ok(vec![Event::PersonGroupsSet { person: id, groups: groups.to_vec() }])
}

/// Removes a person. Who still owns something cannot be removed: silent orphans are not possible.
pub(crate) fn decide_remove(state: &State, actor: &Actor, id: PersonId) -> Result<Vec<Event>, Refusal> {
    actor.administrator(state)?;
    let person = state.person(id)?;
    if person.is_administrator() {
        keep_one_administrator(state, id)?;
    }
    owns_nothing(state, person)?;
    let sessions = state.sessions.values().filter(|session| session.person == id).map(|session| session.id);
    let mut sessions: Vec<_> = sessions.collect();
    sessions.sort();
    // The cause first, so that a reader of the ledger sees it before its effects.
    let mut events = vec![Event::PersonRemoved { person: id }];
    events.extend(sessions.into_iter().map(|session| Event::SessionEnded { session }));
    let concerned = state.live_tasks().filter(|task| task.acting_for == Some(id) || task.started_by == Some(id));
    events.extend(crate::task::end_trees(state, concerned.map(|task| task.id), &crate::EndReason::PersonRemoved));
    Ok(events)
}

fn owns_nothing(state: &State, person: &Person) -> Result<(), Refusal> {
    let agents = state.agents.values().filter(|agent| agent.profile.owner == Some(person.id) && !agent.is_gone());
    if let Some(agent) = agents.map(|agent| &agent.name).min() {
        return Err(Refusal::new("still_owner", format!("`{}` owns the agent `{agent}`", person.name))
            .help("name another owner with `remit agent register` … `--owner`, or decommission the agent"));
    }
    if let Some(account) = state.legacy_accounts.values().find(|account| account.opened_by == person.id) {
        let sentence = format!("`{}` answers for the legacy account `{}`", person.name, account.name);
        return Err(Refusal::new("still_owner", sentence)
            .help("close the account; somebody else can open it again as their own debt"));
    }
    let connectors = state.connectors.values().filter(|connector| connector.owner == person.id);
    match connectors.map(|connector| &connector.name).min() {
        None => Ok(()),
        Some(connector) => {
            Err(Refusal::new("still_owner", format!("`{}` owns the connector `{connector}`", person.name))
                .help("remove the connector; somebody else can add it again as their own"))
        }
    }
}

fn keep_one_administrator(state: &State, leaving: PersonId) -> Result<(), Refusal> {
    match state.people.values().any(|person| person.id != leaving && person.is_administrator()) {
        true => Ok(()),
        false => Err(Refusal::new("last_administrator", "this is the last administrator of the realm")
            .help("add another person to the group `administrators` first")),
    }
}

pub(crate) fn apply_added(state: &mut State, added: &PersonAdded, at: Timestamp) {
    state.people_by_name.insert(added.name.clone(), added.person);
    let person = Person {
        id: added.person,
        name: added.name.clone(),
        groups: added.groups.clone(),
        uid: added.uid,
        added_at: at,
    };
    state.people.insert(added.person, Arc::new(person));
}

pub(crate) fn apply_groups_set(state: &mut State, id: PersonId, groups: &[String]) {
    if let Some(person) = state.people.get_mut(&id) {
        Arc::make_mut(person).groups = groups.to_vec();
    }
}

pub(crate) fn apply_removed(state: &mut State, id: PersonId) {
    if let Some(person) = state.people.remove(&id) {
        state.people_by_name.remove(&person.name);
    }
    crate::signal::apply_person_removed(state, id);
}
