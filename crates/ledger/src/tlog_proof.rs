//! An offline receipt: one text file that proves that an entry is in a signed log (C2SP `tlog-proof`, version 1).

use std::fmt;
use std::str::FromStr;

use crate::checkpoint::decimal;
use crate::{
    Checkpoint, Hash, NOTE_BYTES_MAX, NoteError, NoteVerifier, PROOF_HASHES_MAX, ProofError, base64, leaf_hash,
    verify_inclusion,
};

#[cfg(test)]
mod tests;

/// The first line of every proof.
const HEADER: &str = "c2sp.org/tlog-proof@v1";

/// The most extra data that is read, in bytes of base64.
const EXTRA_BYTES_MAX: usize = 64 * 1024;

/// That entry `index` is in the tree of `checkpoint`. Nothing is proved before [`TlogProof::verify`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlogProof {
    /// Data for the reader that nothing vouches for.
    pub extra: Option<Vec<u8>>,
    pub index: u64,
    /// The siblings from the leaf up.
    pub hashes: Vec<Hash>,
    /// The signed note, as the log wrote it.
    pub checkpoint: String,
}

/// Why a text is not a proof, or proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TlogProofError {
    #[error("this is not a proof of the form `{HEADER}`: {problem}")]
    Malformed { problem: &'static str },
    #[error(transparent)]
    Note(#[from] NoteError),
    #[error(transparent)]
    Proof(#[from] ProofError),
}

impl TlogProof {
    /// Checks that `entry` is in the log `origin` that `verifier` signs for, and returns the checkpoint it is under.
    ///
    /// # Errors
    ///
    /// If the checkpoint is not signed, is of another log, or the entry is not at this index in its tree.
    pub fn verify(&self, entry: &[u8], verifier: &NoteVerifier, origin: &str) -> Result<Checkpoint, TlogProofError> {
        let checkpoint = verifier.verify_checkpoint(&self.checkpoint, origin)?;
        verify_inclusion(leaf_hash(entry), self.index, checkpoint.size, &self.hashes, checkpoint.root)?;
        Ok(checkpoint)
    }
}

impl fmt::Display for TlogProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEADER}")?;
        if let Some(extra) = &self.extra {
            writeln!(f, "extra {}", base64::encode(extra))?;
        }
        writeln!(f, "index {}", self.index)?;
        for hash in &self.hashes {
            writeln!(f, "{}", hash.base64())?;
        }
        write!(f, "\n{}", self.checkpoint)
    }
}

impl FromStr for TlogProof {
    type Err = TlogProofError;

    fn from_str(text: &str) -> Result<Self, TlogProofError> {
        let malformed = |problem| TlogProofError::Malformed { problem };
        let (head, checkpoint) =
            text.split_once("\n\n").ok_or_else(|| malformed("no blank line before a checkpoint"))?;
        if checkpoint.len() > NOTE_BYTES_MAX {
            return Err(NoteError::TooLong { bytes: checkpoint.len() }.into());
        }
        let mut lines = head.split('\n').peekable();
        if lines.next() != Some(HEADER) {
            return Err(malformed("another first line"));
        }
        let mut extra = None;
        if let Some(encoded) = lines.peek().and_then(|line| line.strip_prefix("extra ")) {
            let bytes = Some(encoded).filter(|encoded| encoded.len() <= EXTRA_BYTES_MAX).and_then(base64::decode);
            extra = Some(bytes.ok_or_else(|| malformed("the extra data is too long or not standard base64"))?);
            lines.next();
        }
        let index = lines.next().and_then(|line| line.strip_prefix("index ")).and_then(decimal);
        let index = index.ok_or_else(|| malformed("no index where it should be"))?;
        let mut hashes = Vec::new();
        for line in lines {
            if hashes.len() == PROOF_HASHES_MAX {
                return Err(malformed("more hashes than any tree needs"));
            }
            hashes.push(Hash::from_base64(line).map_err(|_| malformed("a line is not a hash in standard base64"))?);
        }
        Ok(Self { extra, index, hashes, checkpoint: checkpoint.to_owned() })
    }
}
