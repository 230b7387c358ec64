use serde_json::json;

use super::*;
use crate::tests::world::{World, by, digest, pattern, propose, work};
use crate::{Actor, Command, Edit, StartTask};

fn configured(world: &mut World, configuration: Option<Configuration>) {
    let agent = world.support();
    world.must(&by(world.root), propose(vec![Edit::Configuration { agent, configuration }]));
}

fn approved() -> Configuration {
    Configuration {
        prompt: Some(digest("you are a help desk")),
        model: Some("model-2026-11".to_owned()),
        tools: vec![pattern("helpdesk/read"), pattern("helpdesk/update")],
    }
}

#[test]
fn a_task_begins_only_with_the_approved_configuration() {
    let mut world = World::with_support();
    configured(&mut world, Some(approved()));
    let agent = world.support();
    let actor = Actor::Agent { agent, task: None };
    let with = |configuration| Command::StartTask(Box::new(StartTask { configuration, ..work(agent) }));
    assert_eq!(world.refused(&actor, with(None)), "configuration_not_approved");
    let other = Configuration { model: Some("model-2026-12".to_owned()), ..approved() };
    assert_eq!(world.refused(&actor, with(Some(other.digest()))), "configuration_not_approved");
    world.must(&actor, with(Some(approved().digest())));
}

#[test]
fn the_next_call_feels_that_the_configuration_changed() {
    let mut world = World::with_support();
    let agent = world.support();
    let before = world.task(agent);
    configured(&mut world, Some(approved()));
    assert_eq!(world.call(before, "helpdesk/read", json!({"id": 7})).code(), "configuration_changed");
    let configuration = Some(approved().digest());
    let task = world.start(&Actor::Agent { agent, task: None }, StartTask { configuration, ..work(agent) });
    world.call(task, "helpdesk/read", json!({"id": 7})).allowed();
    assert_eq!(world.call(task, "helpdesk/refund", json!({"id": 7})).code(), "not_in_configuration");
    configured(&mut world, Some(Configuration { prompt: None, ..approved() }));
    assert_eq!(world.call(task, "helpdesk/read", json!({"id": 7})).code(), "configuration_changed");
    configured(&mut world, None);
    world.call(task, "helpdesk/read", json!({"id": 7})).allowed();
}

#[test]
fn whoever_presents_none_is_told_what_to_present() {
    let mut world = World::with_support();
    configured(&mut world, Some(approved()));
    let agent = world.support();
    let refusal = world.refusal(&Actor::Agent { agent, task: None }, Command::StartTask(Box::new(work(agent))));
    assert_eq!(
        refusal.sentence,
        "the agent `support` runs only with its approved configuration, and the task names none"
    );
    let help = refusal.help.unwrap();
    assert!(help.contains("present the digest") && help.contains("remit run --configuration FILE"), "{help}");
}

#[test]
fn a_sub_task_runs_with_what_its_parent_runs_with() {
    let mut world = World::with_support();
    configured(&mut world, Some(approved()));
    let agent = world.support();
    let configuration = Some(approved().digest());
    let parent = world.start(&Actor::Agent { agent, task: None }, StartTask { configuration, ..work(agent) });
    let actor = Actor::Agent { agent, task: Some(parent) };
    let part = StartTask { parent: Some(parent), ..work(agent) };
    let child = world.start(&actor, part.clone());
    assert_eq!(world.state.task(child).unwrap().configuration, configuration);
    world.call(child, "helpdesk/read", json!({"id": 7})).allowed();
    let other = StartTask { configuration: Some(digest("another")), ..part };
    assert_eq!(world.refused(&actor, Command::StartTask(Box::new(other))), "configuration_not_approved");
    // What the parent began with counts for nothing once another one is approved.
    configured(&mut world, Some(Configuration { prompt: None, ..approved() }));
    let later = Command::StartTask(Box::new(StartTask { parent: Some(parent), ..work(agent) }));
    assert_eq!(world.refused(&actor, later), "configuration_not_approved");
}
