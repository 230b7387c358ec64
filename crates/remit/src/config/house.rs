//! The house itself: the realm, its keys, its ledger, and where workloads ask.

use std::path::PathBuf;

use remit_domain::Refusal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::CODE;

/// `[realm]`: its names are read when the realm begins; afterwards the ledger says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RealmConfig {
    /// SPIFFE trust domain, lower case.
    pub trust_domain: String,
    /// Name of the first administrator; the user who starts Remit if not given.
    pub administrator: Option<String>,
    /// Whether real work is done here. Such a realm never opens a sandbox. Read at every start.
    pub production: bool,
}

impl Default for RealmConfig {
    fn default() -> Self {
        Self { trust_domain: "remit.local".to_owned(), administrator: None, production: false }
    }
}

/// `[keys]`: where the key that seals all others comes from. At most one is given; a file `DATA/kek` is made otherwise.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct KeysConfig {
    /// A file with 32 bytes in base64url.
    pub file: Option<PathBuf>,
    /// The name of a variable that holds 32 bytes in base64url.
    pub variable: Option<String>,
    /// The name of a variable that holds a passphrase.
    pub passphrase_variable: Option<String>,
}

impl KeysConfig {
    pub(super) fn check(&self) -> Result<(), Refusal> {
        let given = [self.file.is_some(), self.variable.is_some(), self.passphrase_variable.is_some()];
        if given.into_iter().filter(|given| *given).count() > 1 {
            return Err(Refusal::new(CODE, "`[keys]` names more than one source")
                .help("choose `file`, `variable` or `passphrase_variable`"));
        }
        Ok(())
    }
}

/// `[ledger]`: how the log is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LedgerConfig {
    /// Directory, outside the data directory, for the last checkpoint; by default in the user's state directory.
    pub anchors: Option<PathBuf>,
    /// Length of a segment file.
    pub segment_bytes: u64,
    /// Entries after which the state is kept as a snapshot.
    pub snapshot_entries: u64,
}

impl Default for LedgerConfig {
    fn default() -> Self {
        let segment_bytes = remit_engine::store::SEGMENT_BYTES;
        Self { anchors: None, segment_bytes, snapshot_entries: remit_engine::SNAPSHOT_ENTRIES }
    }
}

/// `[policies]`: what is looked at when policies are proposed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PoliciesConfig {
    /// A file `*.invariant.toml` whose invariants each proposal is put to, if the solver `cvc5` is on the path; those of the starter
    /// policies if not given.
    pub invariants: Option<PathBuf>,
}

/// `[workload]`: the SPIFFE Workload API, where processes of this machine fetch their identity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct WorkloadConfig {
    /// Whether it is served.
    pub enabled: bool,
    /// The socket; `workload.sock` in the data directory if not given.
    pub socket: Option<PathBuf>,
}

impl Default for WorkloadConfig {
    fn default() -> Self {
        Self { enabled: true, socket: None }
    }
}

impl WorkloadConfig {
    pub(super) fn check(&self) -> Result<(), Refusal> {
        // Clients name it by `unix:///PATH`, which has no place for a relative one (SPIFFE Workload Endpoint, section 4).
        match &self.socket {
            Some(socket) if !socket.is_absolute() => {
                let sentence = format!("`workload.socket` is `{}`, which is not an absolute path", socket.display());
                Err(Refusal::new(CODE, sentence).help("write the whole path, beginning with `/`"))
            }
            _ => Ok(()),
        }
    }
}
