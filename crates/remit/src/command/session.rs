//! `remit session`: who is signed in.

use clap::Subcommand;

use super::address::path;
use super::output::Column;
use super::{Client, Failure, Output};

const COLUMNS: &[Column] =
    &[("session", "/id"), ("person", "/person"), ("by", "/method"), ("since", "/opened_at"), ("until", "/expires_at")];

/// What to do with sessions.
#[derive(Debug, Clone, Subcommand)]
pub enum SessionCommand {
    /// Lists your sessions; everybody's if you are an administrator.
    #[command(after_help = "Examples:\n  remit session list")]
    List,
    /// Ends a session: whoever has it has to sign in again.
    #[command(after_help = "Examples:\n  remit session end ses_01jd0000000000000000000000")]
    End { session: String },
}

pub async fn run(command: SessionCommand, client: &Client, output: &Output) -> Result<(), Failure> {
    match command {
        SessionCommand::List => {
            output.table(&client.list("/v1/sessions", &[]).await?, COLUMNS, "nobody is signed in");
        }
        SessionCommand::End { session } => {
            output.done(&client.delete(&path(&["sessions", &session])).await?, "ended");
        }
    }
    Ok(())
}
