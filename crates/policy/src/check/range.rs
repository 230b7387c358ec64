//! What one fact may be for a rule to match, and whether two demands on it can hold together.

use std::collections::BTreeSet;

/// The values that a fact may have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Range {
    /// From the first to the last, both included.
    Numbers(i64, i64),
    /// One of these.
    Words(BTreeSet<String>),
    /// None of these.
    Except(BTreeSet<String>),
    /// Whether it is so.
    Truth(bool),
}

impl Range {
    pub(super) fn word(word: &str) -> Self {
        Self::Words(BTreeSet::from([word.to_owned()]))
    }

    /// What fulfils both; nothing if they cannot be compared, which is never so for one fact of a policy that compiles.
    pub(super) fn and(&self, other: &Self) -> Option<Self> {
        Some(match (self, other) {
            (Self::Numbers(low, high), Self::Numbers(lower, higher)) => {
                Self::Numbers(*low.max(lower), *high.min(higher))
            }
            (Self::Words(words), Self::Words(others)) => Self::Words(words & others),
            (Self::Words(words), Self::Except(others)) | (Self::Except(others), Self::Words(words)) => {
                Self::Words(words - others)
            }
            (Self::Except(words), Self::Except(others)) => Self::Except(words | others),
            (Self::Truth(one), Self::Truth(other)) if one == other => Self::Truth(*one),
            (Self::Truth(_), Self::Truth(_)) => Self::Words(BTreeSet::new()),
            _ => return None,
        })
    }

    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Numbers(low, high) => low > high,
            Self::Words(words) => words.is_empty(),
            Self::Except(_) | Self::Truth(_) => false,
        }
    }

    /// Whether everything in it is in `other`, too.
    pub(super) fn within(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Numbers(low, high), Self::Numbers(lower, higher)) => lower <= low && high <= higher,
            (Self::Words(words), Self::Words(others)) => words.is_subset(others),
            (Self::Words(words), Self::Except(others)) => words.is_disjoint(others),
            (Self::Except(words), Self::Except(others)) => others.is_subset(words),
            (Self::Truth(one), Self::Truth(other)) => one == other,
            _ => false,
        }
    }

    /// In words, after "would have to be".
    pub(super) fn in_words(&self) -> String {
        let quoted = |words: &BTreeSet<String>| {
            let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
            words.join(" or ")
        };
        match self {
            Self::Numbers(low, high) if low == high => low.to_string(),
            Self::Numbers(low, i64::MAX) => format!("at least {low}"),
            Self::Numbers(i64::MIN, high) => format!("at most {high}"),
            Self::Numbers(low, high) if low > high => "nothing".to_owned(),
            Self::Numbers(low, high) => format!("from {low} to {high}"),
            Self::Words(words) => quoted(words),
            Self::Except(words) => format!("none of {}", quoted(words)),
            Self::Truth(truth) => truth.to_string(),
        }
    }
}
