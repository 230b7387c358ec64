use std::collections::HashMap;

use super::*;
use crate::{Tiles, consistency_proof, inclusion_proof, leaf_hash};

fn leaves(size: u64) -> Vec<Hash> {
    (0..size).map(|n| leaf_hash(&n.to_be_bytes())).collect()
}

/// The files that are left of a log that signed only its last size.
fn files(size: u64) -> HashMap<String, Vec<u8>> {
    let mut tiles = Tiles::default();
    let mut files = Vec::new();
    for (n, leaf) in (0..size).zip(leaves(size)) {
        files.extend(tiles.push(&n.to_be_bytes(), leaf).unwrap());
    }
    files.extend(tiles.partial());
    files.into_iter().map(|file| (file.path, file.bytes)).collect()
}

#[test]
fn tiles_give_the_same_hashes_as_leaves_do() {
    for size in [0, 1, 255, 256, 257, 1_000, 66_000] {
        let (files, memory) = (files(size), LeafHashes::new(leaves(size)));
        let tiles = TileHashes::new(size, |path: &str| files.get(path).cloned());
        for level in 0..20 {
            let rows = size >> level;
            for index in (0..rows.min(3)).chain(rows.saturating_sub(3)..rows + 2) {
                assert_eq!(tiles.node(level, index), memory.node(level, index), "level {level}, index {index}");
            }
        }
        assert_eq!(tiles.node(64, 0), None);
        assert_eq!(tiles.node(63, 1), None);
        assert_eq!(tiles.node(0, u64::MAX), None);
    }
}

#[test]
fn proofs_from_tiles_are_those_from_leaves_at_earlier_sizes_too() {
    let size = 66_000;
    let (files, memory) = (files(size), LeafHashes::new(leaves(size)));
    let tiles = TileHashes::new(size, |path: &str| files.get(path).cloned());
    for (index, at) in [(0, 1), (0, size), (255, 256), (256, 65_537), (65_535, size), (65_999, size), (700, 1_234)] {
        let proof = inclusion_proof(&tiles, index, at).unwrap();
        assert_eq!(proof, inclusion_proof(&memory, index, at).unwrap(), "entry {index} at {at}");
        let grown = consistency_proof(&tiles, index + 1, at).unwrap();
        assert_eq!(grown, consistency_proof(&memory, index + 1, at).unwrap());
    }
}

#[test]
fn a_tile_that_is_not_whole_gives_nothing() {
    let mut files = files(300);
    files.get_mut("tile/0/001.p/44").unwrap().pop();
    files.remove("tile/1/000.p/1");
    let tiles = TileHashes::new(300, |path: &str| files.get(path).cloned());
    assert_eq!(tiles.node(0, 256), None);
    assert_eq!(tiles.node(8, 0), None);
    assert!(tiles.node(0, 255).is_some());
}

#[test]
fn a_tile_is_read_once_for_the_nodes_of_a_proof_that_lie_in_it() {
    let files = files(1_000);
    let reads = std::cell::Cell::new(0);
    let tiles = TileHashes::new(1_000, |path: &str| {
        reads.set(reads.get() + 1);
        files.get(path).cloned()
    });
    inclusion_proof(&tiles, 5, 1_000).unwrap();
    // The entry's own tile, the partial one at the right edge, and the one above, asked for before and after it.
    assert!(reads.get() <= 4, "{}", reads.get());
}
