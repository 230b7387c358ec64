//! Which identities a process has: that of its run if Remit launched it, or else those of every agent whose selectors it meets.

use remit_domain::{AgentId, AgentStatus, RunId, State, TaskId, Timestamp};

use crate::attest::{Attested, DIGEST_SELECTOR, Launched};
use crate::limits;
use crate::process::ProcessId;

#[cfg(test)]
mod tests;

/// An identity that a process has now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    pub agent: AgentId,
    /// The run that it names and the task that this is, or nothing for the agent as such.
    pub run: Option<(RunId, TaskId)>,
    /// The SPIFFE ID.
    pub id: String,
    /// Tells it from the caller's others: the agent's name.
    pub hint: String,
    /// When it ends by itself.
    pub ends_at: Option<Timestamp>,
}

impl Identity {
    pub fn task(&self) -> Option<TaskId> {
        self.run.map(|(_, task)| task)
    }
}

/// What `process` was launched for, if it was: also for a task that has ended.
pub(crate) fn launch(state: &State, process: ProcessId) -> Option<Launched> {
    let launch = state.launches.get(&process.pid)?;
    (launch.started_at_ticks == process.started_at_ticks).then_some(Launched { process, task: launch.task })
}

/// Whether the digest of the program decides about some agent, everything else that describes it being met.
pub(crate) fn needs_digest(state: &State, attested: &Attested) -> bool {
    let is_active = |agent| state.agent(agent).is_ok_and(|agent| agent.status == AgentStatus::Active);
    let is_digest = |selector: &String| selector.starts_with(DIGEST_SELECTOR);
    attested.launched.is_none()
        && state.local_workloads.iter().any(|workload| {
            workload.selectors.iter().any(is_digest)
                && workload.selectors.iter().all(|own| is_digest(own) || attested.selectors.contains(own))
                && is_active(workload.agent)
        })
}

/// The identities of a process, the first one the default. None if it is nobody.
pub(crate) fn identities(state: &State, attested: &Attested, now: Timestamp) -> Vec<Identity> {
    let Some(realm) = &state.realm else { return Vec::new() };
    if let Some(launched) = attested.launched {
        // Exactly this, or nobody: what is launched for a run does not fall back to what else would describe it, during the run
        // nor after its end.
        return run(state, launched, &realm.trust_domain, now).into_iter().collect();
    }
    let matches = |selectors: &[String]| selectors.iter().all(|selector| attested.selectors.contains(selector));
    let mut identities: Vec<Identity> = Vec::new();
    for workload in state.local_workloads.iter().filter(|workload| matches(&workload.selectors)) {
        let Ok(agent) = state.agent(workload.agent) else { continue };
        if agent.status != AgentStatus::Active || identities.iter().any(|known| known.agent == agent.id) {
            continue;
        }
        let (id, hint) = (agent.spiffe_id(&realm.trust_domain), agent.name.clone());
        identities.push(Identity { agent: agent.id, run: None, id, hint, ends_at: None });
    }
    // Always in the same order, so that the default stays the default.
    identities.sort_by(|one, other| one.hint.cmp(&other.hint));
    identities.truncate(limits::IDENTITIES_MAX);
    identities
}

fn run(state: &State, launched: Launched, trust_domain: &str, now: Timestamp) -> Option<Identity> {
    let launch = state.launches.get(&launched.process.pid)?;
    if (launch.started_at_ticks, launch.task) != (launched.process.started_at_ticks, launched.task) {
        return None;
    }
    let (task, agent) = (state.task(launch.task).ok()?, state.agent(launch.agent).ok()?);
    if task.must_be_alive(now).is_err() || agent.status != AgentStatus::Active {
        return None;
    }
    Some(Identity {
        agent: agent.id,
        run: Some((launch.run, task.id)),
        id: format!("{}/run/{}", agent.spiffe_id(trust_domain), launch.run),
        hint: agent.name.clone(),
        ends_at: Some(task.expires_at),
    })
}

/// Whether an identity of `agent`, or of the run of one of its tasks, is still there for whoever has it.
pub(crate) fn stands(state: &State, agent: AgentId, task: Option<TaskId>, now: Timestamp) -> bool {
    let is_alive = |task: TaskId| state.task(task).is_ok_and(|task| task.must_be_alive(now).is_ok());
    state.agent(agent).is_ok_and(|agent| agent.status == AgentStatus::Active) && task.is_none_or(is_alive)
}
