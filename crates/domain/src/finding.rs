//! Findings: credentials that several parties were seen to hold, told to people once each.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::person::check_note;
use crate::state::Ended;
use crate::workload::check_facts;
use crate::{Actor, AgentId, Digest, Event, FindingId, Moment, PersonId, Refusal, State, TaskId, Timestamp, limits};

#[cfg(test)]
mod tests;

/// What was seen in several hands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CredentialKind {
    Token,
    Key,
    Svid,
    /// The secret of a legacy account.
    Secret,
}

impl CredentialKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Key => "key",
            Self::Svid => "svid",
            Self::Secret => "secret",
        }
    }
}

/// Reports that one credential was seen from several runs, machines or attested workloads.
#[derive(Debug, Clone)]
pub struct ReportSharing {
    pub credential: Digest,
    pub kind: CredentialKind,
    pub agent: AgentId,
    /// The task that the credential opens; nothing if it opens all of the agent's.
    pub task: Option<TaskId>,
    /// Who was seen with it, at least two.
    pub parties: Vec<String>,
}

/// A credential was seen in several hands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FindingOpened {
    pub finding: FindingId,
    pub agent: AgentId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<TaskId>,
    pub credential: Digest,
    pub kind: CredentialKind,
    pub parties: Vec<String>,
}

/// What was found, and what a person made of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    pub id: FindingId,
    pub agent: AgentId,
    pub task: Option<TaskId>,
    pub credential: Digest,
    pub kind: CredentialKind,
    pub parties: Vec<String>,
    pub opened_at: Timestamp,
    /// Who closed it, and what they said.
    pub closed: Option<(PersonId, String)>,
}

impl State {
    /// What was found about the credential with this digest, as long as it is remembered.
    pub fn finding_of(&self, credential: &Digest) -> Option<&Arc<Finding>> {
        self.findings.get(self.findings_by_credential.get(credential)?)
    }
}

/// Opens a finding: once for each credential, until a person has closed it and a day has passed.
pub(crate) fn decide_report(
    state: &State,
    actor: &Actor,
    report: &ReportSharing,
    at: &Moment,
) -> Result<Vec<Event>, Refusal> {
    actor.remit("reports what it has seen")?;
    state.agent(report.agent)?;
    if let Some(task) = report.task
        && state.task(task)?.agent != report.agent
    {
        return Err(Refusal::new("other_agent", format!("the task `{task}` is another agent's")));
    }
    if report.parties.len() < 2 {
        return Err(Refusal::new("bad_finding", "a credential is shared by at least two parties"));
    }
    check_facts("parties", &report.parties)?;
    if state.findings_by_credential.contains_key(&report.credential) {
        return Ok(Vec::new());
    }
    if state.findings.len() >= limits::FINDINGS_MAX {
        return Err(Refusal::new("too_many_findings", "too many findings wait for somebody to look at them")
            .help("close those that are dealt with"));
    }
    Ok(vec![Event::FindingOpened(Box::new(FindingOpened {
        finding: at.fresh_id(),
        agent: report.agent,
        task: report.task,
        credential: report.credential,
        kind: report.kind,
        parties: report.parties.clone(),
    }))])
}

/// Says that a finding is dealt with. What was graded as shared stays so: the records were made by whoever made them.
pub(crate) fn decide_close(state: &State, actor: &Actor, id: FindingId, note: &str) -> Result<Vec<Event>, Refusal> {
    let finding = state.findings.get(&id).ok_or_else(|| Refusal::unknown("finding", id))?;
    let by = actor.owner_of(state, finding.agent)?;
    check_note("note", note)?;
    if finding.closed.is_some() {
        return Ok(Vec::new());
    }
    Ok(vec![Event::FindingClosed { agent: finding.agent, finding: id, by, note: note.to_owned() }])
}

pub(crate) fn apply_opened(state: &mut State, opened: &FindingOpened, at: Timestamp) {
    let finding = Finding {
        id: opened.finding,
        agent: opened.agent,
        task: opened.task,
        credential: opened.credential,
        kind: opened.kind,
        parties: opened.parties.clone(),
        opened_at: at,
        closed: None,
    };
    state.findings_by_credential.insert(opened.credential, opened.finding);
    state.findings.insert(opened.finding, Arc::new(finding));
    let concerned: Vec<TaskId> = match opened.task {
        Some(task) => vec![task],
        None => state.live_tasks_of(opened.agent).map(|task| task.id).collect(),
    };
    for task in concerned {
        crate::task::change(state, task, |task| task.shared = true);
    }
}

pub(crate) fn apply_closed(state: &mut State, id: FindingId, by: PersonId, note: &str, at: Timestamp) {
    if let Some(finding) = state.findings.get_mut(&id) {
        Arc::make_mut(finding).closed = Some((by, note.to_owned()));
        state.forget_later(Ended::Finding(id), at);
    }
}

/// Drops a finding that was closed long enough ago, so that the next sharing of the same credential is told again.
pub(crate) fn forget(state: &mut State, id: FindingId) {
    if let Some(finding) = state.findings.remove(&id)
        && state.findings_by_credential.get(&finding.credential) == Some(&id)
    {
        state.findings_by_credential.remove(&finding.credential);
    }
}
