use serde_json::json;

use super::*;
use crate::Command;
use crate::tests::world::{BEGINNING, DAY, World, by, digest, work};

fn key(thumbprint: &str) -> AgentKey {
    AgentKey { thumbprint: thumbprint.to_owned(), jwk: json!({"kty": "OKP", "crv": "Ed25519", "x": "AA"}) }
}

fn enrol(agent: &str, code: &str, thumbprint: &str) -> Command {
    Command::EnrolKey { agent: agent.to_owned(), code: digest(code), key: key(thumbprint) }
}

fn offer(world: &mut World, agent: AgentId, code: &str) {
    world.must(&by(world.root), Command::OfferEnrolment { agent, code: digest(code), ttl_seconds: 600 });
}

#[test]
fn what_was_handed_out_before_a_suspension_does_not_come_back_with_the_agent() {
    let mut world = World::with_support();
    let (agent, ana) = (world.support(), by(world.named("ana")));
    let before = world.now.as_seconds();
    world.now = world.now.plus_seconds(5);
    world.must(&ana, Command::SuspendAgent { agent, reason: "look at it".to_owned() });
    world.must(&ana, Command::ResumeAgent { agent });
    let resumed = world.state.agent(agent).unwrap();
    assert!(resumed.has_withdrawn(before) && !resumed.has_withdrawn(world.now.as_seconds()));
}

#[test]
fn activation_names_every_missing_field() {
    let mut world = World::new();
    let agent = world.draft("support", AgentProfile::default());
    let refusal = world.refusal(&by(world.root), Command::ActivateAgent { agent });
    assert_eq!(refusal.code, "agent_incomplete");
    let fields: Vec<&str> = refusal.fields.iter().map(|problem| problem.field.as_str()).collect();
    assert_eq!(fields, ["owner", "purpose", "class", "autonomy", "data_classes", "environment", "review_at"]);
}

#[test]
fn a_review_in_the_past_is_no_review() {
    let mut world = World::new();
    let profile = AgentProfile { review_at: Some(world.now), ..world.profile(world.root) };
    let agent = world.draft("support", profile);
    let refusal = world.refusal(&by(world.root), Command::ActivateAgent { agent });
    assert_eq!(refusal.fields, [FieldProblem::new("review_at", "the review date is in the past")]);
}

#[test]
fn a_draft_can_do_nothing() {
    let mut world = World::new();
    let agent = world.draft("support", world.profile(world.root));
    assert_eq!(world.refused(&by(world.root), Command::StartTask(Box::new(work(agent)))), "agent_draft");
}

#[test]
fn suspending_ends_what_runs_and_resuming_brings_nothing_back() {
    let mut world = World::with_support();
    let (agent, ana) = (world.support(), by(world.named("ana")));
    let task = world.task(agent);
    world.call(task, "helpdesk/read", json!({"id": 7})).allowed();
    let events = world.must(&ana, Command::SuspendAgent { agent, reason: "odd mails".to_owned() });
    assert!(matches!(events.as_slice(), [Event::AgentSuspended { .. }, Event::TaskEnded { .. }]), "{events:?}");
    assert_eq!(world.call(task, "helpdesk/read", json!({"id": 7})).code(), "task_ended");
    assert_eq!(world.refused(&ana, Command::StartTask(Box::new(work(agent)))), "agent_suspended");
    world.must(&ana, Command::ResumeAgent { agent });
    assert_eq!(world.call(task, "helpdesk/read", json!({"id": 7})).code(), "task_ended");
    let task = world.task(agent);
    world.call(task, "helpdesk/read", json!({"id": 7})).allowed();
}

#[test]
fn decommissioning_leaves_no_task_grant_request_or_key() {
    let mut world = World::with_support();
    let (agent, root) = (world.support(), by(world.root));
    offer(&mut world, agent, "code");
    world.must(&Actor::Remit, enrol("support", "code", "key"));
    offer(&mut world, agent, "another");
    world.request(world.root, agent, &["helpdesk/read"], DAY);
    let task = world.task(agent);
    world.must(&root, Command::DecommissionAgent { agent, reason: "the work is done".to_owned() });
    assert_eq!(world.state.grants_of(agent).count() + world.state.live_tasks_of(agent).count(), 0);
    assert!(world.state.agent(agent).unwrap().keys.is_empty());
    assert!(world.state.grant_requests.is_empty());
    assert_eq!(world.refused(&Actor::Remit, enrol("support", "another", "new")), "enrolment_refused");
    assert_eq!(world.call(task, "helpdesk/read", json!({"id": 7})).code(), "task_ended");
    assert_eq!(world.refused(&root, Command::ResumeAgent { agent }), "agent_decommissioned");
    let again = RegisterAgent { name: "support".to_owned(), profile: AgentProfile::default() };
    assert_eq!(world.refused(&root, Command::RegisterAgent(Box::new(again))), "name_taken");
}

