//! A counter-example as a `[[case]]`, to be kept beside the policies: it expects a deny, and so fails until the hole is closed.

use remit_policy::Facts;
use remit_policy::cases::Table;
use serde_json::Value;

use crate::{Counterexample, Estate, Invariant};

#[cfg(test)]
mod tests;

/// The case, if it says all that the call depends on: it is run, and must come out as the call itself did.
pub(crate) fn written(example: &Counterexample, invariant: &Invariant, estate: &Estate) -> Option<String> {
    let text = write(example, invariant)?;
    let results = Table::parse(&text).ok()?.run(&estate.sources, &estate.operations).ok()?;
    let [result] = results.as_slice() else { return None };
    (!result.passed && result.got.starts_with("allow")).then_some(text)
}

fn write(example: &Counterexample, invariant: &Invariant) -> Option<String> {
    let Facts { agent, owner, task, acting_for, acting_for_entitled, grant, operation } = &example.facts;
    let mut lines = vec!["[[case]]".to_owned()];
    let mut line = |name: &str, value: String| lines.push(format!("{name} = {value}"));
    line("name", text(&format!("{}: {}", invariant.name, invariant.sentence)));
    line(
        "operation",
        table(&[
            ("id", text(&operation.id)),
            ("verb", text(operation.verb.as_str())),
            ("risk", operation.risk.to_string()),
            ("data", operation.data.to_string()),
            ("external", operation.external.to_string()),
            ("sandbox", operation.sandbox.to_string()),
            ("irreversible", operation.irreversible.to_string()),
        ]),
    );
    line(
        "agent",
        table(&[
            ("name", text(&agent.name)),
            ("class", text(&agent.class)),
            ("environment", text(&agent.environment)),
            ("autonomy", agent.autonomy.to_string()),
            ("data", agent.data.to_string()),
            ("attribution", text(agent.attribution.as_str())),
            ("owner", text(&owner.id)),
            ("owner_groups", texts(owner.groups.iter())),
        ]),
    );
    let mut of_task = vec![
        ("purpose", text(&task.purpose)),
        ("labels", texts(task.labels.iter())),
        ("calls", task.calls.to_string()),
        ("approved_data", task.approved_data.to_string()),
        ("data", task.data.to_string()),
        ("chain", texts(task.chain.iter())),
        ("names", task.names.to_string()),
    ];
    if let Some(person) = acting_for {
        of_task.push(("acting_for", text(&person.id)));
        of_task.push(("acting_for_groups", texts(person.groups.iter())));
    }
    of_task.extend(acting_for_entitled.map(|entitled| ("acting_for_entitled", entitled.to_string())));
    line("task", table(&of_task));
    if let Some(grant) = grant {
        line("grant", table(&[("exact", grant.exact.to_string())]));
    }
    line("arguments", value(&example.arguments)?);
    if let Some(approval) = &example.approval {
        line(
            "approval",
            table(&[
                ("roles", texts(approval.roles.iter())),
                ("approvers", texts(approval.approvers.iter())),
                ("count", approval.count.to_string()),
            ]),
        );
    }
    line("now_ms", example.now_ms.to_string());
    line("credential_age", example.credential_age_s.to_string());
    line("expect", text("deny"));
    lines.push(String::new());
    Some(lines.join("\n"))
}

fn table(members: &[(&str, String)]) -> String {
    let members: Vec<String> = members.iter().map(|(name, value)| format!("{name} = {value}")).collect();
    format!("{{ {} }}", members.join(", "))
}

fn texts<'a>(all: impl Iterator<Item = &'a String>) -> String {
    format!("[{}]", all.map(|one| text(one)).collect::<Vec<_>>().join(", "))
}

/// A basic string of TOML.
fn text(text: &str) -> String {
    let mut written = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => written.extend(['\\', character]),
            plain if !plain.is_control() => written.push(plain),
            // Writing what cannot be seen as its number.
            other => written.push_str(&format!("\\U{:08X}", u32::from(other))),
        }
    }
    written.push('"');
    written
}

/// A value of JSON as TOML writes it; nothing for `null`, which TOML does not have.
fn value(value: &Value) -> Option<String> {
    Some(match value {
        Value::Null => return None,
        Value::Bool(is_so) => is_so.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(string) => text(string),
        Value::Array(items) => format!("[{}]", items.iter().map(self::value).collect::<Option<Vec<_>>>()?.join(", ")),
        Value::Object(members) => {
            let member = |(name, inner): (&String, &Value)| Some(format!("{} = {}", text(name), self::value(inner)?));
            let members = members.iter().map(member).collect::<Option<Vec<_>>>()?;
            if members.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", members.join(", ")) }
        }
    })
}
