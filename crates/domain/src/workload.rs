//! Workloads: which running programs are which agent, and those that arrive by themselves.
//!
//! INVARIANT: an identity from elsewhere, and a set of selectors, belong to one agent at most; what nobody answers for can do
//! nothing.

use std::collections::BTreeSet;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::person::{check_note, check_text};
use crate::task::Binding;
use crate::{
    Actor, Agent, AgentId, AgentProfile, AgentStatus, EndReason, Event, External, Moment, Refusal, State, Task,
    Timestamp, limits, sandbox,
};

#[cfg(test)]
mod tests;

/// How a running program is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum WorkloadIdentity {
    /// A process on this machine that all of these describe, written as SPIRE's attestor of Unix processes writes them:
    /// `unix:uid:1000`, `unix:gid:1000`, `unix:path:/usr/bin/x`, `unix:sha256:HEX`, `unix:cgroup:/…`.
    Local { selectors: Vec<String> },
    /// What an issuer elsewhere vouches for: a SPIFFE ID of another trust domain (`issuer` is `spiffe://DOMAIN`, `subject` the
    /// whole id), or the `sub` of an OpenID Connect issuer.
    Foreign { issuer: String, subject: String },
}

/// Processes on this machine that are one agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalWorkload {
    pub agent: AgentId,
    /// In order, each once; all must match.
    pub selectors: Vec<String>,
}

/// A workload that proved well who it is, and that nobody had registered, has become an agent in quarantine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WorkloadArrived {
    pub agent: AgentId,
    pub name: String,
    pub issuer: String,
    pub subject: String,
    /// What it proved itself with, for the person who looks at it.
    pub evidence: String,
}

impl State {
    /// The agent that the workload `subject` of `issuer` is.
    pub fn workload_of(&self, issuer: &str, subject: &str) -> Option<&Arc<Agent>> {
        self.agents.get(self.workloads.get(&External::new(issuer, subject))?)
    }

    /// Everything that is bound to `agent`, in order.
    pub fn workloads_of(&self, agent: AgentId) -> Vec<WorkloadIdentity> {
        let local = self.local_workloads.iter().filter(|workload| workload.agent == agent);
        let local = local.map(|workload| WorkloadIdentity::Local { selectors: workload.selectors.clone() });
        let foreign: BTreeSet<_> =
            self.workloads.iter().filter(|(_, bound)| **bound == agent).map(|(external, _)| external).collect();
        let foreign = foreign.into_iter().map(|external| WorkloadIdentity::Foreign {
            issuer: external.issuer.clone(),
            subject: external.subject.clone(),
        });
        local.chain(foreign).collect()
    }

    /// The agent that `workload` is bound to, however its selectors are ordered.
    fn bound(&self, workload: &WorkloadIdentity) -> Option<AgentId> {
        match workload {
            WorkloadIdentity::Local { selectors } => {
                let selectors = in_order(selectors);
                self.local_workloads.iter().find(|own| own.selectors == selectors).map(|own| own.agent)
            }
            WorkloadIdentity::Foreign { issuer, subject } => {
                self.workloads.get(&External::new(issuer, subject)).copied()
            }
        }
    }
}

fn in_order(selectors: &[String]) -> Vec<String> {
    selectors.iter().collect::<BTreeSet<_>>().into_iter().cloned().collect()
}

/// Short technical texts: bounded in number and length, and safe to show.
pub(crate) fn check_facts(field: &str, facts: &[String]) -> Result<(), Refusal> {
    if facts.len() > limits::FACTS_MAX || facts.iter().any(|fact| fact.len() > limits::FACT_BYTES_MAX) {
        let (count, bytes) = (limits::FACTS_MAX, limits::FACT_BYTES_MAX);
        let sentence = format!("the {field} are at most {count} texts of at most {bytes} bytes");
        return Err(Refusal::new("text_too_long", sentence));
    }
    facts.iter().try_for_each(|fact| check_note(field, fact))
}

/// One selector, or the refusal of what could never match.
fn check_selector(selector: &str) -> Result<&str, Refusal> {
    let refused = || {
        Err(Refusal::new("bad_selector", format!("`{selector}` is not a selector of processes"))
            .help("use `unix:uid:N`, `unix:gid:N`, `unix:path:/…`, `unix:sha256:HEX` or `unix:cgroup:/…`"))
    };
    let Some((kind, value)) = selector.strip_prefix("unix:").and_then(|rest| rest.split_once(':')) else {
        return refused();
    };
    let is_path = || value.starts_with('/') && !value.contains(char::is_control);
    let is_plain = match kind {
        // As the attestor writes a number, or it would never match: no sign, no leading zero.
        "uid" | "gid" => value.parse::<u32>().is_ok_and(|number| number.to_string() == value),
        "path" => is_path() && !value.split('/').any(|part| part == "." || part == ".."),
        // The root of all groups is every process there is.
        "cgroup" => is_path() && value != "/",
        "sha256" => value.len() == 64 && value.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')),
        _ => false,
    };
    if is_plain && selector.len() <= limits::FACT_BYTES_MAX { Ok(kind) } else { refused() }
}

