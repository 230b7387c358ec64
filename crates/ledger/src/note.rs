//! Signed notes: a checkpoint's text, and under it the lines of those who signed it (C2SP `signed-note`, Ed25519).

use std::fmt;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use zeroize::Zeroizing;

use crate::{Checkpoint, CheckpointError, base64, sha256};

#[cfg(test)]
mod tests;

/// The longest signed note that is read, in bytes: room for 16 post-quantum signatures, as the standard demands.
pub const NOTE_BYTES_MAX: usize = 128 * 1024;

/// The most signature lines that are read in one note. The standard demands at least 16.
pub const NOTE_SIGNATURES_MAX: usize = 64;

/// The longest name of a key, in bytes.
const KEY_NAME_BYTES_MAX: usize = 255;

/// The signature type of Ed25519 over the note's text.
const TYPE_ED25519: u8 = 0x01;

/// The length of an Ed25519 public key in bytes (RFC 8032).
const PUBLIC_KEY_BYTES: usize = 32;

/// Why a note cannot be signed, or must not be believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    #[error("a key name has 1 to {KEY_NAME_BYTES_MAX} bytes without spaces, control characters or `+`")]
    KeyName,
    #[error("a signing key could not be made")]
    KeyNotMade,
    #[error("these bytes are not an Ed25519 key in PKCS#8 form")]
    Key,
    #[error("this is not an Ed25519 verifier key of the form `name+id+key`")]
    VerifierKey,
    #[error("the verifier key's id `{found}` is not that of its name and key, `{expected}`")]
    VerifierKeyId { found: String, expected: String },
    #[error("a note of {bytes} bytes is longer than the {NOTE_BYTES_MAX} that are read")]
    TooLong { bytes: usize },
    #[error("this is not a signed note: {problem}")]
    Malformed { problem: &'static str },
    #[error("the note is not signed by `{name}` with this key")]
    NotSigned { name: String },
    #[error("the signature of `{name}` does not fit the note's text")]
    Signature { name: String },
    #[error("the note is no checkpoint: {0}")]
    Checkpoint(#[from] CheckpointError),
    #[error("the checkpoint is from `{found}`, not from `{expected}`")]
    Origin { found: String, expected: String },
}

/// An Ed25519 key that signs checkpoints under its name.
pub struct NoteKey {
    pair: Ed25519KeyPair,
    verifier: NoteVerifier,
}

impl NoteKey {
    /// Makes a new key and returns it in PKCS#8 form (version 1, which other tools read too), to be stored as a secret.
    ///
    /// # Errors
    ///
    /// If the library has no randomness to give.
    pub fn generate() -> Result<Zeroizing<Vec<u8>>, NoteError> {
        let document =
            Ed25519KeyPair::generate().and_then(|pair| pair.to_pkcs8v1()).map_err(|_| NoteError::KeyNotMade)?;
        Ok(Zeroizing::new(document.as_ref().to_vec()))
    }

    /// Takes a stored key into use under `name`, which should be the log's origin.
    ///
    /// # Errors
    ///
    /// If the name cannot stand in a note, or the bytes are not an Ed25519 key.
    pub fn from_pkcs8(name: &str, pkcs8: &[u8]) -> Result<Self, NoteError> {
        let pair = Ed25519KeyPair::from_pkcs8(pkcs8).map_err(|_| NoteError::Key)?;
        let key = pair.public_key().as_ref().try_into().map_err(|_| NoteError::Key)?;
        Ok(Self { verifier: NoteVerifier::new(name, key)?, pair })
    }

    /// The public half, as others configure it: `name+id+key`.
    pub fn vkey(&self) -> String {
        self.verifier.vkey()
    }

    /// The public half, ready to verify.
    pub fn verifier(&self) -> &NoteVerifier {
        &self.verifier
    }

    /// The whole note: the checkpoint's text, a blank line, and this key's signature.
    ///
    /// # Errors
    ///
    /// If the origin could not be read back from the note.
    pub fn sign_checkpoint(&self, checkpoint: &Checkpoint) -> Result<String, NoteError> {
        checkpoint.check_origin()?;
        let text = checkpoint.to_string();
        let mut signature = self.verifier.id.to_vec();
        signature.extend_from_slice(self.pair.sign(text.as_bytes()).as_ref());
        Ok(format!("{text}\n— {} {}\n", self.verifier.name, base64::encode(&signature)))
    }
}

impl fmt::Debug for NoteKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NoteKey").field("vkey", &self.vkey()).finish_non_exhaustive()
    }
}

/// The public half of a key that signs checkpoints.
#[derive(Clone, PartialEq, Eq)]
pub struct NoteVerifier {
    name: String,
    /// The first four bytes of SHA-256 over name, line end, type and key.
    id: [u8; 4],
    key: [u8; PUBLIC_KEY_BYTES],
}

