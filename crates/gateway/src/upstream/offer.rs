//! What a server and its client declare to each other when they meet.

use remit_domain::{Connector, Feature, OperationName, State};
use serde_json::{Map, Value, json};

use crate::limits;

/// What a server declared about itself.
#[derive(Debug, Clone, Default)]
pub(super) struct Offer {
    tools: bool,
    resources: bool,
    prompts: bool,
    completions: bool,
    logging: bool,
    instructions: Option<String>,
}

impl Offer {
    /// Reads the result of `initialize` or `server/discover`.
    pub fn read(greeted: &Map<String, Value>) -> Self {
        let declared = |name: &str| {
            let capability = greeted.get("capabilities").and_then(|capabilities| capabilities.get(name));
            capability.is_some_and(Value::is_object)
        };
        let instructions = greeted.get("instructions").and_then(Value::as_str).map(|text| {
            let end = text.floor_char_boundary(limits::INSTRUCTIONS_BYTES_MAX);
            text.get(..end).unwrap_or_default().to_owned()
        });
        Self {
            tools: declared("tools"),
            resources: declared("resources"),
            prompts: declared("prompts"),
            completions: declared("completions"),
            logging: declared("logging"),
            instructions,
        }
    }

    /// Whether it said that it has tools.
    pub fn has_tools(&self) -> bool {
        self.tools
    }

    /// Whether the server has `feature`. What it asks of its client needs no declaration of its own.
    pub fn has(&self, feature: Feature) -> bool {
        match feature {
            Feature::Resources => self.resources,
            Feature::Prompts => self.prompts,
            Feature::Completions => self.completions,
            Feature::Logging => self.logging,
            Feature::Sampling | Feature::Elicitation | Feature::Roots => true,
        }
    }

    pub fn instructions(&self) -> Option<&str> {
        self.instructions.as_deref()
    }
}

/// What a server with a handshake is told that it may ask of its client: what people approved for this connector.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Askable {
    sampling: bool,
    elicitation: bool,
    roots: bool,
}

impl Askable {
    /// What is approved of `connector` and not withdrawn.
    pub fn of(state: &State, connector: &Connector) -> Self {
        let approved = |feature: Feature| {
            let name = OperationName::new(&connector.name, feature.name());
            state.operations.get(&name).is_some_and(|operation| operation.withdrawn.is_none())
        };
        Self {
            sampling: approved(Feature::Sampling),
            elicitation: approved(Feature::Elicitation),
            roots: approved(Feature::Roots),
        }
    }

    /// The capabilities of a client.
    pub fn capabilities(self) -> Value {
        let mut capabilities = Map::new();
        if self.sampling {
            capabilities.insert("sampling".to_owned(), json!({}));
        }
        if self.elicitation {
            capabilities.insert("elicitation".to_owned(), json!({"form": {}, "url": {}}));
        }
        if self.roots {
            capabilities.insert("roots".to_owned(), json!({}));
        }
        Value::Object(capabilities)
    }
}
