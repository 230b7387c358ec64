//! What a question means here: which operation, with which arguments, for whom.

use remit_domain::{AgentId, OperationName, PersonId, Refusal, State};
use serde_json::{Map, Value, json};

use super::catalogue::{self, Catalogue, Subject};
use super::question::Question;
use crate::Settings;

#[cfg(test)]
mod tests;

/// What stands in front of the name under which a question is recorded that means nothing here. No connector can be called so.
const NOTHING: &str = "@authzen";
/// How COAZ says that a tool is called (COAZ-MCP, "Default Mappings").
const TOOL: &str = "tool";
const CALL: &str = "tools/call";
/// Members of the context that are not about the world: they say who acts, which tool is called, and what was approved.
const MACHINERY: [&str; 4] = ["agent", "approval", "connector", "params"];

/// What is asked, in the words of the domain.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Meaning {
    pub operation: OperationName,
    pub arguments: Value,
    /// What the request says and policies do not see.
    pub beside: Option<Value>,
    /// The person who wants it.
    pub acting_for: Option<PersonId>,
    /// The agent that acts.
    pub named: Option<AgentId>,
    /// The members of the request's context that count.
    pub context: Vec<String>,
    /// Why it means nothing, where it does not. It is recorded all the same.
    pub refusal: Option<Refusal>,
}

/// What `question` means in `state`.
pub(super) fn of(state: &State, settings: &Settings, question: &Question) -> Meaning {
    meaning(state, settings, question).unwrap_or_else(|refusal| nothing(question, refusal))
}

/// A question that means nothing, so that it can be put on record: whoever asks what cannot be is worth knowing about.
pub(super) fn nothing(question: &Question, refusal: Refusal) -> Meaning {
    let operation = format!("{}/{}", question.resource.kind, question.action.name);
    Meaning { refusal: Some(refusal), ..as_it_came(OperationName::new(NOTHING, &operation), question) }
}

/// The question itself as the arguments of `operation`.
fn as_it_came(operation: OperationName, question: &Question) -> Meaning {
    Meaning {
        operation,
        arguments: json!({
            "subject": question.subject.to_value(),
            "action": question.action.to_value(),
            "resource": question.resource.to_value(),
        }),
        beside: None,
        acting_for: None,
        named: None,
        context: Vec::new(),
        refusal: None,
    }
}

fn meaning(state: &State, settings: &Settings, question: &Question) -> Result<Meaning, Refusal> {
    let actor = question.context.get("agent").map(|agent| actor(state, agent)).transpose()?;
    if let Some(catalogue) = Catalogue::of(state, &question.resource.kind) {
        let subject = catalogue::subject(state, settings, catalogue.subjects, &question.subject)?;
        let named = one_agent(subject.agent, actor)?;
        return Ok(Meaning { named, ..of_resource(state, &catalogue, &subject, question) });
    }
    let subject = catalogue::subject(state, settings, &[], &question.subject)?;
    let named = one_agent(subject.agent, actor)?;
    if question.resource.kind == TOOL && question.action.name == CALL {
        return Ok(Meaning { acting_for: subject.person, named, ..of_tool(state, question)? });
    }
    let operation = OperationName::new(&question.resource.kind, &question.action.name);
    if state.connector_named(&question.resource.kind).is_ok() || state.operations.contains_key(&operation) {
        let help = "send a resource of the type `tool`, the id `connector/tool`, and the action `tools/call`";
        return Err(Refusal::new("asked_as_tool", format!("`{operation}` is asked about as a tool")).help(help));
    }
    // The domain says that there is no such operation, and records it.
    Ok(as_it_came(operation, question))
}

/// The agent that `context.agent` names.
fn actor(state: &State, agent: &Value) -> Result<AgentId, Refusal> {
    let name = agent.as_str().ok_or_else(|| {
        Refusal::new("agent_unknown", "the context's `agent` is not text")
            .help("send the agent's name, id or SPIFFE ID")
    })?;
    catalogue::agent(state, name)
}

fn one_agent(subject: Option<AgentId>, actor: Option<AgentId>) -> Result<Option<AgentId>, Refusal> {
    match (subject, actor) {
        (Some(subject), Some(actor)) if subject != actor => {
            Err(Refusal::new("two_agents", "the subject is one agent and the context's `agent` another")
                .help("name the agent once"))
        }
        (subject, actor) => Ok(subject.or(actor)),
    }
}

