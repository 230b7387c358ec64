use serde_json::json;

use super::*;
use crate::tests::world::{
    BEGINNING, DAY, HOUR, World, by, digest, helpdesk, operation, pattern, policy, propose, work,
};
use crate::{AddConnector, Command, ConnectorSpec, Reachable, RegisterAgent, StartTask, reach};

/// A world with the helpdesk, and a connector `sample` with the same tools that is marked as sandbox.
fn world() -> World {
    let mut world = World::with_support();
    let spec = ConnectorSpec::Http { url: "https://sample.example.org/mcp".to_owned() };
    let add = AddConnector { name: "sample".to_owned(), owner: None, spec, sandbox: true };
    world.must(&by(world.root), Command::AddConnector(Box::new(add)));
    let connector = world.state.connector_named("sample").unwrap().id;
    world.must(&by(world.root), Command::ApproveOperations { connector, choices: helpdesk() });
    world
}

fn open(world: &World) -> Command {
    Command::OpenSandbox { owner: world.root }
}

fn opened() -> (World, crate::TaskId) {
    let mut world = world();
    let command = open(&world);
    world.must(&Actor::Remit, command);
    let task = world.state.sandbox_task().expect("a task").id;
    (world, task)
}

fn sandbox(world: &World) -> AgentId {
    world.state.agent_named(SANDBOX).unwrap().id
}

#[test]
fn opening_it_makes_an_agent_and_a_task_once() {
    let (mut world, task) = opened();
    let agent = world.state.agent_named(SANDBOX).unwrap().clone();
    assert_eq!((agent.status, agent.profile.owner), (AgentStatus::Active, Some(world.root)));
    assert_eq!(agent.profile.environment, Some(Environment::Sandbox));
    let command = open(&world);
    assert!(world.must(&Actor::Remit, command).is_empty(), "what is as it should be stays as it is");
    assert_eq!(world.state.sandbox_task().unwrap().id, task);
    assert!(world.state.has_sandbox_policy());
}

#[test]
fn only_remit_opens_it_for_an_administrator() {
    let mut world = world();
    let command = open(&world);
    assert_eq!(world.refused(&by(world.root), command), "not_permitted");
    let ana = world.named("ana");
    assert_eq!(world.refused(&Actor::Remit, Command::OpenSandbox { owner: ana }), "not_permitted");
    assert!(world.state.sandbox_task().is_none());
}

#[test]
fn its_task_is_renewed_when_it_is_over() {
    let (mut world, first) = opened();
    world.now = world.now.plus_seconds(DAY);
    assert_eq!(world.call(first, "sample/read", json!({})).code(), "task_ended");
    let command = open(&world);
    world.must(&Actor::Remit, command);
    let second = world.state.sandbox_task().unwrap().id;
    assert_ne!(second, first);
    assert_eq!(world.state.live_tasks_of(sandbox(&world)).count(), 1);
    world.call(second, "sample/read", json!({})).allowed();
}

#[test]
fn within_it_nobody_needs_a_grant_and_other_policies_still_hold() {
    let (mut world, task) = opened();
    let allowed = world.call(task, "sample/mail", json!({"id": 7})).allowed();
    assert_eq!(allowed.determining, ["sandbox-permits-sandbox"]);
    let permit = |agent| world.state.sandbox_permit(world.state.agent(agent).unwrap());
    assert_eq!(permit(sandbox(&world)), Some("sandbox-permits-sandbox"));
    assert_eq!(permit(world.support()), None);
    let asked = world.call(task, "sample/refund", json!({"id": 7, "amount": 1})).asked();
    world.approve(world.root, &asked);
    world.call(task, "sample/refund", json!({"id": 7, "amount": 1})).allowed();
    assert_eq!(world.call(task, "sample/read", json!({"force": true})).code(), "bad_arguments");
}

#[test]
fn the_sandbox_and_the_rest_never_mix() {
    let (mut world, task) = opened();
    let support = world.support();
    let own = world.task(support);
    world.grant(support, &["sample/*"]);
    let grant = world.request(world.named("ana"), sandbox(&world), &["helpdesk/*"], DAY);
    world.must(&by(world.root), Command::ApproveGrant { grant });
    assert_eq!(world.call(own, "sample/read", json!({})).code(), "sandbox_only");
    assert_eq!(world.call(task, "helpdesk/read", json!({})).code(), "sandbox_only");
    let reach = |task, name: &str| {
        let (state, now) = (&world.state, world.now);
        reach(state, state.task(task).unwrap(), state.operation(&operation(name)).unwrap(), now)
    };
    assert_eq!(reach(own, "sample/read"), Reachable::Never);
    assert_eq!(reach(own, "helpdesk/read"), Reachable::Always);
    assert_eq!(reach(task, "helpdesk/read"), Reachable::Never);
    assert_eq!(reach(task, "sample/read"), Reachable::Always);
}

