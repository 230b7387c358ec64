//! Tools of a connector: what is offered, what is proposed, and what a person decides.

use std::fmt::Write as _;
use std::path::PathBuf;

use remit_domain::{Feature, Refusal};
use remit_review::{Item, Severity, visible};
use serde::Deserialize;
use serde_json::{Value, json};

use super::address::path;
use super::output::{Column, text_at};
use super::{Client, Failure, Output, proposed};

mod shown;
#[cfg(test)]
mod tests;

const COLUMNS: &[Column] = &[
    ("tool", "/tool"),
    ("status", "/status"),
    ("verb", "/approved/verb"),
    ("risk", "/approved/risk"),
    ("data", "/approved/data"),
    ("proposed", "/proposed/verb"),
    ("risk", "/proposed/risk"),
    ("data", "/proposed/data"),
    ("outside", "/proposed/external"),
    ("digest", "/digest"),
];
const CHOSEN: &[Column] = &[
    ("tool", "/tool"),
    ("verb", "/verb"),
    ("risk", "/risk"),
    ("data", "/data"),
    ("outside", "/external"),
    ("projections", "/projections"),
    ("definition", "/digest"),
];

/// Which tools to approve.
#[derive(Debug, Clone)]
pub enum Choose {
    Nothing,
    /// What is new or changed, but for what needs its name.
    All,
    Named(Vec<String>),
    File(PathBuf),
}

/// What a person says about the tools that they choose; what they leave open is as proposed.
#[derive(Debug, Clone, Default)]
pub struct Decision {
    pub verb: Option<String>,
    pub risk: Option<u8>,
    pub data: Option<String>,
    pub external: Option<bool>,
    pub projections: Vec<String>,
    /// Takes the proposed projections over.
    pub projections_as_proposed: bool,
}

/// How `remit connector tools` shows them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Table,
    Toml,
    /// With differences, warnings and reasons.
    Review,
}

/// A file of choices; none at all if every entry is still commented out.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Choices {
    #[serde(default)]
    tool: Vec<Choice>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Choice {
    name: String,
    verb: String,
    risk: u8,
    data: String,
    #[serde(default)]
    external: bool,
    #[serde(default)]
    irreversible: bool,
    #[serde(default)]
    projections: Vec<String>,
    /// Digest of the definition that was shown when the file was written.
    digest: Option<String>,
}

async fn offered(client: &Client, name: &str) -> Result<(Value, Vec<Item>), Failure> {
    let answer = client.get(&path(&["connectors", name, "tools"])).await?;
    let items = answer.get("items").cloned().unwrap_or_default();
    let items = serde_json::from_value(items).map_err(|error| {
        Failure::fault(format!("the list of tools cannot be read: {error}"), "use the same version on both sides")
    })?;
    Ok((answer, items))
}

pub async fn show(client: &Client, output: &Output, name: &str, form: Form) -> Result<(), Failure> {
    let (answer, items) = offered(client, name).await?;
    match form {
        Form::Toml => output.line(toml_of(&items).trim_end()),
        Form::Review if output.is_json() => output.document(&answer),
        Form::Review if items.is_empty() => output.line("the server offers no tool"),
        Form::Review => output.line(shown::review(&items).trim_end()),
        Form::Table => {
            output.table(&answer, COLUMNS, "the server offers no tool");
            if items.iter().any(|item| !item.differences.is_empty() || !item.warnings.is_empty()) {
                output.note("");
                items.iter().filter_map(shown::summary).for_each(|line| output.note(&line));
                output.note(&format!("`remit connector tools {name} --diff` shows what changed and what to look at"));
            }
        }
    }
    Ok(())
}

