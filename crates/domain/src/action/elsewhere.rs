//! Attempts whose answer somebody else enforces: who may ask, and of whom they may speak.

use super::ActionFacts;
use crate::{AgentId, Operation, Refusal, State, configuration, sandbox};

/// Whether somebody enforces the answer, and may speak of the people and agents that the attempt names.
pub(super) fn must_be_enforced(state: &State, facts: &ActionFacts, operation: &Operation) -> Result<(), Refusal> {
    let Some(enforcer) = facts.enforcer else {
        let connector = state.connector_named(operation.name.connector())?;
        if connector.spec.is_elsewhere() {
            let sentence =
                format!("nothing is called through the connector `{}`: somebody else enforces it", connector.name);
            return Err(Refusal::new("enforced_elsewhere", sentence)
                .help("call it where it is; its enforcer asks Remit for the decision"));
        }
        return Ok(());
    };
    let enforcer = state.agent(enforcer)?;
    enforcer.must_be_active()?;
    enforcer.must_be_enforcer()?;
    if let Some(named) = facts.named {
        may_be_named(state, named, operation)?;
    }
    // A task that a person started it for is theirs, whatever its holder says.
    let bound_to = state.task(facts.task)?.acting_for;
    if bound_to.is_some() && facts.acting_for != bound_to {
        return Err(Refusal::new("acting_for_other", "this task is for one person, and the question names another")
            .help("ask under a task that is for nobody in particular"));
    }
    facts.acting_for.map_or(Ok(()), |person| state.person(person).map(|_| ()))
}

/// Whether the agent `named` may be said to use `operation`, before any policy is asked.
pub(crate) fn may_be_named(state: &State, named: AgentId, operation: &Operation) -> Result<(), Refusal> {
    let named = state.agent(named)?;
    named.must_be_active()?;
    sandbox::must_not_cross(state, named, operation)?;
    configuration::must_give(named, &operation.name)
}
