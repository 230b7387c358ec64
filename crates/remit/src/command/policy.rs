//! `remit policy`: rules as code.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use remit_policy::{OperationShape, PolicySet, Projection, Schema, Severity, Shape};
use serde::Deserialize as _;
use serde_json::{Value, json};

use super::address::path;
use super::output::{Column, plain, text_at};
use super::policy_files::{self, Files};
use super::who::When;
use super::{Client, Failure, Global, Output, policy_format, policy_prove, policy_replay, proposed};

#[cfg(test)]
mod tests;

const CHANGES: &[Column] = &[
    ("change", "/id"),
    ("author", "/author"),
    ("proposed", "/proposed_at"),
    ("stale", "/stale"),
    ("reason", "/reason"),
];
const RULES: &[Column] = &[("rule", "/id"), ("file", "/source"), ("line", "/line"), ("reason", "/reason")];

/// What to do with policies.
#[derive(Debug, Clone, Subcommand)]
pub enum PolicyCommand {
    /// Checks policy files, against what is approved now if a server is at hand. Changes nothing.
    #[command(
        after_help = "Examples:\n  remit policy check policies\n  remit policy check policies/refunds.cedar --offline"
    )]
    Check {
        /// Files `*.cedar`, or a folder of them.
        #[arg(value_name = "PATH")]
        path: PathBuf,
        /// Asks no server; then no rule may name an operation's arguments, or what is projected from them.
        #[arg(long)]
        offline: bool,
    },
    /// Runs the tables of cases beside the policies.
    #[command(after_help = "Examples:\n  remit policy test policies")]
    Test {
        /// A folder with `*.cedar` and `*.cases.toml`.
        #[arg(value_name = "DIR")]
        path: PathBuf,
        /// Asks no server for the operations that cases do not describe.
        #[arg(long)]
        offline: bool,
    },
    /// Lays policy files out as everybody's are.
    #[command(after_help = "Examples:\n  remit policy format policies\n  remit policy format policies --check")]
    Format {
        /// Files `*.cedar`, or a folder of them.
        #[arg(value_name = "PATH")]
        path: PathBuf,
        /// Writes nothing, and exits with 1 if a file is laid out otherwise.
        #[arg(long)]
        check: bool,
    },
    /// Proposes policy files; somebody else activates them.
    #[command(
        after_help = "Examples:\n  remit policy propose policies --reason \"refunds above 100 ask the owner\"\n  remit policy propose --remove high-risk-asks --reason \"replaced by refunds\""
    )]
    Propose(Propose),
    /// Lists the proposals that wait.
    #[command(after_help = "Examples:\n  remit policy changes")]
    Changes,
    /// Prints what a proposal does to each policy.
    #[command(after_help = "Examples:\n  remit policy diff chg_01jd0000000000000000000000")]
    Diff { change: String },
    /// Approves and activates a proposal of somebody else.
    #[command(after_help = "Examples:\n  remit policy activate chg_01jd0000000000000000000000")]
    Activate { change: String },
    /// Rejects a proposal, or takes back your own.
    #[command(after_help = "Examples:\n  remit policy reject chg_01jd0000000000000000000000 --note \"too wide\"")]
    Reject {
        change: String,
        #[arg(long, default_value = "", value_name = "TEXT")]
        note: String,
    },
    /// Lists the active rules.
    #[command(after_help = "Examples:\n  remit policy list")]
    List {
        #[command(flatten)]
        when: When,
    },
    /// Prints a rule, a policy file or a proposal.
    #[command(
        after_help = "Examples:\n  remit policy show a-live-grant-permits\n  remit policy show base\n  remit policy show chg_01jd0000000000000000000000"
    )]
    Show {
        name: String,
        #[command(flatten)]
        when: When,
    },
    /// What would be said to a call, without making it.
    #[command(
        after_help = "Examples:\n  remit policy simulate helpdesk/issue_refund --task tsk_01jd0000000000000000000000 --arguments \"{}\""
    )]
    Simulate(policy_replay::Simulate),
    /// Decides recorded calls again under a proposal, and says what would differ: by agent, operation and rule.
    #[command(
        after_help = "Examples:\n  remit policy replay chg_01jd0000000000000000000000 --from 2026-03-01T00:00:00Z\n  remit policy replay --policies policies --all"
    )]
    Replay(policy_replay::Replay),
    /// Lets a proposal run beside the active policies on live calls, and shows what it would have said otherwise.
    #[command(
        after_help = "Examples:\n  remit policy shadow chg_01jd0000000000000000000000\n  remit policy shadow chg_01jd0000000000000000000000 --off"
    )]
    Shadow {
        change: String,
        /// Ends it; what it saw is recorded with the proposal.
        #[arg(long)]
        off: bool,
    },
    /// Proves invariants of policies with the solver cvc5, or prints a call that breaks them.
    #[command(
        after_help = "Examples:\n  remit policy prove\n  remit policy prove --policies policies --offline\n  remit policy prove \"no agent of class read ever reaches an operation with effect write\"\n  remit policy prove --change chg_01jd0000000000000000000000"
    )]
    Prove(policy_prove::Prove),
}

