use serde_json::json;

use super::*;
use crate::tests::world::{World, by, work};
use crate::{Command, Deny, StartTask};

/// A refund that ana is asked for, in a task that root started and that acts for cleo, after a denial.
fn asked() -> (World, Approval) {
    let mut world = World::with_support();
    let (agent, ana, cleo) = (world.support(), world.named("ana"), world.named("cleo"));
    let task = world.start(&by(world.root), StartTask { acting_for: Some(cleo), ..work(agent) });
    let denied = world.call(task, "helpdesk/refund", json!({"id": 7, "amount": 4000})).asked();
    world.must(&by(ana), Command::Deny(Deny { approval: denied.approval, note: "never that much".to_owned() }));
    let asked = world.call(task, "helpdesk/refund", arguments()).asked();
    let approval = (**world.state.approval(asked.approval).unwrap()).clone();
    (world, approval)
}

fn arguments() -> Value {
    json!({"id": 7, "amount": 40})
}

fn document(world: &World, approval: &Approval) -> Value {
    shown(&world.state, approval, &arguments(), Some(&json!({"file": "bill"})))
}

/// Everything that a person needs, as text: whoever leaves something out changes this. What depends on the wording of the starter
/// policies is held against what it has to be, and left out.
#[test]
fn it_says_everything_that_is_needed_to_answer() {
    let (world, approval) = asked();
    let mut document = document(&world, &approval);
    let source = world.state.policies.sources["high-risk-asks"].as_bytes();
    let digests = [approval.digest, approval.facts.policies, Digest::of_bytes(source)];
    for (place, digest) in ["/action_digest", "/policies", "/rules/0/sha256"].into_iter().zip(digests) {
        let said = document.pointer_mut(place).unwrap();
        assert_eq!(*said, json!(digest), "{place}");
        *said = json!("…");
    }
    let text = serde_json::to_string_pretty(&document).unwrap();
    assert_eq!(text, include_str!("tests/shown.json").trim_end());
}

#[test]
fn looking_again_shows_the_same_until_something_changes() {
    let (mut world, approval) = asked();
    let first = document(&world, &approval);
    world.now = world.now.plus_seconds(60);
    assert_eq!(document(&world, &approval), first);
    assert_eq!(shown(&world.state, &approval, &json!({"amount": 40, "id": 7}), Some(&json!({"file": "bill"}))), first);
    let reread: crate::State = serde_json::from_slice(&serde_json::to_vec(&world.state).unwrap()).unwrap();
    assert_eq!(shown(&reread, &approval, &arguments(), Some(&json!({"file": "bill"}))), first, "on another node");
    let ana = world.named("ana");
    let profile = crate::AgentProfile { purpose: "pays people back".to_owned(), ..world.profile(ana) };
    let agent = world.support();
    world.must(&by(world.root), Command::DescribeAgent { agent, profile: Box::new(profile) });
    assert_ne!(document(&world, &approval), first, "what the agent is for has changed");
}

#[test]
fn each_of_what_it_says_makes_another_document() {
    let (world, approval) = asked();
    let first = document(&world, &approval);
    let other = [
        shown(&world.state, &approval, &json!({"id": 7, "amount": 41}), Some(&json!({"file": "bill"}))),
        shown(&world.state, &approval, &arguments(), Some(&json!({"file": "another"}))),
        shown(&world.state, &approval, &arguments(), None),
    ];
    assert!(other.iter().all(|other| Digest::of_document(other) != Digest::of_document(&first)));
}

#[test]
fn only_so_many_denials_are_told() {
    let (mut world, first) = asked();
    let (task, ana) = (first.facts.task, world.named("ana"));
    for id in 0..=DENIALS_MAX {
        let asked = world.call(task, "helpdesk/refund", json!({"id": 100 + id})).asked();
        world.must(&by(ana), Command::Deny(Deny { approval: asked.approval, note: format!("no {id}") }));
    }
    let asked = world.call(task, "helpdesk/refund", json!({"id": 99})).asked();
    let document = document(&world, world.state.approval(asked.approval).unwrap());
    let told = document["denied_before"].as_array().unwrap();
    assert_eq!((told.len(), told[0]["note"].as_str()), (DENIALS_MAX, Some("no 20")), "the newest first");
}

#[test]
fn a_rule_is_named_by_the_text_that_asked_and_by_no_other() {
    let (mut world, approval) = asked();
    let high_risk = Digest::of_bytes(world.state.policies.sources["high-risk-asks"].as_bytes());
    assert_eq!(document(&world, &approval)["rules"][0]["sha256"], json!(high_risk));
    // Another policy, earlier in the order of names, that only speaks of the rule.
    let text = "// Not @id(\"high-risk-asks\").\n@id(\"probe\")\n@reason(\"never\")\nforbid (principal, action, resource) when { resource.risk > 3 };\n";
    let edits =
        vec![crate::Edit::Policy(crate::PolicyEdit { name: "a-probe".to_owned(), text: Some(text.to_owned()) })];
    let propose = Command::ProposeChange { edits, reason: "to be mistaken for another".to_owned(), revert_of: None };
    world.must(&by(world.root), propose);
    let later = &document(&world, &approval)["rules"][0];
    assert_eq!(
        *later,
        json!({"id": "high-risk-asks", "file": null, "sha256": null}),
        "other policies than those that asked"
    );
    let again = world.call(approval.facts.task, "helpdesk/refund", json!({"id": 8, "amount": 40})).asked();
    let rule = &document(&world, world.state.approval(again.approval).unwrap())["rules"][0];
    assert_eq!((&rule["file"], &rule["sha256"]), (&json!("high-risk-asks"), &json!(high_risk)));
}
