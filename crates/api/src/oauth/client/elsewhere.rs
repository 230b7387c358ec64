//! Workloads that others vouch for: an agent that somebody bound them to, or one in quarantine.

use remit_domain::{Actor, AgentId, AgentStatus, Command, Refusal};
use remit_engine::SubmitError;

use crate::Api;
use crate::oauth::error::OAuthError;

/// The agent that the workload `subject` of `issuer` is. One that nobody knows becomes an agent in quarantine, for a person to
/// look at, and is refused until somebody has.
pub(crate) async fn agent_of(api: &Api, issuer: &str, subject: &str, evidence: &str) -> Result<AgentId, OAuthError> {
    let known = api.engine.read(|state| state.workload_of(issuer, subject).map(|agent| (agent.id, agent.status)));
    match known {
        Some((agent, status)) if status != AgentStatus::Quarantined => return Ok(agent),
        Some(_) => {}
        None => {
            let (issuer, subject) = (issuer.to_owned(), subject.to_owned());
            let arrive = Command::ArriveWorkload { issuer, subject, evidence: evidence.to_owned() };
            match api.engine.submit(Actor::Remit, arrive).await {
                Ok(_) => {}
                Err(SubmitError::Refused(refusal)) => return Err(OAuthError::new("access_denied", refusal)),
                Err(error) => return Err(error.into()),
            }
        }
    }
    let refusal = Refusal::new("agent_quarantined", "this workload is in quarantine: nobody answers for it yet")
        .help("an administrator describes and activates it, or binds it to an agent");
    Err(OAuthError::new("access_denied", refusal))
}
