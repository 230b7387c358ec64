use serde_json::{Value, json};

use super::*;
use crate::tests::world::{World, attempt, by, digest, operation, pattern, tool, work, yes};
use crate::{AttemptAction, Command, ContentRef, StartTask, Verb};

const LEADS: &str = "@id(\"leads\") @approvers(\"leads\") @within(\"1h\") \
                     forbid (principal, action == Action::\"helpdesk/update\", resource) \
                     unless { context has approval && context.approval.roles.contains(\"leads\") };";

const TWO_LEADS: &str = "@id(\"leads\") @approvers(\"leads\") @quorum(\"2\") \
                         forbid (principal, action == Action::\"helpdesk/update\", resource) unless \
                         { context has approval && context.approval.roles.contains(\"leads\") && context.approval.count >= 2 };";

fn refund() -> Value {
    json!({"id": 7, "amount": 40})
}

/// A world in which the agent has asked its owner, ana, for a refund.
fn asked() -> (World, TaskId, ApprovalRequested) {
    let mut world = World::with_support();
    let agent = world.support();
    let task = world.task(agent);
    let asked = world.call(task, "helpdesk/refund", refund()).asked();
    (world, task, asked)
}

/// A refund that ana has approved.
fn approved() -> (World, TaskId, ApprovalRequested) {
    let (mut world, task, asked) = asked();
    world.approve(world.named("ana"), &asked);
    (world, task, asked)
}

#[test]
fn an_approval_runs_one_action_once() {
    let (mut world, task, first) = asked();
    assert_eq!(first.ask.approvers, [["owner".to_owned()]]);
    assert_eq!(world.call(task, "helpdesk/refund", refund()).code(), "approval_pending");
    world.approve(world.named("ana"), &first);
    let allowed = world.call(task, "helpdesk/refund", refund()).allowed();
    assert_eq!((allowed.approval, allowed.digest), (Some(first.approval), first.digest));
    assert_eq!(*world.status(first.approval), ApprovalStatus::Used { action: allowed.action });
    let second = world.call(task, "helpdesk/refund", refund()).asked();
    assert_ne!(second.approval, first.approval);
}

#[test]
fn an_approval_is_for_what_lies_beside_the_arguments_too() {
    let (mut world, task, plain) = asked();
    let reference = |text: &str| Some(ContentRef { commitment: digest(text), bytes: text.len() as u64 });
    let call = |world: &mut World, beside: Option<ContentRef>, approval| {
        let attempt = AttemptAction { beside, ..attempt(task, operation("helpdesk/refund"), refund(), approval) };
        let actor = world.under(task);
        world.must(&actor, Command::AttemptAction(Box::new(attempt)))
    };
    let events = call(&mut world, reference("more"), None);
    let [Event::ApprovalRequested(with)] = events.as_slice() else { panic!("{events:?}") };
    assert_ne!(with.digest, plain.digest);
    assert_eq!(with.facts.contents().count(), 2);
    world.approve(world.named("ana"), with);
    for beside in [None, reference("other")] {
        let events = call(&mut world, beside, Some(with.approval));
        let [Event::ActionDenied(denied)] = events.as_slice() else { panic!("{events:?}") };
        assert_eq!(denied.refusal.code, "approval_other_arguments");
    }
    let events = call(&mut world, reference("more"), Some(with.approval));
    assert!(matches!(events.as_slice(), [Event::ActionAllowed(_)]), "{events:?}");
}

#[test]
fn an_approval_is_for_nothing_else() {
    let (mut world, task, asked) = approved();
    let (agent, ana, id) = (world.support(), world.named("ana"), Some(asked.approval));
    let code = |world: &mut World, task, name: &str, arguments| world.call_with(task, name, arguments, id).code();
    assert_eq!(code(&mut world, task, "helpdesk/refund", json!({"id": 7, "amount": 41})), "approval_other_arguments");
    assert_eq!(code(&mut world, task, "helpdesk/read", refund()), "approval_other_operation");
    let second = world.task(agent);
    assert_eq!(code(&mut world, second, "helpdesk/refund", refund()), "approval_other_task");
    let under = world.under(task);
    let child = world.start(&under, StartTask { parent: Some(task), ..work(agent) });
    assert_eq!(code(&mut world, child, "helpdesk/refund", refund()), "approval_other_task");
    let other = world.agent("other", ana);
    world.grant(other, &["helpdesk/*"]);
    let foreign = world.task(other);
    assert_eq!(code(&mut world, foreign, "helpdesk/refund", refund()), "approval_other_agent");
    let changed = tool(
        "refund",
        Verb::Write,
        3,
        &json!({"id": {"type": "integer"}, "amount": {"type": "integer"}, "to": {"type": "string"}}),
    );
    let connector = world.helpdesk();
    world.must(&by(world.root), Command::ApproveOperations { connector, choices: vec![changed] });
    assert_eq!(code(&mut world, task, "helpdesk/refund", refund()), "approval_other_definition");
    assert!(matches!(world.status(asked.approval), ApprovalStatus::Granted { .. }), "none of this used it up");
}

