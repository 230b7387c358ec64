use serde_json::json;

use super::*;
use crate::approval::ApprovalRequested;
use crate::tests::world::{BEGINNING, DAY, World, by, digest, propose, signed_in, work};
use crate::{Absence, Command, Edit, SignInMethod, StartTask};

/// root administers, ana owns `support`, and there is one person for each office besides.
fn world() -> World {
    let mut world = World::with_support();
    for (name, group) in [("aud", AUDITORS), ("rev", REVIEWERS), ("con", CONTENT_READERS)] {
        world.person(name, &[group]);
    }
    world
}

/// Who of everybody has `right`, by name.
fn holders(world: &World, right: Right) -> Vec<String> {
    let mut holders: Vec<_> = world
        .state
        .people
        .values()
        .filter(|person| may(&world.state, person.id, right).is_ok())
        .map(|person| person.name.clone())
        .collect();
    holders.sort();
    holders
}

#[test]
fn who_may_read_what_is_a_short_list() {
    let world = world();
    assert_eq!(holders(&world, Right::ReadRecords), ["aud", "rev", "root"]);
    assert_eq!(holders(&world, Right::ReadAgent(world.support())), ["ana", "aud", "rev", "root"]);
    assert_eq!(holders(&world, Right::ReadContent), ["con"], "an administrator reads no content");
    let nobody = PersonId::from_uuid(uuid::Uuid::max());
    assert_eq!(may(&world.state, nobody, Right::ReadRecords).unwrap_err().code, "not_found");
    assert_eq!(may_read_records(&world.state, world.named("bob")).unwrap_err().code, "not_permitted");
}

#[test]
fn a_task_is_read_by_whose_it_is() {
    let mut world = world();
    let (agent, ana, bob) = (world.support(), world.named("ana"), world.named("bob"));
    let task = world.start(&by(ana), StartTask { acting_for: Some(bob), ..work(agent) });
    let task = world.state.task(task).unwrap();
    for name in ["ana", "bob", "aud", "root"] {
        assert!(may_read_task(&world.state, world.named(name), task).is_ok(), "{name}");
    }
    for name in ["cleo", "con"] {
        assert_eq!(may_read_task(&world.state, world.named(name), task).unwrap_err().code, "not_permitted", "{name}");
    }
}

fn asked(world: &mut World) -> ApprovalRequested {
    let agent = world.support();
    let task = world.task(agent);
    world.call(task, "helpdesk/refund", json!({"id": 7})).asked()
}

#[test]
fn a_question_concerns_who_answers_it_or_stands_in_for_them() {
    let mut world = world();
    let (ana, bob, root) = (world.named("ana"), world.named("bob"), world.root);
    let absence = Absence { deputy: bob, from: BEGINNING.plus_seconds(DAY), until: BEGINNING.plus_seconds(2 * DAY) };
    world.must(&by(root), propose(vec![Edit::Absence { person: ana, absence: Some(absence) }]));
    let concerned = |world: &World, asked: &ApprovalRequested| {
        let approval = world.state.approval(asked.approval).unwrap();
        let concerned = |name: &&str| is_concerned(&world.state, world.named(name), approval, world.now);
        ["ana", "bob", "cleo", "aud", "con"].into_iter().filter(concerned).collect::<Vec<_>>()
    };
    let before = asked(&mut world);
    assert_eq!(concerned(&world, &before), ["ana"]);
    world.now = BEGINNING.plus_seconds(DAY);
    let during = asked(&mut world);
    assert_eq!(concerned(&world, &during), ["ana", "bob"]);
    let approval = world.state.approval(during.approval).unwrap();
    let may = |name: &str| may_read_approval(&world.state, world.named(name), approval, world.now);
    assert!(may("aud").is_ok(), "an auditor knows of it without a part in it");
    assert_eq!(may("cleo").unwrap_err().code, "not_permitted");
}

fn read(world: &World, task: TaskId, reason: &str) -> Command {
    Command::ReadContent { agent: world.support(), task, content: digest("content"), reason: reason.to_owned() }
}

#[test]
fn content_is_read_by_who_may_for_a_reason_on_record() {
    let mut world = world();
    let (agent, con) = (world.support(), world.named("con"));
    let task = world.task(agent);
    for name in ["root", "aud", "rev", "ana", "bob"] {
        let command = read(&world, task, "a customer complained");
        assert_eq!(world.refused(&by(world.named(name)), command), "not_permitted", "{name}");
    }
    let command = read(&world, task, "a customer complained");
    assert_eq!(world.refused(&Actor::Agent { agent, task: Some(task) }, command.clone()), "person_needed");
    assert_eq!(world.refused(&by(con), read(&world, task, " ")), "missing_text");
    let events = world.must(&by(con), command.clone());
    let [event @ Event::ContentRead { by, reason, .. }] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!((*by, reason.as_str(), event.agent()), (con, "a customer complained", Some(agent)));
    world.passkey(con, "one");
    assert_eq!(world.refused(&signed_in(con, SignInMethod::Passkey), command.clone()), "step_up_needed");
    world.must(&signed_in(con, SignInMethod::FreshPasskey), command);
}

#[test]
fn reading_stands_on_the_record_of_the_agent_whose_it_is() {
    let mut world = world();
    let (ana, con) = (world.named("ana"), world.named("con"));
    let other = world.agent("other", ana);
    let task = world.task(other);
    let command = read(&world, task, "a customer complained");
    assert_eq!(world.refused(&by(con), command), "other_agent");
}
