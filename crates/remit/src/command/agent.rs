//! `remit agent`: governed identities, from registration to their end.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use remit_domain::{Configuration, OperationPattern};
use serde_json::{Map, Value, json};

use super::address::path;
use super::output::{Column, text_at};
use super::receipt::WithReceipt;
use super::who::When;
use super::{Client, Failure, Output, agent_key, configuration_file, duration_seconds, proposed, workload};

const COLUMNS: &[Column] = &[
    ("name", "/name"),
    ("status", "/status"),
    ("owner", "/owner"),
    ("class", "/class"),
    ("autonomy", "/autonomy"),
    ("data", "/data_classes"),
    ("environment", "/environment"),
    ("tasks", "/live_tasks"),
    ("review", "/review_at"),
];
const ROWS: &[Column] = &[
    ("name", "/name"),
    ("id", "/id"),
    ("status", "/status"),
    ("identity", "/spiffe_id"),
    ("purpose", "/purpose"),
    ("owner", "/owner"),
    ("approvers", "/approvers"),
    ("class", "/class"),
    ("autonomy", "/autonomy"),
    ("data", "/data_classes"),
    ("environment", "/environment"),
    ("review", "/review_at"),
    ("asks for others", "/enforcer"),
    ("configuration", "/configuration/digest"),
    ("keys", "/keys"),
    ("workloads", "/workloads"),
    ("arrived from", "/arrived_from"),
    ("live tasks", "/live_tasks"),
];

const NOTHING_IN_SANDBOX: &str = "nothing yet: no live grant, and no approved tool of a connector marked as sandbox";

/// Parts of an agent's record.
#[derive(Debug, Clone, Args)]
pub struct Profile {
    /// The person who answers for it.
    #[arg(long, value_name = "NAME")]
    owner: Option<String>,
    /// A person who may approve its grants and actions; may be given several times.
    #[arg(long = "approver", value_name = "NAME")]
    approvers: Vec<String>,
    /// What it is for, in a sentence.
    #[arg(long, value_name = "TEXT")]
    purpose: Option<String>,
    /// `read`, `transform`, `act` or `code`.
    #[arg(long, value_parser = ["read", "transform", "act", "code"])]
    class: Option<String>,
    /// A1 (assist) to A4 (self-starting).
    #[arg(long, value_name = "LEVEL", value_parser = autonomy)]
    autonomy: Option<u8>,
    /// Classes of data that it may touch: D0 (public) to D3 (restricted), with commas.
    #[arg(long = "data-class", value_name = "CLASSES", value_delimiter = ',', value_parser = ["D0", "D1", "D2", "D3"])]
    data_classes: Vec<String>,
    /// Where it runs.
    #[arg(long, value_parser = ["sandbox", "development", "test", "production"])]
    environment: Option<String>,
    /// When a person has to look at it again.
    #[arg(long, value_name = "DURATION", value_parser = duration_seconds)]
    review_in: Option<u64>,
    /// Whether it enforces elsewhere what Remit decides, as a gateway or an application, and may ask about what others do.
    #[arg(long, value_name = "BOOLEAN", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    enforcer: Option<bool>,
}

impl Profile {
    fn body(self) -> Value {
        let mut body = Map::new();
        let mut put = |name: &str, value: Option<Value>| body.extend(value.map(|value| (name.to_owned(), value)));
        put("owner", self.owner.map(Value::from));
        put("approvers", (!self.approvers.is_empty()).then(|| json!(self.approvers)));
        put("purpose", self.purpose.map(Value::from));
        put("class", self.class.map(Value::from));
        put("autonomy", self.autonomy.map(Value::from));
        put("data_classes", (!self.data_classes.is_empty()).then(|| json!(self.data_classes)));
        put("environment", self.environment.map(Value::from));
        put("review_in_seconds", self.review_in.map(Value::from));
        put("enforcer", self.enforcer.map(Value::from));
        Value::Object(body)
    }
}

/// `A3` and `3` are the same level.
fn autonomy(text: &str) -> Result<u8, String> {
    let digits = text.strip_prefix(['A', 'a']).unwrap_or(text);
    let level = digits.parse().ok().filter(|level| (1..=4).contains(level));
    level.ok_or_else(|| format!("`{text}` is not a level; choose A1 (assist) to A4 (self-starting)"))
}