#[test]
fn an_overdue_review_suspends_until_there_is_a_new_date() {
    let mut world = World::with_support();
    let (agent, ana) = (world.support(), world.named("ana"));
    let events = world.advance(90 * DAY);
    assert!(events.iter().any(|event| matches!(event, Event::AgentSuspended { .. })), "{events:?}");
    assert_eq!(world.refused(&by(ana), Command::ResumeAgent { agent }), "agent_incomplete");
    let profile = AgentProfile { review_at: Some(BEGINNING.plus_seconds(180 * DAY)), ..world.profile(ana) };
    world.must(&by(ana), Command::DescribeAgent { agent, profile: Box::new(profile) });
    world.must(&by(ana), Command::ResumeAgent { agent });
    assert_eq!(world.state.next_deadline(), Some(BEGINNING.plus_seconds(180 * DAY)));
}

#[test]
fn an_enrolment_code_works_once_in_time_and_for_its_agent() {
    let mut world = World::with_support();
    let (agent, ana) = (world.support(), world.named("ana"));
    let other = world.agent("other", ana);
    offer(&mut world, agent, "code");
    for wrong in [enrol("support", "guess", "key"), enrol("other", "code", "key"), enrol("nobody", "code", "key")] {
        assert_eq!(world.refused(&Actor::Remit, wrong), "enrolment_refused");
    }
    world.must(&Actor::Remit, enrol("support", "code", "key"));
    assert_eq!(world.refused(&Actor::Remit, enrol("support", "code", "second")), "enrolment_refused");
    offer(&mut world, other, "code");
    assert_eq!(world.refused(&Actor::Remit, enrol("other", "code", "key")), "key_shared");
    world.advance(600);
    assert_eq!(world.refused(&Actor::Remit, enrol("other", "code", "own")), "enrolment_refused");
}

#[test]
fn revoking_a_key_ends_the_tasks_that_are_bound_to_it() {
    let mut world = World::with_support();
    let (agent, ana) = (world.support(), by(world.named("ana")));
    offer(&mut world, agent, "code");
    world.must(&Actor::Remit, enrol("support", "code", "key"));
    let bound = |parent| crate::StartTask { key: Some("key".to_owned()), parent, ..work(agent) };
    let parent = world.start(&ana, bound(None));
    let under = world.under(parent);
    world.start(&under, bound(Some(parent)));
    let bearer = world.task(agent);
    let events = world.must(&ana, Command::RevokeKey { agent, thumbprint: "key".to_owned() });
    assert_eq!(events.len(), 3, "the key, the task and its sub-task, each once: {events:?}");
    assert_eq!(world.state.live_tasks().map(|task| task.id).collect::<Vec<_>>(), [bearer]);
    assert_eq!(world.refused(&ana, Command::StartTask(Box::new(bound(None)))), "key_unknown");
}

#[test]
fn what_lets_an_agent_do_more_needs_an_administrator() {
    let mut world = World::with_support();
    let (agent, ana) = (world.support(), world.named("ana"));
    let now = world.profile(ana);
    let wider = [
        AgentProfile { class: Some(Class::Code), ..now.clone() },
        AgentProfile { environment: Some(Environment::Test), ..now.clone() },
        AgentProfile { autonomy: Some(4), ..now.clone() },
        AgentProfile { data_classes: vec![DataClass::D3], ..now.clone() },
    ];
    for profile in wider {
        let describe = Command::DescribeAgent { agent, profile: Box::new(profile) };
        assert_eq!(world.clone().refused(&by(ana), describe.clone()), "widens_agent");
        world.clone().must(&by(world.root), describe);
    }
    let narrower = AgentProfile { autonomy: Some(2), data_classes: vec![DataClass::D0], ..now };
    world.must(&by(ana), Command::DescribeAgent { agent, profile: Box::new(narrower) });
}

#[test]
fn only_its_owner_or_an_administrator_governs_an_agent() {
    let mut world = World::with_support();
    let (agent, bob) = (world.support(), by(world.named("bob")));
    let reason = || "not mine".to_owned();
    let commands = [
        Command::SuspendAgent { agent, reason: reason() },
        Command::DecommissionAgent { agent, reason: reason() },
        Command::OfferEnrolment { agent, code: digest("code"), ttl_seconds: 600 },
        Command::RevokeKey { agent, thumbprint: "key".to_owned() },
        Command::StartTask(Box::new(work(agent))),
    ];
    for command in commands {
        assert_eq!(world.refused(&bob, command.clone()), "not_permitted");
        let itself = Actor::Agent { agent, task: None };
        if !matches!(command, Command::StartTask(_)) {
            assert_eq!(world.refused(&itself, command), "person_needed");
        }
    }
}

#[test]
fn a_record_is_bounded() {
    let mut world = World::new();
    let root = world.root;
    let too_much = [
        (AgentProfile { data_classes: vec![DataClass::D0; 5], ..world.profile(root) }, "bad_data_classes"),
        (AgentProfile { approvers: vec![root; 65], ..world.profile(root) }, "too_many_approvers"),
        (AgentProfile { autonomy: Some(5), ..world.profile(root) }, "bad_autonomy"),
        (AgentProfile { purpose: "x".repeat(2_001), ..world.profile(root) }, "text_too_long"),
    ];
    for (profile, code) in too_much {
        let register = RegisterAgent { name: "support".to_owned(), profile };
        assert_eq!(world.refused(&by(root), Command::RegisterAgent(Box::new(register))), code);
    }
}
