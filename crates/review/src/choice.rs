//! From what a person chose to what is pinned: exactly what they were shown, and only if it is still what the server says.

use std::collections::BTreeMap;

use remit_domain::{Connector, DataClass, Definition, Digest, OperationChoice, PersonId, Refusal, State, Verb};
use remit_policy::{Projection, ProjectionError};
use serde::Deserialize;
use serde_json::Value;

#[cfg(test)]
mod tests;

/// What a person decided about one tool.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    pub tool: String,
    pub verb: Verb,
    /// 0 (none) to 3 (high).
    pub risk: u8,
    pub data: DataClass,
    #[serde(default)]
    pub external: bool,
    /// Whether nobody can undo what it does.
    #[serde(default)]
    pub irreversible: bool,
    /// Values for policies, as in `recipient_domain = email_domain(to)`.
    #[serde(default)]
    pub projections: Vec<Projection>,
    /// Digest of the definition that the person was shown.
    pub digest: Digest,
}

/// Whether `person` may look at what the server of `connector` offers.
///
/// # Errors
/// If they neither own the connector nor administer the realm: asking a server may start its process.
pub fn may_look(state: &State, person: PersonId, connector: &Connector) -> Result<(), Refusal> {
    if connector.owner == person || state.person(person)?.is_administrator() {
        return Ok(());
    }
    Err(Refusal::new("not_permitted", "only the connector's owner or an administrator may look at what it offers")
        .help("`remit connector show` names the owner"))
}

/// The definitions in `documents` by the name of their tool; what has no name is no tool.
///
/// # Errors
/// If a name is there twice.
pub fn by_name(connector: &str, documents: Vec<Value>) -> Result<BTreeMap<String, Definition>, Refusal> {
    let mut tools = BTreeMap::new();
    for document in documents {
        let Some(name) = document.get("name").and_then(Value::as_str).map(str::to_owned) else { continue };
        if tools.insert(name.clone(), Definition { document }).is_some() {
            let sentence = format!("the server of `{connector}` lists the tool `{name}` twice");
            return Err(
                Refusal::new("bad_tools", sentence).help("nothing of it can be told apart; ask the server's maker")
            );
        }
    }
    Ok(tools)
}

/// The projections in `text`, one a line.
///
/// # Errors
/// If a line is not of the form `name = function(path)`.
pub fn projections_in(text: &str) -> Result<Vec<Projection>, Refusal> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines
        .map(|line| {
            line.parse().map_err(|error: ProjectionError| {
                let refusal = Refusal::new("bad_projection", error.to_string());
                match error.help() {
                    Some(help) => refusal.help(help),
                    None => refusal,
                }
            })
        })
        .collect()
}

/// What `choices` pin of what is `offered` now.
///
/// # Errors
/// If a tool is not offered, is named twice, or says something else than what the person was shown.
pub fn pin(
    connector: &str,
    mut offered: BTreeMap<String, Definition>,
    choices: Vec<Choice>,
) -> Result<Vec<OperationChoice>, Refusal> {
    let mut pinned = Vec::with_capacity(choices.len());
    for choice in choices {
        let definition = offered.remove(&choice.tool).ok_or_else(|| {
            Refusal::unknown("tool", &choice.tool)
                .help(format!("`remit connector tools {connector}` shows what it offers; each tool is named once"))
        })?;
        // INVARIANT: what is pinned is what was shown, and it is what the server says now.
        if definition.digest() != choice.digest {
            let sentence = format!("the definition of `{}` is not the one that you were shown", choice.tool);
            return Err(Refusal::new("definition_changed", sentence).help("look at it again before approving it"));
        }
        pinned.push(OperationChoice {
            tool: choice.tool,
            verb: choice.verb,
            risk: choice.risk,
            data: choice.data,
            external: choice.external,
            irreversible: choice.irreversible,
            projections: choice.projections,
            definition,
        });
    }
    Ok(pinned)
}