/// A change to propose.
#[derive(Debug, Clone, Args)]
pub struct Propose {
    /// Files `*.cedar`, or a folder of them.
    #[arg(value_name = "PATH", required_unless_present = "remove")]
    path: Option<PathBuf>,
    /// A policy file to remove; may be given several times.
    #[arg(long, value_name = "NAME")]
    remove: Vec<String>,
    /// Why, in a sentence.
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

pub async fn run(command: PolicyCommand, global: &Global, output: &Output) -> Result<(), Failure> {
    let client = || Client::open(global);
    match command {
        PolicyCommand::Check { path, offline } => {
            let server = if offline { None } else { at_hand(global)? };
            check(&policy_files::read(&path)?, server.as_ref(), output).await?;
        }
        PolicyCommand::Test { path, offline } => {
            let server = if offline { None } else { at_hand(global)? };
            test(&policy_files::read(&path)?, server.as_ref(), output).await?;
        }
        PolicyCommand::Format { path, check } => policy_format::run(&path, check, output)?,
        PolicyCommand::Propose(arguments) => propose(arguments, &client()?, output).await?,
        PolicyCommand::Changes => {
            output.table(&client()?.list("/v1/changes", &[]).await?, CHANGES, "no proposal waits")
        }
        PolicyCommand::Diff { change } => {
            super::change::run(super::change::ChangeCommand::Diff { change }, &client()?, output).await?;
        }
        PolicyCommand::Activate { change } => {
            super::change::approve(&client()?, output, &change).await?;
        }
        PolicyCommand::Reject { change, note } => {
            let rejected = client()?.post(&path(&["changes", &change, "reject"]), json!({"note": note})).await?;
            output.done(&rejected, "rejected");
        }
        PolicyCommand::List { when } => {
            let policies = client()?.as_of(when.as_of).get("/v1/policies").await?;
            if output.is_json() {
                output.document(&policies);
            } else {
                let rules = policies.get("rules").cloned().unwrap_or_default();
                output.table(&rules, RULES, "no rule: everything is denied");
                output.line(&format!("version {}", text_at(&policies, "/version")));
            }
        }
        PolicyCommand::Show { name, when } => show(&client()?.as_of(when.as_of), output, &name).await?,
        PolicyCommand::Simulate(arguments) => policy_replay::simulate(arguments, &client()?, output).await?,
        PolicyCommand::Replay(arguments) => policy_replay::replay(arguments, &client()?, output).await?,
        PolicyCommand::Shadow { change, off } => policy_replay::shadow(&change, off, &client()?, output).await?,
        PolicyCommand::Prove(arguments) => policy_prove::run(arguments, global, output).await?,
    }
    Ok(())
}

/// A server, if one is meant and there: without one, files are checked by themselves.
pub(super) fn at_hand(global: &Global) -> Result<Option<Client>, Failure> {
    let meant = global.url.is_some() || Client::answers_at(&global.data);
    if meant { Client::open(global).map(Some) } else { Ok(None) }
}

async fn check(files: &Files, server: Option<&Client>, output: &Output) -> Result<(), Failure> {
    let problems = match server {
        Some(client) => {
            let checked = client.post("/v1/policies/check", json!({"edits": policy_files::edits(files)})).await?;
            checked.get("problems").and_then(Value::as_array).cloned().unwrap_or_default()
        }
        None => alone(files),
    };
    let failed = problems.iter().filter(|problem| text_at(problem, "/severity") == "error").count();
    if output.is_json() {
        output.document(&json!({"holds": failed == 0, "problems": problems}));
    } else {
        problems.iter().for_each(|problem| output.line(&in_words(problem)));
        let against = server.map_or_else(|| "by themselves".to_owned(), |client| format!("against {}", client.place()));
        output.line(&format!(
            "{} files checked {against}: {failed} errors, {} warnings",
            files.sources.len(),
            problems.len() - failed
        ));
    }
    if failed == 0 {
        return Ok(());
    }
    Err(remit_domain::Refusal::new("policy_invalid", "the policies do not hold")
        .help("correct what is named above")
        .into())
}

/// What is wrong with policies that may name no operation.
fn alone(files: &Files) -> Vec<Value> {
    let schema = match Schema::generate(std::iter::empty()) {
        Ok(schema) => schema,
        Err(error) => {
            return vec![json!({"source": "schema", "severity": Severity::Error, "sentence": error.to_string()})];
        }
    };
    match PolicySet::compile(&files.sources, &schema) {
        Ok(set) => set.warnings().iter().map(|problem| json!(problem)).collect(),
        Err(problems) => problems.iter().map(|problem| json!(problem)).collect(),
    }
}

/// `file:line:column: error: sentence`, as compilers write it.
fn in_words(problem: &Value) -> String {
    let place = ["/source", "/line", "/column"].map(|part| text_at(problem, part));
    let place: Vec<&str> = place.iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
    let mut words =
        format!("{}: {}: {}", place.join(":"), text_at(problem, "/severity"), text_at(problem, "/sentence"));
    let help = text_at(problem, "/help");
    if !help.is_empty() {
        words.push_str(&format!("\n  help: {help}"));
    }
    words
}

async fn test(files: &Files, server: Option<&Client>, output: &Output) -> Result<(), Failure> {
    if files.tables.is_empty() {
        return Err(Failure::Usage(
            "there is no table of cases; they are files `*.cases.toml` beside the policies".to_owned(),
        ));
    }
    let known = match server {
        Some(client) => shapes(&client.list("/v1/operations", &[]).await?),
        None => Vec::new(),
    };
    let results = policy_files::run_tables(files, &known)?;
    let failed = results.iter().filter(|(_, result)| !result.passed).count();
    if output.is_json() {
        let items = results.iter().map(|(table, result)| {
            json!({"table": table, "case": result.name, "passed": result.passed, "expected": result.expected, "got": result.got})
        });
        output.document(&json!({"passed": failed == 0, "items": items.collect::<Vec<_>>()}));
    } else {
        for (table, result) in results.iter().filter(|(_, result)| !result.passed) {
            output.line(&plain(&format!("{table}: {}: expected {}, got {}", result.name, result.expected, result.got)));
        }
        output.line(&format!("{} cases, {failed} failed", results.len()));
    }
    if failed == 0 {
        return Ok(());
    }
    Err(remit_domain::Refusal::new("cases_failed", format!("{failed} cases came out otherwise than expected"))
        .help("correct the policy or the case")
        .into())
}

/// The shapes of approved operations, for cases that do not describe them.
pub(super) fn shapes(operations: &Value) -> Vec<OperationShape> {
    let items = operations.get("items").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    items
        .iter()
        .filter_map(|operation| {
            let id = text_at(operation, "/name");
            let schema = operation.pointer("/definition/inputSchema")?;
            let projections = Vec::<Projection>::deserialize(operation.get("projections")?).ok()?;
            let arguments = Shape::from_json_schema(schema).ok()?.projecting(schema, &projections).ok()?;
            let connector = id.split_once('/')?.0.to_owned();
            Some(OperationShape { connector, verb: text_at(operation, "/verb").parse().ok()?, arguments, id })
        })
        .collect()
}

async fn propose(arguments: Propose, client: &Client, output: &Output) -> Result<(), Failure> {
    let active = client.get("/v1/policies").await?;
    let files = arguments.path.as_deref().map(policy_files::read).transpose()?.unwrap_or_default();
    let mut edits = policy_files::changed(&files, &active);
    edits.extend(arguments.remove.iter().map(|name| json!({"name": name, "text": null})));
    if edits.is_empty() {
        output.done(&json!({"changed": false}), "nothing to propose: the files are what is active");
        return Ok(());
    }
    let change = client.post("/v1/policies", json!({"edits": edits, "reason": arguments.reason})).await?;
    proposed::told(output, &change, &format!("active; the policies have the version {}", text_at(&change, "/version")));
    Ok(())
}

async fn show(client: &Client, output: &Output, name: &str) -> Result<(), Failure> {
    if name.starts_with("chg_") {
        return super::change::show(client, output, name).await;
    }
    let policies = client.get("/v1/policies").await?;
    let find = |list: &str, member: &str| {
        let items = policies.get(list).and_then(Value::as_array).cloned().unwrap_or_default();
        items.into_iter().find(|item| text_at(item, member) == name)
    };
    let Some(found) = find("rules", "/id").or_else(|| find("sources", "/name")) else {
        let refusal = remit_domain::Refusal::new("not_found", format!("there is no rule and no policy file `{name}`"));
        return Err(refusal.help("`remit policy list` shows what there is").into());
    };
    if output.is_json() {
        output.document(&found);
    } else {
        let text = found.get("text").and_then(Value::as_str).unwrap_or_default();
        text.lines().for_each(|line| output.line(&plain(line)));
    }
    Ok(())
}
