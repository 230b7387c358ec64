//! The solver: cvc5, a program of its own that may or may not be there.

use std::ffi::OsString;
use std::process::Stdio;
use std::time::Duration;

use cedar_policy_symcc::solver::LocalSolver;
use tokio::process::Command;

use crate::limits;

#[cfg(test)]
mod tests;

/// Its name, where none is given.
const PROGRAM: &str = "cvc5";

/// A solver that has answered.
#[derive(Debug, Clone)]
pub struct Solver {
    program: OsString,
    version: String,
    time_limit: Duration,
}

/// There is no solver.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("proofs need the solver `{program}`, and it cannot be run: {why}")]
pub struct SolverMissing {
    /// The program that was looked for.
    pub program: String,
    /// What happened instead.
    pub why: String,
}

impl SolverMissing {
    /// How to get it.
    pub fn help(&self) -> &'static str {
        "install cvc5 (on Debian `apt-get install cvc5`; others find it at cvc5.github.io) so that it is on the path, or name it with \
         `--solver`; nothing else in Remit needs it"
    }
}

impl Solver {
    /// Looks for `program`, or for cvc5 on the path, and asks it what it is.
    ///
    /// # Errors
    /// If it is not there or does not answer.
    pub async fn find(program: Option<OsString>, time_limit: Duration) -> Result<Self, SolverMissing> {
        let program = program.unwrap_or_else(|| PROGRAM.into());
        let missing = |why: String| SolverMissing { program: program.to_string_lossy().into_owned(), why };
        let asked = Command::new(&program).arg("--version").stdin(Stdio::null()).kill_on_drop(true).output();
        let output = tokio::time::timeout(limits::INTRODUCTION_TIME_LIMIT, asked)
            .await
            .map_err(|_| missing("it does not answer".to_owned()))?
            .map_err(|error| missing(error.to_string()))?;
        let said = String::from_utf8_lossy(&output.stdout);
        let version = said.lines().next().and_then(|line| line.split_once("version ")).map(|(_, rest)| rest);
        let version = version.and_then(|rest| rest.split_whitespace().next()).filter(|_| output.status.success());
        let version = version.ok_or_else(|| missing("it does not say its version".to_owned()))?.to_owned();
        Ok(Self { program, version, time_limit })
    }

    /// Its version, as it says itself.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// How long it may think about one question.
    pub fn time_limit(&self) -> Duration {
        self.time_limit
    }

    /// Starts it. It is killed when what is returned is dropped.
    pub(crate) fn start(&self) -> Result<LocalSolver, cedar_policy_symcc::solver::SolverError> {
        // It stops by itself as well, should this process be killed first.
        let own_limit = format!("--tlimit={}", self.time_limit.as_millis().saturating_mul(2).max(1));
        LocalSolver::from_command(Command::new(&self.program).args(["--lang", "smt", &own_limit]).kill_on_drop(true))
    }
}
