use proptest::prelude::*;

use super::*;
use crate::{Frontier, LeafHashes, PROOF_HASHES_MAX, leaf_hash};

const SIZES: u64 = 300;

struct Tree {
    leaves: Vec<Hash>,
    /// The root at each size from 0.
    roots: Vec<Hash>,
    hashes: LeafHashes,
}

fn tree(size: u64) -> Tree {
    let leaves: Vec<Hash> = (0..size).map(|n| leaf_hash(&n.to_be_bytes())).collect();
    let mut frontier = Frontier::default();
    let mut roots = vec![frontier.root()];
    for leaf in &leaves {
        frontier.push(*leaf);
        roots.push(frontier.root());
    }
    Tree { hashes: LeafHashes::new(leaves.clone()), leaves, roots }
}

impl Tree {
    fn root(&self, size: u64) -> Hash {
        self.roots[size as usize]
    }

    fn leaf(&self, index: u64) -> Hash {
        self.leaves[index as usize]
    }
}

/// Every way to change a proof a little: another hash, one less, one more, two swapped.
fn tampered(proof: &[Hash]) -> Vec<Vec<Hash>> {
    let mut all = Vec::new();
    for place in 0..proof.len() {
        let mut other = proof.to_vec();
        let mut bytes = *other[place].as_bytes();
        bytes[place % 32] ^= 1;
        other[place] = Hash::from_bytes(bytes);
        all.push(other);
    }
    if let [shorter @ .., _] = proof {
        all.push(shorter.to_vec());
    }
    if proof.len() > 1 {
        let mut swapped = proof.to_vec();
        swapped.swap(0, 1);
        all.push(swapped);
    }
    all.push([proof, &[Hash::ZERO]].concat());
    all.push([&[Hash::ZERO], proof].concat());
    all
}

#[test]
fn the_example_of_the_standard_has_the_paths_it_says() {
    // RFC 6962 section 2.1.3: the audit paths of d0, d3, d4 and d6, and three consistency proofs, in a tree of seven.
    let tree = tree(7);
    let node = |level, index| tree.hashes.node(level, index).unwrap();
    let (a, b, c, d, e, f) = (node(0, 0), node(0, 1), node(0, 2), node(0, 3), node(0, 4), node(0, 5));
    let (g, h, i, j, k) = (node(1, 0), node(1, 1), node(1, 2), node(0, 6), node(2, 0));
    let l = node_hash(&i, &j);
    assert_eq!(inclusion_proof(&tree.hashes, 0, 7).unwrap(), [b, h, l]);
    assert_eq!(inclusion_proof(&tree.hashes, 3, 7).unwrap(), [c, g, l]);
    assert_eq!(inclusion_proof(&tree.hashes, 4, 7).unwrap(), [f, j, k]);
    assert_eq!(inclusion_proof(&tree.hashes, 6, 7).unwrap(), [i, k]);
    assert_eq!(consistency_proof(&tree.hashes, 3, 7).unwrap(), [c, d, g, l]);
    assert_eq!(consistency_proof(&tree.hashes, 4, 7).unwrap(), [l]);
    assert_eq!(consistency_proof(&tree.hashes, 6, 7).unwrap(), [i, j, k]);
    assert!(![a, e].contains(&tree.root(7)));
}

#[test]
fn every_entry_of_every_small_tree_is_proved_and_nothing_else() {
    let tree = tree(SIZES);
    for size in 1..=SIZES {
        for index in 0..size {
            let proof = inclusion_proof(&tree.hashes, index, size).unwrap();
            let verify = |leaf, index, size, root| verify_inclusion(leaf, index, size, &proof, root);
            assert_eq!(verify(tree.leaf(index), index, size, tree.root(size)), Ok(()), "{index} of {size}");
            assert!(verify(Hash::ZERO, index, size, tree.root(size)).is_err());
            assert!(verify(tree.leaf(index), index, size, tree.root(size - 1)).is_err());
            if size > 1 {
                assert!(verify(tree.leaf(index), (index + 1) % size, size, tree.root(size)).is_err());
            }
        }
        assert_eq!(inclusion_proof(&tree.hashes, size, size), Err(ProofError::NoSuchEntry { index: size, size }));
    }
}

#[test]
fn every_pair_of_small_trees_is_proved_to_have_grown() {
    let tree = tree(SIZES);
    for to in 0..=SIZES {
        for from in 0..=to {
            let proof = consistency_proof(&tree.hashes, from, to).unwrap();
            let (from_root, to_root) = (tree.root(from), tree.root(to));
            assert_eq!(verify_consistency(from, from_root, to, to_root, &proof), Ok(()), "{from} to {to}");
            assert!(verify_consistency(from, Hash::ZERO, to, to_root, &proof).is_err());
            // An empty tree says nothing about the one that grew from it.
            assert_eq!(verify_consistency(from, from_root, to, Hash::ZERO, &proof).is_err(), from > 0 || to == 0);
        }
    }
    assert_eq!(consistency_proof(&tree.hashes, 2, 1), Err(ProofError::Shrunk { from: 2, to: 1 }));
    assert_eq!(verify_consistency(2, Hash::ZERO, 1, Hash::ZERO, &[]), Err(ProofError::Shrunk { from: 2, to: 1 }));
}

#[test]
fn a_proof_needs_hashes_that_are_there() {
    let tree = tree(5);
    assert_eq!(inclusion_proof(&tree.hashes, 0, 8), Err(ProofError::Missing { start: 4, leaves: 4 }));
    assert_eq!(consistency_proof(&tree.hashes, 3, 8), Err(ProofError::Missing { start: 4, leaves: 4 }));
}

proptest! {
    #[test]
    fn a_tampered_inclusion_proof_fails(size in 1..=SIZES, index in 0..SIZES) {
        let (tree, index) = (tree(size), index % size);
        let proof = inclusion_proof(&tree.hashes, index, size).unwrap();
        for bad in tampered(&proof) {
            prop_assert!(verify_inclusion(tree.leaf(index), index, size, &bad, tree.root(size)).is_err());
        }
    }

    #[test]
    fn a_tampered_consistency_proof_fails(to in 1..=SIZES, from in 1..=SIZES) {
        let (tree, from) = (tree(to), 1 + (from - 1) % to);
        let proof = consistency_proof(&tree.hashes, from, to).unwrap();
        for bad in tampered(&proof) {
            prop_assert!(verify_consistency(from, tree.root(from), to, tree.root(to), &bad).is_err());
        }
    }

    #[test]
    fn no_numbers_stop_the_verifier(index: u64, size: u64, length in 0..=PROOF_HASHES_MAX + 2) {
        let proof = vec![Hash::ZERO; length];
        prop_assert!(verify_inclusion(Hash::ZERO, index, size, &proof, Hash::ZERO).is_err() || length == 0);
        let _ = verify_consistency(index, Hash::ZERO, size, Hash::ZERO, &proof);
        let _ = inclusion_proof(&LeafHashes::new(Vec::new()), index, size);
        let _ = consistency_proof(&LeafHashes::new(Vec::new()), index, size);
    }
}
