//! Enforcement: when the end of something took effect outside the ledger, point by point, and what could not be ended.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::person::check_name;
use crate::workload::check_facts;
use crate::{Actor, AgentId, Event, Refusal, State, Timestamp};

#[cfg(test)]
mod tests;

/// Records that one point of enforcement has done its part of what the entry `cause` ended.
#[derive(Debug, Clone)]
pub struct RecordEnforcement {
    /// The agent that the cause was about, if it was about one.
    pub agent: Option<AgentId>,
    /// Number of the ledger's entry that ended something.
    pub cause: u64,
    /// Where: `gateway-streams`, `workload-api`, `status-list`, `caep`, `upstream-grants` or `tokens`.
    pub point: String,
    pub took_effect_at: Timestamp,
    /// How many things were ended there.
    pub ended: u64,
    /// What could not be ended, in words.
    pub remaining: Vec<String>,
}

/// A point of enforcement has done its part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Enforced {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<AgentId>,
    pub cause: u64,
    pub point: String,
    pub took_effect_at: Timestamp,
    pub ended: u64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remaining: Vec<String>,
}

pub(crate) fn decide_record(state: &State, actor: &Actor, record: &RecordEnforcement) -> Result<Vec<Event>, Refusal> {
    actor.remit("records what it has enforced")?;
    record.agent.map_or(Ok(()), |agent| state.agent(agent).map(|_| ()))?;
    check_name("point of enforcement", &record.point)?;
    check_facts("things that remain", &record.remaining)?;
    Ok(vec![Event::Enforced(Box::new(Enforced {
        agent: record.agent,
        cause: record.cause,
        point: record.point.clone(),
        took_effect_at: record.took_effect_at,
        ended: record.ended,
        remaining: record.remaining.clone(),
    }))])
}
