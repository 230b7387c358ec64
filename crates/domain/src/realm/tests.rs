use super::*;
use crate::Command;
use crate::limits;
use crate::tests::world::{World, by};

fn erase(task: TaskId, agent: AgentId) -> Command {
    Command::EraseContent { task, agent, reason: "the customer asked for it".to_owned() }
}

#[test]
fn an_administrator_erases_the_content_of_a_task_that_has_ended() {
    let mut world = World::with_support();
    let (agent, ana) = (world.support(), world.named("ana"));
    let other = world.agent("other", ana);
    let task = world.task(agent);
    assert_eq!(world.refused(&by(world.root), erase(task, agent)), "task_alive");
    world.must(&world.under(task), Command::EndTask { task, note: String::new() });
    assert_eq!(world.refused(&by(ana), erase(task, agent)), "not_permitted");
    assert_eq!(world.refused(&Actor::Agent { agent, task: None }, erase(task, agent)), "person_needed");
    assert_eq!(world.refused(&by(world.root), erase(task, other)), "other_agent");
    let events = world.must(&by(world.root), erase(task, agent));
    let reason = "the customer asked for it".to_owned();
    assert_eq!(events, [Event::ContentErased { agent, task, reason }]);
}

#[test]
fn content_is_erased_when_its_task_is_long_forgotten() {
    let mut world = World::with_support();
    let agent = world.support();
    let task = world.task(agent);
    world.must(&world.under(task), Command::EndTask { task, note: String::new() });
    world.now = world.now.plus_seconds(limits::ENDED_SECONDS_KEPT);
    world.person("dora", &[]);
    assert!(world.state.task(task).is_err(), "the state has forgotten it");
    let nobody = Moment::new(world.now, 1).fresh_id();
    assert_eq!(world.refused(&by(world.root), erase(task, nobody)), "not_found");
    world.must(&by(world.root), erase(task, agent));
}
