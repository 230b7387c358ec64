//! `remit key`: the realm's keys.

use clap::Subcommand;
use serde_json::json;

use super::output::text_at;
use super::{Client, Failure, Output};

/// What to do with keys.
#[derive(Debug, Clone, Subcommand)]
pub enum KeyCommand {
    /// Shows the public keys: those of tokens, and that of the ledger.
    #[command(after_help = "Examples:\n  remit key list\n  remit key list --json")]
    List,
    /// Signs tokens with a new key from now on.
    #[command(after_help = "Examples:\n  remit key rotate")]
    Rotate,
}

pub async fn run(command: KeyCommand, client: &Client, output: &Output) -> Result<(), Failure> {
    match command {
        KeyCommand::List => {
            let keys = client.get("/v1/keys").await?;
            output.card(
                &keys,
                &[
                    ("realm", "/realm"),
                    ("issuer", "/issuer"),
                    ("ledger", "/ledger/origin"),
                    ("verifier key", "/ledger/verifier_key"),
                ],
            );
            if !output.is_json() {
                let tokens = keys.pointer("/tokens/keys").cloned().unwrap_or_default();
                output.table(
                    &json!({"items": tokens}),
                    &[("token key", "/kid"), ("algorithm", "/alg")],
                    "no token key",
                );
            }
        }
        KeyCommand::Rotate => {
            let rotated = client.post("/v1/keys/rotate", json!({})).await?;
            output.done(&rotated, &format!("tokens are signed with {} from now on", text_at(&rotated, "/key")));
        }
    }
    Ok(())
}
