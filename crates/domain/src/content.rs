//! References to content that the ledger proves but does not hold.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Digest;

/// One piece of content (arguments, a result, a prompt) as the ledger knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ContentRef {
    /// `SHA-256(salt ‖ canonical bytes)`; the salt lives and dies with the task's data key, so that erasing the key leaves a
    /// commitment nobody can search.
    pub commitment: Digest,
    /// Size of the canonical bytes.
    pub bytes: u64,
}
