//! The Cedar schema: what policies may name, generated from the operations that there are.
//!
//! One action per operation, so that `context.arguments` has the types of that operation's own arguments; each is a member of
//! its verb's group, so that a rule over all writes says `action in Action::"write"`. Each verb also has one operation whose
//! arguments nobody knows: a rule over a verb is checked even while no connector has such an operation, and a rule that
//! reads an argument must say of which operation.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::str::FromStr;
use std::sync::Arc;

use cedar_policy::{EntityTypeName, Validator};
use cedar_policy_core::ast::{Eid, EntityType, EntityUID};

use crate::{Shape, Verb, limits};

#[cfg(test)]
mod tests;

/// The types that do not depend on operations. Attributes come from Remit, never from the call.
pub(crate) const TYPES: &str = r#"type Approval = {
  // When the last approver agreed, in milliseconds since 1970.
  approved_at: Long,
  approvers: Set<Person>,
  // People who approved.
  count: Long,
  roles: Set<String>,
};
type Grant = {
  // Whether it names exactly this operation, and not all of its connector's.
  exact: Bool,
  // When it ends, in milliseconds since 1970.
  expires_at: Long,
  id: String,
  reason: String,
};
type Task = {
  // The person that the agent acts for.
  acting_for?: Person,
  // There if entitlements of that person are on record: whether they may use this operation themselves.
  acting_for_entitled?: Bool,
  // The highest data class that a person has approved an action on in this task; -1 where nobody approved anything.
  approved_data: Long,
  // Calls made before this one.
  calls: Long,
  // The agents above, from the one that a person started.
  chain: Set<Agent>,
  // The highest data class that it has had an answer from; -1 where it has had none.
  data: Long,
  // How many agents are above: 0 where this agent was started itself.
  depth: Long,
  id: String,
  // What it has come in touch with: "untrusted" and "sensitive".
  labels: Set<String>,
  // Whether its own scope or authority names exactly this operation.
  names: Bool,
  purpose: String,
};

entity Group;
entity Person in [Group];
entity Class;
entity Agent in [Class] = {
  // "proven", "asserted", "shared" or "unknown".
  attribution: String,
  // 1 (assist) to 4 (self-starting).
  autonomy: Long,
  class: String,
  // The highest data class that it may touch, 0 (public) to 3 (restricted).
  data: Long,
  environment: String,
  // There if a live grant covers this very operation.
  grant?: Grant,
  owner: Person,
  task: Task,
};
entity Connector;
entity Operation in [Connector] = {
  connector: Connector,
  // The highest data class that it touches.
  data: Long,
  // Whether it reaches somebody outside.
  external: Bool,
  // Whether what it does cannot be undone.
  irreversible: Bool,
  // 0 (none) to 3 (high).
  risk: Long,
  // Whether its connector is marked as one for experiments.
  sandbox: Bool,
  verb: String,
};
"#;

/// One operation as the schema needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperationShape {
    /// `connector/tool`.
    pub id: String,
    /// The connector that has it.
    pub connector: String,
    /// What it does to the world.
    pub verb: Verb,
    /// What its arguments look like.
    pub arguments: Shape,
}

/// Why no schema can be generated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// An operation's id is not its connector's name, a slash, and a name.
    #[error("the operation `{id}` is not named after its connector, as in `{connector}/tool`")]
    Name {
        /// The operation.
        id: String,
        /// The connector that it says it belongs to.
        connector: String,
    },
    /// Two operations have one id.
    #[error("the operation `{id}` is there twice")]
    Twice {
        /// The operation.
        id: String,
    },
    /// More than [`limits::OPERATIONS_MAX`] operations.
    #[error("there are more than {} operations", limits::OPERATIONS_MAX)]
    TooMany,
    /// Cedar does not read what was generated: a fault of this crate.
    #[error("the generated schema cannot be read: {sentence}")]
    Generated {
        /// What Cedar said.
        sentence: String,
    },
}

/// What policies may name. Cheap to clone.
#[derive(Clone)]
pub struct Schema {
    text: Arc<str>,
    operations: Arc<BTreeMap<String, Known>>,
    /// What is peculiar to each action, by its name. All else is the same for all of them, in every schema.
    pub(crate) contexts: Arc<BTreeMap<String, Context>>,
    pub(crate) kinds: Kinds,
    pub(crate) validator: Arc<Validator>,
}

/// What is peculiar to one action: its verb, and the types of what its calls bring.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Context {
    pub(crate) verb: Verb,
    arguments: String,
    projected: String,
}

impl Context {
    fn of(verb: Verb, shape: &Shape) -> Self {
        Self { verb, arguments: shape.cedar_type(), projected: shape.projected_type() }
    }
}

/// What the schema remembers of an operation.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) connector: String,
    pub(crate) verb: Verb,
    pub(crate) arguments: Shape,
}

/// The entity types, parsed once.
#[derive(Debug, Clone)]
pub(crate) struct Kinds {
    pub(crate) action: EntityTypeName,
    pub(crate) agent: EntityTypeName,
    pub(crate) class: EntityTypeName,
    pub(crate) connector: EntityTypeName,
    pub(crate) group: EntityTypeName,
    pub(crate) operation: EntityTypeName,
    pub(crate) person: EntityTypeName,
}

