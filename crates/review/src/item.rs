//! A connector's tools as a person reviews them: what is offered, beside what is pinned, and what to look at.

use std::collections::BTreeMap;

use remit_domain::{DataClass, Definition, Digest, Feature, Operation, State, Verb};
use remit_policy::Projection;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::difference::{Difference, compare};
use crate::limits;
use crate::neighbours::Neighbours;
use crate::proposal::{Proposal, propose};
use crate::warning::{Severity, Warning, examine};
use crate::wording::likeness_percent;

#[cfg(test)]
mod tests;

/// How what is offered stands to what is pinned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Nobody has approved it yet.
    New,
    /// The server says what was approved.
    Pinned,
    /// The server says something else than what was approved.
    Changed,
    /// The server says what was approved, yet it was withdrawn in between.
    Withdrawn,
    /// New, and very much like one that is gone.
    Renamed,
    /// The server no longer offers it.
    Gone,
}

impl Status {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Pinned => "pinned",
            Self::Changed => "changed",
            Self::Withdrawn => "withdrawn",
            Self::Renamed => "renamed",
            Self::Gone => "gone",
        }
    }

    /// Whether it is for a person to decide about it now.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::New | Self::Changed | Self::Withdrawn | Self::Renamed)
    }
}

/// What a person decided about a tool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decided {
    pub verb: Verb,
    pub risk: u8,
    pub data: DataClass,
    pub external: bool,
    /// Whether nobody can undo what it does.
    #[serde(default)]
    pub irreversible: bool,
    /// Values for policies, as declared.
    #[serde(default)]
    pub projections: Vec<Projection>,
}

/// One tool or feature under review.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// As the server names it.
    pub tool: String,
    pub status: Status,
    pub title: Option<String>,
    pub description: Option<String>,
    /// Of what is offered; nothing if it is gone.
    pub digest: Option<Digest>,
    pub definition: Option<Value>,
    pub proposed: Option<Proposal>,
    /// What was decided; for a renamed tool, about the one that it was.
    pub approved: Option<Decided>,
    pub approved_digest: Option<Digest>,
    /// What was approved, if the server says something else now.
    pub approved_definition: Option<Value>,
    /// Why it is not available now.
    pub withdrawn: Option<String>,
    /// The tool that this one probably was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renamed_from: Option<String>,
    /// The tool that this one probably became.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renamed_to: Option<String>,
    /// From what was approved to what is offered.
    #[serde(default)]
    pub differences: Vec<Difference>,
    #[serde(default)]
    pub warnings: Vec<Warning>,
}

impl Item {
    /// Why it is approved only by its name and never along with others, if so.
    pub fn needs_its_name(&self) -> Option<&'static str> {
        if self.warnings.iter().any(|warning| warning.severity == Severity::Serious) {
            return Some("has something that no honest definition needs");
        }
        let is_asked = Feature::of_tool(&self.tool).is_some_and(Feature::is_asked_by_server);
        is_asked.then_some("lets the server ask something of its caller")
    }
}

/// Every tool that `connector` offers, by name, then those that it no longer does, then its features.
pub fn review(state: &State, connector: &str, offered: &BTreeMap<String, Definition>) -> Vec<Item> {
    let pinned: BTreeMap<&str, &Operation> =
        state.operations_of(connector).map(|operation| (operation.name.tool(), operation.as_ref())).collect();
    let neighbours = Neighbours::of(state, connector, offered.keys().cloned());
    let renamed = renamed(offered, &pinned);
    let mut items: Vec<Item> = offered
        .iter()
        .map(|(name, definition)| {
            let before = renamed.get(name.as_str()).and_then(|old| pinned.get(old));
            let mut item = match pinned.get(name.as_str()) {
                Some(pinned) => of_pinned(name, definition, pinned),
                None => of_new(name, definition, before.copied()),
            };
            item.warnings = examine(&definition.document, &neighbours);
            item
        })
        .collect();
    let gone = pinned.iter().filter(|(name, _)| !offered.contains_key(**name));
    items.extend(gone.map(|(name, operation)| {
        let became = renamed.iter().find(|(_, old)| *old == name).map(|(new, _)| (*new).to_owned());
        of_gone(name, operation, became)
    }));
    // Tools first; what every server has by the same name comes after them.
    items.sort_by_key(|item| Feature::of_tool(&item.tool).is_some());
    items
}

