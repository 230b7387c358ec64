//! Which attributes the policies of a set look at, by name, wherever they stand.
//!
//! An argument that no policy can look at cannot change a decision, so a number there need not be one that policies could compare.

use std::collections::BTreeSet;

use serde_json::Value;

#[cfg(test)]
mod tests;

/// The names of all attributes that some policy of a set reads or asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Reads {
    names: BTreeSet<String>,
    /// Some policy compares or passes on all arguments, or the whole context, or cannot be told.
    everything: bool,
}

impl Reads {
    /// What `policies` read.
    pub fn of<'a>(policies: impl Iterator<Item = &'a cedar_policy::Policy>) -> Self {
        let mut reads = Self::default();
        for policy in policies {
            match policy.to_json() {
                Ok(document) => reads.walk(&document, false),
                Err(_) => reads.everything = true,
            }
        }
        reads
    }

    /// As if every attribute were read.
    pub fn everything() -> Self {
        Self { names: BTreeSet::new(), everything: true }
    }

    /// Whether a policy could look at the argument at the dotted `path`, or at something above or below it. A name may have dots itself, so
    /// that it is found anywhere between dots.
    pub fn could_see(&self, path: &str) -> bool {
        let path = format!(".{path}.");
        self.everything || self.names.iter().any(|name| path.contains(&format!(".{name}.")))
    }

    /// Walks the JSON form of a policy (Cedar's JSON policy format). `taken` says that only an attribute is taken from `node`.
    fn walk(&mut self, node: &Value, taken: bool) {
        match node {
            Value::Array(items) => items.iter().for_each(|item| self.walk(item, false)),
            Value::Object(members) => {
                for (operator, operand) in members {
                    match operator.as_str() {
                        "." | "has" => self.access(operand, taken),
                        "Var" => self.everything |= !taken && operand == "context",
                        _ => self.walk(operand, false),
                    }
                }
            }
            _ => {}
        }
    }

    fn access(&mut self, operand: &Value, taken: bool) {
        match operand.get("attr") {
            Some(Value::String(name)) => {
                // All arguments together are compared, or handed on.
                self.everything |= !taken && name == "arguments";
                self.names.insert(name.clone());
            }
            Some(Value::Array(names)) => {
                self.names.extend(names.iter().filter_map(Value::as_str).map(str::to_owned));
            }
            _ => self.everything = true,
        }
        match operand.get("left") {
            Some(left) => self.walk(left, true),
            None => self.everything = true,
        }
    }
}
