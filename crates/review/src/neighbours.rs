//! The names around a tool: those of its own server, and those that other connectors have had approved.

use std::collections::BTreeMap;

use remit_domain::{Feature, State};

use crate::letters::{has_lookalikes, has_unseen, skeleton};

#[cfg(test)]
mod tests;

/// Names that a tool may be mistaken for, or may talk about.
#[derive(Debug, Clone, Default)]
pub struct Neighbours {
    /// Tools of the same server.
    own: Vec<String>,
    /// Tools of other connectors, each with the connectors that have it.
    others: BTreeMap<String, Vec<String>>,
    /// Connector and tool, by what the tool's name comes down to.
    by_skeleton: BTreeMap<String, Vec<(Option<String>, String)>>,
}

/// A tool that another one could be taken for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Double {
    /// Nothing if it is of the same server.
    pub connector: Option<String>,
    pub tool: String,
    /// Whether the one or the other is written with letters that are not what they look like.
    pub disguised: bool,
}

impl Double {
    /// As people write it: `connector/tool`, or the tool alone.
    pub fn name(&self) -> String {
        match &self.connector {
            Some(connector) => format!("{connector}/{}", self.tool),
            None => self.tool.clone(),
        }
    }
}

impl Neighbours {
    /// What stands around the tools `own` of `connector` in `state`.
    pub fn of(state: &State, connector: &str, own: impl IntoIterator<Item = String>) -> Self {
        let mut neighbours = Self::default();
        for operation in state.operations.values().filter(|operation| operation.withdrawn.is_none()) {
            let (other, tool) = (operation.name.connector(), operation.name.tool());
            // Every server has the same features, by the same names.
            if other != connector && Feature::of_tool(tool).is_none() {
                neighbours.add_other(other, tool);
            }
        }
        own.into_iter().filter(|tool| Feature::of_tool(tool).is_none()).for_each(|tool| neighbours.add_own(tool));
        neighbours.others.values_mut().for_each(|connectors| connectors.sort());
        neighbours
    }

    fn add_other(&mut self, connector: &str, tool: &str) {
        self.others.entry(tool.to_owned()).or_default().push(connector.to_owned());
        let alike = self.by_skeleton.entry(skeleton(tool)).or_default();
        alike.push((Some(connector.to_owned()), tool.to_owned()));
    }

    fn add_own(&mut self, tool: String) {
        self.by_skeleton.entry(skeleton(&tool)).or_default().push((None, tool.clone()));
        self.own.push(tool);
    }

    /// The tools that `tool` of this server has the name of, or could be taken for, in order.
    pub(crate) fn doubles(&self, tool: &str) -> Vec<Double> {
        let odd = |name: &str| has_lookalikes(name) || has_unseen(name);
        let alike = self.by_skeleton.get(&skeleton(tool)).map(Vec::as_slice).unwrap_or_default();
        let others = alike.iter().filter(|(connector, name)| connector.is_some() || name != tool);
        let mut doubles: Vec<Double> = others
            .map(|(connector, name)| Double {
                connector: connector.clone(),
                tool: name.clone(),
                disguised: name != tool && (odd(name) || odd(tool)),
            })
            .collect();
        doubles.sort_by_key(Double::name);
        doubles
    }

    /// Whether this server has a tool `name`.
    pub(crate) fn has_own(&self, name: &str) -> bool {
        self.own.iter().any(|own| own == name)
    }

    /// The other connectors that have a tool `name`.
    pub(crate) fn others_with(&self, name: &str) -> &[String] {
        self.others.get(name).map(Vec::as_slice).unwrap_or_default()
    }
}
