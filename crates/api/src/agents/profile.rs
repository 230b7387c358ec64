//! The record of an agent as people write it: names instead of ids, dates instead of milliseconds.

use remit_domain::{AgentProfile, Class, DataClass, Environment, Refusal, State, Timestamp};
use serde::Deserialize;

use crate::{names, time};

/// Parts of an agent's record.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ProfileInput {
    /// Id or name of a person.
    owner: Option<String>,
    /// Ids or names of people.
    approvers: Option<Vec<String>>,
    purpose: Option<String>,
    class: Option<Class>,
    autonomy: Option<u8>,
    data_classes: Option<Vec<DataClass>>,
    environment: Option<Environment>,
    /// RFC 3339.
    review_at: Option<String>,
    /// Instead of `review_at`, counted from now.
    review_in_seconds: Option<u64>,
    enforcer: Option<bool>,
}

impl ProfileInput {
    /// `base` with everything that is given here.
    pub fn over(self, base: AgentProfile, state: &State, now: Timestamp) -> Result<AgentProfile, Refusal> {
        let person = |text: &String| names::person(state, text).map(|person| person.id);
        let owner = self.owner.as_ref().map(person).transpose()?;
        let approvers = self.approvers.map(|approvers| approvers.iter().map(person).collect()).transpose()?;
        let review_at = match (&self.review_at, self.review_in_seconds) {
            (Some(_), Some(_)) => {
                return Err(Refusal::new("bad_review", "the next review has either a date or a distance, not both"));
            }
            (None, Some(seconds)) => Some(now.plus_seconds(seconds)),
            (at, None) => time::parse_optional(at.as_deref())?,
        };
        Ok(AgentProfile {
            owner: owner.or(base.owner),
            approvers: approvers.unwrap_or(base.approvers),
            purpose: self.purpose.unwrap_or(base.purpose),
            class: self.class.or(base.class),
            autonomy: self.autonomy.or(base.autonomy),
            data_classes: self.data_classes.unwrap_or(base.data_classes),
            environment: self.environment.or(base.environment),
            review_at: review_at.or(base.review_at),
            enforcer: self.enforcer.unwrap_or(base.enforcer),
        })
    }
}