/// What to do with agents.
#[derive(Debug, Clone, Subcommand)]
pub enum AgentCommand {
    /// Registers an agent.
    #[command(
        after_help = "Examples:\n  remit agent register triage --owner ada --approver bob --purpose \"answers support tickets\" --class act --autonomy A2 --data-class D0,D1 --environment production --review-in 90d --activate"
    )]
    Register {
        name: String,
        #[command(flatten)]
        profile: Profile,
        /// Activates it at once.
        #[arg(long)]
        activate: bool,
    },
    /// Changes parts of an agent's record.
    #[command(after_help = "Examples:\n  remit agent change triage --owner bob --review-in 90d")]
    Change {
        name: String,
        #[command(flatten)]
        profile: Profile,
    },
    /// Proposes the prompt, model and tools that an agent is approved with; from then on it runs with no other.
    #[command(
        after_help = "Examples:\n  remit agent configure triage --prompt triage.md --model some-model-2026-03 --tools helpdesk/*\n  remit agent configure triage --file triage.toml\n  remit agent configure triage --any"
    )]
    Configure(Configure),
    /// Lists agents.
    #[command(
        after_help = "Examples:\n  remit agent list\n  remit agent list --status active --owner ada\n  remit agent list --status quarantined"
    )]
    List {
        /// Only those with this status.
        #[arg(long, value_parser = ["quarantined", "draft", "active", "suspended", "decommissioned"])]
        status: Option<String>,
        /// Only those of this owner.
        #[arg(long, value_name = "NAME")]
        owner: Option<String>,
        #[command(flatten)]
        when: When,
    },
    /// Shows an agent's record.
    #[command(
        after_help = "Examples:\n  remit agent show triage\n  remit agent show triage --as-of 2026-03-01T12:00:00Z"
    )]
    Show {
        name: String,
        #[command(flatten)]
        when: When,
    },
    /// What an agent may do, under what conditions, for how long.
    #[command(
        after_help = "Examples:\n  remit agent card triage\n  remit agent card triage --as-of 2026-03-01T12:00:00Z"
    )]
    Card {
        name: String,
        #[command(flatten)]
        when: When,
    },
    /// Activates an agent whose record is complete.
    #[command(after_help = "Examples:\n  remit agent activate triage")]
    Activate { name: String },
    /// Suspends an agent and ends its tasks; it can be resumed.
    #[command(
        after_help = "Examples:\n  remit agent suspend triage --reason \"sends the same mail again and again\"\n  remit agent suspend triage --reason \"looked at\" --receipt triage.receipt"
    )]
    Suspend {
        name: String,
        #[arg(long, value_name = "TEXT")]
        reason: String,
        #[command(flatten)]
        receipt: WithReceipt,
    },
    /// Resumes a suspended agent.
    #[command(after_help = "Examples:\n  remit agent resume triage")]
    Resume { name: String },
    /// Ends an agent for good, with its tasks, grants and keys.
    #[command(after_help = "Examples:\n  remit agent decommission triage --reason \"replaced by another\"")]
    Decommission {
        name: String,
        #[arg(long, value_name = "TEXT")]
        reason: String,
        #[command(flatten)]
        receipt: WithReceipt,
    },
    /// Makes a one-time code with which the agent's own machine enrols a key.
    #[command(after_help = "Examples:\n  remit agent enrol triage\n  remit agent enrol triage --ttl 10m")]
    Enrol {
        name: String,
        /// How long the code can be used.
        #[arg(long, value_name = "DURATION", value_parser = duration_seconds)]
        ttl: Option<u64>,
    },
    /// On the agent's own machine: makes a key and enrols it with a code.
    #[command(
        after_help = "Examples:\n  remit agent enrol-key triage --code enr_4f… --issuer http://127.0.0.1:7470 --key triage.key"
    )]
    EnrolKey {
        name: String,
        #[arg(long, value_name = "CODE")]
        code: String,
        /// The realm that issued the code, as `remit agent enrol` prints it.
        #[arg(long, value_name = "URL")]
        issuer: String,
        /// Where the private key is written, readable by this user only.
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
    },
    /// Lists an agent's enrolled keys.
    #[command(after_help = "Examples:\n  remit agent keys triage")]
    Keys { name: String },
    /// Revokes a key and ends the tasks that are bound to it.
    #[command(after_help = "Examples:\n  remit agent revoke-key triage 0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I")]
    RevokeKey {
        name: String,
        thumbprint: String,
        #[command(flatten)]
        receipt: WithReceipt,
    },
}

