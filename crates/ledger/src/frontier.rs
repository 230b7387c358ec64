//! The right edge of a growing tree: all that is needed to add entries and to know the root.

use serde::{Deserialize, Serialize};

use crate::{Hash, TREE_SIZE_MAX, node_hash};

#[cfg(test)]
mod tests;

/// The compact right edge of a tree of some size.
///
/// Two frontiers are equal exactly if their trees have the same leaves.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "FrontierParts")]
pub struct Frontier {
    size: u64,
    // INVARIANT: one complete subtree for each bit set in `size`, the widest first.
    edge: Vec<Hash>,
}

/// A written frontier before its parts are known to belong together.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FrontierParts {
    size: u64,
    edge: Vec<Hash>,
}

/// Why the parts of a written frontier do not make one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrontierError {
    #[error("the right edge of a tree of {size} entries has {expected} hashes, not {found}")]
    EdgeLength { size: u64, expected: u32, found: usize },
    #[error("a tree of {size} entries is larger than any that is read")]
    Size { size: u64 },
}

impl Frontier {
    /// The frontier of `size` leaves from its complete subtrees. The caller has one for each bit of `size`.
    pub(crate) fn from_edge(size: u64, edge: Vec<Hash>) -> Self {
        Self { size, edge }
    }

    /// Adds a leaf on the right.
    pub fn push(&mut self, leaf: Hash) {
        let mut node = leaf;
        // Each complete subtree that the new leaf closes becomes the left half of a wider one.
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.edge.pop() {
                node = node_hash(&left, &node);
            }
        }
        self.edge.push(node);
        self.size += 1;
    }

    /// How many leaves the tree has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The root of the tree (RFC 6962 section 2.1).
    pub fn root(&self) -> Hash {
        let narrowest_first = self.edge.iter().rev().copied();
        narrowest_first.reduce(|right, left| node_hash(&left, &right)).unwrap_or_else(Hash::empty_root)
    }
}

impl TryFrom<FrontierParts> for Frontier {
    type Error = FrontierError;

    fn try_from(parts: FrontierParts) -> Result<Self, FrontierError> {
        let (size, expected) = (parts.size, parts.size.count_ones());
        if size > TREE_SIZE_MAX {
            return Err(FrontierError::Size { size });
        }
        if usize::try_from(expected) != Ok(parts.edge.len()) {
            return Err(FrontierError::EdgeLength { size, expected, found: parts.edge.len() });
        }
        Ok(Self { size, edge: parts.edge })
    }
}

impl Extend<Hash> for Frontier {
    fn extend<I: IntoIterator<Item = Hash>>(&mut self, leaves: I) {
        leaves.into_iter().for_each(|leaf| self.push(leaf));
    }
}

impl FromIterator<Hash> for Frontier {
    fn from_iter<I: IntoIterator<Item = Hash>>(leaves: I) -> Self {
        let mut frontier = Self::default();
        frontier.extend(leaves);
        frontier
    }
}
