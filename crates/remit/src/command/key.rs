//! `remit key`: the realm's keys.

use clap::Subcommand;
use serde_json::{Value, json};

use super::address::{path, with_query};
use super::output::{Column, text_at};
use super::receipt::WithReceipt;
use super::{Client, Failure, Output};

const ROWS: &[Column] = &[
    ("realm", "/realm"),
    ("issuer", "/issuer"),
    ("ledger", "/ledger/origin"),
    ("verifier key", "/ledger/verifier_key"),
];
const COLUMNS: &[Column] =
    &[("key", "/key"), ("for", "/purpose"), ("step", "/step"), ("since", "/since"), ("answers for it", "/accountable")];

/// What to do with keys.
#[derive(Debug, Clone, Subcommand)]
pub enum KeyCommand {
    /// Shows the public keys: those of tokens and certificates, each with where it is in its life, and that of the ledger.
    #[command(after_help = "Examples:\n  remit key list\n  remit key list --json")]
    List,
    /// Signs with a new key from now on; what the old one signed is good until it ends.
    #[command(after_help = "Examples:\n  remit key rotate\n  remit key rotate --purpose ca")]
    Rotate {
        /// `token` for tokens and receipts, `ca` for certificates.
        #[arg(long, default_value = "token", value_parser = ["token", "ca"])]
        purpose: String,
    },
    /// Ends a key at once, with all that it ever signed; another takes its place.
    #[command(
        after_help = "Examples:\n  remit key revoke 0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I --receipt key.receipt"
    )]
    Revoke {
        /// Its name, as `remit key list` shows it.
        key: String,
        #[command(flatten)]
        receipt: WithReceipt,
    },
}

pub async fn run(command: KeyCommand, client: &Client, output: &Output) -> Result<(), Failure> {
    match command {
        KeyCommand::List => {
            let keys = client.get("/v1/keys").await?;
            output.card(&keys, ROWS);
            if !output.is_json() {
                output.line("");
                output.table(keys.get("all").unwrap_or(&Value::Null), COLUMNS, "no key");
            }
        }
        KeyCommand::Rotate { purpose } => {
            let address = with_query("/v1/keys/rotate", &[("purpose", Some(purpose.clone()))]);
            let rotated = client.post(&address, json!({})).await?;
            let what = if purpose == "ca" { "certificates" } else { "tokens" };
            output.done(&rotated, &format!("{what} are signed with {} from now on", text_at(&rotated, "/key")));
        }
        KeyCommand::Revoke { key, receipt } => {
            let address = path(&["keys", &key, "revoke"]);
            let sentence = format!("{key} is revoked; nothing that it signed is good any more");
            receipt.around(client, output, client.post(&address, json!({})), &sentence).await?;
        }
    }
    Ok(())
}
