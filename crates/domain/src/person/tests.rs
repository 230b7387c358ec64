use super::*;
use crate::tests::world::{World, by, work};
use crate::{AddConnector, Command, ConnectorSpec, RegisterAgent, StartTask, TaskId};

fn remove(person: PersonId) -> Command {
    Command::RemovePerson { person }
}

#[test]
fn the_last_administrator_stays() {
    let mut world = World::new();
    let root = world.root;
    assert_eq!(world.refused(&by(root), remove(root)), "last_administrator");
    assert_eq!(
        world.refused(&by(root), Command::SetPersonGroups { person: root, groups: Vec::new() }),
        "last_administrator"
    );
    let ana = world.person("ana", &[ADMINISTRATORS]);
    world.must(&by(ana), remove(root));
    assert_eq!(world.refused(&by(ana), remove(ana)), "last_administrator");
}

#[test]
fn who_owns_something_cannot_be_removed() {
    let mut world = World::with_support();
    let (ana, root) = (world.named("ana"), by(world.root));
    assert_eq!(world.refused(&root, remove(ana)), "still_owner");
    let agent = world.support();
    world.must(&root, Command::DecommissionAgent { agent, reason: "the work is done".to_owned() });
    let spec = ConnectorSpec::Http { url: "https://billing.example.org/mcp".to_owned() };
    let add = AddConnector { name: "billing".to_owned(), owner: Some(ana), spec, sandbox: false };
    world.must(&root, Command::AddConnector(Box::new(add)));
    assert_eq!(world.refused(&root, remove(ana)), "still_owner");
    let connector = world.state.connector_named("billing").unwrap().id;
    world.must(&root, Command::RemoveConnector { connector });
    world.must(&root, remove(ana));
}

#[test]
fn with_a_person_end_their_tasks_each_once() {
    let mut world = World::with_support();
    let (agent, bob, ana) = (world.support(), world.named("bob"), by(world.named("ana")));
    let parent = world.start(&ana, StartTask { acting_for: Some(bob), ..work(agent) });
    let under = world.under(parent);
    let child = world.start(&under, StartTask { parent: Some(parent), ..work(agent) });
    let other = world.task(agent);
    let events = world.must(&by(world.root), remove(bob));
    let ended = |id: TaskId| {
        events.iter().filter(|event| matches!(event, Event::TaskEnded { task, .. } if *task == id)).count()
    };
    assert_eq!((ended(parent), ended(child), ended(other)), (1, 1, 0));
    assert_eq!(world.call(child, "helpdesk/read", serde_json::json!({})).code(), "task_ended");
}

#[test]
fn who_was_removed_does_nothing_any_more() {
    let mut world = World::with_support();
    let bob = world.named("bob");
    world.must(&by(world.root), remove(bob));
    let register = RegisterAgent { name: "left-behind".to_owned(), profile: Default::default() };
    assert_eq!(world.refused(&by(bob), Command::RegisterAgent(Box::new(register))), "not_found");
}

#[test]
fn only_administrators_add_people() {
    let mut world = World::with_support();
    let add = Command::AddPerson(AddPerson { name: "eve".to_owned(), groups: Vec::new() });
    let (ana, agent) = (world.named("ana"), world.support());
    assert_eq!(world.refused(&by(ana), add.clone()), "not_permitted");
    assert_eq!(world.refused(&Actor::Agent { agent, task: None }, add.clone()), "person_needed");
    assert_eq!(world.refused(&Actor::Remit, add), "person_needed");
}

#[test]
fn names_have_one_plain_form() {
    let long = "x".repeat(limits::NAME_BYTES_MAX + 1);
    for name in ["", "Ana", "-ana", "ana maria", "ana__maria", "ana/maria", "änna", "ana\n", long.as_str()] {
        assert_eq!(check_name("person", name).unwrap_err().code, "bad_name", "{name:?}");
    }
    let refused = check_name("agent", "x@y").unwrap_err();
    assert_eq!(refused.sentence, "`x@y` is not a name for an agent");
    assert!(refused.help.unwrap().contains("64 lower-case letters"));
    for name in ["a", "7", "ana-maria_2.x", long.get(1..).unwrap()] {
        assert!(check_name("person", name).is_ok(), "{name:?}");
    }
}

#[test]
fn nobody_is_in_a_group_named_like_a_role() {
    let mut world = World::new();
    for group in ["owner", "approver"] {
        let add = AddPerson { name: "eve".to_owned(), groups: vec![group.to_owned()] };
        assert_eq!(world.refused(&by(world.root), Command::AddPerson(add)), "reserved_group");
    }
}

#[test]
fn free_text_shows_as_what_it_is() {
    for text in ["a\u{1b}[2J", "refund \u{202e}001 €", "\u{2067}x", "a\u{0}"] {
        assert_eq!(check_text("purpose", text).unwrap_err().code, "bad_text", "{text:?}");
    }
    assert_eq!(check_text("purpose", " \n").unwrap_err().code, "missing_text");
    assert_eq!(check_text("purpose", &"x".repeat(limits::TEXT_BYTES_MAX + 1)).unwrap_err().code, "text_too_long");
    assert!(check_text("purpose", "Rückfrage\nzweite Zeile: שלום").is_ok());
}
