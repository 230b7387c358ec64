use serde_json::json;

use super::*;
use crate::tests::world::{World, attempt, operation};
use crate::*;

fn explained(world: &World, task: TaskId, name: &str, arguments: Value) -> Explanation {
    let attempt = attempt(task, operation(name), arguments, None);
    explain(&world.state, world.state.compiled(), &attempt, world.now).unwrap()
}

#[test]
fn an_explanation_says_what_a_call_would_get_and_by_which_rules() {
    let mut world = World::with_support();
    let agent = world.support();
    let task = world.task(agent);
    for (name, arguments) in [
        ("helpdesk/read", json!({"id": 1})),
        ("helpdesk/refund", json!({"id": 1, "amount": 5})),
        ("helpdesk/mail", json!({"id": "x"})),
    ] {
        let explanation = explained(&world, task, name, arguments.clone());
        let reply = world.clone().call(task, name, arguments);
        match (explanation.decision, reply) {
            (Answer::Allow, crate::tests::world::Reply::Allowed(allowed)) => {
                assert_eq!(explanation.legs[0].determining, allowed.determining);
                assert!(explanation.rules.iter().all(|rule| rule.text.contains("permit") && rule.line.is_some()));
            }
            (Answer::Ask, crate::tests::world::Reply::Asked(asked)) => {
                assert_eq!(explanation.approval, Some(asked.ask))
            }
            (Answer::Deny, crate::tests::world::Reply::Denied(denied)) => {
                assert_eq!(explanation.refusal, Some(denied.refusal));
            }
            other => panic!("{name}: {other:?}"),
        }
    }
}

#[test]
fn what_is_refused_before_any_policy_is_said_so_and_explained_all_the_same() {
    let mut world = World::with_support();
    let agent = world.support();
    let start = StartTask { scope: vec!["helpdesk/read".parse().unwrap()], ..crate::tests::world::work(agent) };
    let task = world.start(&Actor::Agent { agent, task: None }, start);
    let explanation = explained(&world, task, "helpdesk/update", json!({"id": 1}));
    assert!(!explanation.by_policies);
    assert_eq!(explanation.refusal.unwrap().code, "out_of_scope");
    assert_eq!(explanation.legs[0].agent, "support");
    assert_eq!(explanation.legs[0].facts["resource"]["verb"], "write");
}
