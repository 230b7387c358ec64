//! What can be said of an operation before it is called: whether to list it, and under which condition.

use std::sync::Arc;

use remit_policy::{Facts, PolicySet, Reach, Schema};
use serde::Serialize;

use crate::action::may_be_named;
use crate::facts::{Leg, facts_of, further_legs};
use crate::{AgentId, Operation, State, Task, Timestamp, configuration, sandbox};

#[cfg(test)]
mod tests;

/// Whether an operation is worth listing for a task.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reachable {
    /// No arguments and no approval would make it allowed. What cannot be decided is this too.
    #[default]
    Never,
    Always,
    /// It depends on arguments, an approval or the time.
    Depends,
}

/// An operation as it is listed for a task.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    pub reachable: Reachable,
    /// Under which conditions on the call it is allowed, in Cedar; all of them have to hold.
    pub conditions: Vec<String>,
    /// Whom the policies may ask first: groups, or the roles `owner` and `approver`.
    pub asks: Vec<String>,
}

impl Listing {
    fn only(reachable: Reachable) -> Self {
        Self { reachable, ..Self::default() }
    }
}

/// Who would call: under which task, and which agent an enforcer says it is, if it says so.
#[derive(Debug, Clone, Copy)]
pub struct Onlooker<'a> {
    pub task: &'a Task,
    /// It must be allowed the same, as when something is called.
    pub named: Option<AgentId>,
}

impl<'a> From<&'a Task> for Onlooker<'a> {
    fn from(task: &'a Task) -> Self {
        Self { task, named: None }
    }
}

impl<'a> From<&'a Arc<Task>> for Onlooker<'a> {
    fn from(task: &'a Arc<Task>) -> Self {
        Self::from(task.as_ref())
    }
}

/// What `onlooker` could do with `operation`, whatever the arguments: a tool is listed only if some could be allowed or asked for.
pub fn reach<'a>(state: &State, onlooker: impl Into<Onlooker<'a>>, operation: &Operation, now: Timestamp) -> Reachable {
    let onlooker = onlooker.into();
    let mut whole = beforehand(state, onlooker, operation, now);
    for_each_leg(state, onlooker, operation, now, &mut whole, |whole, set, schema, facts| {
        *whole = both(*whole, remit_policy::reach(set, schema, facts));
        *whole != Reachable::Never
    });
    whole
}

/// As [`reach`], with the conditions that are left and the people who may be asked.
pub fn listing<'a>(state: &State, onlooker: impl Into<Onlooker<'a>>, operation: &Operation, now: Timestamp) -> Listing {
    let onlooker = onlooker.into();
    let mut whole = Listing::only(beforehand(state, onlooker, operation, now));
    for_each_leg(state, onlooker, operation, now, &mut whole, |whole, set, schema, facts| {
        let outlook = remit_policy::outlook(set, schema, facts);
        whole.reachable = both(whole.reachable, outlook.reach);
        whole.conditions.extend(outlook.condition.filter(|condition| !whole.conditions.contains(condition)));
        let roles = outlook.asks.into_iter().flat_map(|ask| ask.approvers).flatten();
        whole.asks.extend(roles);
        whole.reachable != Reachable::Never
    });
    if whole.reachable == Reachable::Never {
        return Listing::only(Reachable::Never);
    }
    whole.asks.sort();
    whole.asks.dedup();
    whole
}

fn both(one: Reachable, other: Reach) -> Reachable {
    match (one, other) {
        (Reachable::Never, _) | (_, Reach::Never) => Reachable::Never,
        (Reachable::Depends, _) | (_, Reach::Depends) => Reachable::Depends,
        (Reachable::Always, Reach::Always) => Reachable::Always,
    }
}

/// What can be said before any policy is asked.
fn beforehand(state: &State, onlooker: Onlooker<'_>, operation: &Operation, now: Timestamp) -> Reachable {
    let Onlooker { task, named } = onlooker;
    let alive = named.is_none_or(|named| may_be_named(state, named, operation).is_ok())
        && task.must_be_alive(now).is_ok()
        && state.agent(task.agent).is_ok_and(|agent| {
            agent.must_be_active().is_ok()
                && sandbox::must_not_cross(state, agent, operation).is_ok()
                && configuration::must_still_hold(agent, task, &operation.name).is_ok()
        });
    if !alive || operation.withdrawn.is_some() || !task.in_scope(&operation.name) {
        return Reachable::Never;
    }
    match task.authority.iter().find(|authority| authority.covers(&operation.name)) {
        Some(authority) if authority.constraints.is_empty() => Reachable::Always,
        Some(_) => Reachable::Depends,
        None if task.authority.is_empty() => Reachable::Always,
        None => Reachable::Never,
    }
}

/// Asks about each agent that has to be allowed, for as long as `ask` wants to know more.
fn for_each_leg<T: Default>(
    state: &State,
    Onlooker { task, named }: Onlooker<'_>,
    operation: &Operation,
    now: Timestamp,
    whole: &mut T,
    mut ask: impl FnMut(&mut T, &PolicySet, &Schema, &Facts) -> bool,
) {
    let compiled = state.compiled();
    let (Some(set), Some(schema)) = (&compiled.set, &compiled.schema) else {
        *whole = T::default();
        return;
    };
    for leg in std::iter::once(Leg::own(task)).chain(further_legs(state, task, named)) {
        if !ask(whole, set, schema, &facts_of(state, leg, task.acting_for, operation, now)) {
            return;
        }
    }
}