impl NoteVerifier {
    fn new(name: &str, key: [u8; PUBLIC_KEY_BYTES]) -> Result<Self, NoteError> {
        if !is_key_name(name) {
            return Err(NoteError::KeyName);
        }
        let hash = sha256(&[name.as_bytes(), &[b'\n', TYPE_ED25519], &key].concat());
        let [a, b, c, d, ..] = *hash.as_bytes();
        Ok(Self { name: name.to_owned(), id: [a, b, c, d], key })
    }

    /// Reads a verifier key of the form `name+id+key`, whose id must be that of its name and key.
    ///
    /// # Errors
    ///
    /// If it has another form or type, or its id is not its own.
    pub fn parse(vkey: &str) -> Result<Self, NoteError> {
        // The base64 of the key may have further `+` in it.
        let parts: Vec<&str> = vkey.splitn(3, '+').collect();
        let [name, id, key] = parts.as_slice() else { return Err(NoteError::VerifierKey) };
        let typed_key = base64::decode(key).ok_or(NoteError::VerifierKey)?;
        let Some((&TYPE_ED25519, key)) = typed_key.split_first() else { return Err(NoteError::VerifierKey) };
        let verifier = Self::new(name, key.try_into().map_err(|_| NoteError::VerifierKey)?)?;
        let expected = verifier.id_text();
        if *id != expected {
            return Err(NoteError::VerifierKeyId { found: id.chars().take(16).collect(), expected });
        }
        Ok(verifier)
    }

    /// The name under which this key signs.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What [`NoteVerifier::parse`] reads.
    pub fn vkey(&self) -> String {
        format!("{}+{}+{}", self.name, self.id_text(), base64::encode(&[&[TYPE_ED25519], self.key.as_slice()].concat()))
    }

    fn id_text(&self) -> String {
        format!("{:08x}", u32::from_be_bytes(self.id))
    }

    /// Checks that `note` is a checkpoint of the log `origin` and that this key signed it. Other signatures (of
    /// witnesses, of keys to come) are neither needed nor looked at, as the standard says.
    ///
    /// # Errors
    ///
    /// If the note is malformed, not signed by this key, wrongly signed by it, or of another log.
    pub fn verify_checkpoint(&self, note: &str, origin: &str) -> Result<Checkpoint, NoteError> {
        let note = SignedNote::parse(note)?;
        let mut own = note.signatures.iter().filter(|line| line.name == self.name && line.id == self.id).peekable();
        if own.peek().is_none() {
            return Err(NoteError::NotSigned { name: self.name.clone() });
        }
        let key = UnparsedPublicKey::new(&ED25519, &self.key);
        if own.any(|line| key.verify(note.text.as_bytes(), &line.signature).is_err()) {
            return Err(NoteError::Signature { name: self.name.clone() });
        }
        let checkpoint: Checkpoint = note.text.parse()?;
        if checkpoint.origin != origin {
            return Err(NoteError::Origin { found: checkpoint.origin, expected: origin.to_owned() });
        }
        Ok(checkpoint)
    }
}

impl fmt::Debug for NoteVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NoteVerifier({})", self.vkey())
    }
}

/// The parts of a note, of which nothing is verified yet.
pub(crate) struct SignedNote<'a> {
    /// What is signed, including its last line end.
    pub(crate) text: &'a str,
    signatures: Vec<SignatureLine<'a>>,
}

struct SignatureLine<'a> {
    name: &'a str,
    id: [u8; 4],
    signature: Vec<u8>,
}

impl<'a> SignedNote<'a> {
    pub(crate) fn parse(note: &'a str) -> Result<Self, NoteError> {
        let malformed = |problem| NoteError::Malformed { problem };
        if note.len() > NOTE_BYTES_MAX {
            return Err(NoteError::TooLong { bytes: note.len() });
        }
        if note.chars().any(|c| c < ' ' && c != '\n') {
            return Err(malformed("it has control characters"));
        }
        let blank = note.rfind("\n\n").ok_or_else(|| malformed("no blank line parts the text from its signatures"))?;
        let (text, lines) = note.split_at_checked(blank + 1).unwrap_or((note, ""));
        let lines = lines.strip_prefix('\n').and_then(|lines| lines.strip_suffix('\n'));
        let lines = lines.ok_or_else(|| malformed("a signature line has no end"))?;
        let mut signatures = Vec::new();
        for line in lines.split('\n') {
            if signatures.len() == NOTE_SIGNATURES_MAX {
                return Err(malformed("it has more signatures than are read"));
            }
            signatures.push(SignatureLine::parse(line).ok_or_else(|| malformed("a signature line is not one"))?);
        }
        Ok(Self { text, signatures })
    }
}

impl<'a> SignatureLine<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let (name, encoded) = line.strip_prefix("— ")?.split_once(' ')?;
        let bytes = base64::decode(encoded)?;
        let (id, signature) = bytes.split_first_chunk::<4>()?;
        let whole = is_key_name(name) && !signature.is_empty();
        whole.then(|| Self { name, id: *id, signature: signature.to_vec() })
    }
}

fn is_key_name(name: &str) -> bool {
    let fits = !name.is_empty() && name.len() <= KEY_NAME_BYTES_MAX;
    fits && !name.chars().any(|c| c.is_whitespace() || c.is_control() || c == '+')
}
