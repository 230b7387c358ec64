//! Approved configurations: the prompt, the model and the tools that an agent was looked at with.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Agent, AgentId, Digest, Event, OperationPattern, PersonId, Refusal, State, Task, limits};

#[cfg(test)]
mod tests;

/// What makes an agent behave as it does.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Configuration {
    /// SHA-256 of its prompt, which itself is not kept here.
    pub prompt: Option<Digest>,
    /// The model, with its version, as its maker names it.
    pub model: Option<String>,
    /// The tools that it is given.
    pub tools: Vec<OperationPattern>,
}

impl Configuration {
    /// What a run presents to say that it is this one.
    pub fn digest(&self) -> Digest {
        Digest::of_document(self)
    }
}

/// What happens if `configuration` becomes the approved one of `agent`; nothing lets it run with any.
pub(crate) fn approved(
    state: &State,
    agent: AgentId,
    configuration: Option<&Configuration>,
    by: PersonId,
) -> Result<Event, Refusal> {
    let known = state.agent(agent)?;
    if known.is_gone() {
        known.must_be_active()?;
    }
    if let Some(configuration) = configuration {
        let model = configuration.model.as_deref().unwrap_or_default();
        if model.len() > limits::FACT_BYTES_MAX || model.contains(crate::refusal::is_unsafe_to_show) {
            return Err(Refusal::new("bad_configuration", "the model's name is too long or holds control characters"));
        }
        if configuration.tools.len() > limits::PATTERNS_MAX {
            let sentence = format!("a configuration names at most {} tools", limits::PATTERNS_MAX);
            return Err(Refusal::new("bad_configuration", sentence).help("name `connector/*` for all of a connector"));
        }
    }
    let configuration = configuration.cloned();
    Ok(Event::ConfigurationApproved { agent, configuration, by })
}

/// Whether a task of `agent` may begin with what it `presents`.
pub(crate) fn must_be_approved(agent: &Agent, presented: Option<Digest>) -> Result<(), Refusal> {
    let Some(approved) = &agent.configuration else { return Ok(()) };
    if presented == Some(approved.digest()) {
        return Ok(());
    }
    let sentence = match presented {
        None => {
            format!("the agent `{}` runs only with its approved configuration, and the task names none", agent.name)
        }
        Some(other) => {
            format!("the configuration `{other}` is not the one that the agent `{}` is approved with", agent.name)
        }
    };
    Err(Refusal::new("configuration_not_approved", sentence)
        .help(
            "present the digest of the configuration that it runs with: `remit run --configuration FILE`, or `configuration` in the \
             request for its task; a changed prompt, model or tool is proposed with `remit change propose`",
        ))
}

/// Whether the configuration that `task` began with is still the approved one, and gives it this operation.
pub(crate) fn must_still_hold(agent: &Agent, task: &Task, operation: &crate::OperationName) -> Result<(), Refusal> {
    let Some(approved) = &agent.configuration else { return Ok(()) };
    if task.configuration != Some(approved.digest()) {
        return Err(Refusal::new(
            "configuration_changed",
            format!(
                "the approved configuration of the agent `{}` is not the one that this task began with",
                agent.name
            ),
        )
        .help("start a new task with the approved one"));
    }
    must_give(agent, operation)
}

/// Whether the approved configuration of `agent`, if it has one, gives it `operation`.
pub(crate) fn must_give(agent: &Agent, operation: &crate::OperationName) -> Result<(), Refusal> {
    if gives(agent, operation) {
        return Ok(());
    }
    Err(Refusal::new(
        "not_in_configuration",
        format!("the approved configuration of the agent `{}` does not give it `{operation}`", agent.name),
    )
    .help("its owner proposes the tool with `remit change propose`"))
}

/// As [`must_give`], where nobody asks why not. A configuration that names no tools leaves them to grants and policies.
pub(crate) fn gives(agent: &Agent, operation: &crate::OperationName) -> bool {
    agent
        .configuration
        .as_ref()
        .is_none_or(|approved| approved.tools.is_empty() || approved.tools.iter().any(|tool| tool.covers(operation)))
}

pub(crate) fn apply_approved(state: &mut State, agent: AgentId, configuration: Option<&Configuration>) {
    if let Some(agent) = state.agents.get_mut(&agent) {
        Arc::make_mut(agent).configuration = configuration.cloned();
    }
}
