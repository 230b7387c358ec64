//! Why a command was not carried out, and why a data directory was not opened.

use std::path::PathBuf;

use remit_domain::Refusal;

use crate::store::StoreError;

/// Why a command did not become events.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SubmitError {
    /// The answer is no. It is final for this command as it stands.
    #[error("{0}")]
    Refused(Refusal),
    /// No answer could be given, and so nothing happens. Asking again later may help.
    #[error("{0}")]
    Unavailable(Refusal),
}

impl SubmitError {
    /// The code, the sentence and the help, whichever it is.
    pub fn refusal(&self) -> &Refusal {
        match self {
            Self::Refused(refusal) | Self::Unavailable(refusal) => refusal,
        }
    }

    pub(crate) fn overloaded() -> Self {
        Self::Unavailable(
            Refusal::new("overloaded", "too many calls wait to be recorded").help("try again in a moment"),
        )
    }

    pub(crate) fn stopping() -> Self {
        Self::Unavailable(Refusal::new("stopping", "Remit is stopping").help("try again when it is back"))
    }

    pub(crate) fn ledger(cause: &str) -> Self {
        Self::Unavailable(
            Refusal::new("ledger_unavailable", format!("nothing can be recorded, so nothing is allowed: {cause}"))
                .help("the operator has to look at `remit doctor`"),
        )
    }

    pub(crate) fn storage(doing: &str, error: &StoreError) -> Self {
        Self::Unavailable(
            Refusal::new("storage_unavailable", format!("cannot {doing}: {error}"))
                .help("the operator has to look at `remit doctor`"),
        )
    }
}

impl From<Refusal> for SubmitError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// Why a data directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The keys cannot be read.
    #[error("cannot open the keys in `{path}`: {reason}")]
    Keys { path: PathBuf, reason: String },
    /// An entry of the log does not say what it should.
    #[error("the ledger is damaged at entry {index}: {reason}")]
    Damaged { index: u64, reason: String },
    /// The directory is older than what is known to have been committed.
    #[error("this data directory is an old copy: it holds {held} records, and {known} were committed ({anchor})")]
    RolledBack { held: u64, known: u64, anchor: PathBuf },
    /// The directory is not a continuation of what was committed.
    #[error("this ledger is a fork: at {size} records it is not what was committed before ({anchor})")]
    Forked { size: u64, anchor: PathBuf },
    #[error("a file of this directory is not what it should be: {0}")]
    Layout(String),
    #[error("the operating system gives no randomness")]
    Randomness,
    #[error("cannot begin the realm: {0}")]
    Setup(Refusal),
    #[error("cannot start a thread: {0}")]
    Thread(std::io::Error),
}

impl OpenError {
    /// What the operator does next.
    pub fn help(&self) -> String {
        match self {
            Self::Store(error) => error.help().unwrap_or("look at the path and its permissions").to_owned(),
            Self::Keys { .. } => {
                "give the key file, variable or passphrase that this directory was made with".to_owned()
            }
            Self::Damaged { .. } => {
                "keep this directory as evidence and restore a good copy; `remit ledger verify` names every fault"
                    .to_owned()
            }
            Self::RolledBack { anchor, .. } | Self::Forked { anchor, .. } => format!(
                "restore the newest copy; if records are known to be lost and that is accepted, move `{}` away and start again",
                anchor.display()
            ),
            Self::Layout(_) => "restore the file from a backup".to_owned(),
            Self::Randomness => "check the machine".to_owned(),
            Self::Setup(refusal) => refusal.help.clone().unwrap_or_default(),
            Self::Thread(_) => "raise the limit on threads".to_owned(),
        }
    }
}
