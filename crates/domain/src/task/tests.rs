use serde_json::json;

use super::*;
use crate::tests::world::{HOUR, World, by, pattern, work};
use crate::{AgentKey, Command, Digest};

fn command(start: StartTask) -> Command {
    Command::StartTask(Box::new(start))
}

#[test]
fn a_sub_task_is_never_wider_longer_or_for_somebody_else() {
    let mut world = World::with_support();
    let (agent, ana, bob) = (world.support(), by(world.named("ana")), world.named("bob"));
    let scope = vec![pattern("helpdesk/read"), pattern("helpdesk/update")];
    let budget = Some(Budget { calls_max: 10 });
    let start = StartTask { acting_for: Some(bob), scope, budget, ttl_seconds: Some(HOUR), ..work(agent) };
    let parent = world.start(&ana, start);
    let sub = StartTask { parent: Some(parent), ..work(agent) };
    let wider = [
        StartTask { acting_for: Some(world.named("cleo")), ..sub.clone() },
        StartTask { scope: vec![pattern("helpdesk/*")], ..sub.clone() },
        StartTask { scope: vec![pattern("helpdesk/read"), pattern("helpdesk/mail")], ..sub.clone() },
        StartTask { ttl_seconds: Some(HOUR + 1), ..sub.clone() },
        StartTask { budget: Some(Budget { calls_max: 11 }), ..sub.clone() },
    ];
    let under = world.under(parent);
    for start in wider {
        assert_eq!(world.refused(&under, command(start)), "wider_than_parent");
    }
    let child = world.start(&under, sub);
    let (child, parent) = (world.state.task(child).unwrap(), world.state.task(parent).unwrap());
    assert_eq!((child.acting_for, child.started_by, child.run), (parent.acting_for, parent.started_by, parent.run));
    assert_eq!((&child.scope, child.budget, child.expires_at), (&parent.scope, parent.budget, parent.expires_at));
}

#[test]
fn under_a_task_an_agent_starts_only_what_lies_under_it() {
    let mut world = World::with_support();
    let (agent, ana, bob) = (world.support(), world.named("ana"), world.named("bob"));
    let narrow = StartTask { scope: vec![pattern("helpdesk/read")], ..work(agent) };
    let task = world.start(&by(ana), narrow);
    let under = world.under(task);
    assert_eq!(world.refused(&under, command(work(agent))), "not_permitted", "a task beside it would be wider");
    let itself = Actor::Agent { agent, task: None };
    assert_eq!(world.refused(&itself, command(StartTask { acting_for: Some(bob), ..work(agent) })), "not_permitted");
    assert_eq!(world.refused(&itself, command(StartTask { parent: Some(task), ..work(agent) })), "not_permitted");
    let other = world.agent("other", ana);
    assert_eq!(world.refused(&Actor::Agent { agent: other, task: None }, command(work(agent))), "not_permitted");
    assert_eq!(world.refused(&by(ana), command(StartTask { parent: Some(task), ..work(other) })), "other_agent");
}

#[test]
fn tasks_nest_only_so_deep() {
    let mut world = World::with_support();
    let agent = world.support();
    let mut task = world.task(agent);
    for _ in 1..limits::TASK_DEPTH_MAX {
        let under = world.under(task);
        task = world.start(&under, StartTask { parent: Some(task), ..work(agent) });
    }
    let under = world.under(task);
    assert_eq!(world.refused(&under, command(StartTask { parent: Some(task), ..work(agent) })), "too_deep");
}

