//! Tools of a connector: what is offered, what is proposed, and what a person decides.

use std::fmt::Write as _;
use std::path::PathBuf;

use remit_domain::Refusal;
use serde::Deserialize;
use serde_json::{Value, json};

use super::address::path;
use super::output::{Column, text_at};
use super::{Client, Failure, Output};

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
    ("definition", "/digest"),
];

/// Which tools to approve, as what.
#[derive(Debug, Clone)]
pub enum Choose {
    Nothing,
    /// What is new or changed, as proposed.
    All,
    Named {
        tools: Vec<String>,
        verb: Option<String>,
        risk: Option<u8>,
        data: Option<String>,
        external: Option<bool>,
    },
    File(PathBuf),
}

/// A file of choices.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Choices {
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
    /// Digest of the definition that was shown when the file was written.
    digest: Option<String>,
}

async fn offered(client: &Client, name: &str) -> Result<Value, Failure> {
    client.get(&path(&["connectors", name, "tools"])).await
}

pub async fn show(client: &Client, output: &Output, name: &str, as_toml: bool) -> Result<(), Failure> {
    let tools = offered(client, name).await?;
    if as_toml {
        output.line(toml_of(&tools).trim_end());
    } else {
        output.table(&tools, COLUMNS, "the server offers no tool");
    }
    Ok(())
}

pub async fn approve(client: &Client, output: &Output, name: &str, choose: Choose) -> Result<(), Failure> {
    let tools = offered(client, name).await?;
    let choices = chosen(&tools, &choose)?;
    if choices.is_empty() {
        output.done(&json!({"items": []}), "nothing to approve: every tool is pinned as the server offers it");
        return Ok(());
    }
    let proposal = json!({"items": choices});
    if matches!(choose, Choose::Nothing) {
        output.table(&proposal, CHOSEN, "");
        output.note(&format!("this is only a proposal; `remit connector approve-tools {name} --all` approves it"));
        return Ok(());
    }
    if !output.is_json() {
        output.table(&proposal, CHOSEN, "");
    }
    let count = choices.len();
    let approved = client.post(&path(&["connectors", name, "approve-tools"]), json!({"choices": choices})).await?;
    output.done(
        &approved,
        &format!("approved {count}, each pinned to this definition; `remit grant request AGENT {name}/*` comes next"),
    );
    Ok(())
}

fn items(tools: &Value) -> &[Value] {
    tools.get("items").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The choices to send, each with the digest of the definition that stands in `tools`.
fn chosen(tools: &Value, choose: &Choose) -> Result<Vec<Value>, Refusal> {
    let find = |name: &str| {
        let found =
            items(tools).iter().find(|tool| text_at(tool, "/tool") == name && !text_at(tool, "/digest").is_empty());
        found.ok_or_else(|| Refusal::unknown("tool", name).help("`remit connector tools` shows what is offered"))
    };
    match choose {
        Choose::All | Choose::Nothing => {
            let open = items(tools)
                .iter()
                .filter(|tool| matches!(text_at(tool, "/status").as_str(), "new" | "changed" | "withdrawn"));
            Ok(open.map(as_proposed).collect())
        }
        Choose::Named { tools: names, verb, risk, data, external } => names
            .iter()
            .map(|name| {
                let mut choice = as_proposed(find(name)?);
                let given = [
                    ("verb", verb.as_ref().map(|verb| json!(verb))),
                    ("risk", risk.map(|risk| json!(risk))),
                    ("data", data.as_ref().map(|data| json!(data))),
                    ("external", external.map(|external| json!(external))),
                ];
                if let Some(members) = choice.as_object_mut() {
                    members.extend(
                        given.into_iter().filter_map(|(name, value)| value.map(|value| (name.to_owned(), value))),
                    );
                }
                Ok(choice)
            })
            .collect(),
        Choose::File(file) => {
            let unusable = |error: &dyn std::fmt::Display| {
                Refusal::new("bad_file", format!("`{}` cannot be used: {error}", file.display()))
                    .help("`remit connector tools NAME --toml` writes such a file")
            };
            let text = std::fs::read_to_string(file).map_err(|error| unusable(&error))?;
            let choices: Choices = toml::from_str(&text).map_err(|error| unusable(&error))?;
            choices.tool.into_iter().map(|choice| from_file(choice, find)).collect()
        }
    }
}

fn from_file<'a>(choice: Choice, find: impl Fn(&str) -> Result<&'a Value, Refusal>) -> Result<Value, Refusal> {
    let offered = text_at(find(&choice.name)?, "/digest");
    // The file remembers what its writer looked at; without that, what is offered now counts as looked at.
    if choice.digest.as_ref().is_some_and(|digest| *digest != offered) {
        let sentence = format!("the definition of `{}` changed since the file was written", choice.name);
        return Err(Refusal::new("definition_changed", sentence)
            .help("look at it with `remit connector tools` and write the file again"));
    }
    let Choice { name, verb, risk, data, external, .. } = choice;
    Ok(json!({"tool": name, "verb": verb, "risk": risk, "data": data, "external": external, "digest": offered}))
}

/// A tool as Remit proposes it. What a person decided before about a tool that changed since is proposed again.
fn as_proposed(tool: &Value) -> Value {
    let part = |member: &str| {
        let decided = tool.pointer(&format!("/approved/{member}"));
        decided.or_else(|| tool.pointer(&format!("/proposed/{member}"))).cloned().unwrap_or_default()
    };
    json!({
        "tool": tool.get("tool"),
        "verb": part("verb"),
        "risk": part("risk"),
        "data": part("data"),
        "external": part("external"),
        "digest": tool.get("digest"),
    })
}

/// The file that `--file` reads. Descriptions are comments, so that whoever edits it sees what each tool says of itself.
fn toml_of(tools: &Value) -> String {
    let mut text = String::new();
    for tool in items(tools).iter().filter(|tool| !text_at(tool, "/digest").is_empty()) {
        let choice = as_proposed(tool);
        let (description, quoted) =
            (text_at(tool, "/description"), |name: &str| json!(text_at(&choice, name)).to_string());
        let external = choice.get("external").and_then(Value::as_bool).unwrap_or(false);
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "[[tool]] # {}: {}\nname = {}\nverb = {}\nrisk = {}\ndata = {}\nexternal = {external}\ndigest = {}\n",
            text_at(tool, "/status"),
            description,
            quoted("/tool"),
            quoted("/verb"),
            text_at(&choice, "/risk"),
            quoted("/data"),
            quoted("/digest"),
        );
    }
    text
}
