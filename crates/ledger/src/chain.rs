//! Gap-free sequences, one for each subject: what an agent did is provably all that it did.
//!
//! Each entry about a subject carries a [`Link`] to the entry before. The tree proves that nothing was changed; the
//! chain proves, to someone who was shown only one subject's entries, that nothing was left out.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Hash;

#[cfg(test)]
mod tests;

/// Where an entry stands in its subject's sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// From 1, without gaps.
    pub seq: u64,
    /// The leaf hash of the subject's entry before, [`Hash::ZERO`] for the first.
    pub prev: Hash,
}

/// The last entry of a subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    pub seq: u64,
    /// The leaf hash of that entry.
    pub leaf: Hash,
}

/// The last entry of every subject.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Chains(BTreeMap<String, Head>);

impl Chains {
    /// The link that the next entry of `subject` must carry.
    pub fn next(&self, subject: &str) -> Link {
        self.0.get(subject).map_or(Link { seq: 1, prev: Hash::ZERO }, Head::next)
    }

    /// Records that the entry with the hash `leaf` is now the last of `subject`. It carried what
    /// [`Chains::next`] said.
    pub fn advance(&mut self, subject: &str, leaf: Hash) {
        match self.0.get_mut(subject) {
            Some(head) => *head = Head { seq: head.next().seq, leaf },
            None => self.set(subject, Head { seq: 1, leaf }),
        }
    }

    /// The last entry of every subject, in the order of their names.
    pub fn heads(&self) -> impl Iterator<Item = (&str, Head)> {
        self.0.iter().map(|(subject, head)| (subject.as_str(), *head))
    }

    fn set(&mut self, subject: &str, head: Head) {
        self.0.insert(subject.to_owned(), head);
    }
}

impl Head {
    fn next(&self) -> Link {
        // A written head may claim any number; the highest has no next, and a checker then reports the repetition.
        Link { seq: self.seq.saturating_add(1), prev: self.leaf }
    }
}

/// Follows entries in their order and says where a subject's sequence is broken.
#[derive(Debug, Clone, Default)]
pub struct ChainChecker {
    chains: Chains,
}

/// Where a sequence is broken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChainFault {
    #[error("the sequence of `{subject}` goes on with {found} where {expected} should be")]
    Gap { subject: String, expected: u64, found: u64 },
    #[error("entry {seq} of `{subject}` does not name the entry before it")]
    WrongPrevious { subject: String, seq: u64 },
}

impl ChainChecker {
    /// Starts from heads that are already known to be right, such as those of a verified snapshot.
    pub fn starting_at(chains: Chains) -> Self {
        Self { chains }
    }

    /// Takes the next entry of the log: it is about `subject`, carries `link` and has the hash `leaf`.
    ///
    /// # Errors
    ///
    /// If the sequence is broken here. The checker goes on from this entry, so each break is reported once.
    pub fn check(&mut self, subject: &str, link: &Link, leaf: Hash) -> Result<(), ChainFault> {
        let expected = self.chains.next(subject);
        self.chains.set(subject, Head { seq: link.seq, leaf });
        let subject = || subject.to_owned();
        if link.seq != expected.seq {
            return Err(ChainFault::Gap { subject: subject(), expected: expected.seq, found: link.seq });
        }
        if link.prev != expected.prev {
            return Err(ChainFault::WrongPrevious { subject: subject(), seq: link.seq });
        }
        Ok(())
    }

    /// The heads that were reached.
    pub fn chains(&self) -> &Chains {
        &self.chains
    }
}

impl ChainFault {
    /// Whose sequence is broken.
    pub fn subject(&self) -> &str {
        match self {
            Self::Gap { subject, .. } | Self::WrongPrevious { subject, .. } => subject,
        }
    }

    /// The number of the entry at which it was noticed.
    pub fn seq(&self) -> u64 {
        match self {
            Self::Gap { found, .. } => *found,
            Self::WrongPrevious { seq, .. } => *seq,
        }
    }
}
