//! Launches and SVIDs: which process runs which task, and which certificates and tokens were given to workloads.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::person::check_note;
use crate::workload::check_facts;
use crate::{
    Actor, AgentId, Digest, Event, Moment, Refusal, RunId, State, Task, TaskId, Timestamp, limits, sandbox, task,
};

#[cfg(test)]
mod tests;

/// A process, told from every other that had or will have its number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Process {
    pub pid: i32,
    /// When it started, in clock ticks since the machine did (proc(5), `starttime`).
    pub started_at_ticks: u64,
    /// Digest of its program.
    pub exe_sha256: Digest,
    /// Where it is in the hierarchy of control groups, or nothing.
    #[serde(default)]
    pub cgroup: String,
}

/// The process that was launched for a task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Launch {
    pub task: TaskId,
    pub run: RunId,
    pub agent: AgentId,
    pub started_at_ticks: u64,
    pub exe_sha256: Digest,
    pub cgroup: String,
}

/// A process was launched for a task, says whoever started both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LaunchAttested {
    pub agent: AgentId,
    pub run: RunId,
    pub task: TaskId,
    pub process: Process,
}

/// The forms of a SPIFFE verifiable identity document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SvidKind {
    /// A certificate (X.509-SVID).
    X509,
    /// A token (JWT-SVID).
    Jwt,
}

/// Records that an identity document was issued to a workload; none without its record.
#[derive(Debug, Clone)]
pub struct IssueSvid {
    pub agent: AgentId,
    /// The task whose run it names; nothing for the agent as such.
    pub task: Option<TaskId>,
    pub kind: SvidKind,
    /// Serial number of the certificate, or `jti` of the token.
    pub serial: String,
    /// For whom a token is; empty for certificates.
    pub audience: Vec<String>,
    pub expires_at: Timestamp,
    /// What was seen of the workload that got it.
    pub attested: Vec<String>,
}

/// An identity document was issued to a workload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SvidIssued {
    pub agent: AgentId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<TaskId>,
    pub kind: SvidKind,
    pub serial: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub audience: Vec<String>,
    pub expires_at: Timestamp,
    pub attested: Vec<String>,
}

/// Ties a process to a task, by whoever started the task: nobody else knows what they launched for it.
pub(crate) fn decide_attest(
    state: &State,
    actor: &Actor,
    id: TaskId,
    process: &Process,
    at: &Moment,
) -> Result<Vec<Event>, Refusal> {
    let task = state.task(id)?;
    match actor {
        Actor::Person { person, .. } if task.started_by == Some(*person) && !task::is_delegated(state, task) => {}
        Actor::Agent { agent, task: None } if *agent == task.agent && task.started_by.is_none() => {}
        _ => return Err(Refusal::new("not_permitted", "only whoever started a task says what was launched for it")),
    }
    // The identity of a launch names the run, and so opens all of it: only the task that is as wide as the run has one.
    if task.parent.and_then(|parent| state.tasks.get(&parent)).is_some_and(|parent| parent.run == task.run) {
        return Err(Refusal::new("not_the_whole_run", format!("`{id}` is a part of its run, and a process is a run"))
            .help("start a task of its own for each process"));
    }
    task.must_be_alive(at.now)?;
    let agent = state.agent(task.agent)?;
    agent.must_be_active()?;
    sandbox::must_not_be_built_in(agent)?;
    if process.pid <= 0 || process.cgroup.len() > limits::FACT_BYTES_MAX {
        return Err(Refusal::new("bad_process", "a process has a number above zero and a short control group"));
    }
    check_note("control group", &process.cgroup)?;
    if let Some(pid) = state.launches_by_task.get(&id) {
        let same = state.launches.get(pid).is_some_and(|launch| *pid == process.pid && launch.is(process));
        return match same {
            true => Ok(Vec::new()),
            false => Err(Refusal::new("task_launched", format!("another process was launched for the task `{id}`"))
                .help("start a sub-task, or a task of its own, for each process")),
        };
    }
    // A number that is used again is another process; the same process never runs two tasks at a time.
    let runs_another = |launch: &Launch| {
        launch.started_at_ticks == process.started_at_ticks
            && state.tasks.get(&launch.task).is_some_and(|task| task.must_be_alive(at.now).is_ok())
    };
    if state.launches.get(&process.pid).is_some_and(runs_another) {
        return Err(Refusal::new("process_taken", format!("the process {} runs another task", process.pid))
            .help("launch a process of its own for each task"));
    }
    Ok(vec![Event::LaunchAttested(Box::new(LaunchAttested {
        agent: task.agent,
        run: task.run,
        task: id,
        process: process.clone(),
    }))])
}