/// The selectors in their one order, or why they cannot be bound.
fn check_selectors(state: &State, selectors: &[String]) -> Result<Vec<String>, Refusal> {
    if selectors.is_empty() || selectors.len() > limits::SELECTORS_MAX {
        let sentence = format!("a workload is described by between 1 and {} selectors", limits::SELECTORS_MAX);
        return Err(Refusal::new("bad_selector", sentence));
    }
    let selectors = in_order(selectors);
    let kinds = selectors.iter().map(|selector| check_selector(selector)).collect::<Result<Vec<_>, _>>()?;
    if kinds.iter().collect::<BTreeSet<_>>().len() != kinds.len() {
        return Err(Refusal::new("bad_selector", "two selectors of one kind never match the same process")
            .help("bind one set of selectors for each"));
    }
    if kinds.iter().any(|kind| !matches!(*kind, "uid" | "gid")) {
        return Ok(selectors);
    }
    // A user id alone is a good description where the operating system gives the agent a user of its own. A group never is,
    // and neither is root or a person's own user: every program that they start would be this agent.
    let user = selectors.iter().find_map(|selector| selector.strip_prefix("unix:uid:")?.parse().ok());
    if user.is_some_and(|user: u32| user != 0 && state.person_of_uid(user).is_none()) {
        return Ok(selectors);
    }
    Err(Refusal::new("selectors_too_wide", "these selectors describe everything that a person, root or a group runs")
        .help("add the program with `unix:path:/…` or `unix:sha256:…`, or run the agent as a user of its own"))
}

/// A workload as it is recorded, or why it cannot be bound to anybody.
fn check_workload(state: &State, workload: &WorkloadIdentity) -> Result<WorkloadIdentity, Refusal> {
    match workload {
        WorkloadIdentity::Local { selectors } => {
            Ok(WorkloadIdentity::Local { selectors: check_selectors(state, selectors)? })
        }
        WorkloadIdentity::Foreign { issuer, subject } => {
            check_foreign(state, issuer, subject)?;
            Ok(workload.clone())
        }
    }
}

/// What this realm issues is never foreign to it.
fn check_foreign(state: &State, issuer: &str, subject: &str) -> Result<External, Refusal> {
    let external = External::checked(issuer, subject)?;
    let own = state.realm.as_ref().is_some_and(|realm| {
        issuer == realm.issuer
            || issuer.strip_prefix("spiffe://").is_some_and(|domain| domain.eq_ignore_ascii_case(&realm.trust_domain))
    });
    if own {
        return Err(Refusal::new("bad_identity", format!("`{issuer}` is this realm itself"))
            .help("an agent of this realm needs no binding to be itself"));
    }
    Ok(external)
}

/// Says that a running program is `agent`: by its owner, as an enrolled key would be.
pub(crate) fn decide_bind(
    state: &State,
    actor: &Actor,
    id: AgentId,
    workload: &WorkloadIdentity,
) -> Result<Vec<Event>, Refusal> {
    actor.owner_of(state, id)?;
    let agent = state.agent(id)?;
    sandbox::must_not_be_built_in(agent)?;
    if agent.is_gone() {
        agent.must_be_active()?;
    }
    let workload = check_workload(state, workload)?;
    match state.bound(&workload) {
        Some(bound) if bound == id => return Ok(Vec::new()),
        Some(bound) => {
            let other = state.agent(bound).map_or("another", |agent| &agent.name);
            return Err(Refusal::new("workload_taken", format!("this workload is already the agent `{other}`"))
                .help("a workload is one agent; take it from the other first"));
        }
        None => {}
    }
    let alike = |own: &&WorkloadIdentity| std::mem::discriminant(*own) == std::mem::discriminant(&workload);
    if state.workloads_of(id).iter().filter(alike).count() >= limits::AGENT_WORKLOADS_MAX {
        return Err(Refusal::new("too_many_workloads", "this agent already has as many workloads as it may have")
            .help("take away one that is no longer used"));
    }
    Ok(vec![Event::WorkloadBound { agent: id, workload }])
}

/// Takes a workload from an agent. With the last one end the tasks that only its certificate opens.
pub(crate) fn decide_unbind(
    state: &State,
    actor: &Actor,
    id: AgentId,
    workload: &WorkloadIdentity,
) -> Result<Vec<Event>, Refusal> {
    actor.owner_of(state, id)?;
    if state.bound(workload) != Some(id) {
        return Ok(Vec::new());
    }
    let workload = match workload {
        WorkloadIdentity::Local { selectors } => WorkloadIdentity::Local { selectors: in_order(selectors) },
        WorkloadIdentity::Foreign { .. } => workload.clone(),
    };
    let mut events = vec![Event::WorkloadUnbound { agent: id, workload }];
    if state.workloads_of(id).len() == 1 {
        let bound = state.live_tasks_of(id).filter(|task| is_opened_by_svid(task)).map(|task| task.id);
        events.extend(crate::task::end_trees(state, bound, &EndReason::KeyRevoked));
    }
    Ok(events)
}

