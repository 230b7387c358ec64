use serde_json::json;

use super::*;
use crate::tests::world::{World, by, policy, proposal, propose};
use crate::{Command, Event};

const NO_UPDATE: &str = "@id(\"no-update\") @reason(\"updates are stopped for now\") \
                       forbid (principal, action == Action::\"helpdesk/update\", resource);";

#[test]
fn somebody_else_activates_and_the_next_call_feels_it() {
    let mut world = World::with_support();
    let agent = world.support();
    let task = world.task(agent);
    let before = world.call(task, "helpdesk/update", json!({"id": 7})).allowed().facts.policies;
    let eve = world.person("eve", &[crate::person::ADMINISTRATORS]);
    let change = world.propose(world.root, "mail", NO_UPDATE);
    assert_eq!(world.refused(&by(world.root), Command::ApproveChange { change }), "self_approval");
    assert_eq!(world.refused(&by(world.named("ana")), Command::ApproveChange { change }), "not_an_approver");
    world.must(&by(eve), Command::ApproveChange { change });
    let denied = world.call(task, "helpdesk/update", json!({"id": 7})).denied();
    assert_eq!(denied.determining, ["no-update"]);
    assert_eq!(denied.refusal.sentence, "updates are stopped for now");
    assert_ne!(denied.facts.policies, before);
    assert_eq!(denied.facts.policies, world.state.policies.digest());
}

#[test]
fn a_change_proposed_against_other_policies_is_stale() {
    let mut world = World::with_support();
    let ana = world.named("ana");
    let stale = world.propose(ana, "mail", NO_UPDATE);
    world.policy("other", &NO_UPDATE.replace("no-update", "other"));
    assert_eq!(world.refused(&by(world.root), Command::ApproveChange { change: stale }), "change_stale");
}

#[test]
fn what_does_not_hold_is_refused_with_its_place() {
    let mut world = World::with_support();
    let ana = by(world.named("ana"));
    for broken in
        ["forbid (principal", "forbid (principal, action, resource);", &NO_UPDATE.replace("update\"", "udpate\"")]
    {
        let refusal = world.refusal(&ana, proposal("mail", broken));
        assert_eq!(refusal.code, "policy_invalid", "{broken}");
        assert!(refusal.fields.iter().all(|field| field.field == "mail") && !refusal.fields.is_empty(), "{refusal:?}");
    }
}

#[test]
fn a_proposal_changes_something_and_fits_an_entry() {
    let mut world = World::with_support();
    let ana = by(world.named("ana"));
    let (name, text) = remit_policy::STARTER.first().unwrap();
    assert_eq!(world.refused(&ana, proposal(name, text)), "nothing_changes");
    let empty = propose(Vec::new());
    assert_eq!(world.refused(&ana, empty), "bad_proposal");
    // A comment of line breaks and quotation marks takes twice the room once it is written.
    let doubling = format!("{NO_UPDATE}//{}", "\"".repeat(limits::PROPOSAL_BYTES_MAX / 2));
    assert_eq!(world.refused(&ana, proposal("mail", &doubling)), "bad_proposal");
    assert_eq!(world.refused(&ana, proposal("Mail", NO_UPDATE)), "bad_name");
}

#[test]
fn a_proposal_is_rejected_by_an_administrator_or_taken_back() {
    let mut world = World::with_support();
    let (ana, bob) = (world.named("ana"), world.named("bob"));
    let reject = |change| Command::RejectChange { change, note: String::new() };
    let first = world.propose(ana, "mail", NO_UPDATE);
    assert_eq!(world.refused(&by(bob), reject(first)), "not_permitted");
    world.must(&by(ana), reject(first));
    let second = world.propose(ana, "mail", NO_UPDATE);
    world.must(&by(world.root), reject(second));
    assert_eq!(world.refused(&by(world.root), Command::ApproveChange { change: second }), "not_found");
}

#[test]
fn without_the_permit_everything_is_denied() {
    let mut world = World::with_support();
    let agent = world.support();
    let task = world.task(agent);
    let events = world.must(&by(world.named("ana")), propose(vec![policy("base", None)]));
    let [Event::ChangeProposed(proposed), _] = events.as_slice() else { panic!("{events:?}") };
    world.must(&by(world.root), Command::ApproveChange { change: proposed.change });
    assert_eq!(world.call(task, "helpdesk/read", json!({"id": 7})).code(), "denied_by_policy");
}