#[test]
fn presenting_it_uses_it_up() {
    let (mut world, task, asked) = approved();
    let present = |world: &mut World| world.call_with(task, "helpdesk/refund", refund(), Some(asked.approval));
    present(&mut world).allowed();
    assert_eq!(present(&mut world).code(), "approval_used");
    let unknown = Some(crate::Moment::new(world.now, 1).fresh_id());
    assert_eq!(world.call_with(task, "helpdesk/refund", refund(), unknown).code(), "approval_unknown");
}

#[test]
fn presenting_one_that_waits_or_is_late_or_denied_says_so() {
    let (world, task, asked) = asked();
    let code = |world: &mut World| world.call_with(task, "helpdesk/refund", refund(), Some(asked.approval)).code();
    assert_eq!(code(&mut world.clone()), "approval_pending");
    let mut denied = world.clone();
    denied.must(&by(denied.named("ana")), Command::Deny(Deny { approval: asked.approval, note: String::new() }));
    assert_eq!(code(&mut denied), "approval_denied");
    let mut late = world.clone();
    late.now = asked.expires_at;
    assert_eq!(code(&mut late), "approval_expired", "before the timer");
    late.advance(0);
    assert_eq!(code(&mut late), "approval_expired", "after it");
    let mut unused = world;
    unused.approve(unused.named("ana"), &asked);
    unused.now = unused.now.plus_seconds(limits::APPROVAL_USE_SECONDS);
    assert_eq!(code(&mut unused), "approval_expired");
    unused.call(task, "helpdesk/refund", refund()).asked();
}

#[test]
fn an_approval_allows_nothing_that_is_no_longer_allowed() {
    let (mut world, task, asked) = approved();
    let grant = asked.grant.unwrap();
    world.must(&by(world.root), Command::RevokeGrant { grant, reason: "no longer needed".to_owned() });
    assert_eq!(world.call_with(task, "helpdesk/refund", refund(), Some(asked.approval)).code(), "denied_by_policy");
    assert!(matches!(world.status(asked.approval), ApprovalStatus::Granted { .. }));
}

#[test]
fn only_who_is_asked_and_has_seen_it_says_yes() {
    let (mut world, _, asked) = asked();
    let (ana, bob, agent) = (world.named("ana"), world.named("bob"), world.support());
    assert_eq!(world.refused(&by(bob), yes(&asked)), "not_an_approver");
    assert_eq!(world.refused(&Actor::Agent { agent, task: None }, yes(&asked)), "person_needed");
    assert_eq!(world.refused(&Actor::Remit, yes(&asked)), "person_needed");
    let unseen = Approve::unsigned(asked.approval, digest("something else"), String::new());
    assert_eq!(world.refused(&by(ana), Command::Approve(unseen)), "approval_digest");
    world.approve(ana, &asked);
    assert_eq!(world.refused(&by(ana), yes(&asked)), "approval_closed");
}

#[test]
fn a_yes_comes_in_time() {
    let (mut world, _, asked) = asked();
    world.now = asked.expires_at;
    assert_eq!(world.refused(&by(world.named("ana")), yes(&asked)), "approval_expired");
    world.advance(0);
    assert_eq!(world.refused(&by(world.named("ana")), yes(&asked)), "approval_closed");
}

#[test]
fn neither_the_starter_nor_the_person_acted_for_approves() {
    let mut world = World::with_support();
    world.policy("leads", LEADS);
    let (agent, ana, bob, cleo) = (world.support(), world.named("ana"), world.named("bob"), world.named("cleo"));
    world.must(&by(world.root), Command::SetPersonGroups { person: ana, groups: vec!["leads".to_owned()] });
    let task = world.start(&by(ana), StartTask { acting_for: Some(bob), ..work(agent) });
    let asked = world.call(task, "helpdesk/update", json!({"id": 7})).asked();
    assert_eq!(world.refused(&by(ana), yes(&asked)), "self_approval");
    assert_eq!(world.refused(&by(bob), yes(&asked)), "approver_is_acted_for");
    world.approve(cleo, &asked);
    world.call(task, "helpdesk/update", json!({"id": 7})).allowed();
    // An agent that goes on in a sub-task does not become independent of who started it.
    let under = world.under(task);
    let child =
        world.start(&under, StartTask { parent: Some(task), scope: vec![pattern("helpdesk/update")], ..work(agent) });
    let asked = world.call(child, "helpdesk/update", json!({"id": 7})).asked();
    assert_eq!(world.refused(&by(ana), yes(&asked)), "self_approval");
    assert_eq!(world.refused(&by(bob), yes(&asked)), "approver_is_acted_for");
}

