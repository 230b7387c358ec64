//! A program of the operator's choice.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use super::Undelivered;
use super::notice::Notice;

/// How long the program may take for one notice.
const RUN_SECONDS_MAX: u64 = 30;

/// Gets each notice as a JSON document on its standard input.
#[derive(Debug)]
pub struct Program {
    program: String,
    arguments: Vec<String>,
}

impl Program {
    /// Nothing if none is named.
    pub fn new(command: &[String]) -> Option<Self> {
        let (program, arguments) = command.split_first()?;
        Some(Self { program: program.clone(), arguments: arguments.to_vec() })
    }

    pub async fn tell(&self, notice: &Notice) -> Result<(), Undelivered> {
        let run = self.run(notice.document.to_string());
        let ended = tokio::time::timeout(Duration::from_secs(RUN_SECONDS_MAX), run).await;
        ended.unwrap_or_else(|_| Err(format!("`{}` took too long", self.program))).map_err(Undelivered::Again)
    }

    async fn run(&self, notice: String) -> Result<(), String> {
        let failed = |error: std::io::Error| format!("cannot run `{}`: {error}", self.program);
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).stdin(Stdio::piped()).stdout(Stdio::null()).kill_on_drop(true);
        let mut child = command.spawn().map_err(failed)?;
        if let Some(mut stdin) = child.stdin.take() {
            // A program that does not read its notice has still been told that there is one.
            drop(stdin.write_all(notice.as_bytes()).await);
        }
        let status = child.wait().await.map_err(failed)?;
        if status.success() { Ok(()) } else { Err(format!("`{}` ended with {status}", self.program)) }
    }
}