#[test]
fn with_a_task_ends_everything_under_it() {
    let mut world = World::with_support();
    let agent = world.support();
    let parent = world.task(agent);
    let under = world.under(parent);
    let child = world.start(&under, StartTask { parent: Some(parent), ..work(agent) });
    let events = world.must(&under, Command::EndTask { task: parent, note: "done".to_owned() });
    let ended: Vec<_> = events
        .iter()
        .map(|event| match event {
            Event::TaskEnded { task, reason, .. } => (*task, reason.clone()),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(ended, [(parent, EndReason::Ended { note: "done".to_owned() }), (child, EndReason::ParentEnded)]);
    assert_eq!(world.call(child, "helpdesk/read", json!({"id": 7})).code(), "task_ended");
    let under = world.under(child);
    assert_eq!(world.refused(&under, command(StartTask { parent: Some(child), ..work(agent) })), "task_ended");
    assert!(world.must(&under, Command::EndTask { task: child, note: String::new() }).is_empty());
}

#[test]
fn a_task_is_over_when_its_time_is_not_when_the_timer_says_so() {
    let mut world = World::with_support();
    let agent = world.support();
    let task = world.task(agent);
    world.now = world.state.task(task).unwrap().expires_at;
    assert_eq!(world.call(task, "helpdesk/read", json!({"id": 7})).code(), "task_ended");
    let events = world.advance(0);
    assert!(matches!(events.as_slice(), [Event::TaskEnded { reason: EndReason::Expired, .. }]), "{events:?}");
}

#[test]
fn whoever_is_concerned_ends_a_task_and_nobody_else() {
    let mut world = World::with_support();
    let (agent, ana, bob) = (world.support(), world.named("ana"), world.named("bob"));
    let other = world.agent("other", ana);
    let acting = StartTask { acting_for: Some(bob), ..work(agent) };
    for actor in [by(ana), by(bob), by(world.root), Actor::Agent { agent, task: None }, Actor::Remit] {
        let task = world.start(&by(ana), acting.clone());
        let end = Command::EndTask { task, note: String::new() };
        assert_eq!(world.refused(&by(world.named("cleo")), end.clone()), "not_permitted");
        assert_eq!(world.refused(&Actor::Agent { agent: other, task: None }, end.clone()), "not_permitted");
        assert_eq!(world.must(&actor, end).len(), 1);
    }
}

#[test]
fn a_token_never_outlives_its_task_and_goes_only_to_who_started_it() {
    let mut world = World::with_support();
    let (agent, ana) = (world.support(), world.named("ana"));
    let task = world.start(&by(ana), work(agent));
    let expires_at = world.state.task(task).unwrap().expires_at;
    let issue = |expires_at| Command::IssueToken { task, token: "jti".to_owned(), expires_at };
    world.must(&by(ana), issue(expires_at));
    world.must(&world.under(task), issue(expires_at));
    assert_eq!(world.refused(&by(ana), issue(expires_at.plus_seconds(1))), "token_too_long");
    for stranger in [by(world.root), by(world.named("bob")), Actor::Remit] {
        assert_eq!(world.refused(&stranger, issue(expires_at)), "not_permitted");
    }
    world.must(&by(ana), Command::EndTask { task, note: String::new() });
    assert_eq!(world.refused(&by(ana), issue(expires_at)), "task_ended");
}

#[test]
fn a_task_is_bound_to_a_key_of_its_agent_and_so_is_what_lies_under_it() {
    let mut world = World::with_support();
    let (agent, ana) = (world.support(), by(world.named("ana")));
    let bound = StartTask { key: Some("key".to_owned()), ..work(agent) };
    assert_eq!(world.refused(&ana, command(bound.clone())), "key_unknown");
    let code = Digest::of_bytes(b"code");
    world.must(&ana, Command::OfferEnrolment { agent, code, ttl_seconds: 60 });
    let key = AgentKey { thumbprint: "key".to_owned(), jwk: json!({}) };
    world.must(&Actor::Remit, Command::EnrolKey { agent: "support".to_owned(), code, key });
    let task = world.start(&ana, bound);
    assert_eq!(world.call(task, "helpdesk/read", json!({"id": 7})).allowed().facts.attribution, Attribution::Proven);
    let under = world.under(task);
    let sub = StartTask { parent: Some(task), ..work(agent) };
    assert_eq!(world.refused(&under, command(sub)), "wider_than_parent", "a bearer token would be weaker");
}

#[test]
fn the_calls_of_sub_tasks_count_for_the_whole_tree() {
    let mut world = World::with_support();
    let (agent, ana) = (world.support(), by(world.named("ana")));
    let parent = world.start(&ana, StartTask { budget: Some(Budget { calls_max: 2 }), ..work(agent) });
    let under = world.under(parent);
    let child = world.start(&under, StartTask { parent: Some(parent), ..work(agent) });
    world.call(parent, "helpdesk/read", json!({"id": 1})).allowed();
    world.call(child, "helpdesk/read", json!({"id": 2})).allowed();
    for task in [parent, child] {
        assert_eq!(world.call(task, "helpdesk/read", json!({"id": 3})).code(), "budget_spent");
    }
    assert_eq!(
        world.refused(
            &under,
            command(StartTask { parent: Some(parent), budget: Some(Budget { calls_max: 1 }), ..work(agent) })
        ),
        "wider_than_parent"
    );
}

#[test]
fn a_task_is_bounded() {
    let mut world = World::with_support();
    let (agent, ana) = (world.support(), by(world.named("ana")));
    let wrong = [
        (StartTask { ttl_seconds: Some(0), ..work(agent) }, "task_too_long"),
        (StartTask { ttl_seconds: Some(limits::TASK_SECONDS_MAX + 1), ..work(agent) }, "task_too_long"),
        (StartTask { scope: vec![pattern("helpdesk/read"); 65], ..work(agent) }, "scope_too_wide"),
        (StartTask { purpose: " ".to_owned(), ..work(agent) }, "missing_text"),
    ];
    for (start, code) in wrong {
        assert_eq!(world.refused(&ana, command(start)), code);
    }
}
