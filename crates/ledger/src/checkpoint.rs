//! What a log signs: its name, how many entries it has, and their root (C2SP `tlog-checkpoint`, "Note text").

use std::fmt;
use std::str::FromStr;

use crate::{Hash, TREE_SIZE_MAX};

#[cfg(test)]
mod tests;

/// The longest origin, in bytes.
const ORIGIN_BYTES_MAX: usize = 255;

/// The text of a checkpoint, without signatures. Nothing is known from one that was not verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The log's unique name.
    pub origin: String,
    /// How many entries the tree has.
    pub size: u64,
    /// The root of the tree.
    pub root: Hash,
}

/// Why some text is not a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    #[error("an origin is one line of 1 to {ORIGIN_BYTES_MAX} bytes without control characters")]
    Origin,
    #[error("a checkpoint has three lines, each with its end: origin, size and root")]
    Lines,
    #[error("the size is not a plain decimal number within the limit")]
    Size,
    #[error("the root is not a hash in standard base64")]
    Root,
}

impl Checkpoint {
    /// Whether the origin can stand on a line of its own.
    ///
    /// # Errors
    ///
    /// If it cannot: written all the same, it would read back as something else.
    pub(crate) fn check_origin(&self) -> Result<(), CheckpointError> {
        let printable = !self.origin.chars().any(char::is_control);
        let fits = !self.origin.is_empty() && self.origin.len() <= ORIGIN_BYTES_MAX;
        if printable && fits { Ok(()) } else { Err(CheckpointError::Origin) }
    }
}

/// Writes the three lines that are signed.
impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}\n{}\n", self.origin, self.size, self.root.base64())
    }
}

/// Reads the three lines strictly. Extension lines are refused: nobody could audit what they say.
impl FromStr for Checkpoint {
    type Err = CheckpointError;

    fn from_str(text: &str) -> Result<Self, CheckpointError> {
        let lines: Vec<&str> = text.strip_suffix('\n').ok_or(CheckpointError::Lines)?.split('\n').take(4).collect();
        let [origin, size, root] = lines.as_slice() else { return Err(CheckpointError::Lines) };
        let checkpoint = Self {
            origin: (*origin).to_owned(),
            size: decimal(size).filter(|&size| size <= TREE_SIZE_MAX).ok_or(CheckpointError::Size)?,
            root: Hash::from_base64(root).map_err(|_| CheckpointError::Root)?,
        };
        checkpoint.check_origin()?;
        Ok(checkpoint)
    }
}

/// A decimal number without sign or leading zeros, so that each has one form.
pub(crate) fn decimal(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}
