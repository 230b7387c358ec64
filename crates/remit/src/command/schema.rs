//! `remit schema`: what requests, configuration, events and policies look like.

use clap::Subcommand;
use serde_json::{Value, json};

use super::{Client, Failure, Global, Output};
use crate::config::Config;

/// The schemas.
#[derive(Debug, Clone, Subcommand)]
pub enum SchemaCommand {
    /// The REST API, as OpenAPI 3.1.
    #[command(after_help = "Examples:\n  remit schema openapi > openapi.json")]
    Openapi,
    /// `remit.toml`, as a JSON schema.
    #[command(after_help = "Examples:\n  remit schema config > config.json")]
    Config,
    /// The ledger's events, as a JSON schema.
    #[command(after_help = "Examples:\n  remit schema events > events.json")]
    Events,
    /// What policies may name now, as a Cedar schema. Asks the server.
    #[command(after_help = "Examples:\n  remit schema policy > remit.cedarschema")]
    Policy,
}

pub async fn run(command: &SchemaCommand, global: &Global, output: &Output) -> Result<(), Failure> {
    match command {
        SchemaCommand::Openapi => output.document(&remit_api::openapi()),
        SchemaCommand::Config => output.document(&Config::schema()),
        SchemaCommand::Events => output.document(&remit_domain::event_schema()),
        SchemaCommand::Policy => {
            let checked = Client::open(global)?.post("/v1/policies/check", json!({"edits": []})).await?;
            let text = checked.get("schema").and_then(Value::as_str).unwrap_or_default();
            if output.is_json() {
                output.document(&json!({"schema": text}));
            } else {
                output.line(text);
            }
        }
    }
    Ok(())
}
