use serde_json::json;

use super::*;
use crate::tests::world::{HOUR, World, by};
use crate::{ADMINISTRATORS, Command};

fn step(key: &str, step: KeyStep) -> StepKey {
    StepKey { key: key.to_owned(), purpose: KeyPurpose::Token, step, public: json!({"kty": "EC", "x": key}) }
}

fn command(step: StepKey) -> Command {
    Command::StepKey(Box::new(step))
}

fn steps(events: &[Event]) -> Vec<(&str, KeyStep, PersonId)> {
    let mut steps = Vec::new();
    for event in events {
        match event {
            Event::RealmKeyStepped(stepped) => steps.push((stepped.key.as_str(), stepped.step, stepped.accountable)),
            other => panic!("{other:?}"),
        }
    }
    steps
}

#[test]
fn the_former_key_retires_before_the_next_signs() {
    let mut world = World::with_support();
    let root = by(world.root);
    world.must(&root, command(step("one", KeyStep::Prepared)));
    world.must(&root, command(step("one", KeyStep::Active)));
    world.must(&root, command(step("two", KeyStep::Prepared)));
    let events = world.must(&root, command(StepKey { public: Value::Null, ..step("two", KeyStep::Active) }));
    assert_eq!(steps(&events), [("one", KeyStep::Retired, world.root), ("two", KeyStep::Active, world.root)]);
    assert_eq!(world.state.active_key(KeyPurpose::Token).unwrap().0, "two");
    assert_eq!(world.state.realm_keys["one"].public, json!({"kty": "EC", "x": "one"}));
    let ca = StepKey { purpose: KeyPurpose::Ca, ..step("ca", KeyStep::Active) };
    assert_eq!(world.must(&root, command(ca)).len(), 1, "another purpose has a key of its own");
    assert!(world.must(&root, command(step("two", KeyStep::Active))).is_empty(), "it is active");
}

#[test]
fn a_key_never_goes_back() {
    let mut world = World::with_support();
    let root = by(world.root);
    world.must(&root, command(step("one", KeyStep::Active)));
    assert_eq!(world.refused(&root, command(step("one", KeyStep::Prepared))), "key_step");
    world.must(&root, command(step("one", KeyStep::Revoked)));
    assert!(world.state.active_key(KeyPurpose::Token).is_none(), "the active key can be revoked");
    for to in [KeyStep::Prepared, KeyStep::Active, KeyStep::Retired] {
        assert_eq!(world.refused(&root, command(step("one", to))), "key_step");
    }
    assert_eq!(world.refused(&root, command(step("two", KeyStep::Retired))), "not_found");
}

#[test]
fn a_key_is_the_same_key_for_ever_and_its_private_part_never_comes_here() {
    let mut world = World::with_support();
    let root = by(world.root);
    let first = |public: Value| command(StepKey { public, ..step("one", KeyStep::Prepared) });
    assert_eq!(world.refused(&root, first(Value::Null)), "bad_key");
    assert_eq!(world.refused(&root, first(json!({}))), "bad_key");
    assert_eq!(world.refused(&root, first(json!({"kty": "EC", "d": "secret"}))), "private_key");
    assert_eq!(world.refused(&root, first(json!("-----BEGIN PRIVATE KEY-----"))), "private_key");
    assert_eq!(world.refused(&root, first(json!({"n": "x".repeat(limits::PUBLIC_KEY_BYTES_MAX)}))), "bad_key");
    assert_eq!(world.refused(&root, command(step("one two", KeyStep::Prepared))), "bad_key");
    world.must(&root, first(json!({"kty": "EC"})));
    let other = StepKey { public: json!({"kty": "OKP"}), ..step("one", KeyStep::Active) };
    assert_eq!(world.refused(&root, command(other)), "key_differs");
    let other = StepKey { purpose: KeyPurpose::Ca, public: Value::Null, ..step("one", KeyStep::Active) };
    assert_eq!(world.refused(&root, command(other)), "key_differs");
}

#[test]
fn a_person_answers_for_what_happens_by_itself() {
    let mut world = World::with_support();
    let (bob, ana) = (world.named("bob"), by(world.named("ana")));
    assert_eq!(world.refused(&ana, command(step("one", KeyStep::Prepared))), "not_permitted");
    let events = world.must(&Actor::Remit, command(step("one", KeyStep::Active)));
    assert_eq!(steps(&events), [("one", KeyStep::Active, world.root)], "the first administrator");
    let groups = vec![ADMINISTRATORS.to_owned()];
    world.must(&by(world.root), Command::SetPersonGroups { person: bob, groups });
    world.advance(HOUR);
    world.must(&by(bob), command(step("two", KeyStep::Active)));
    world.advance(HOUR);
    let events = world.must(&Actor::Remit, command(step("three", KeyStep::Active)));
    assert_eq!(steps(&events), [("two", KeyStep::Retired, bob), ("three", KeyStep::Active, bob)], "who did it last");
    world.must(&by(world.root), Command::SetPersonGroups { person: bob, groups: Vec::new() });
    let events = world.must(&Actor::Remit, command(step("four", KeyStep::Prepared)));
    assert_eq!(steps(&events), [("four", KeyStep::Prepared, world.root)], "as long as they administer the realm");
}