pub async fn approve(
    client: &Client,
    output: &Output,
    name: &str,
    choose: Choose,
    decision: Decision,
) -> Result<(), Failure> {
    remit_review::projections_in(&decision.projections.join("\n"))?;
    let (_, items) = offered(client, name).await?;
    let choices = chosen(&items, &choose, &decision)?;
    let left = left_out(&items, &choose);
    if choices.is_empty() {
        let doubtful = left.iter().find(|left| !left.is_asked);
        if let Some(doubtful) = doubtful {
            return Err(Refusal::new("needs_a_name", format!("what is open is approved only by name: {doubtful}"))
                .help(format!("look at it with `remit connector tools {name} --diff`, then name it with `--tool`"))
                .into());
        }
        output.done(&json!({"items": []}), "nothing to approve: every tool is pinned as the server offers it");
        return Ok(());
    }
    let proposal = json!({"items": choices});
    if !output.is_json() {
        shown_first(output, &items, &choices);
        output.table(&proposal, CHOSEN, "");
        left.iter().for_each(|left| output.note(&format!("left out: {left}; `--tool` and the name approve it")));
    } else if matches!(choose, Choose::Nothing) {
        output.document(&proposal);
    }
    if matches!(choose, Choose::Nothing) {
        output.note(&format!("this is only a proposal; `remit connector approve-tools {name} --all` approves it"));
        return Ok(());
    }
    let count = choices.len();
    let approved = client.post(&path(&["connectors", name, "approve-tools"]), json!({"choices": choices})).await?;
    proposed::told(
        output,
        &approved,
        &format!(
            "approved {count}, each pinned to this definition; `remit grant request AGENT \"{name}/*\" --reason TEXT --for 30d` comes next"
        ),
    );
    Ok(())
}

/// What changed, and what to look at, of what is about to be pinned.
fn shown_first(output: &Output, items: &[Item], choices: &[Value]) {
    let is_chosen = |item: &&Item| choices.iter().any(|choice| text_at(choice, "/tool") == visible(&item.tool));
    let notable = |item: &&Item| !item.differences.is_empty() || !item.warnings.is_empty();
    let notable: Vec<Item> = items.iter().filter(is_chosen).filter(notable).cloned().collect();
    if !notable.is_empty() {
        output.line(&shown::review(&notable));
    }
}

/// Tools that `--all` leaves out for one reason.
#[derive(Debug, PartialEq, Eq)]
struct LeftOut {
    /// Features in which the server asks; every server has them, so they are no news.
    is_asked: bool,
    reason: &'static str,
    tools: Vec<String>,
}

impl std::fmt::Display for LeftOut {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<String> = self.tools.iter().map(|tool| format!("`{}`", visible(tool))).collect();
        write!(formatter, "{} ({})", names.join(", "), self.reason)
    }
}

/// What `choose` would cover, had it no need of being named.
fn left_out(items: &[Item], choose: &Choose) -> Vec<LeftOut> {
    let mut left: Vec<LeftOut> = Vec::new();
    if !matches!(choose, Choose::All | Choose::Nothing) {
        return left;
    }
    for item in items.iter().filter(|item| item.status.is_open()) {
        let Some(reason) = item.needs_its_name() else { continue };
        match left.iter_mut().find(|left| left.reason == reason) {
            Some(left) => left.tools.push(item.tool.clone()),
            None => left.push(LeftOut {
                is_asked: Feature::of_tool(&item.tool).is_some_and(Feature::is_asked_by_server),
                reason,
                tools: vec![item.tool.clone()],
            }),
        }
    }
    left
}

/// The choices to send, each with the digest of the definition that stands in `items`.
fn chosen(items: &[Item], choose: &Choose, decision: &Decision) -> Result<Vec<Value>, Refusal> {
    let find = |name: &str| {
        let found = items.iter().find(|item| item.tool == name && item.digest.is_some());
        found.ok_or_else(|| Refusal::unknown("tool", name).help("`remit connector tools` shows what is offered"))
    };
    match choose {
        Choose::All | Choose::Nothing => {
            let open = items.iter().filter(|item| item.status.is_open() && item.needs_its_name().is_none());
            Ok(open.map(|item| decided(item, decision)).collect())
        }
        Choose::Named(names) => names.iter().map(|name| Ok(decided(find(name)?, decision))).collect(),
        Choose::File(file) => {
            let unusable = |error: &dyn std::fmt::Display| {
                let error = error.to_string();
                Refusal::new("bad_file", format!("`{}` cannot be used: {}", file.display(), error.trim_end()))
                    .help("`remit connector tools NAME --toml` writes such a file")
            };
            let text = std::fs::read_to_string(file).map_err(|error| unusable(&error))?;
            let choices: Choices = toml::from_str(&text).map_err(|error| unusable(&error))?;
            if choices.tool.is_empty() {
                return Err(Refusal::new("bad_file", format!("`{}` names no tool", file.display()))
                    .help("take the `#` away from the lines of what is to be approved"));
            }
            choices.tool.into_iter().map(|choice| from_file(choice, find)).collect()
        }
    }
}

