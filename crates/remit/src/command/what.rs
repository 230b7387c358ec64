//! `remit what`: what an agent reaches, and what a person reaches only through agents.

use clap::Subcommand;
use serde_json::{Value, json};

use super::output::{Column, text_at};
use super::who::{When, asked, condition, operation, whole};
use super::{Client, Failure, Output};

const REACHES: &[Column] = &[
    ("operation", "/cell"),
    ("verb", "/verb"),
    ("risk", "/risk"),
    ("data", "/data"),
    ("if", "/when"),
    ("asks", "/asked"),
    ("grant", "/grant/id"),
    ("until", "/grant/expires_at"),
    ("by policy", "/policies"),
];

const BEYOND: &[Column] = &[
    ("operation", "/cell"),
    ("data", "/data"),
    ("agents", "/agents"),
    ("through", "/agent_names"),
    ("if", "/when"),
    ("asks", "/asked"),
];

/// What somebody can reach.
#[derive(Debug, Clone, Subcommand)]
pub enum WhatCommand {
    /// What an agent reaches, under which condition, by which grant.
    #[command(
        after_help = "Examples:\n  remit what agent triage\n  remit what agent triage --as-of 2026-03-01T00:00:00Z --json"
    )]
    Agent {
        /// Name of the agent.
        name: String,
        #[command(flatten)]
        when: When,
    },
    /// What a person reaches through agents that they cannot reach directly.
    #[command(after_help = "Examples:\n  remit what person ana\n  remit what person ana --json")]
    Person {
        /// Name of the person.
        name: String,
        #[command(flatten)]
        when: When,
    },
}

pub async fn run(command: WhatCommand, client: &Client, output: &Output) -> Result<(), Failure> {
    match command {
        WhatCommand::Agent { name, when } => {
            let answer = whole(client, "/v1/reach", &[("agent", Some(name)), ("as_of", when.as_of)], output).await?;
            show(&answer, output, REACHES, |item| Some(item.clone()));
            let status = text_at(&answer, "/status");
            if status != "active" {
                output.note(&format!("the agent is {status}, and so can call nothing"));
            }
        }
        WhatCommand::Person { name, when } => {
            let answer = whole(client, "/v1/reach", &[("person", Some(name)), ("as_of", when.as_of)], output).await?;
            output.note(&text_at(&answer, "/note"));
            show(&answer, output, BEYOND, |item| item.pointer("/through/0").cloned());
        }
    }
    Ok(())
}

/// The rows, with the cells that people read. `reached` says by which way a row's operation is reached.
fn show(answer: &Value, output: &Output, columns: &[Column], reached: impl Fn(&Value) -> Option<Value>) {
    if output.is_json() {
        return output.document(answer);
    }
    let rows = answer.get("items").and_then(Value::as_array).into_iter().flatten().map(|item| {
        let (mut row, way) = (item.clone(), reached(item));
        if let Some(members) = row.as_object_mut() {
            members.insert("cell".to_owned(), way.as_ref().map(operation).into());
            members.insert("when".to_owned(), condition(way.as_ref()).into());
            members.insert("asked".to_owned(), asked(way.as_ref()).into());
            let agents = item.get("through").and_then(Value::as_array).into_iter().flatten();
            let names: Vec<String> = agents.map(|through| text_at(through, "/agent")).collect();
            members.insert("agent_names".to_owned(), names.join(", ").into());
        }
        row
    });
    output.table(&json!({"items": rows.collect::<Vec<_>>()}), columns, "nothing");
    output.note(&format!("assumed: {}", text_at(answer, "/assumes")));
    output.note(&format!("as of {}", text_at(answer, "/as_of")));
}