/// What an agent is approved with.
#[derive(Debug, Clone, Args)]
pub struct Configure {
    name: String,
    /// All of it from a file, as `remit run --configuration` reads it.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["prompt", "model", "tools"])]
    file: Option<PathBuf>,
    /// A file with its prompt; only the digest is kept.
    #[arg(long, value_name = "FILE")]
    prompt: Option<PathBuf>,
    /// Its model, with its version, as its maker names it.
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// The tools that it is given: `connector/tool` or `connector/*`; all that it may use if none is named.
    #[arg(long, value_name = "OPERATION", num_args = 1..)]
    tools: Vec<OperationPattern>,
    /// It may run with any configuration.
    #[arg(long, conflicts_with_all = ["file", "prompt", "model", "tools"], required_unless_present_any = ["file", "prompt", "model", "tools"])]
    any: bool,
    /// Why, in a sentence.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

async fn configure(client: &Client, output: &Output, arguments: Configure) -> Result<(), Failure> {
    let Configure { name, file, prompt, model, tools, any, reason } = arguments;
    let configuration = match file {
        _ if any => None,
        Some(file) => Some(configuration_file::read(&file)?),
        None => {
            let prompt = prompt.as_deref().map(configuration_file::digest_of).transpose()?;
            Some(Configuration { prompt, model, tools })
        }
    };
    let digest = configuration.as_ref().map(|configuration| configuration.digest().to_string());
    let edit = json!({"artefact": "configuration", "agent": name, "configuration": configuration});
    let reason = reason.unwrap_or_else(|| format!("set what `{name}` runs with"));
    let answer = proposed::propose(client, vec![edit], &reason, false).await?;
    let done = match digest {
        Some(digest) => format!("{name} runs only with {digest}; `remit run --configuration FILE` presents it"),
        None => format!("{name} may run with any configuration"),
    };
    proposed::told(output, &answer, &done);
    Ok(())
}

pub async fn run(command: AgentCommand, client: &Client, output: &Output) -> Result<(), Failure> {
    let act = async |name: &str, verb: &str, body: Value, done: &str, receipt: WithReceipt| -> Result<(), Failure> {
        let address = path(&["agents", name, verb]);
        receipt.around(client, output, client.post(&address, body), &format!("{name} is {done}")).await
    };
    let none = WithReceipt::default;
    match command {
        AgentCommand::Register { name, profile, activate } => {
            register(client, output, &name, profile, activate).await?
        }
        AgentCommand::Change { name, profile } => {
            let agent = client.post(&path(&["agents", &name, "describe"]), profile.body()).await?;
            if proposed::is_waiting(&agent) {
                proposed::told(output, &agent, "");
            } else {
                output.card(&agent, ROWS);
            }
        }
        AgentCommand::Configure(arguments) => configure(client, output, arguments).await?,
        AgentCommand::List { status, owner, when } => {
            let agents = client.as_of(when.as_of).list("/v1/agents", &[("status", status), ("owner", owner)]).await?;
            output.table(&agents, COLUMNS, "no agent; `remit agent register --help` shows how to register one");
        }
        AgentCommand::Show { name, when } => {
            show(client.as_of(when.as_of).get(&path(&["agents", &name])).await?, output);
        }
        AgentCommand::Card { name, when } => {
            card(&client.as_of(when.as_of).get(&path(&["agents", &name, "card"])).await?, output);
        }
        AgentCommand::Activate { name } => act(&name, "activate", json!({}), "active", none()).await?,
        AgentCommand::Suspend { name, reason, receipt } => {
            act(&name, "suspend", json!({"reason": reason}), "suspended; its tasks have ended", receipt).await?;
        }
        AgentCommand::Resume { name } => act(&name, "resume", json!({}), "active again", none()).await?,
        AgentCommand::Decommission { name, reason, receipt } => {
            act(&name, "decommission", json!({"reason": reason}), "ended for good", receipt).await?;
        }
        AgentCommand::Enrol { name, ttl } => {
            let offer = client.post(&path(&["agents", &name, "enrolment"]), json!({"ttl_seconds": ttl})).await?;
            output.card(&offer, &[("code", "/code"), ("issuer", "/issuer"), ("until", "/expires_at")]);
            let (code, issuer) = (text_at(&offer, "/code"), text_at(&offer, "/issuer"));
            output.note(&format!(
                "on the agent's machine: remit agent enrol-key {name} --code {code} --issuer {issuer} --key {name}.key"
            ));
        }
        AgentCommand::EnrolKey { name, code, issuer, key } => {
            agent_key::enrol(client, output, &name, &code, &issuer, &key).await?;
        }
        AgentCommand::Keys { name } => {
            let agent = client.get(&path(&["agents", &name])).await?;
            let keys = agent.get("keys").and_then(Value::as_array).cloned().unwrap_or_default();
            let items: Vec<Value> = keys.into_iter().map(|key| json!({"thumbprint": key})).collect();
            output.table(&json!({"items": items}), &[("thumbprint", "/thumbprint")], "no key is enrolled");
        }
        AgentCommand::RevokeKey { name, thumbprint, receipt } => {
            let address = path(&["agents", &name, "keys", &thumbprint]);
            let sentence = format!("the key is revoked; tasks bound to it have ended ({name})");
            receipt.around(client, output, client.delete(&address), &sentence).await?;
        }
    }
    Ok(())
}

async fn register(
    client: &Client,
    output: &Output,
    name: &str,
    profile: Profile,
    activate: bool,
) -> Result<(), Failure> {
    let registered = client.post("/v1/agents", json!({"name": name, "profile": profile.body()})).await?;
    if !activate {
        output.done(&registered, &format!("registered {name} as a draft; `remit agent activate {name}` activates it"));
        return Ok(());
    }
    match client.post(&path(&["agents", name, "activate"]), json!({})).await {
        Ok(active) => output.done(&active, &format!("registered {name}; it is active")),
        Err(failure) => {
            output.note(&format!("registered {name} as a draft"));
            return Err(failure);
        }
    }
    Ok(())
}

/// An agent's record; for people with its workloads in words.
fn show(mut agent: Value, output: &Output) {
    if !output.is_json() {
        for name in ["workloads", "arrived_from"] {
            match agent.get_mut(name) {
                Some(Value::Array(all)) => all.iter_mut().for_each(|one| *one = workload::in_words(one).into()),
                Some(one) if one.is_object() => *one = workload::in_words(one).into(),
                _ => {}
            }
        }
    }
    output.card(&agent, ROWS);
}

fn card(card: &Value, output: &Output) {
    if output.is_json() {
        return output.document(card);
    }
    let part = |name: &str| card.get(name).cloned().unwrap_or_default();
    output.card(&part("agent"), ROWS);
    let tables: [(&str, &str, &[Column], &str); 4] = [
        (
            "may",
            "may use",
            &[
                ("operation", "/operation"),
                ("verb", "/verb"),
                ("risk", "/risk"),
                ("data", "/data"),
                ("until", "/until"),
                ("without a grant", "/policy"),
            ],
            if part("sandbox_policy").is_null() { "nothing: no live grant" } else { NOTHING_IN_SANDBOX },
        ),
        ("conditions", "under these conditions", &[("policy", "/policy"), ("reason", "/reason")], "none"),
        (
            "grants",
            "by these grants",
            &[
                ("grant", "/id"),
                ("operations", "/operations"),
                ("asked by", "/requested_by"),
                ("approved by", "/approved_by"),
                ("until", "/expires_at"),
            ],
            "none",
        ),
        (
            "tasks",
            "at work on",
            &[("task", "/id"), ("purpose", "/purpose"), ("for", "/acting_for"), ("until", "/expires_at")],
            "nothing",
        ),
    ];
    for (name, title, columns, none) in tables {
        output.line("");
        output.line(title);
        output.table(&part(name), columns, none);
        if let ("may", Some(policy)) = (name, part("sandbox_policy").as_str()) {
            output.line(&format!(
                "without a grant, the policy `{policy}` permits what connectors marked as sandbox offer; the conditions below hold too"
            ));
        }
    }
}

#[cfg(test)]
mod tests;
