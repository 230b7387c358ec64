//! `remit client`: applications that ask people to let them have a task of an agent.

use clap::Subcommand;
use serde_json::json;

use super::address::path;
use super::output::{Column, text_at};
use super::{Client, Failure, Output};

const COLUMNS: &[Column] = &[
    ("client", "/id"),
    ("name", "/name"),
    ("sent back to", "/redirect_uris"),
    ("live tasks", "/live_tasks"),
    ("registered by", "/registered_by"),
];

/// What to do with OAuth clients.
#[derive(Debug, Clone, Subcommand)]
pub enum ClientCommand {
    /// Registers a client. It has no secret; it uses PKCE.
    #[command(
        after_help = "Examples:\n  remit client add desk-app --redirect http://127.0.0.1/callback\n  remit client add portal --redirect https://portal.example/oauth/callback"
    )]
    Add {
        /// What people see when it asks them.
        name: String,
        /// Where people are sent back to, letter for letter; may be given several times.
        #[arg(long, required = true, value_name = "URL")]
        redirect: Vec<String>,
    },
    /// Lists registered clients.
    #[command(after_help = "Examples:\n  remit client list")]
    List,
    /// Removes a client; what people let it have ends.
    #[command(after_help = "Examples:\n  remit client remove desk-app")]
    Remove {
        /// Its id or name.
        client: String,
    },
}

pub async fn run(command: ClientCommand, client: &Client, output: &Output) -> Result<(), Failure> {
    match command {
        ClientCommand::Add { name, redirect } => {
            let added = client.post("/v1/clients", json!({"name": name, "redirect_uris": redirect})).await?;
            output.done(&added, &format!("registered; its `client_id` is {}", text_at(&added, "/id")));
        }
        ClientCommand::List => {
            output.table(&client.list("/v1/clients", &[]).await?, COLUMNS, "no client");
        }
        ClientCommand::Remove { client: name } => {
            let removed = client.delete(&path(&["clients", &name])).await?;
            output.done(&removed, &format!("removed {name}, and ended what people let it have"));
        }
    }
    Ok(())
}