#[test]
fn proposals_that_wait_are_bounded() {
    let mut world = World::with_support();
    let ana = world.named("ana");
    let own: Vec<_> = (0..limits::AUTHOR_PROPOSALS_MAX).map(|_| world.propose(ana, "mail", NO_UPDATE)).collect();
    assert_eq!(
        world.refused(&by(ana), proposal("mail", NO_UPDATE)),
        "too_many_proposals",
        "one person takes not all places"
    );
    world.must(&by(ana), Command::RejectChange { change: own[0], note: String::new() });
    world.propose(ana, "mail", NO_UPDATE);
    let others = limits::PROPOSALS_PENDING_MAX / limits::AUTHOR_PROPOSALS_MAX - 1;
    for nth in 0..others {
        let person = world.person(&format!("person-{nth}"), &[]);
        for _ in 0..limits::AUTHOR_PROPOSALS_MAX {
            world.propose(person, "mail", NO_UPDATE);
        }
    }
    assert_eq!(world.refused(&by(world.named("bob")), proposal("mail", NO_UPDATE)), "too_many_proposals");
}

#[test]
fn what_was_tried_is_not_compiled_again() {
    let mut world = World::with_support();
    world.state.policies.tried = Tried::default();
    world.person("eve", &[crate::person::ADMINISTRATORS]);
    let (root, connector) = (by(world.root), world.helpdesk());
    let read = crate::tests::world::tool("read", remit_policy::Verb::Read, 2, &json!({"id": {"type": "integer"}}));
    let operation = crate::OperationEdit { connector, choice: read };
    let edits = vec![crate::Edit::Operation(Box::new(operation)), policy("mail", Some(NO_UPDATE))];
    for edits in [vec![policy("mail", Some(NO_UPDATE))], edits] {
        let command = propose(edits);
        let (kept, beside) = (world.state.policies.tried.len(), world.state.clone());
        crate::decide(&beside, &root, &command, &crate::Moment::new(world.now, 0)).unwrap();
        assert_eq!(world.state.policies.tried.len(), kept + 1, "a copy of the state has compiled it");
        world.now = world.now.plus_seconds(1);
        let [Event::ChangeProposed(proposed), ..] = &world.must(&root, command)[..] else { panic!("not proposed") };
        let change = proposed.change;
        assert_eq!(world.state.policies.tried.len(), kept + 1, "and the one that counts finds it");
        world.must(&root, Command::RejectChange { change, note: String::new() });
    }
    let change = world.propose(world.named("ana"), "mail", NO_UPDATE);
    let kept = world.state.policies.tried.len();
    world.must(&root, Command::ApproveChange { change });
    let active = world.state.compiled().set.as_ref().unwrap().rule("no-update").is_some();
    assert_eq!((active, world.state.policies.tried.len()), (true, kept), "nor when it becomes active");
}

#[test]
fn what_was_tried_is_found_for_the_same_texts_and_operations_only() {
    let world = World::with_support();
    let tried = Tried::default();
    let sources = &world.state.policies.sources;
    let first = tried.compiled(&world.state, sources);
    let mut other = world.state.clone();
    let name = crate::tests::world::operation("helpdesk/read");
    let read = other.operations.get_mut(&name).unwrap();
    Arc::make_mut(read).risk = 3;
    assert!(Arc::ptr_eq(&first, &tried.compiled(&other, sources)), "no policy is compiled against a risk");
    Arc::make_mut(other.operations.get_mut(&name).unwrap()).digest = crate::tests::world::digest("another");
    assert!(!Arc::ptr_eq(&first, &tried.compiled(&other, sources)));
    let fewer = Arc::new(sources.iter().skip(1).map(|(name, text)| (name.clone(), text.clone())).collect());
    assert!(!Arc::ptr_eq(&first, &tried.compiled(&world.state, &fewer)));
    for number in 0..2 * limits::POLICY_SETS_KEPT_MAX {
        let more = edited(sources, &[PolicyEdit { name: format!("more-{number}"), text: Some(String::new()) }]);
        tried.compiled(&world.state, &Arc::new(more));
    }
    assert_eq!(tried.len(), limits::POLICY_SETS_KEPT_MAX);
}

#[test]
fn what_is_suspicious_follows_what_there_is() {
    let mut world = World::with_support();
    let rule = "@id(\"ghost\") forbid (principal == Agent::\"ghost\", action, resource);";
    let edits = [PolicyEdit { name: "ghost".to_owned(), text: Some(rule.to_owned()) }];
    let compiled = world.state.compile_with(&edits);
    let about_it = |state: &State| state.lint(&compiled).iter().filter(|one| one.source == "ghost").count();
    assert_eq!((about_it(&world.state), about_it(&world.state)), (1, 1));
    world.agent("ghost", world.named("ana"));
    assert_eq!(about_it(&world.state), 0);
}