fn from_file<'a>(choice: Choice, find: impl Fn(&str) -> Result<&'a Item, Refusal>) -> Result<Value, Refusal> {
    let offered = find(&choice.name)?.digest.map(|digest| digest.to_string());
    // The file remembers what its writer looked at; without that, what is offered now counts as looked at.
    if choice.digest.is_some() && choice.digest != offered {
        let sentence = format!("the definition of `{}` changed since the file was written", choice.name);
        return Err(Refusal::new("definition_changed", sentence)
            .help("look at it with `remit connector tools` and write the file again"));
    }
    let Choice { name, verb, risk, data, external, irreversible, projections, .. } = choice;
    remit_review::projections_in(&projections.join("\n"))?;
    Ok(json!({
        "tool": name, "verb": verb, "risk": risk, "data": data, "external": external, "irreversible": irreversible,
        "projections": projections, "digest": offered,
    }))
}

/// A tool as the person says, and where they say nothing as it was decided before, and else as Remit proposes it.
///
/// Projections are never taken over unasked: a value that does not fit one is refused at the call.
fn decided(item: &Item, decision: &Decision) -> Value {
    let (before, proposed) = (json!(item.approved), json!(item.proposed));
    let part = |member: &str, said: Option<Value>| {
        said.or_else(|| before.get(member).cloned()).or_else(|| proposed.get(member).cloned()).unwrap_or_default()
    };
    let projections = match decision.projections.as_slice() {
        [] if decision.projections_as_proposed => proposed.get("projections").cloned().unwrap_or_default(),
        [] => before.get("projections").cloned().unwrap_or_else(|| json!([])),
        given => json!(given),
    };
    json!({
        "tool": item.tool,
        "verb": part("verb", decision.verb.as_ref().map(|verb| json!(verb))),
        "risk": part("risk", decision.risk.map(|risk| json!(risk))),
        "data": part("data", decision.data.as_ref().map(|data| json!(data))),
        "external": part("external", decision.external.map(|external| json!(external))),
        "projections": projections,
        "digest": item.digest,
    })
}

/// The file that `--file` reads. Descriptions are comments, so that whoever edits it sees what each tool says of itself.
///
/// INVARIANT: what is approved only by its name is commented out, so that the file as it was written approves none of it.
fn toml_of(items: &[Item]) -> String {
    let mut text = String::new();
    for item in items.iter().filter(|item| item.digest.is_some()) {
        let entry = entry_of(item);
        match item.needs_its_name() {
            None => text.push_str(&entry),
            // Writing to a string cannot fail.
            Some(reason) => {
                let _ = writeln!(text, "# `{}` {reason}; approved only without the `#` below", visible(&item.tool));
                for found in item.warnings.iter().filter(|found| found.severity == Severity::Serious) {
                    let _ = writeln!(text, "# serious: {}  {}", visible(&found.sentence), visible(&found.place));
                }
                entry.lines().for_each(|line| {
                    let _ = writeln!(text, "#{line}");
                });
            }
        }
        text.push('\n');
    }
    text
}

/// One tool of the file.
fn entry_of(item: &Item) -> String {
    let mut text = String::new();
    let choice = decided(item, &Decision::default());
    let quoted = |member: &str| choice.get(member).cloned().unwrap_or_default().to_string();
    let description = visible(item.description.as_deref().unwrap_or_default());
    // Writing to a string cannot fail.
    let _ = writeln!(text, "[[tool]] # {}: {description}", item.status.as_str());
    for reason in item.proposed.iter().flat_map(|proposed| &proposed.reasons) {
        let _ = writeln!(text, "# {}", visible(reason));
    }
    for member in ["tool", "verb", "risk", "data", "external", "projections", "digest"] {
        let key = if member == "tool" { "name" } else { member };
        let _ = writeln!(text, "{key} = {}", quoted(member));
        let suggested = item.proposed.as_ref().map(|proposed| &proposed.projections).filter(|list| !list.is_empty());
        if let (true, Some(suggested)) = (member == "projections", suggested) {
            let _ = writeln!(text, "# its arguments suggest: {}", visible(&json!(suggested).to_string()));
        }
    }
    text
}