impl Launch {
    fn is(&self, process: &Process) -> bool {
        self.started_at_ticks == process.started_at_ticks
            && self.exe_sha256 == process.exe_sha256
            && self.cgroup == process.cgroup
    }
}

pub(crate) fn decide_issue_svid(
    state: &State,
    actor: &Actor,
    issue: &IssueSvid,
    at: &Moment,
) -> Result<Vec<Event>, Refusal> {
    actor.remit("issues identity documents")?;
    let agent = state.agent(issue.agent)?;
    agent.must_be_active()?;
    sandbox::must_not_be_built_in(agent)?;
    let task = issue.task.map(|task| state.task(task)).transpose()?;
    if let Some(task) = task {
        task.must_be_alive(at.now)?;
        if task.agent != issue.agent {
            return Err(Refusal::new("other_agent", format!("the task `{}` is another agent's", task.id)));
        }
    }
    let latest = at.now.plus_seconds(limits::SVID_SECONDS_MAX);
    let latest = task.map_or(latest, |task| latest.min(task.expires_at));
    if issue.expires_at <= at.now || issue.expires_at > latest {
        return Err(Refusal::new(
            "svid_too_long",
            "an identity document lives at most a day, and never longer than its task",
        ));
    }
    if (issue.kind == SvidKind::Jwt) == issue.audience.is_empty() {
        return Err(Refusal::new(
            "bad_audience",
            "a token is for somebody, and a certificate for nobody in particular",
        )
        .help("name the audience of a JWT-SVID"));
    }
    check_facts("audiences", &issue.audience)?;
    check_facts("observations", &issue.attested)?;
    check_facts("serial numbers", std::slice::from_ref(&issue.serial))?;
    Ok(vec![Event::SvidIssued(Box::new(SvidIssued {
        agent: issue.agent,
        run: task.map(|task| task.run),
        task: issue.task,
        kind: issue.kind,
        serial: issue.serial.clone(),
        audience: issue.audience.clone(),
        expires_at: issue.expires_at,
        attested: issue.attested.clone(),
    }))])
}

pub(crate) fn apply_attested(state: &mut State, attested: &LaunchAttested) {
    // What was launched for a task is forgotten with its end.
    if !state.tasks.get(&attested.task).is_some_and(|task| task.is_live()) {
        return;
    }
    let process = &attested.process;
    let launch = Launch {
        task: attested.task,
        run: attested.run,
        agent: attested.agent,
        started_at_ticks: process.started_at_ticks,
        exe_sha256: process.exe_sha256,
        cgroup: process.cgroup.clone(),
    };
    if let Some(before) = state.launches.insert(process.pid, launch) {
        state.launches_by_task.remove(&before.task);
    }
    state.launches_by_task.insert(attested.task, process.pid);
}

/// Forgets what was launched for a task that is forgotten. Until then it stays known as a process whose work is over: without
/// that it would be taken for a part of whatever launched it.
pub(crate) fn apply_task_forgotten(state: &mut State, id: TaskId) {
    if let Some(pid) = state.launches_by_task.remove(&id) {
        state.launches.remove(&pid);
    }
}

/// Whether `task`, or the task that opened its run, belongs to a process that Remit watches and whose end it sees.
pub(crate) fn is_watched(state: &State, task: &Task) -> bool {
    let own = std::iter::once(task);
    let above = task::lineage(state, task).filter(|above| above.run == task.run);
    own.chain(above).any(|one| state.launches_by_task.contains_key(&one.id))
}
