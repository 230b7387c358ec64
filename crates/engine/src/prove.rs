//! Proofs of single records, from the published tiles.

use std::fmt::Display;
use std::time::Duration;

use remit_domain::Refusal;
use remit_ledger::tlog_proof::TlogProof;
use remit_ledger::{Hash, NoteVerifier, TileHashes, inclusion_proof};
use serde::Serialize;

use crate::engine::Engine;
use crate::error::SubmitError;
use crate::store::tiles::{CHECKPOINT, TileDirectory};
use crate::store::{LogReader, Recovered};

/// How long to wait until a record that is committed is published too.
const PUBLISH_WAIT: Duration = Duration::from_secs(10);
/// The publisher may replace tiles while they are read; then they are read again.
const READ_TRIES: usize = 5;

/// One record with the proof that it is in the log.
#[derive(Debug, Clone, Serialize)]
pub struct Proof {
    /// The entry exactly as it is hashed.
    pub entry: String,
    pub index: u64,
    pub size: u64,
    pub root: Hash,
    pub proof: Vec<Hash>,
    /// The signed checkpoint of `size` and `root` (C2SP `tlog-checkpoint`).
    pub checkpoint: String,
    /// The same as one text (C2SP `tlog-proof`).
    pub tlog_proof: String,
}

impl Engine {
    /// The record at `seq` with its inclusion proof.
    pub async fn prove(&self, seq: u64) -> Result<Proof, SubmitError> {
        if seq >= self.head() {
            return Err(Refusal::unknown("record", seq).into());
        }
        self.wait_published(seq + 1).await?;
        let engine = self.clone();
        self.blocking(move || engine.prove_published(seq)).await
    }

    /// Waits until `size` records are published.
    pub(crate) async fn wait_published(&self, size: u64) -> Result<(), SubmitError> {
        let mut published = self.inner.tiles_head.clone();
        let waited = tokio::time::timeout(PUBLISH_WAIT, published.wait_for(|published| *published >= size)).await;
        match waited {
            Ok(Ok(_)) => Ok(()),
            _ => Err(SubmitError::ledger("the record is committed and its tiles are not published yet")),
        }
    }

    fn prove_published(&self, seq: u64) -> Result<Proof, SubmitError> {
        let entry = read_entry(&self.inner.reader, seq)?;
        let prover = Prover::open(self)?;
        prover.prove(seq, entry)
    }
}

/// The published log at one checkpoint.
pub(crate) struct Prover {
    directory: TileDirectory,
    pub note: String,
    pub size: u64,
    pub root: Hash,
}

impl Prover {
    pub(crate) fn open(engine: &Engine) -> Result<Self, SubmitError> {
        let failed = |error: &dyn Display| SubmitError::ledger(&format!("the published tiles cannot be read: {error}"));
        let directory = TileDirectory::open(&engine.inner.ledger).map_err(|error| failed(&error))?;
        let note =
            directory.read(CHECKPOINT).map_err(|error| failed(&error))?.ok_or_else(|| failed(&"no checkpoint"))?;
        let note = String::from_utf8(note).map_err(|error| failed(&error))?;
        let verifier = NoteVerifier::parse(&engine.inner.realm.log_key).map_err(|error| failed(&error))?;
        let checkpoint =
            verifier.verify_checkpoint(&note, &engine.inner.realm.origin).map_err(|error| failed(&error))?;
        Ok(Self { directory, note, size: checkpoint.size, root: checkpoint.root })
    }

    /// Proves `entry` at `index`. Tiles that were just replaced by fuller ones are read again.
    pub(crate) fn prove(&self, index: u64, entry: String) -> Result<Proof, SubmitError> {
        let mut last = String::new();
        for _ in 0..READ_TRIES {
            let hashes = TileHashes::new(self.size, |path: &str| self.read(path));
            match inclusion_proof(&hashes, index, self.size) {
                Ok(proof) => {
                    let receipt =
                        TlogProof { extra: None, index, hashes: proof.clone(), checkpoint: self.note.clone() };
                    return Ok(Proof {
                        entry,
                        index,
                        size: self.size,
                        root: self.root,
                        proof,
                        checkpoint: self.note.clone(),
                        tlog_proof: receipt.to_string(),
                    });
                }
                Err(error) => last = error.to_string(),
            }
        }
        Err(SubmitError::ledger(&format!("no proof can be made: {last}")))
    }

    /// A tile, or the fuller one that took a partial one's place, cut to what was asked for.
    fn read(&self, path: &str) -> Option<Vec<u8>> {
        if let Some(bytes) = self.directory.read(path).ok()? {
            return Some(bytes);
        }
        let (full, width) = path.split_once(".p/")?;
        let bytes = self.directory.read(full).ok()??;
        bytes.get(..width.parse::<usize>().ok()? * Hash::BYTES).map(<[u8]>::to_vec)
    }
}

/// The entry at `seq` as it was written.
pub(crate) fn read_entry(reader: &LogReader, seq: u64) -> Result<String, SubmitError> {
    let mut found = None;
    reader
        .read_range(seq, seq + 1, &mut |read| {
            if let Recovered::Entry { entry, .. } = read {
                found = Some(entry.to_vec());
            }
            std::ops::ControlFlow::Continue(())
        })
        .map_err(|error| SubmitError::storage("read the ledger", &error))?;
    let entry = found.ok_or_else(|| SubmitError::from(Refusal::unknown("record", seq)))?;
    String::from_utf8(entry).map_err(|_| SubmitError::ledger("an entry is not text"))
}
