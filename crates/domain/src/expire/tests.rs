use serde_json::json;

use super::*;
use crate::tests::world::{DAY, World, by, work};
use crate::{Actor, ApprovalStatus, Command, StartTask};

fn expire(world: &mut World) -> Vec<Event> {
    world.must(&Actor::Remit, Command::Expire)
}

#[test]
fn only_remit_says_that_time_is_over() {
    let mut world = World::with_support();
    let agent = world.support();
    for actor in [by(world.root), Actor::Agent { agent, task: None }] {
        assert_eq!(world.refused(&actor, Command::Expire), "not_permitted");
    }
    assert!(expire(&mut world).is_empty(), "nothing is due");
}

#[test]
fn what_is_due_ends_a_batch_at_a_time() {
    let mut world = World::with_support();
    let agent = world.support();
    for _ in 0..limits::EXPIRE_BATCH_MAX + 10 {
        world.task(agent);
    }
    world.now = world.now.plus_seconds(limits::TASK_SECONDS_DEFAULT);
    assert_eq!(expire(&mut world).len(), limits::EXPIRE_BATCH_MAX);
    assert_eq!(expire(&mut world).len(), 10);
    assert!(expire(&mut world).is_empty());
}

#[test]
fn what_ends_with_something_else_ends_once() {
    let mut world = World::with_support();
    let agent = world.support();
    let itself = Actor::Agent { agent, task: None };
    // The question, the sub-task and the task are due at the same moment.
    let parent = world.start(&itself, StartTask { ttl_seconds: Some(600), ..work(agent) });
    let under = world.under(parent);
    let child = world.start(&under, StartTask { parent: Some(parent), ..work(agent) });
    let asked = world.call(child, "helpdesk/refund", json!({"id": 7})).asked();
    assert_eq!(asked.expires_at, world.now.plus_seconds(600));
    let events = world.advance(600);
    assert_eq!(events.len(), 2, "{events:?}");
    assert!(events.iter().all(|event| matches!(event, Event::TaskEnded { .. })));
    assert!(matches!(world.status(asked.approval), ApprovalStatus::Void { .. }));
    assert_eq!(world.state.next_deadline(), world.state.grants.values().map(|grant| grant.expires_at).min());
}

#[test]
fn what_has_ended_leaves_memory_a_day_later() {
    let mut world = World::with_support();
    let agent = world.support();
    let task = world.task(agent);
    let asked = world.call(task, "helpdesk/refund", json!({"id": 7})).asked();
    world.must(&world.under(task), Command::EndTask { task, note: String::new() });
    world.advance(limits::ENDED_SECONDS_KEPT - 1);
    world.task(agent);
    assert!(world.state.task(task).is_ok() && world.state.approval(asked.approval).is_ok());
    world.advance(1);
    world.task(agent);
    assert_eq!(world.state.task(task).unwrap_err().code, "not_found");
    assert_eq!(world.state.approval(asked.approval).unwrap_err().code, "not_found");
    // A request for a grant is kept longest.
    world.advance(8 * DAY);
    world.advance(DAY);
    world.person("dora", &[]);
    assert!(world.state.tasks.is_empty() && world.state.approvals.is_empty() && world.state.ended.is_empty());
}
