//! The access card: what an agent may do, under what conditions, for how long, and who said so.

use axum::Json;
use axum::extract::Path;
use remit_domain::{Agent, Grant, Right, Timestamp, may_read_grant, may_read_task};
use serde_json::{Value, json};

use super::{Answer, view};
use crate::as_of::AsOf;
use crate::auth::SignedIn;
use crate::{grants, names, tasks};

pub(crate) async fn card(by: SignedIn, AsOf { state, now, today }: AsOf, Path(agent): Path<String>) -> Answer {
    let agent = names::agent(&state, &agent)?;
    let live: Vec<&Grant> =
        state.grants_of(agent.id).map(AsRef::as_ref).filter(|grant: &&Grant| now < grant.expires_at).collect();
    // What it is doing is more than what it may do.
    let (may_read, doing) = (by.has(&today, Right::ReadAgent(agent.id)), || state.live_tasks_of(agent.id));
    let requests = state.grant_requests.values().filter(|request| {
        request.agent == agent.id && may_read_grant(&today, by.person, agent.id, request.task).is_ok()
    });
    let pending = state.approvals.values().filter(|approval| approval.is_pending() && approval.facts.agent == agent.id);
    Ok(Json(json!({
        "agent": view(&state, agent),
        "may": operations(&state, agent, &live, now),
        "sandbox_policy": state.sandbox_permit(agent),
        "conditions": conditions(&state),
        "grants": live.iter().map(|grant| grants::view(&state, grant)).collect::<Vec<_>>(),
        "requests": requests.map(|request| grants::view_request(&state, request)).collect::<Vec<_>>(),
        "tasks": doing().filter(|task| may_read_task(&today, by.person, task).is_ok()).map(|task| tasks::view(&state, task)).collect::<Vec<_>>(),
        "waiting_approvals": pending.filter(|_| may_read).map(|approval| approval.id).collect::<Vec<_>>(),
        "policies": state.policies.digest(),
        "as_of": now.to_string(),
    })))
}

/// Every operation that a live grant covers, with the grant that lasts longest; in the sandbox also what a policy permits
/// without one. What the policies add stands beside it.
fn operations(state: &remit_domain::State, agent: &Agent, live: &[&Grant], now: Timestamp) -> Vec<Value> {
    let permit = state.sandbox_permit(agent);
    let mut operations: Vec<Value> = state
        .operations
        .values()
        .filter_map(|operation| {
            let covering = live.iter().filter(|grant| grant.covers(&operation.name, now));
            let grant = covering.max_by_key(|grant| grant.expires_at);
            let permit = permit.filter(|_| state.is_sandbox(operation.name.connector()));
            (grant.is_some() || permit.is_some()).then(|| {
                json!({
                    "operation": operation.name,
                    "verb": operation.verb,
                    "risk": operation.risk,
                    "data": operation.data,
                    "external": operation.external,
                    "available": operation.withdrawn.is_none(),
                    "within_data_ceiling": operation.data <= agent.data_ceiling(),
                    "grant": grant.map(|grant| grant.id),
                    "policy": permit,
                    // What a policy permits has no end of its own.
                    "until": grant.filter(|_| permit.is_none()).map(|grant| grant.expires_at.to_string()),
                })
            })
        })
        .collect();
    operations.sort_by_key(|operation| operation.get("operation").map(Value::to_string));
    operations
}

/// The rules that say why they narrow: whatever a grant gives, they are asked too.
fn conditions(state: &remit_domain::State) -> Vec<Value> {
    let rules = state.compiled().set.iter().flat_map(|set| set.rules());
    rules.filter_map(|rule| rule.reason.as_ref().map(|reason| json!({"policy": rule.id, "reason": reason}))).collect()
}
