//! The proofs in an evidence pack, and their verification with nothing but the pack at hand.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::note::SignedNote;
use crate::{
    Checkpoint, ENTRY_BYTES_MAX, Hash, NoteError, NoteVerifier, leaf_hash, verify_consistency, verify_inclusion,
};

#[cfg(test)]
mod tests;

/// An entry with the proof that it is in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackEntry {
    /// Its place in the log, from 0.
    pub index: u64,
    /// The exact text that was logged. Written in any other way it would have another hash.
    pub entry: String,
    /// The siblings from the leaf up.
    pub proof: Vec<Hash>,
}

/// An earlier checkpoint that the reader may know, and the proof that the log has only grown since.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackPrevious {
    /// The signed note.
    pub checkpoint: String,
    pub consistency: Vec<Hash>,
}

/// Everything in a pack that proves something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackProofs {
    /// The log's name.
    pub origin: String,
    /// The key that the log signs with, of the form `name+id+key`.
    pub vkey: String,
    /// The signed note.
    pub checkpoint: String,
    pub entries: Vec<PackEntry>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<PackPrevious>,
}

/// What a pack has proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified {
    /// How many entries the log had.
    pub size: u64,
    pub root: Hash,
    /// How many entries of the pack were proved.
    pub entries: usize,
    /// The size of the earlier checkpoint that this log has grown from, if the pack has one.
    pub previous_size: Option<u64>,
    /// Whether the key came from the reader. If not, the pack only agrees with itself.
    pub trusted: bool,
}

/// One thing in a pack that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackFault {
    /// The index of the entry; nothing if the fault is in the pack as a whole.
    pub index: Option<u64>,
    pub sentence: String,
}

impl fmt::Display for PackFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.index {
            Some(index) => write!(f, "entry {index}: {}", self.sentence),
            None => write!(f, "{}", self.sentence),
        }
    }
}

impl PackProofs {
    /// Checks the signatures, every entry, and that the log has only grown since the earlier checkpoint.
    ///
    /// With `trusted_vkey` the log must have signed with that key; without it the key in the pack is taken, which
    /// proves only that the pack agrees with itself.
    ///
    /// # Errors
    ///
    /// All faults that were found, not only the first: every bad entry is named by its index.
    pub fn verify(&self, trusted_vkey: Option<&str>) -> Result<Verified, Vec<PackFault>> {
        let mut faults = Vec::new();
        let verifier = self.verifier(trusted_vkey, &mut faults);
        let checkpoint = self.signed(&self.checkpoint, verifier.as_ref(), "the checkpoint", &mut faults);
        let mut previous_size = None;
        if let Some(checkpoint) = &checkpoint {
            self.check_entries(checkpoint, &mut faults);
            if let Some(previous) = &self.previous {
                previous_size = self.check_previous(previous, checkpoint, verifier.as_ref(), &mut faults);
            }
        }
        match checkpoint {
            Some(Checkpoint { size, root, .. }) if faults.is_empty() => {
                let (entries, trusted) = (self.entries.len(), trusted_vkey.is_some());
                Ok(Verified { size, root, entries, previous_size, trusted })
            }
            _ => Err(faults),
        }
    }

    /// The key to verify with. A pack that names another key than the trusted one is at fault even before signatures.
    fn verifier(&self, trusted_vkey: Option<&str>, faults: &mut Vec<PackFault>) -> Option<NoteVerifier> {
        let mut parse = |vkey: &str, whose: &str| {
            let refused = |error: NoteError| faults.push(of_pack(format!("{whose} key: {error}")));
            NoteVerifier::parse(vkey).map_err(refused).ok()
        };
        let own = parse(&self.vkey, "the pack's");
        let Some(trusted_vkey) = trusted_vkey else { return own };
        let trusted = parse(trusted_vkey, "the trusted");
        if let (Some(own), Some(trusted)) = (&own, &trusted)
            && own != trusted
        {
            faults.push(of_pack(format!(
                "the pack is signed with the key of `{}`, not with the trusted one",
                own.name()
            )));
        }
        trusted
    }

    /// The checkpoint of `note`. If its signature is at fault, its text is still read, so that entries can be held
    /// against it and every fault is named; the fault stands, so nothing is verified by it.
    fn signed(
        &self,
        note: &str,
        verifier: Option<&NoteVerifier>,
        which: &str,
        faults: &mut Vec<PackFault>,
    ) -> Option<Checkpoint> {
        // Without a key there is a fault already.
        match verifier.map(|verifier| verifier.verify_checkpoint(note, &self.origin)) {
            Some(Ok(checkpoint)) => return Some(checkpoint),
            Some(Err(error)) => faults.push(of_pack(format!("{which}: {error}"))),
            None => {}
        }
        SignedNote::parse(note).ok()?.text.parse().ok()
    }

    fn check_entries(&self, checkpoint: &Checkpoint, faults: &mut Vec<PackFault>) {
        let mut seen = BTreeSet::new();
        for entry in &self.entries {
            let index = Some(entry.index);
            if !seen.insert(entry.index) {
                faults.push(PackFault { index, sentence: "the pack has this entry more than once".to_owned() });
            }
            if entry.entry.len() > ENTRY_BYTES_MAX {
                let sentence = format!("an entry has at most {ENTRY_BYTES_MAX} bytes");
                faults.push(PackFault { index, sentence });
                continue;
            }
            let leaf = leaf_hash(entry.entry.as_bytes());
            let verified = verify_inclusion(leaf, entry.index, checkpoint.size, &entry.proof, checkpoint.root);
            if let Err(error) = verified {
                faults.push(PackFault { index, sentence: error.to_string() });
            }
        }
    }

    fn check_previous(
        &self,
        previous: &PackPrevious,
        checkpoint: &Checkpoint,
        verifier: Option<&NoteVerifier>,
        faults: &mut Vec<PackFault>,
    ) -> Option<u64> {
        let earlier = self.signed(&previous.checkpoint, verifier, "the earlier checkpoint", faults)?;
        let (from, to) = (&earlier, checkpoint);
        let verified = verify_consistency(from.size, from.root, to.size, to.root, &previous.consistency);
        if let Err(error) = verified {
            faults.push(of_pack(format!("the earlier checkpoint: {error}")));
        }
        Some(earlier.size)
    }
}

fn of_pack(sentence: String) -> PackFault {
    PackFault { index: None, sentence }
}