#[test]
fn a_question_that_nobody_could_answer_is_not_asked() {
    let mut world = World::with_support();
    let (agent, ana) = (world.support(), world.named("ana"));
    let started_by_its_owner = world.start(&by(ana), work(agent));
    let denied = world.call(started_by_its_owner, "helpdesk/refund", refund()).denied();
    assert_eq!(denied.refusal.code, "no_approver");
    assert!(denied.refusal.help.is_some());
    world.policy("leads", TWO_LEADS);
    let for_bob = StartTask { acting_for: Some(world.named("bob")), ..work(agent) };
    let task = world.start(&by(ana), for_bob);
    assert_eq!(world.call(task, "helpdesk/update", json!({"id": 7})).code(), "no_approver", "only cleo is left of two");
}

#[test]
fn a_quorum_is_of_different_people() {
    let mut world = World::with_support();
    world.policy("leads", TWO_LEADS);
    let (agent, bob, cleo) = (world.support(), world.named("bob"), world.named("cleo"));
    let task = world.task(agent);
    let asked = world.call(task, "helpdesk/update", json!({"id": 7})).asked();
    assert_eq!(asked.ask.quorum, 2);
    assert_eq!(world.approve(bob, &asked).len(), 1, "a vote and no grant");
    assert_eq!(world.call(task, "helpdesk/update", json!({"id": 7})).code(), "approval_pending");
    assert_eq!(world.refused(&by(bob), yes(&asked)), "already_answered");
    assert_eq!(world.approve(cleo, &asked).len(), 2);
    world.call(task, "helpdesk/update", json!({"id": 7})).allowed();
}

#[test]
fn rules_that_ask_different_people_all_have_to_be_satisfied() {
    let mut world = World::with_support();
    world.policy("leads", &LEADS.replace("helpdesk/update", "helpdesk/refund"));
    let (agent, ana, bob) = (world.support(), world.named("ana"), world.named("bob"));
    let task = world.task(agent);
    let asked = world.call(task, "helpdesk/refund", refund()).asked();
    assert_eq!(asked.ask.policies, ["high-risk-asks", "leads"]);
    world.approve(bob, &asked);
    assert_eq!(world.call(task, "helpdesk/refund", refund()).code(), "approval_pending");
    world.approve(ana, &asked);
    world.call(task, "helpdesk/refund", refund()).allowed();
}

#[test]
fn a_no_reaches_the_agent_and_stays() {
    let (mut world, task, asked) = asked();
    let deny = Command::Deny(Deny { approval: asked.approval, note: "the order was never paid".to_owned() });
    assert_eq!(world.refused(&by(world.named("bob")), deny.clone()), "not_permitted");
    world.must(&by(world.named("ana")), deny);
    let denied = world.call(task, "helpdesk/refund", refund()).denied();
    assert_eq!((denied.refusal.code.as_str(), denied.approval), ("approval_denied", Some(asked.approval)));
    assert!(denied.refusal.sentence.contains("the order was never paid"));
    assert_eq!(world.refused(&by(world.named("ana")), yes(&asked)), "approval_closed");
}

#[test]
fn the_person_acted_for_may_say_no() {
    let mut world = World::with_support();
    let (agent, bob) = (world.support(), world.named("bob"));
    let task = world.start(&by(world.root), StartTask { acting_for: Some(bob), ..work(agent) });
    let asked = world.call(task, "helpdesk/refund", refund()).asked();
    world.must(&by(bob), Command::Deny(Deny { approval: asked.approval, note: String::new() }));
    assert_eq!(world.call(task, "helpdesk/refund", refund()).code(), "approval_denied");
}

#[test]
fn with_a_task_ends_what_waits_and_what_was_not_used() {
    let (mut world, task, pending) = asked();
    let granted = world.call(task, "helpdesk/refund", json!({"id": 8, "amount": 1})).asked();
    world.approve(world.named("ana"), &granted);
    world.must(&world.under(task), Command::EndTask { task, note: String::new() });
    for approval in [pending.approval, granted.approval] {
        assert!(matches!(world.status(approval), ApprovalStatus::Void { .. }));
    }
    assert_eq!(world.refused(&by(world.named("ana")), yes(&pending)), "approval_closed");
    assert_eq!(world.call_with(task, "helpdesk/refund", refund(), Some(granted.approval)).code(), "task_ended");
}

