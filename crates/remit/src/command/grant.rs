//! `remit grant`: who may use what, until when.

use clap::Subcommand;
use serde_json::json;

use super::address::path;
use super::output::{Column, text_at};
use super::who::When;
use super::{Client, Failure, Output, duration_seconds};

const COLUMNS: &[Column] = &[
    ("grant", "/id"),
    ("status", "/status"),
    ("agent", "/agent"),
    ("task", "/task"),
    ("operations", "/operations"),
    ("asked by", "/requested_by"),
    ("approved by", "/approved_by"),
    ("until", "/expires_at"),
    ("reason", "/reason"),
];

/// What to do with grants.
#[derive(Debug, Clone, Subcommand)]
pub enum GrantCommand {
    /// Asks for a grant; somebody else approves it.
    #[command(
        after_help = "Examples:\n  remit grant request triage \"helpdesk/*\" --reason \"answers tickets\" --for 30d\n  remit grant request triage helpdesk/read_ticket helpdesk/issue_refund --reason \"handles returns\" --for 7d"
    )]
    Request {
        /// Name of the agent.
        agent: String,
        /// `connector/tool`, or `connector/*` for all of a connector.
        #[arg(required = true)]
        operations: Vec<String>,
        /// Why it needs them, in a sentence.
        #[arg(long, value_name = "TEXT")]
        reason: String,
        /// How long; every grant ends.
        #[arg(long = "for", value_name = "DURATION", value_parser = duration_seconds)]
        ttl: u64,
    },
    /// Approves a grant that somebody else asked for.
    #[command(after_help = "Examples:\n  remit grant approve grt_01jd0000000000000000000000")]
    Approve { grant: String },
    /// Denies a grant, or takes back what you asked for.
    #[command(after_help = "Examples:\n  remit grant deny grt_01jd0000000000000000000000 --note \"reading is enough\"")]
    Deny {
        grant: String,
        #[arg(long, default_value = "", value_name = "TEXT")]
        note: String,
    },
    /// Lists live grants and open requests.
    #[command(after_help = "Examples:\n  remit grant list\n  remit grant list --agent triage")]
    List {
        /// Only those of this agent.
        #[arg(long, value_name = "NAME")]
        agent: Option<String>,
        #[command(flatten)]
        when: When,
    },
    /// Revokes a grant, from the very next call on.
    #[command(
        after_help = "Examples:\n  remit grant revoke grt_01jd0000000000000000000000 --reason \"no longer used\""
    )]
    Revoke {
        grant: String,
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}

pub async fn run(command: GrantCommand, client: &Client, output: &Output) -> Result<(), Failure> {
    match command {
        GrantCommand::Request { agent, operations, reason, ttl } => {
            let body = json!({"agent": agent, "operations": operations, "reason": reason, "ttl_seconds": ttl});
            let grant = client.post("/v1/grants", body).await?;
            let id = text_at(&grant, "/id");
            output.done(
                &grant,
                &format!("asked for {id}; the agent's owner or an approver, not you, says `remit grant approve {id}`"),
            );
        }
        GrantCommand::Approve { grant } => {
            let given = client.post(&path(&["grants", &grant, "approve"]), json!({})).await?;
            output.done(&given, &format!("approved until {}", text_at(&given, "/expires_at")));
        }
        GrantCommand::Deny { grant, note } => {
            let denied = client.post(&path(&["grants", &grant, "deny"]), json!({"note": note})).await?;
            output.done(&denied, "denied");
        }
        GrantCommand::List { agent, when } => {
            let grants = client.as_of(when.as_of).list("/v1/grants", &[("agent", agent)]).await?;
            output.table(&grants, COLUMNS, "no grant");
        }
        GrantCommand::Revoke { grant, reason } => {
            let revoked = client.post(&path(&["grants", &grant, "revoke"]), json!({"reason": reason})).await?;
            output.done(&revoked, "revoked; the next call feels it");
        }
    }
    Ok(())
}
