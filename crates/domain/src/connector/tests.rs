use serde_json::json;

use super::*;
use crate::tests::world::{World, by};
use crate::{Command, SignInMethod};

fn add(name: &str, spec: ConnectorSpec) -> Command {
    Command::AddConnector(Box::new(AddConnector { name: name.to_owned(), owner: None, spec, sandbox: false }))
}

fn http(url: &str) -> ConnectorSpec {
    ConnectorSpec::Http { url: url.to_owned() }
}

#[test]
fn what_starts_a_process_is_added_on_the_machine_only() {
    let mut world = World::new();
    let spec = |command: &str| ConnectorSpec::Stdio {
        command: command.to_owned(),
        arguments: Vec::new(),
        environment: Vec::new(),
    };
    let remote = Actor::Person { person: world.root, method: SignInMethod::OneTimeLink };
    assert_eq!(world.refused(&remote, add("shell", spec("sh"))), "local_only");
    assert_eq!(world.refused(&by(world.root), add("shell", spec(" "))), "bad_connector");
    world.must(&by(world.root), add("shell", spec("sh")));
}

#[test]
fn an_address_is_plain() {
    let mut world = World::new();
    for url in ["", "ftp://x", "file:///etc/passwd", "https://user:secret@x/", "https://x/#part", "javascript:1"] {
        assert_eq!(world.refused(&by(world.root), add("x", http(url))), "bad_connector", "{url}");
    }
}

#[test]
fn only_an_administrator_adds_one_and_only_once() {
    let mut world = World::with_support();
    let (ana, root) = (world.named("ana"), world.root);
    assert_eq!(world.refused(&by(ana), add("x", http("https://x/"))), "not_permitted");
    assert_eq!(world.refused(&by(root), add("helpdesk", http("https://x/"))), "name_taken");
    assert_eq!(world.refused(&by(root), add("Help Desk", http("https://x/"))), "bad_name");
}

#[test]
fn with_a_connector_go_its_operations() {
    let mut world = World::with_support();
    let (agent, connector) = (world.support(), world.helpdesk());
    let task = world.task(agent);
    let events = world.must(&by(world.root), Command::RemoveConnector { connector });
    assert_eq!(events.len(), 5, "four operations and the connector: {events:?}");
    assert_eq!(world.call(task, "helpdesk/read", json!({"id": 7})).code(), "operation_withdrawn");
    assert!(world.must(&by(world.root), Command::RemoveConnector { connector }).is_empty());
    world.must(&by(world.root), add("helpdesk", http("https://x/")));
    assert_eq!(
        world.call(task, "helpdesk/read", json!({"id": 7})).code(),
        "operation_withdrawn",
        "not before its approval"
    );
}
