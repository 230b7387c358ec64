//! Turns entries into a Merkle tree, signed checkpoints and proofs that anyone can verify offline.
//!
//! **Architecture invariant:** no async, no input or output, no clock, and no other crate of the house. Files are read
//! through functions that the caller passes in; the only randomness is the making of a signing key. What an entry means
//! is not known here: an entry is bytes.
//!
//! Formats, all as published so that existing verifiers read them unchanged: hashing by RFC 6962 section 2.1, tiles by
//! C2SP `tlog-tiles`, checkpoints by C2SP `tlog-checkpoint` and `signed-note` (Ed25519), offline receipts by C2SP
//! `tlog-proof`, canonical JSON by RFC 8785.

mod base64;
pub mod canonical;
pub mod chain;
mod checkpoint;
mod frontier;
mod hash;
mod hashes;
mod note;
pub mod pack;
mod proof;
mod tile_path;
mod tiles;
pub mod tlog_proof;

pub use checkpoint::{Checkpoint, CheckpointError};
pub use frontier::{Frontier, FrontierError};
pub use hash::{Hash, HashError, leaf_hash, node_hash, sha256};
pub use hashes::{Hashes, LeafHashes, TileHashes};
pub use note::{NOTE_BYTES_MAX, NOTE_SIGNATURES_MAX, NoteError, NoteKey, NoteVerifier};
pub use proof::{ProofError, consistency_proof, inclusion_proof, verify_consistency, verify_inclusion};
pub use tile_path::{TilePath, TileRow};
pub use tiles::{TileError, TileFile, Tiles, bundle_entries};

/// The longest entry, in bytes. Entry bundles give each entry a length of 16 bits (C2SP `tlog-tiles`, "Log entries").
pub const ENTRY_BYTES_MAX: usize = 65_535;

/// The largest tree that is read or written, in entries. Other verifiers count in signed 64-bit numbers.
pub const TREE_SIZE_MAX: u64 = i64::MAX as u64;

/// The most hashes in one proof. An inclusion proof has at most 63 in the largest tree, a consistency proof one more.
pub const PROOF_HASHES_MAX: usize = 64;

/// How many hashes or entries a full tile or bundle holds.
pub const TILE_WIDTH: usize = 256;