#[test]
fn an_agent_cannot_bury_its_approvers() {
    let (mut world, task, _) = asked();
    for id in 1..limits::TASK_APPROVALS_PENDING_MAX {
        world.call(task, "helpdesk/refund", json!({"id": 100 + id})).asked();
    }
    assert_eq!(world.call(task, "helpdesk/refund", json!({"id": 99})).code(), "too_many_approvals");
}

#[test]
fn a_rule_sees_when_people_approved() {
    let mut world = World::with_support();
    let fresh = LEADS
        .replace(".contains(\"leads\")", ".contains(\"leads\") && context.now - context.approval.approved_at < 300000");
    world.policy("leads", &fresh);
    let (agent, bob) = (world.support(), world.named("bob"));
    let task = world.task(agent);
    let first = world.call(task, "helpdesk/update", json!({"id": 7})).asked();
    world.approve(bob, &first);
    world.now = world.now.plus_seconds(300);
    let second = world.call(task, "helpdesk/update", json!({"id": 7})).asked();
    world.approve(bob, &second);
    world.now = world.now.plus_seconds(299);
    assert_eq!(world.call(task, "helpdesk/update", json!({"id": 7})).allowed().approval, Some(second.approval));
}

#[test]
fn a_withdrawn_operation_is_not_saved_by_an_approval() {
    let (mut world, task, asked) = approved();
    let withdraw =
        Command::WithdrawOperation { operation: operation("helpdesk/refund"), reason: "it changed".to_owned() };
    world.must(&Actor::Remit, withdraw);
    assert_eq!(world.call_with(task, "helpdesk/refund", refund(), Some(asked.approval)).code(), "operation_withdrawn");
}

#[test]
fn the_calls_of_a_whole_tree_are_asked_about_together() {
    let (mut world, task, _) = asked();
    let (agent, under) = (world.support(), world.under(task));
    let child = |world: &mut World| world.start(&under, StartTask { parent: Some(task), ..work(agent) });
    let children = [child(&mut world), child(&mut world)];
    for (id, child) in (1..limits::TASK_APPROVALS_PENDING_MAX).zip(children.into_iter().cycle()) {
        world.call(child, "helpdesk/refund", json!({"id": 100 + id})).asked();
    }
    for one in [task, children[0], child(&mut world)] {
        assert_eq!(world.call(one, "helpdesk/refund", json!({"id": 99})).code(), "too_many_approvals");
    }
    let apart = world.task(agent);
    world.call(apart, "helpdesk/refund", json!({"id": 99})).asked();
    world.must(&under, Command::EndTask { task: children[0], note: String::new() });
    world.call(task, "helpdesk/refund", json!({"id": 99})).asked();
}

#[test]
fn the_yes_of_somebody_who_left_does_not_count() {
    let mut world = World::with_support();
    world.policy("leads", LEADS);
    let (agent, bob, cleo) = (world.support(), world.named("bob"), world.named("cleo"));
    let task = world.task(agent);
    let update = json!({"id": 7});
    let first = world.call(task, "helpdesk/update", update.clone()).asked();
    world.approve(bob, &first);
    world.must(&by(world.root), Command::RemovePerson { person: bob });
    let denied = world.call_with(task, "helpdesk/update", update.clone(), Some(first.approval)).denied();
    assert_eq!(denied.refusal.code, "approval_void");
    assert!(denied.refusal.sentence.contains("has left the realm"), "{}", denied.refusal);
    let second = world.call(task, "helpdesk/update", update.clone()).asked();
    world.approve(cleo, &second);
    assert_eq!(world.call(task, "helpdesk/update", update).allowed().approval, Some(second.approval));
}

#[test]
fn nobody_completes_the_yes_of_somebody_who_left() {
    let mut world = World::with_support();
    world.policy("leads", TWO_LEADS);
    let (agent, bob, cleo) = (world.support(), world.named("bob"), world.named("cleo"));
    let dora = world.person("dora", &["leads"]);
    let task = world.task(agent);
    let first = world.call(task, "helpdesk/update", json!({"id": 7})).asked();
    world.approve(bob, &first);
    world.must(&by(world.root), Command::RemovePerson { person: bob });
    assert_eq!(world.refused(&by(cleo), yes(&first)), "approval_void");
    let second = world.call(task, "helpdesk/update", json!({"id": 7})).asked();
    world.approve(cleo, &second);
    world.approve(dora, &second);
    world.call(task, "helpdesk/update", json!({"id": 7})).allowed();
}