#[test]
fn another_agent_of_the_environment_uses_both() {
    let mut world = world();
    let ana = world.named("ana");
    let profile = AgentProfile { environment: Some(Environment::Sandbox), ..world.profile(ana) };
    let agent = world.draft("tester", profile);
    world.must(&by(ana), Command::ActivateAgent { agent });
    let task = world.task(agent);
    world.call(task, "sample/read", json!({})).allowed();
    assert_eq!(world.call(task, "helpdesk/read", json!({})).code(), "denied_by_policy");
    world.grant(agent, &["helpdesk/read"]);
    world.call(task, "helpdesk/read", json!({})).allowed();
}

#[test]
fn the_built_in_agent_is_nobodys_own() {
    let (mut world, task) = opened();
    let (root, agent) = (by(world.root), sandbox(&world));
    let start = |acting_for| StartTask { acting_for, scope: vec![pattern("sample/*")], ..work(agent) };
    for start in [start(None), start(Some(world.root))] {
        assert_eq!(world.refused(&root, Command::StartTask(Box::new(start))), "built_in_agent");
    }
    let under = world.under(task);
    let child = StartTask { parent: Some(task), ..work(agent) };
    assert_eq!(world.refused(&under, Command::StartTask(Box::new(child))), "built_in_agent");
    let token = Command::IssueToken { task, token: "t".to_owned(), expires_at: BEGINNING.plus_seconds(HOUR) };
    assert_eq!(world.refused(&under, token), "built_in_agent");
    let offer = Command::OfferEnrolment { agent, code: digest("code"), ttl_seconds: HOUR };
    assert_eq!(world.refused(&root, offer), "built_in_agent");
}

#[test]
fn no_person_registers_an_agent_of_its_name() {
    let mut world = world();
    let register = RegisterAgent { name: SANDBOX.to_owned(), profile: AgentProfile::default() };
    assert_eq!(world.refused(&by(world.root), Command::RegisterAgent(Box::new(register))), "reserved_name");
}

#[test]
fn what_a_person_stopped_stays_stopped_and_what_time_stopped_goes_on() {
    let (mut world, _) = opened();
    let (root, agent) = (by(world.root), sandbox(&world));
    world.must(&root, Command::SuspendAgent { agent, reason: "enough".to_owned() });
    let command = open(&world);
    assert_eq!(world.refused(&Actor::Remit, command.clone()), "agent_suspended");
    world.must(&root, Command::ResumeAgent { agent });
    world.must(&Actor::Remit, command.clone());
    world.advance(limits::SANDBOX_REVIEW_SECONDS + DAY);
    assert_eq!(world.state.agent(agent).unwrap().status, AgentStatus::Suspended);
    world.must(&Actor::Remit, command.clone());
    let task = world.state.sandbox_task().unwrap().id;
    world.call(task, "sample/read", json!({})).allowed();
    world.must(&root, Command::DecommissionAgent { agent, reason: "enough".to_owned() });
    assert_eq!(world.refused(&Actor::Remit, command), "agent_decommissioned");
}

#[test]
fn an_agent_that_a_person_made_another_is_not_taken_for_it() {
    let (mut world, _) = opened();
    let agent = sandbox(&world);
    let profile = AgentProfile { environment: Some(Environment::Production), ..world.profile(world.root) };
    world.must(&by(world.root), Command::DescribeAgent { agent, profile: Box::new(profile) });
    let command = open(&world);
    assert_eq!(world.refused(&Actor::Remit, command), "name_taken");
    let task = world.state.sandbox_task().unwrap().id;
    assert_eq!(world.call(task, "sample/read", json!({})).code(), "sandbox_only");
    assert_eq!(world.call(task, "helpdesk/read", json!({})).code(), "sandbox_only");
}

#[test]
fn a_realm_without_the_policy_denies_in_its_sandbox() {
    let (mut world, task) = opened();
    world.must(&by(world.root), propose(vec![policy("sandbox", None)]));
    assert!(!world.state.has_sandbox_policy());
    assert_eq!(world.state.sandbox_permit(world.state.agent(sandbox(&world)).unwrap()), None);
    assert_eq!(world.call(task, "sample/read", json!({})).code(), "denied_by_policy");
}
