//! `remit who`: questions that run the other way, from a thing to the people and agents behind it.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::address::with_query;
use super::output::{Column, text_at};
use super::{Client, Failure, Output};

/// Rows of one request.
const PAGE_ROWS: usize = 2_000;

const CALLERS: &[Column] = &[
    ("who", "/who"),
    ("answers for it", "/owner"),
    ("reaches", "/operations"),
    ("if", "/condition"),
    ("asks", "/asked"),
    ("grant", "/reaches/0/grant/id"),
    ("by policy", "/reaches/0/policies"),
    ("people through it", "/people"),
];

const CHANGERS: &[Column] = &[
    ("part", "/part"),
    ("propose", "/propose"),
    ("approve, if another proposed", "/approve"),
    ("alone: founding", "/alone/founding"),
    ("alone: emergency", "/alone/emergency"),
    ("alone: taking away", "/alone/taking_away"),
];

const APPROVERS: &[Column] = &[
    ("person", "/person"),
    ("says", "/says"),
    ("as", "/roles"),
    ("signed in by", "/method"),
    ("at", "/at"),
    ("record", "/seq"),
    ("note", "/note"),
];

/// Who can do what, and who allowed it.
#[derive(Debug, Clone, Subcommand)]
pub enum WhoCommand {
    /// Who can call an operation, or see a class of data.
    #[command(subcommand)]
    Can(CanCommand),
    /// Who may propose, approve and make a change of a policy, connector, operation, person or agent.
    #[command(
        after_help = "Examples:\n  remit who can-change policy:high-risk\n  remit who can-change operation:helpdesk/issue_refund --as-of 2026-03-01T00:00:00Z\n  remit who can-change agent:triage --json"
    )]
    CanChange {
        /// `policy:NAME`, `connector:NAME`, `operation:CONNECTOR/TOOL`, `person:NAME` or `agent:NAME`.
        artefact: String,
        #[command(flatten)]
        when: When,
    },
    /// Who approved an action, an approval, a grant or a change.
    #[command(
        after_help = "Examples:\n  remit who approved act_01jd0000000000000000000000\n  remit who approved grt_01jd0000000000000000000000 --json"
    )]
    Approved {
        /// Its id.
        #[arg(value_name = "ID")]
        of: String,
    },
}

/// What somebody can do.
#[derive(Debug, Clone, Subcommand)]
pub enum CanCommand {
    /// Agents that can call an operation, and the people through whom; and people who may use it themselves.
    #[command(
        after_help = "Examples:\n  remit who can call helpdesk/issue_refund\n  remit who can call helpdesk/read_ticket --as-of 2026-03-01T00:00:00Z"
    )]
    Call {
        /// `connector/tool`
        operation: String,
        #[command(flatten)]
        when: When,
    },
    /// Agents that can call anything that touches data of this class or above, and the people through whom.
    #[command(after_help = "Examples:\n  remit who can see D2\n  remit who can see D3 --json")]
    See {
        /// `D0` (public), `D1` (internal), `D2` (confidential) or `D3` (restricted).
        #[arg(value_parser = ["D0", "D1", "D2", "D3"])]
        class: String,
        #[command(flatten)]
        when: When,
    },
}

/// The moment that a question is about.
#[derive(Debug, Clone, Args)]
pub struct When {
    /// The answer as it would have been at this time (RFC 3339); now if left out.
    #[arg(long, value_name = "TIME")]
    pub as_of: Option<String>,
}

pub async fn run(command: WhoCommand, client: &Client, output: &Output) -> Result<(), Failure> {
    match command {
        WhoCommand::Can(CanCommand::Call { operation, when }) => {
            let query = [("operation", Some(operation)), ("as_of", when.as_of)];
            callers(&whole(client, "/v1/who-can", &query, output).await?, output);
        }
        WhoCommand::Can(CanCommand::See { class, when }) => {
            let query = [("data", Some(class)), ("as_of", when.as_of)];
            callers(&whole(client, "/v1/who-can", &query, output).await?, output);
        }
        WhoCommand::CanChange { artefact, when } => {
            let query = [("artefact", Some(artefact)), ("as_of", when.as_of)];
            let answer = client.get(&with_query("/v1/who-can-change", &query)).await?;
            output.table(&answer, CHANGERS, "nobody");
            if answer.get("founding") == Some(&json!(true)) {
                output.note("this realm has never had a second administrator: what its one administrator changes is active at once");
            }
            if let Some(overdue) = answer.get("overdue").and_then(Value::as_str) {
                output
                    .note(&format!("no emergency change until {overdue} is reviewed: `remit change review {overdue}`"));
            }
            output.note(&text_at(&answer, "/rule"));
        }
        WhoCommand::Approved { of } => {
            let answer = client.get(&with_query("/v1/who-approved", &[("of", Some(of))])).await?;
            approved(&answer, output);
        }
    }
    Ok(())
}

