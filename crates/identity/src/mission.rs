//! Missions: what was asked for, what was approved, and that whatever follows is contained in it (Mission-Bound
//! Authorization, an individual draft; everything that Remit takes from it is here).
//!
//! INVARIANT: comparing may normalise, hashing never does. An anchor stands for the bytes that somebody approved.

use crate::json::{self, JsonError};
use crate::limits;

mod anchor;
mod constraint;
mod decimal;
mod entry;
mod intent;
mod resource;
mod subset;
#[cfg(test)]
mod tests;

pub use anchor::{authority_hash, entry_digest, intent_hash, parameter_digest, parse_anchor, proposal_hash};
pub use entry::{Delegate, Delegation, Entry, ResourceMatch};
pub use intent::{Controls, MissionIntent};
pub use subset::{Why, Wider, is_subset};

/// The revision of the drafts that this module follows (draft-mcguinness-oauth-mission, 2026-08-22).
pub const REVISION: &str = "eed0ae6f";

/// Why something about a mission was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MissionError {
    #[error(transparent)]
    Json(#[from] JsonError),
    #[error("this is longer than {} bytes", limits::MISSION_BYTES_MAX)]
    TooLong,
    #[error("there is not between 1 and {} entries", limits::ENTRIES_MAX)]
    Entries,
    #[error("the type of an entry is not `mission_resource_access`")]
    Type,
    #[error("the resource `{0}` is not an absolute http or https address without query, fragment and empty segments")]
    Resource(String),
    #[error("`resource_match` is neither `exact` nor `prefix`")]
    Match,
    #[error("the action `{0}` is not a name, a family such as `invoices.*`, or `*`")]
    Action(String),
    #[error("the constraint `{name}` {why}")]
    Constraint { name: String, why: &'static str },
    #[error("a delegate is not named by either `sub` or `sub_profile`")]
    Delegate,
    #[error("`max_depth` is not a number from 0 to {}", limits::ACTOR_DEPTH_MAX)]
    Depth,
    #[error("`expires_at` is not a time as in RFC 3339")]
    Time,
    #[error("the anchor does not start with `sha-256:`, or 43 characters of base64url do not follow")]
    Anchor,
    #[error("a number is too large to be hashed without losing digits")]
    Number,
}

impl MissionError {
    /// What to do next.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Number => "send large numbers as text",
            Self::Constraint { .. } => {
                "name bounds `max_X`, `min_X`, `X_after` or `X_before`, or give the values that `X` may have"
            }
            Self::Anchor => "use an anchor as this module makes it; no other digest is known",
            _ => "see Mission-Bound Authorization for the shape of an entry and of an intent",
        }
    }
}

/// Reads the text of an `authorization_details` parameter (RFC 9396): entries of the one type that is known here.
pub fn parse_entries(text: &str) -> Result<Vec<Entry>, MissionError> {
    if text.len() > limits::MISSION_BYTES_MAX {
        return Err(MissionError::TooLong);
    }
    entries_of(&json::parse(text.as_bytes())?)
}

/// Reads `authorization_details` that were parsed strictly before.
pub fn entries_of(value: &serde_json::Value) -> Result<Vec<Entry>, MissionError> {
    let items = value.as_array().filter(|items| (1..=limits::ENTRIES_MAX).contains(&items.len()));
    items.ok_or(MissionError::Entries)?.iter().map(Entry::parse).collect()
}

/// A part of what somebody sent, short enough for a sentence.
fn excerpt(text: &str) -> String {
    text.chars().take(80).collect()
}
