//! `remit workload`: which running programs are an agent.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::address::path;
use super::output::{Column, text_at};
use super::{Client, Failure, Output};

const COLUMNS: &[Column] = &[("workload", "/kind"), ("known by", "/known_by")];

/// How a running program is known: by what the operating system says of its process, or by who vouches for it elsewhere.
#[derive(Debug, Clone, Args)]
pub struct Known {
    /// What the operating system says of its process: `unix:uid:N`, `unix:gid:N`, `unix:path:/…`, `unix:sha256:HEX` or
    /// `unix:cgroup:/…`. May be given several times; all must match.
    #[arg(long, value_name = "SELECTOR", required_unless_present = "issuer", conflicts_with_all = ["issuer", "subject"])]
    selector: Vec<String>,
    /// Who vouches for it: `spiffe://DOMAIN`, or the address of an OpenID Connect issuer.
    #[arg(long, value_name = "ISSUER", requires = "subject")]
    issuer: Option<String>,
    /// What the issuer calls it: a SPIFFE ID, or a `sub`.
    #[arg(long, value_name = "SUBJECT", requires = "issuer")]
    subject: Option<String>,
}

impl Known {
    fn body(&self) -> Value {
        match (&self.issuer, &self.subject) {
            (Some(issuer), Some(subject)) => json!({"kind": "foreign", "issuer": issuer, "subject": subject}),
            _ => json!({"kind": "local", "selectors": self.selector}),
        }
    }
}

/// What to do with workloads.
#[derive(Debug, Clone, Subcommand)]
pub enum WorkloadCommand {
    /// Says that a running program is an agent, so that it can ask for the agent's identity.
    #[command(
        after_help = "Examples:\n  remit workload bind triage --selector unix:uid:1001\n  remit workload bind triage --selector unix:uid:1000 --selector unix:path:/usr/local/bin/triage\n  remit workload bind triage --issuer spiffe://partner.example --subject spiffe://partner.example/triage\n  remit workload bind triage --issuer https://token.actions.githubusercontent.com --subject repo:acme/triage:ref:refs/heads/main"
    )]
    Bind {
        agent: String,
        #[command(flatten)]
        known: Known,
    },
    /// Lists the running programs that are an agent.
    #[command(after_help = "Examples:\n  remit workload list triage")]
    List { agent: String },
    /// Takes a running program from an agent, and ends what only it opened.
    #[command(after_help = "Examples:\n  remit workload unbind triage --selector unix:uid:1001")]
    Unbind {
        agent: String,
        #[command(flatten)]
        known: Known,
    },
}

pub async fn run(command: WorkloadCommand, client: &Client, output: &Output) -> Result<(), Failure> {
    let address = |agent: &str| path(&["agents", agent, "workloads"]);
    match command {
        WorkloadCommand::Bind { agent, known } => {
            let bound = client.post(&address(&agent), known.body()).await?;
            output.done(&bound, &format!("{} is {agent}", in_words(&known.body())));
        }
        WorkloadCommand::List { agent } => {
            let mut bound = client.get(&address(&agent)).await?;
            if !output.is_json() {
                let items = bound.get_mut("items").and_then(Value::as_array_mut);
                for item in items.into_iter().flatten() {
                    let words = in_words(item);
                    if let Some(members) = item.as_object_mut() {
                        members.insert("known_by".to_owned(), words.into());
                    }
                }
            }
            output.table(&bound, COLUMNS, "no workload; what `remit run` starts is known without");
        }
        WorkloadCommand::Unbind { agent, known } => {
            let left = client.delete_with(&address(&agent), known.body()).await?;
            output.done(&left, &format!("{} is {agent} no more", in_words(&known.body())));
        }
    }
    Ok(())
}

/// A workload as people read it.
pub fn in_words(workload: &Value) -> String {
    match text_at(workload, "/kind").as_str() {
        "foreign" => format!("{} of {}", text_at(workload, "/subject"), text_at(workload, "/issuer")),
        _ => text_at(workload, "/selectors").replace(", ", " and "),
    }
}
