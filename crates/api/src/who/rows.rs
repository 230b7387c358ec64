//! What answers to reverse questions show of each row.

use remit_domain::{Beyond, Caller, Entitled, GrantId, Reached, State, people_through};
use serde_json::{Map, Value, json};

use crate::names;

/// A person who may do some of it themselves.
pub(super) fn entitled(state: &State, person: &Entitled) -> Value {
    json!({
        "kind": "person",
        "person": names::of_person(state, person.person),
        "entitlements": person.operations,
    })
}

/// An agent that can, with the people who can through it.
pub(super) fn caller(state: &State, caller: &Caller) -> Value {
    let (people, more_people) = people_through(state, &caller.agent);
    let people = people.iter().map(|through| {
        let mut person = names::of_person(state, through.person);
        if let Some(members) = person.as_object_mut() {
            members.insert("ties".to_owned(), json!(through.ties));
        }
        person
    });
    json!({
        "kind": "agent",
        "agent": names::of_agent(state, caller.agent.id),
        "owner": names::of_somebody(state, caller.agent.profile.owner),
        "reaches": caller.reaches.iter().map(|reached| Value::Object(reach(state, reached))).collect::<Vec<_>>(),
        "more": caller.more,
        "people": people.collect::<Vec<_>>(),
        "more_people": more_people,
    })
}

/// An operation that an agent reaches.
pub(super) fn reached(state: &State, reached: &Reached) -> Value {
    let mut row = reach(state, reached);
    if let Ok(operation) = state.operation(&reached.operation) {
        row.insert("verb".to_owned(), json!(operation.verb));
        row.insert("risk".to_owned(), json!(operation.risk));
        row.insert("data".to_owned(), json!(operation.data));
        row.insert("external".to_owned(), json!(operation.external));
    }
    Value::Object(row)
}

/// An operation that a person reaches only through agents.
pub(super) fn beyond(state: &State, beyond: &Beyond) -> Value {
    let through = beyond.through.iter().map(|(agent, reached)| {
        let mut row = reach(state, reached);
        row.insert("agent".to_owned(), names::of_agent(state, *agent));
        Value::Object(row)
    });
    json!({
        "operation": beyond.operation,
        "data": state.operation(&beyond.operation).ok().map(|operation| operation.data),
        "agents": beyond.agents,
        "through": through.collect::<Vec<_>>(),
    })
}

fn reach(state: &State, reached: &Reached) -> Map<String, Value> {
    let prospect = &reached.prospect;
    let row = json!({
        "operation": reached.operation,
        "reach": prospect.reachable,
        "condition": prospect.condition,
        "asks": prospect.asks,
        "grant": reached.grant.map(|grant| of_grant(state, grant)),
        "policies": prospect.policies,
    });
    let Value::Object(mut members) = row else { return Map::new() };
    if reached.enforced_elsewhere {
        members.insert("enforced_elsewhere".to_owned(), true.into());
    }
    members
}

fn of_grant(state: &State, id: GrantId) -> Value {
    let grant = state.grants.get(&id);
    json!({
        "id": id,
        "approved_by": names::of_somebody(state, grant.map(|grant| grant.approved_by)),
        "expires_at": grant.map(|grant| grant.expires_at.to_string()),
    })
}

/// Those who can start a task of every agent.
pub(super) fn administrators(state: &State) -> Value {
    let administrators = state.people.values().filter(|person| person.is_administrator());
    let mut named: Vec<_> = administrators.map(|person| (&person.name, person.id)).collect();
    named.sort();
    named.into_iter().map(|(_, id)| names::of_person(state, id)).collect()
}
