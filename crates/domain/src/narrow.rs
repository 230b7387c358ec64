//! What a sub-task may be: never wider, longer or for another person than its parent.

use crate::task::TaskStarted;
use crate::{Authority, Digest, Moment, OperationPattern, Refusal, StartTask, State, Task, limits};

pub(crate) fn too_deep() -> Refusal {
    Refusal::new("too_deep", format!("tasks nest at most {} deep", limits::TASK_DEPTH_MAX))
}

pub(crate) fn wider_than_parent(what: &str) -> Refusal {
    Refusal::new("wider_than_parent", format!("a sub-task cannot {what} than its parent task"))
        .help("ask for no more than the parent has")
}

/// What a sub-task of the same agent runs with if nobody says: it is of the same run, so what its parent runs with.
pub(crate) fn configuration(state: &State, start: &StartTask) -> Option<Digest> {
    let parent = start.parent.and_then(|parent| state.tasks.get(&parent))?;
    parent.configuration.filter(|_| parent.agent == start.agent)
}

/// Authority only narrows: a sub-task is never wider, longer or for another person than its parent.
pub(crate) fn narrow(parent: &Task, start: &StartTask, started: &mut TaskStarted, at: &Moment) -> Result<(), Refusal> {
    parent.must_be_alive(at.now)?;
    let refused = |what: &str| Err(wider_than_parent(what));
    if parent.depth + 1 >= limits::TASK_DEPTH_MAX {
        return Err(too_deep());
    }
    if parent.agent != start.agent {
        return Err(Refusal::new("other_agent", "a sub-task belongs to the agent of its parent task"));
    }
    if start.acting_for.is_some() && start.acting_for != parent.acting_for {
        return refused("act for anyone else");
    }
    if start.key != parent.key {
        return refused("be bound to any other key");
    }
    let within =
        |pattern: &OperationPattern| parent.scope.is_empty() || parent.scope.iter().any(|own| own.contains(pattern));
    if !start.scope.iter().all(within) {
        return refused("reach further");
    }
    if start.budget.is_some_and(|budget| budget.calls_max > parent.budget.calls_max.saturating_sub(parent.calls)) {
        return refused("do more");
    }
    if start.ttl_seconds.is_some() && started.expires_at > parent.expires_at {
        return refused("live longer");
    }
    narrow_authority(parent, started)?;
    started.run = parent.run;
    started.client.clone_from(&parent.client);
    started.acting_for = parent.acting_for;
    started.expires_at = started.expires_at.min(parent.expires_at);
    started.budget.calls_max = started.budget.calls_max.min(parent.budget.calls_max);
    if started.scope.is_empty() {
        started.scope.clone_from(&parent.scope);
    }
    Ok(())
}

/// What a sub-task of the same agent has: its parent's parts if it names none, and no part that is in none of them.
fn narrow_authority(parent: &Task, started: &mut TaskStarted) -> Result<(), Refusal> {
    let whole = parent.whole();
    let delegation = Authority { delegation: started.delegation.clone(), ..Authority::over(Vec::new()) };
    if started.delegation.is_some() && whole.delegation_holds(&delegation).is_err() {
        return Err(wider_than_parent("be passed on further"));
    }
    if parent.authority.is_empty() {
        let further = |own: &Authority| {
            let outside = |pattern: &OperationPattern| !parent.scope.iter().any(|theirs| theirs.contains(pattern));
            let reaches = !parent.scope.is_empty() && own.operations.iter().any(outside);
            reaches || whole.delegation_holds(own).is_err()
        };
        return if started.authority.iter().any(further) { Err(wider_than_parent("reach further")) } else { Ok(()) };
    }
    if started.authority.is_empty() {
        started.authority.clone_from(&parent.authority);
    }
    for own in &started.authority {
        let refusals: Vec<String> = parent.authority.iter().filter_map(|part| own.within(part).err()).collect();
        if refusals.len() == parent.authority.len() {
            let sentence = format!("the authority asked for is wider than the parent's: {}", refusals.join("; "));
            return Err(Refusal::new("wider_than_parent", sentence)
                .help("ask for no more than the parent task has, with all its bounds"));
        }
    }
    Ok(())
}