/// Whether a task is open to whoever holds the agent's own certificate. That of a run was given for its launch instead.
fn is_opened_by_svid(task: &Task) -> bool {
    let by_certificate = matches!(task.binding(), Binding::Svid(id) if !id.contains("/run/"));
    by_certificate || task.via.as_deref().is_some_and(|via| via.starts_with("svid:"))
}

/// The events that take every workload from an agent that has ended.
pub(crate) fn unbind_all(state: &State, id: AgentId) -> impl Iterator<Item = Event> {
    state.workloads_of(id).into_iter().map(move |workload| Event::WorkloadUnbound { agent: id, workload })
}

/// Makes an agent of a workload that proved well who it is and that nobody knows: without an owner, so that it can do nothing
/// until an administrator has described it.
pub(crate) fn decide_arrive(
    state: &State,
    actor: &Actor,
    issuer: &str,
    subject: &str,
    evidence: &str,
    at: &Moment,
) -> Result<Vec<Event>, Refusal> {
    actor.remit("lets workloads arrive")?;
    let external = check_foreign(state, issuer, subject)?;
    check_text("evidence", evidence)?;
    if state.workloads.contains_key(&external) {
        return Ok(Vec::new());
    }
    let digest = external.digest();
    // Somebody took it from the agent that it was, or ended that agent: it does not come back by itself.
    if let Some(agent) = state.arrivals.get(&digest).and_then(|agent| state.agents.get(agent)) {
        let sentence = format!("this workload arrived as the agent `{}` and was taken from it", agent.name);
        return Err(Refusal::new("workload_unbound", sentence)
            .help("an administrator can bind it to an agent: `remit workload bind`"));
    }
    if state.quarantined.len() >= limits::QUARANTINED_AGENTS_MAX {
        return Err(Refusal::new("too_many_arrivals", "too many workloads have arrived that nobody answers for")
            .help("an administrator has to describe or decommission those in quarantine"));
    }
    // Eight digits are enough to tell them apart; where a name is taken all the same, more are.
    let digits = digest.to_string();
    let names = [8, 16, 32].into_iter().filter_map(|length| digits.get(..length));
    let mut names = names.map(|digits| format!("arrived-{digits}"));
    let name = names.find(|name| !state.agents_by_name.contains_key(name));
    let name = name.ok_or_else(|| Refusal::new("name_taken", "every name for this workload is taken"))?;
    let (issuer, subject, evidence) = (external.issuer, external.subject, evidence.to_owned());
    let arrived = WorkloadArrived { agent: at.fresh_id(), name, issuer, subject, evidence };
    Ok(vec![Event::WorkloadArrived(Box::new(arrived))])
}

pub(crate) fn apply_bound(state: &mut State, agent: AgentId, workload: &WorkloadIdentity) {
    match workload {
        WorkloadIdentity::Local { selectors } => {
            let new = LocalWorkload { agent, selectors: selectors.clone() };
            let all = Arc::make_mut(&mut state.local_workloads);
            all.retain(|own| own.selectors != new.selectors);
            all.push(new);
        }
        WorkloadIdentity::Foreign { issuer, subject } => {
            state.workloads.insert(External::new(issuer, subject), agent);
        }
    }
}

pub(crate) fn apply_unbound(state: &mut State, agent: AgentId, workload: &WorkloadIdentity) {
    match workload {
        WorkloadIdentity::Local { selectors } => {
            let gone = LocalWorkload { agent, selectors: selectors.clone() };
            Arc::make_mut(&mut state.local_workloads).retain(|own| *own != gone);
        }
        WorkloadIdentity::Foreign { issuer, subject } => {
            let external = External::new(issuer, subject);
            if state.workloads.get(&external) == Some(&agent) {
                state.workloads.remove(&external);
            }
        }
    }
}

pub(crate) fn apply_arrived(state: &mut State, arrived: &WorkloadArrived, at: Timestamp) {
    let external = External::new(&arrived.issuer, &arrived.subject);
    let agent = Agent {
        id: arrived.agent,
        name: arrived.name.clone(),
        profile: AgentProfile::default(),
        status: AgentStatus::Quarantined,
        keys: Vec::new(),
        registered_at: at,
        identities_from: None,
        enrolment: None,
        configuration: None,
    };
    state.agents_by_name.insert(arrived.name.clone(), arrived.agent);
    state.agents.insert(arrived.agent, Arc::new(agent));
    state.quarantined.insert(arrived.agent);
    state.arrivals.insert(external.digest(), arrived.agent);
    state.workloads.insert(external, arrived.agent);
}
