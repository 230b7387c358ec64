//! Why a command did not do what was asked, and the exit status that says so.

use std::fmt::Display;
use std::process::ExitCode;

use remit_domain::Refusal;
use remit_engine::OpenError;

/// Why not.
#[derive(Debug)]
pub enum Failure {
    /// The answer is no: exit status 1.
    Refused(Refusal),
    /// What was typed cannot be meant: exit status 2.
    Usage(String),
    /// What stands in `remit.toml` cannot be meant: exit status 2.
    Configuration(Refusal),
    /// Something broke: exit status 3.
    Fault(Refusal),
}

impl Failure {
    /// A fault in a sentence, with what to do.
    pub fn fault(sentence: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Fault(Refusal::new("fault", sentence).help(help))
    }

    /// A file that cannot be read or written.
    pub fn file(doing: &str, path: &std::path::Path, error: &dyn Display) -> Self {
        Self::fault(format!("cannot {doing} `{}`: {error}", path.display()), "look at the path and its permissions")
    }

    /// A file that was to be made. One that is there already is never overwritten: `option` names another.
    pub fn new_file(path: &std::path::Path, error: &std::io::Error, option: &str) -> Self {
        if error.kind() != std::io::ErrorKind::AlreadyExists {
            return Self::file("write", path, error);
        }
        let sentence = format!("`{}` is there already, and is not overwritten", path.display());
        Self::Refused(Refusal::new("file_exists", sentence).help(format!("name another file with `{option}`")))
    }

    /// The status with which the program ends.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Refused(_) => 1,
            Self::Usage(_) | Self::Configuration(_) => 2,
            Self::Fault(_) => 3,
        })
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<anyhow::Error> for Failure {
    /// A refusal keeps its kind on the way through parts that only pass errors on, and a directory that cannot be opened
    /// its help.
    fn from(error: anyhow::Error) -> Self {
        if let Some(open) = error.downcast_ref::<OpenError>() {
            return Self::fault(open.to_string(), open.help());
        }
        match error.downcast::<Refusal>() {
            Ok(refusal) => Self::Refused(refusal),
            Err(error) => Self::Fault(Refusal::new("fault", format!("{error:#}"))),
        }
    }
}
