//! Proofs that an entry is in a tree, and that a tree has only grown (RFC 6962 section 2.1, verified as in RFC 9162
//! sections 2.1.3.2 and 2.1.4.2).

use crate::{Hash, Hashes, node_hash};

#[cfg(test)]
mod tests;

/// Why a proof cannot be made, or does not prove what it should.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    #[error("a tree of {size} entries has no entry {index}")]
    NoSuchEntry { index: u64, size: u64 },
    #[error("a tree of {to} entries cannot have grown from one of {from}")]
    Shrunk { from: u64, to: u64 },
    #[error("the hash over {leaves} entries from entry {start} is missing")]
    Missing { start: u64, leaves: u64 },
    #[error("the proof has too few or too many hashes")]
    Length,
    #[error("the proof leads to another root than the checkpoint's")]
    OtherRoot,
    #[error("the proof does not start from the earlier checkpoint's root")]
    OtherEarlierRoot,
}

/// Proves that entry `index` is in the tree of the first `size` entries: the siblings from the leaf up.
///
/// # Errors
///
/// If there is no such entry, or `hashes` lacks one that is needed.
pub fn inclusion_proof(hashes: &impl Hashes, index: u64, size: u64) -> Result<Vec<Hash>, ProofError> {
    if index >= size {
        return Err(ProofError::NoSuchEntry { index, size });
    }
    let (mut start, mut end) = (0, size);
    let mut proof = Vec::new();
    // From the root down to the leaf; at each step the half that the entry is not in is its sibling.
    while end - start > 1 {
        let middle = start + split(end - start);
        if index < middle {
            proof.push(subtree(hashes, middle, end)?);
            end = middle;
        } else {
            proof.push(subtree(hashes, start, middle)?);
            start = middle;
        }
    }
    proof.reverse();
    Ok(proof)
}

/// Checks that the entry with the hash `leaf` is entry `index` of the tree with `size` entries and this `root`.
///
/// # Errors
///
/// If the proof has another length than it must have, or leads to another root.
pub fn verify_inclusion(leaf: Hash, index: u64, size: u64, proof: &[Hash], root: Hash) -> Result<(), ProofError> {
    if index >= size {
        return Err(ProofError::NoSuchEntry { index, size });
    }
    // The node's position in its row, and that of the row's last node.
    let (mut node, mut last) = (index, size - 1);
    let mut hash = leaf;
    for sibling in proof {
        if last == 0 {
            return Err(ProofError::Length);
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(sibling, &hash);
            let lone = lone_rows(node);
            (node, last) = (node >> lone, last >> lone);
        } else {
            hash = node_hash(&hash, sibling);
        }
        (node, last) = (node >> 1, last >> 1);
    }
    if last != 0 {
        return Err(ProofError::Length);
    }
    if hash == root { Ok(()) } else { Err(ProofError::OtherRoot) }
}

/// Proves that the tree of the first `to` entries begins with that of the first `from`.
///
/// # Errors
///
/// If the sizes are reversed, or `hashes` lacks one that is needed.
pub fn consistency_proof(hashes: &impl Hashes, from: u64, to: u64) -> Result<Vec<Hash>, ProofError> {
    if from > to {
        return Err(ProofError::Shrunk { from, to });
    }
    if from == 0 || from == to {
        return Ok(Vec::new());
    }
    let (mut start, mut end) = (0, to);
    let mut proof = Vec::new();
    // From the root down to the subtree that ends where the earlier tree ended.
    while end != from {
        let middle = start + split(end - start);
        if from <= middle {
            proof.push(subtree(hashes, middle, end)?);
            end = middle;
        } else {
            proof.push(subtree(hashes, start, middle)?);
            start = middle;
        }
    }
    // The verifier knows the earlier root itself, so it is given only where it is not that.
    if start != 0 {
        proof.push(subtree(hashes, start, end)?);
    }
    proof.reverse();
    Ok(proof)
}

/// Checks that the tree of `to` entries with `to_root` begins with the tree of `from` entries with `from_root`.
///
/// # Errors
///
/// If the proof has another length than it must have, or does not lead to both roots.
pub fn verify_consistency(
    from: u64,
    from_root: Hash,
    to: u64,
    to_root: Hash,
    proof: &[Hash],
) -> Result<(), ProofError> {
    if from > to {
        return Err(ProofError::Shrunk { from, to });
    }
    if from == 0 || from == to {
        return verify_trivial(from, from_root, to_root, to, proof);
    }
    let shared_rows = (from - 1).trailing_ones();
    let (mut node, mut last) = ((from - 1) >> shared_rows, (to - 1) >> shared_rows);
    let (first, rest) =
        if from.is_power_of_two() { (&from_root, proof) } else { proof.split_first().ok_or(ProofError::Length)? };
    let (mut earlier, mut later) = (*first, *first);
    for sibling in rest {
        if last == 0 {
            return Err(ProofError::Length);
        }
        if node & 1 == 1 || node == last {
            earlier = node_hash(sibling, &earlier);
            later = node_hash(sibling, &later);
            let lone = lone_rows(node);
            (node, last) = (node >> lone, last >> lone);
        } else {
            later = node_hash(&later, sibling);
        }
        (node, last) = (node >> 1, last >> 1);
    }
    if last != 0 {
        return Err(ProofError::Length);
    }
    if earlier != from_root {
        return Err(ProofError::OtherEarlierRoot);
    }
    if later == to_root { Ok(()) } else { Err(ProofError::OtherRoot) }
}

/// An empty tree, and the same tree, need no proof, but their roots must be what they are.
fn verify_trivial(from: u64, from_root: Hash, to_root: Hash, to: u64, proof: &[Hash]) -> Result<(), ProofError> {
    if !proof.is_empty() {
        return Err(ProofError::Length);
    }
    if from == 0 && from_root != Hash::empty_root() {
        return Err(ProofError::OtherEarlierRoot);
    }
    if from == to && from_root != to_root {
        return Err(ProofError::OtherRoot);
    }
    Ok(())
}

/// The last node of a row may have no sibling; it then is the same node in this many rows above, until it has one.
fn lone_rows(node: u64) -> u32 {
    if node == 0 { 0 } else { node.trailing_zeros() }
}

/// The largest power of two below `leaves`, which is at least 2 (RFC 6962 section 2.1: `k`).
fn split(leaves: u64) -> u64 {
    1 << (leaves - 1).ilog2()
}

/// The hash over the leaves from `start` up to `end`: complete subtrees are known, the rest is hashed from them.
///
/// `start` is always a multiple of the largest power of two in the range, because ranges come from splitting a tree.
fn subtree(hashes: &impl Hashes, start: u64, end: u64) -> Result<Hash, ProofError> {
    let mut complete = Vec::new();
    let mut from = start;
    while from < end {
        let level = (end - from).ilog2();
        let node = hashes.node(level, from >> level);
        complete.push(node.ok_or(ProofError::Missing { start: from, leaves: 1 << level })?);
        from += 1 << level;
    }
    let narrowest_first = complete.into_iter().rev();
    let root = narrowest_first.reduce(|right, left| node_hash(&left, &right));
    root.ok_or(ProofError::NoSuchEntry { index: start, size: end })
}