/// All pages of an answer as one, telling how far it is.
pub(super) async fn whole(
    client: &Client,
    address: &str,
    query: &[(&str, Option<String>)],
    output: &Output,
) -> Result<Value, Failure> {
    let (mut items, mut asked, mut after) = (Vec::new(), 0, None);
    loop {
        let mut pairs = query.to_vec();
        pairs.extend([("limit", Some(PAGE_ROWS.to_string())), ("after", after)]);
        let mut page = client.get(&with_query(address, &pairs)).await?;
        let number = |name: &str| page.get(name).and_then(Value::as_u64).unwrap_or_default();
        let left = number("of");
        asked += number("asked");
        let left = left.saturating_sub(number("asked"));
        if let Some(Value::Array(found)) = page.get_mut("items").map(Value::take) {
            items.extend(found);
        }
        after = page.get("next").and_then(Value::as_str).map(str::to_owned);
        if after.is_none() {
            if let Some(members) = page.as_object_mut() {
                members.insert("items".to_owned(), items.into());
                members.insert("asked".to_owned(), asked.into());
                members.insert("of".to_owned(), asked.into());
            }
            return Ok(page);
        }
        output.progress(&format!("asked {asked} of {}, found {}", asked + left, items.len()));
    }
}

fn callers(answer: &Value, output: &Output) {
    if output.is_json() {
        return output.document(answer);
    }
    let items: Vec<Value> = answer.get("items").and_then(Value::as_array).into_iter().flatten().map(in_a_row).collect();
    output.table(&json!({"items": items}), CALLERS, "nobody");
    let administrators = text_at(answer, "/administrators");
    output.note(&format!("assumed: {}", text_at(answer, "/assumes")));
    output.note(&format!("people: {}: {administrators}", text_at(answer, "/rule")));
    output.note(&format!("as of {}", text_at(answer, "/as_of")));
}

/// A row with the cells that people read.
fn in_a_row(item: &Value) -> Value {
    let mut row = item.clone();
    let direct = item.get("kind") == Some(&json!("person"));
    let who = if direct { format!("{} (directly)", text_at(item, "/person")) } else { text_at(item, "/agent") };
    let reaches = item.get("reaches").and_then(Value::as_array);
    let mut operations: Vec<String> = reaches.into_iter().flatten().map(operation).collect();
    if item.get("more") == Some(&json!(true)) {
        operations.push("…".to_owned());
    }
    if let Some(members) = row.as_object_mut() {
        members.insert("who".to_owned(), who.into());
        let operations = if direct { text_at(item, "/entitlements") } else { operations.join(", ") };
        members.insert("operations".to_owned(), operations.into());
        members.insert("condition".to_owned(), condition(item.pointer("/reaches/0")).into());
        members.insert("asked".to_owned(), asked(item.pointer("/reaches/0")).into());
    }
    row
}

/// An operation, in a cell: what Remit decides about it may be for somebody else to keep to.
pub(super) fn operation(reached: &Value) -> String {
    let name = text_at(reached, "/operation");
    if reached.get("enforced_elsewhere") == Some(&json!(true)) { format!("{name} (enforced elsewhere)") } else { name }
}

/// When a call is allowed, in a cell.
pub(super) fn condition(reached: Option<&Value>) -> String {
    let Some(reached) = reached else { return String::new() };
    match (text_at(reached, "/reach").as_str(), text_at(reached, "/condition")) {
        ("always", _) => "always".to_owned(),
        (_, condition) if condition.is_empty() => "it depends on the call".to_owned(),
        (_, condition) => condition,
    }
}

/// Whom a call may ask, in a cell.
pub(super) fn asked(reached: Option<&Value>) -> String {
    let asks = reached.and_then(|reached| reached.get("asks")).and_then(Value::as_array);
    let each = asks.into_iter().flatten().map(|ask| {
        let roles = ask.get("approvers").and_then(Value::as_array).into_iter().flatten();
        let roles: Vec<String> = roles.map(|any_of| text_at(any_of, "").replace(", ", " or ")).collect();
        roles.join(" and ")
    });
    let mut each: Vec<String> = each.collect();
    each.dedup();
    each.join("; ")
}

fn approved(answer: &Value, output: &Output) {
    if output.is_json() {
        return output.document(answer);
    }
    let what = match text_at(answer, "/kind").as_str() {
        "action" => format!(
            "{} of `{}` by the agent {} was {}",
            text_at(answer, "/id"),
            text_at(answer, "/operation"),
            text_at(answer, "/agent"),
            text_at(answer, "/verdict")
        ),
        "change" => {
            format!("{} by {} is {}", text_at(answer, "/id"), text_at(answer, "/author"), text_at(answer, "/status"))
        }
        _ => format!("{} is {}", text_at(answer, "/id"), text_at(answer, "/status")),
    };
    output.note(&what);
    output.table(answer, APPROVERS, "nobody answered");
    for (word, pointer) in [
        ("policies", "/policies"),
        ("grant", "/grant/id"),
        ("grant approved by", "/grant/items/0/person"),
        ("asked for by", "/requested_by"),
    ] {
        let text = text_at(answer, pointer);
        if !text.is_empty() {
            output.note(&format!("{word}: {text}"));
        }
    }
    let note = text_at(answer, "/note");
    if !note.is_empty() {
        output.note(&note);
    }
}
