//! What an operation does to the world.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::nearest::nearest;

/// The effect of an operation. Each is an action group in Cedar, as in `action in Action::"write"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verb {
    /// Looks, and changes nothing.
    Read,
    /// Changes something inside.
    Write,
    /// Brings something to somebody outside.
    Send,
    /// Runs something.
    Execute,
}

impl Verb {
    /// All verbs, from the least to the most consequential.
    pub const ALL: [Self; 4] = [Self::Read, Self::Write, Self::Send, Self::Execute];

    /// The verb's word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Send => "send",
            Self::Execute => "execute",
        }
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that is not a verb.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{word}` is not a verb; the verbs are `read`, `write`, `send` and `execute`")]
pub struct UnknownVerb {
    /// The word as it was given.
    pub word: String,
    /// The verb that was probably meant.
    pub suggestion: Option<&'static str>,
}

impl FromStr for Verb {
    type Err = UnknownVerb;

    fn from_str(word: &str) -> Result<Self, UnknownVerb> {
        Self::ALL.into_iter().find(|verb| verb.as_str() == word).ok_or_else(|| UnknownVerb {
            word: word.to_owned(),
            suggestion: nearest(word, Self::ALL.map(Self::as_str)),
        })
    }
}