/// An action on a resource that somebody else guards.
fn of_resource(state: &State, catalogue: &Catalogue<'_>, subject: &Subject<'_>, question: &Question) -> Meaning {
    let operation = OperationName::new(catalogue.connector, &question.action.name);
    let trusts = catalogue.trusts_properties;
    let resource = catalogue::thing(catalogue.resources, &question.resource.id);
    let mut whole = Map::new();
    let subject_attributes = catalogue::attributes(subject.thing, &question.subject, trusts);
    whole.insert("subject".to_owned(), subject_attributes.into());
    whole.insert("action".to_owned(), question.action.properties.clone().into());
    whole.insert("resource".to_owned(), catalogue::attributes(resource, &question.resource, trusts).into());
    let mut context = question.context.clone();
    context.retain(|name, _| !MACHINERY.contains(&name.as_str()));
    whole.insert("context".to_owned(), context.into());
    let schema = state.operation(&operation).map(|operation| operation.definition.input_schema()).unwrap_or_default();
    let (arguments, mut rest) = divide(&schema, whole);
    let context = arguments.get("context").and_then(Value::as_object);
    let context = context.map(|context| context.keys().cloned().collect()).unwrap_or_default();
    // What no schema names of the surroundings decides nothing, and would keep an approval from fitting the same action later.
    rest.remove("context");
    say_unseen(&mut rest, question, trusts);
    Meaning {
        operation,
        arguments: arguments.into(),
        beside: (!rest.is_empty()).then(|| rest.into()),
        acting_for: subject.person,
        named: None,
        context,
        refusal: None,
    }
}

/// Leaves in `rest` what the request said and the arguments do not: not what the operation's name says already, but the
/// properties that were not believed.
fn say_unseen(rest: &mut Map<String, Value>, question: &Question, trusts_properties: bool) {
    if let Some(resource) = rest.get_mut("resource").and_then(Value::as_object_mut) {
        resource.remove("type");
    }
    for (name, entity) in [("subject", &question.subject), ("resource", &question.resource)] {
        let said = (!trusts_properties && !entity.properties.is_empty()).then(|| entity.properties.clone());
        if let Some(said) = said {
            let entity = rest.entry(name).or_insert_with(|| json!({}));
            if let Some(entity) = entity.as_object_mut() {
                entity.insert("properties".to_owned(), said.into());
            }
        }
    }
    rest.retain(|_, value| value.as_object().is_none_or(|members| !members.is_empty()));
}

/// A call of a tool that another gateway is about to forward.
fn of_tool(state: &State, question: &Question) -> Result<Meaning, Refusal> {
    let operation = tool(state, question)?;
    let params = question.context.get("params").and_then(|params| params.get("arguments"));
    let arguments = match params {
        Some(arguments @ Value::Object(_)) => arguments.clone(),
        Some(_) => {
            return Err(Refusal::new("bad_arguments", "the context's `params.arguments` is not an object")
                .help("send the params of `tools/call` as they came"));
        }
        None => question.resource.properties.clone().into(),
    };
    let beside = Some(json!({"subject": question.subject.to_value()}));
    Ok(Meaning { arguments, beside, ..as_it_came(operation, question) })
}

/// The tool: `connector/tool`, or its own name with the connector in the context. A name alone is nobody's: another connector may
/// have a tool of that name.
fn tool(state: &State, question: &Question) -> Result<OperationName, Refusal> {
    let id = &question.resource.id;
    let (connector, tool) = match question.context.get("connector") {
        Some(Value::String(connector)) => (connector.as_str(), id.as_str()),
        Some(_) => return Err(unnamed_tool()),
        None => id.split_once('/').ok_or_else(unnamed_tool)?,
    };
    let connector = state.connector_named(connector)?;
    if connector.spec.is_elsewhere() {
        let sentence = format!("`{}` is no server of tools", connector.name);
        return Err(Refusal::new("asked_as_tool", sentence).help("ask with its name as the resource's type"));
    }
    Ok(OperationName::new(&connector.name, tool))
}

fn unnamed_tool() -> Refusal {
    Refusal::new("tool_unnamed", "the question does not say which connector's tool it is about")
        .help("send the id `connector/tool`, or the connector's name in the context's `connector`")
}

/// Divides `members` into those that `schema` names, at any depth, and the rest: what nobody described must not make a call
/// ill-typed, since the standard says that it is passed over. A `null` says nothing.
pub(super) fn divide(schema: &Value, members: Map<String, Value>) -> (Map<String, Value>, Map<String, Value>) {
    let is_open = matches!(schema.get("additionalProperties"), Some(Value::Bool(true) | Value::Object(_)));
    let (mut named, mut rest) = (Map::new(), Map::new());
    for (name, value) in members {
        let described = schema.get("properties").and_then(|properties| properties.get(&name));
        match (described, value) {
            (_, Value::Null) => {}
            (Some(inner), Value::Object(inner_members)) if inner.get("properties").is_some() => {
                let (inner_named, inner_rest) = divide(inner, inner_members);
                named.insert(name.clone(), inner_named.into());
                if !inner_rest.is_empty() {
                    rest.insert(name, inner_rest.into());
                }
            }
            (Some(_), value) => {
                named.insert(name, value);
            }
            (None, value) if is_open => {
                named.insert(name, value);
            }
            (None, value) => {
                rest.insert(name, value);
            }
        }
    }
    (named, rest)
}
