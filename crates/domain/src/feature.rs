//! Features: what an MCP server has besides tools, and what it may ask of its client, each governed as one operation.
//!
//! A feature has a reserved name that begins with `@`, a built-in definition, and the protocol's own parameters plus `method`
//! as its arguments; so grants, policies, approvals, labels and records work for it as they do for a tool.

use std::fmt;
use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::{Definition, Digest};

#[cfg(test)]
mod tests;

/// With this a reserved name begins. A server's own tool of such a name is never approved.
const RESERVED: char = '@';

/// Something of an MCP server that is not a tool (Model Context Protocol, 2025-11-25 and 2026-07-28).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Feature {
    /// The server's resources and resource templates: listing, reading, and being told of changes.
    Resources,
    /// The server's prompts: listing them and filling one in.
    Prompts,
    /// What the server proposes while somebody types an argument.
    Completions,
    /// How much the server logs.
    Logging,
    /// The server asks the client's model to write something.
    Sampling,
    /// The server asks the person behind the client for input.
    Elicitation,
    /// The server asks which directories the client works in.
    Roots,
}

/// The built-in definition of a feature and its digest, made once.
struct BuiltIn {
    definition: Definition,
    digest: Digest,
}

impl Feature {
    /// Every feature, those of the server first.
    pub const fn all() -> [Self; 7] {
        [
            Self::Resources,
            Self::Prompts,
            Self::Completions,
            Self::Logging,
            Self::Sampling,
            Self::Elicitation,
            Self::Roots,
        ]
    }

    /// The reserved name, which stands where a tool's name stands: `connector/@resources`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Resources => "@resources",
            Self::Prompts => "@prompts",
            Self::Completions => "@completions",
            Self::Logging => "@logging",
            Self::Sampling => "@sampling",
            Self::Elicitation => "@elicitation",
            Self::Roots => "@roots",
        }
    }

    /// The methods of the protocol that it governs.
    pub const fn methods(self) -> &'static [&'static str] {
        match self {
            Self::Resources => &[
                "resources/list",
                "resources/templates/list",
                "resources/read",
                "resources/subscribe",
                "resources/unsubscribe",
            ],
            Self::Prompts => &["prompts/list", "prompts/get"],
            Self::Completions => &["completion/complete"],
            Self::Logging => &["logging/setLevel"],
            Self::Sampling => &["sampling/createMessage"],
            Self::Elicitation => &["elicitation/create"],
            Self::Roots => &["roots/list"],
        }
    }

    /// Whether it is something that the server asks of its client, rather than the client of its server.
    pub const fn is_asked_by_server(self) -> bool {
        matches!(self, Self::Sampling | Self::Elicitation | Self::Roots)
    }

    /// The feature whose reserved name stands where `tool` stands, if it is one.
    pub fn of_tool(tool: &str) -> Option<Self> {
        Self::all().into_iter().find(|feature| feature.name() == tool)
    }

    /// The feature that governs `method`, if any does.
    pub fn of_method(method: &str) -> Option<Self> {
        Self::all().into_iter().find(|feature| feature.methods().contains(&method))
    }

    /// Whether `tool` is a name that only features have.
    pub fn is_reserved(tool: &str) -> bool {
        tool.starts_with(RESERVED)
    }

    /// What a person approves, and what policies know of its arguments.
    pub fn definition(self) -> Definition {
        self.built_in().definition.clone()
    }

    /// The digest of [`Feature::definition`].
    pub fn digest(self) -> Digest {
        self.built_in().digest
    }

    fn built_in(self) -> &'static BuiltIn {
        static RESOURCES: LazyLock<BuiltIn> = LazyLock::new(|| BuiltIn::of(Feature::Resources));
        static PROMPTS: LazyLock<BuiltIn> = LazyLock::new(|| BuiltIn::of(Feature::Prompts));
        static COMPLETIONS: LazyLock<BuiltIn> = LazyLock::new(|| BuiltIn::of(Feature::Completions));
        static LOGGING: LazyLock<BuiltIn> = LazyLock::new(|| BuiltIn::of(Feature::Logging));
        static SAMPLING: LazyLock<BuiltIn> = LazyLock::new(|| BuiltIn::of(Feature::Sampling));
        static ELICITATION: LazyLock<BuiltIn> = LazyLock::new(|| BuiltIn::of(Feature::Elicitation));
        static ROOTS: LazyLock<BuiltIn> = LazyLock::new(|| BuiltIn::of(Feature::Roots));
        match self {
            Self::Resources => &RESOURCES,
            Self::Prompts => &PROMPTS,
            Self::Completions => &COMPLETIONS,
            Self::Logging => &LOGGING,
            Self::Sampling => &SAMPLING,
            Self::Elicitation => &ELICITATION,
            Self::Roots => &ROOTS,
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Self::Resources => "Resources",
            Self::Prompts => "Prompts",
            Self::Completions => "Completions",
            Self::Logging => "Log level",
            Self::Sampling => "Sampling",
            Self::Elicitation => "Elicitation",
            Self::Roots => "Roots",
        }
    }

    const fn description(self) -> &'static str {
        match self {
            Self::Resources => {
                "Lists and reads what the server offers as resources (files, pages, records), and follows their changes."
            }
            Self::Prompts => {
                "Lists the server's prompts and fills one in; what comes back is meant for the agent's model."
            }
            Self::Completions => "Has the server propose values while an argument of a prompt or resource is typed.",
            Self::Logging => "Tells the server how much to log.",
            Self::Sampling => {
                "Lets the server have the agent's model write something: the server's messages reach that model."
            }
            Self::Elicitation => {
                "Lets the server ask the person behind the agent for input, in a form or at an address that it names."
            }
            Self::Roots => "Tells the server which directories the agent works in.",
        }
    }

    /// The members of its methods' parameters, besides `method`.
    fn members(self) -> Value {
        match self {
            Self::Resources => json!({"uri": text("The resource."), "cursor": text("Where the list goes on.")}),
            Self::Prompts => json!({
                "name": text("The prompt."),
                "arguments": {
                    "type": "object",
                    "description": "What the prompt is filled in with.",
                    "additionalProperties": {"type": "string"},
                },
                "cursor": text("Where the list goes on."),
            }),
            Self::Completions => completion_members(),
            Self::Logging => json!({"level": {
                "type": "string",
                "description": "The least severe level to log.",
                "enum": ["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"],
            }}),
            Self::Sampling => sampling_members(),
            Self::Elicitation => json!({
                "mode": {"type": "string", "description": "A form, or an address to visit.", "enum": ["form", "url"]},
                "message": text("What the person is asked."),
                "url": text("The address that the person is sent to."),
                "elicitationId": text("What the server calls this question."),
                "requestedSchema": object("The form's fields."),
                "task": object("How long the answer may be fetched."),
            }),
            Self::Roots => json!({}),
        }
    }
}

impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl BuiltIn {
    fn of(feature: Feature) -> Self {
        let mut properties = feature.members();
        let method = json!({"type": "string", "description": "The protocol's method.", "enum": feature.methods()});
        if let Value::Object(properties) = &mut properties {
            properties.insert("method".to_owned(), method);
        }
        let document = json!({
            "name": feature.name(),
            "title": feature.title(),
            "description": feature.description(),
            "inputSchema": {
                "type": "object",
                "properties": properties,
                "required": ["method"],
                "additionalProperties": false,
            },
        });
        let definition = Definition { document };
        Self { digest: definition.digest(), definition }
    }
}

fn text(description: &str) -> Value {
    json!({"type": "string", "description": description})
}

/// An object whose members are the protocol's business; policies do not see into it.
fn object(description: &str) -> Value {
    json!({"type": "object", "description": description})
}

fn completion_members() -> Value {
    json!({
        "ref": {
            "type": "object",
            "description": "The prompt or resource template whose argument is typed.",
            "properties": {
                "type": text("`ref/prompt` or `ref/resource`."),
                "name": text("The prompt."),
                "title": text("The prompt's title."),
                "uri": text("The resource template."),
            },
            "required": ["type"],
            "additionalProperties": false,
        },
        "argument": {
            "type": "object",
            "description": "The argument as far as it is typed.",
            "properties": {"name": text("Its name."), "value": text("What is typed so far.")},
            "required": ["name", "value"],
            "additionalProperties": false,
        },
        "context": object("Arguments that are already filled in."),
    })
}

/// The parameters of `sampling/createMessage`. A number is left without a type where digits would be refused that the protocol
/// allows: policies compare four after the point.
fn sampling_members() -> Value {
    json!({
        "messages": {
            "type": "array",
            "description": "What the model is to go on from.",
            "items": {"type": "object"},
        },
        "modelPreferences": object("Which model the server would like."),
        "systemPrompt": text("What the model is told first."),
        "includeContext": {
            "type": "string",
            "description": "Whose context the model is to have besides.",
            "enum": ["none", "thisServer", "allServers"],
        },
        "temperature": {"description": "How freely the model chooses."},
        "maxTokens": {"type": "integer", "description": "How much the model may write."},
        "stopSequences": {"type": "array", "description": "Where the model stops.", "items": {"type": "string"}},
        "metadata": object("For the model's provider."),
        "tools": {"type": "array", "description": "Tools that the model may use.", "items": {"type": "object"}},
        "toolChoice": object("How the model uses them."),
        "task": object("How long the answer may be fetched."),
    })
}