fn of_offered(name: &str, definition: &Definition, status: Status) -> Item {
    let text = |member: &str| definition.document.get(member).and_then(Value::as_str).map(str::to_owned);
    Item {
        tool: name.to_owned(),
        status,
        title: text("title"),
        description: text("description"),
        digest: Some(definition.digest()),
        definition: Some(definition.document.clone()),
        proposed: Some(propose(&definition.document)),
        approved: None,
        approved_digest: None,
        approved_definition: None,
        withdrawn: None,
        renamed_from: None,
        renamed_to: None,
        differences: Vec::new(),
        warnings: Vec::new(),
    }
}

fn decided(operation: &Operation) -> Decided {
    Decided {
        verb: operation.verb,
        risk: operation.risk,
        data: operation.data,
        external: operation.external,
        irreversible: operation.irreversible,
        projections: operation.projections.clone(),
    }
}

fn of_pinned(name: &str, definition: &Definition, pinned: &Operation) -> Item {
    let is_same = definition.digest() == pinned.digest;
    let status = match (is_same, &pinned.withdrawn) {
        (false, _) => Status::Changed,
        (true, Some(_)) => Status::Withdrawn,
        (true, None) => Status::Pinned,
    };
    Item {
        approved: Some(decided(pinned)),
        approved_digest: Some(pinned.digest),
        approved_definition: (!is_same).then(|| pinned.definition.document.clone()),
        withdrawn: pinned.withdrawn.clone(),
        differences: if is_same { Vec::new() } else { compare(&pinned.definition.document, &definition.document) },
        ..of_offered(name, definition, status)
    }
}

fn of_new(name: &str, definition: &Definition, before: Option<&Operation>) -> Item {
    let Some(before) = before else { return of_offered(name, definition, Status::New) };
    Item {
        approved: Some(decided(before)),
        approved_digest: Some(before.digest),
        approved_definition: Some(before.definition.document.clone()),
        renamed_from: Some(before.name.tool().to_owned()),
        differences: compare(&before.definition.document, &definition.document),
        ..of_offered(name, definition, Status::Renamed)
    }
}

fn of_gone(name: &str, operation: &Operation, became: Option<String>) -> Item {
    Item {
        digest: None,
        definition: None,
        proposed: None,
        approved: Some(decided(operation)),
        approved_digest: Some(operation.digest),
        withdrawn: operation.withdrawn.clone(),
        renamed_to: became,
        ..of_offered(name, &operation.definition, Status::Gone)
    }
}

/// New tools that probably are old ones under another name: the same input schema, and nearly the same description. Each
/// old one is taken once, by the new one that is most like it.
fn renamed<'a>(
    offered: &'a BTreeMap<String, Definition>,
    pinned: &BTreeMap<&'a str, &'a Operation>,
) -> BTreeMap<&'a str, &'a str> {
    let description = |document: &'a Value| document.get("description").and_then(Value::as_str).unwrap_or_default();
    let gone: Vec<_> = pinned.iter().filter(|(name, _)| !offered.contains_key(**name)).collect();
    let new: Vec<_> = offered.iter().filter(|(name, _)| !pinned.contains_key(name.as_str())).collect();
    let mut likely: Vec<(usize, &str, &str)> = Vec::new();
    for (old, operation) in &gone {
        for (name, definition) in &new {
            let (before, after) = (&operation.definition.document, &definition.document);
            if before.get("inputSchema") != after.get("inputSchema") {
                continue;
            }
            let likeness = likeness_percent(description(before), description(after));
            if likeness >= limits::RENAMED_LIKENESS_PERCENT && !description(after).is_empty() {
                likely.push((likeness, name.as_str(), *old));
            }
        }
    }
    likely.sort_by_key(|(likeness, new, old)| (std::cmp::Reverse(*likeness), *new, *old));
    let mut renamed: BTreeMap<&str, &str> = BTreeMap::new();
    for (_, new, old) in likely {
        if !renamed.contains_key(new) && !renamed.values().any(|taken| *taken == old) {
            renamed.insert(new, old);
        }
    }
    renamed
}