impl Schema {
    /// Generates the schema of `operations`, in any order; none at all will do.
    ///
    /// # Errors
    /// If an operation is misnamed or there twice, or if there are too many.
    pub fn generate<'a>(operations: impl Iterator<Item = &'a OperationShape>) -> Result<Self, SchemaError> {
        let (known, actions) = gather(operations)?;
        Self::of(known, actions)
    }

    /// As [`Schema::generate`], with the same result, where this schema was generated before: if policies see no difference, it is not
    /// made again.
    ///
    /// # Errors
    /// As for [`Schema::generate`].
    pub fn regenerate<'a>(&self, operations: impl Iterator<Item = &'a OperationShape>) -> Result<Self, SchemaError> {
        let (known, actions) = gather(operations)?;
        if actions == *self.contexts {
            return Ok(Self { operations: Arc::new(known), ..self.clone() });
        }
        Self::of(known, actions)
    }

    fn of(known: BTreeMap<String, Known>, actions: BTreeMap<String, Context>) -> Result<Self, SchemaError> {
        let text = write_text(&actions);
        let generated = |sentence: String| SchemaError::Generated { sentence };
        let (schema, _warnings) =
            cedar_policy::Schema::from_cedarschema_str(&text).map_err(|error| generated(error.to_string()))?;
        let kinds = Kinds::parse().map_err(generated)?;
        Ok(Self {
            text: text.into(),
            operations: Arc::new(known),
            contexts: Arc::new(actions),
            kinds,
            validator: Arc::new(Validator::new(schema)),
        })
    }

    /// The schema in Cedar's own syntax. The same operations always give the same text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The ids of the operations, sorted.
    pub fn operations(&self) -> impl Iterator<Item = &str> {
        self.operations.keys().map(String::as_str)
    }

    pub(crate) fn operation(&self, id: &str) -> Option<&Known> {
        self.operations.get(id)
    }

    /// Whether some operation gives policies a value that is projected from its arguments.
    pub(crate) fn has_projections(&self) -> bool {
        self.operations.values().any(|operation| !operation.arguments.projected.is_empty())
    }

    pub(crate) fn connectors(&self) -> impl Iterator<Item = &str> {
        self.operations.values().map(|operation| operation.connector.as_str())
    }

    pub(crate) fn cedar(&self) -> &cedar_policy::Schema {
        self.validator.schema()
    }
}

impl std::fmt::Debug for Schema {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Schema").field("operations", &self.operations).finish_non_exhaustive()
    }
}

impl Kinds {
    fn parse() -> Result<Self, String> {
        let kind = |name: &str| EntityTypeName::from_str(name).map_err(|error| error.to_string());
        Ok(Self {
            action: kind("Action")?,
            agent: kind("Agent")?,
            class: kind("Class")?,
            connector: kind("Connector")?,
            group: kind("Group")?,
            operation: kind("Operation")?,
            person: kind("Person")?,
        })
    }
}

/// The entity of type `kind` named `id`.
pub(crate) fn uid(kind: &EntityTypeName, id: &str) -> EntityUID {
    let kind: &EntityType = kind.as_ref();
    EntityUID::from_components(kind.clone(), Eid::new(id), None)
}

/// The action that stands for all operations of `verb` that have no name yet. It has no slash, so no operation has its name.
pub(crate) fn unnamed_operation(verb: Verb) -> String {
    format!("any {verb} operation")
}

/// The operations by their names, and the contexts of all actions.
type Gathered = (BTreeMap<String, Known>, BTreeMap<String, Context>);

fn gather<'a>(operations: impl Iterator<Item = &'a OperationShape>) -> Result<Gathered, SchemaError> {
    let mut known = BTreeMap::new();
    let mut actions = BTreeMap::new();
    for operation in operations {
        check_name(operation)?;
        if known.len() == limits::OPERATIONS_MAX {
            return Err(SchemaError::TooMany);
        }
        let of_operation = Known {
            connector: operation.connector.clone(),
            verb: operation.verb,
            arguments: operation.arguments.clone(),
        };
        if known.insert(operation.id.clone(), of_operation).is_some() {
            return Err(SchemaError::Twice { id: operation.id.clone() });
        }
        actions.insert(operation.id.clone(), Context::of(operation.verb, &operation.arguments));
    }
    for verb in Verb::ALL {
        actions.insert(unnamed_operation(verb), Context::of(verb, &Shape::empty()));
    }
    Ok((known, actions))
}

fn check_name(operation: &OperationShape) -> Result<(), SchemaError> {
    let tool = operation.id.strip_prefix(operation.connector.as_str()).and_then(|rest| rest.strip_prefix('/'));
    let fits = operation.id.len() <= limits::OPERATION_ID_BYTES_MAX && !operation.connector.is_empty();
    match tool {
        Some(tool) if fits && !tool.is_empty() => Ok(()),
        _ => Err(SchemaError::Name { id: operation.id.clone(), connector: operation.connector.clone() }),
    }
}

fn write_text(actions: &BTreeMap<String, Context>) -> String {
    let mut text = TYPES.to_owned();
    // Writing into a String cannot fail.
    for verb in Verb::ALL {
        let _ = write!(text, "\naction \"{verb}\";");
    }
    text.push('\n');
    for (id, Context { verb, arguments, projected }) in actions {
        let _ = write!(
            text,
            "\naction \"{}\" in [\"{verb}\"] appliesTo {{\n  principal: [Agent],\n  resource: [Operation],\n  \
             context: {{\n    approval?: Approval,\n    arguments: {arguments},\n    credential_age: Long,\n    now: Long,\n    \
             projected: {projected},\n  }},\n}};\n",
            id.escape_debug()
        );
    }
    text
}
