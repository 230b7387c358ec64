use serde_json::json;

use super::*;
use crate::approval::ApprovalRequested;
use crate::tests::world::{BEGINNING, DAY, World, by, propose, work, yes};
use crate::{Absence, AgentProfile, Command, Edit, Event, StartTask};

const LEADS: &str = "@id(\"leads\") @approvers(\"leads\") @within(\"4h\") \
                     forbid (principal, action == Action::\"helpdesk/update\", resource) \
                     unless { context has approval && context.approval.roles.contains(\"leads\") };";

/// `absent` is away from tomorrow for a day, and `deputy` answers.
fn absence(absent: PersonId, deputy: PersonId) -> Command {
    let absence = Absence { deputy, from: BEGINNING.plus_seconds(DAY), until: BEGINNING.plus_seconds(2 * DAY) };
    propose(vec![Edit::Absence { person: absent, absence: Some(absence) }])
}

/// Leads are asked about updates; bob, one of them, is away tomorrow, and dora, who is none, answers for him.
fn world() -> (World, PersonId, PersonId) {
    let mut world = World::with_support();
    world.policy("leads", LEADS);
    let (bob, dora) = (world.named("bob"), world.person("dora", &[]));
    let events = world.must(&by(world.root), absence(bob, dora));
    assert!(matches!(events.as_slice(), [Event::AbsenceSet { .. }]), "{events:?}");
    (world, bob, dora)
}

fn update(world: &mut World) -> ApprovalRequested {
    let agent = world.support();
    let task = world.task(agent);
    world.call(task, "helpdesk/update", json!({"id": 7})).asked()
}

#[test]
fn a_deputy_answers_within_the_absence_only() {
    let (mut world, bob, dora) = world();
    for (now, answers) in [(DAY - 1, false), (DAY, true), (2 * DAY - 1, true), (2 * DAY, false)] {
        world.now = BEGINNING.plus_seconds(now);
        let asked = update(&mut world);
        if !answers {
            assert_eq!(world.refused(&by(dora), yes(&asked)), "not_an_approver", "after {now} seconds");
            continue;
        }
        let events = world.must(&by(dora), yes(&asked));
        let [Event::ApprovalVoted { vote, .. }, Event::ApprovalGranted { .. }] = events.as_slice() else {
            panic!("{events:?}")
        };
        assert_eq!(
            (vote.person, vote.roles.as_slice(), vote.deputy_of.as_slice()),
            (dora, &["leads".to_owned()][..], &[bob][..])
        );
    }
}

#[test]
fn a_deputy_says_no_in_their_place() {
    let (mut world, _, dora) = world();
    let deny = |asked: &ApprovalRequested| Command::Deny(crate::Deny { approval: asked.approval, note: String::new() });
    let early = update(&mut world);
    assert_eq!(world.refused(&by(dora), deny(&early)), "not_permitted");
    world.now = BEGINNING.plus_seconds(DAY);
    let asked = update(&mut world);
    world.must(&by(dora), deny(&asked));
}

#[test]
fn who_is_not_independent_gives_nobody_their_place() {
    let (mut world, bob, dora) = world();
    world.now = BEGINNING.plus_seconds(DAY);
    let (agent, ana) = (world.support(), world.named("ana"));
    let asked = |world: &mut World, starter, start| {
        let task = world.start(&by(starter), start);
        world.call(task, "helpdesk/update", json!({"id": 7})).asked()
    };
    let for_bob = asked(&mut world, ana, StartTask { acting_for: Some(bob), ..work(agent) });
    assert_eq!(world.refused(&by(dora), yes(&for_bob)), "not_an_approver");
    let for_dora = asked(&mut world, ana, StartTask { acting_for: Some(dora), ..work(agent) });
    assert_eq!(world.refused(&by(dora), yes(&for_dora)), "approver_is_acted_for", "nor is the deputy above it");
    let groups = vec!["leads".to_owned(), ADMINISTRATORS.to_owned()];
    world.must(&by(world.root), Command::SetPersonGroups { person: bob, groups });
    let of_bob = asked(&mut world, bob, work(agent));
    assert_eq!(world.refused(&by(dora), yes(&of_bob)), "not_an_approver", "bob started it");
}

#[test]
fn a_place_is_not_passed_on() {
    let (mut world, _, dora) = world();
    let eve = world.person("eve", &[]);
    world.must(&by(world.root), absence(dora, eve));
    world.now = BEGINNING.plus_seconds(DAY);
    let asked = update(&mut world);
    assert_eq!(world.refused(&by(eve), yes(&asked)), "not_an_approver", "dora's own roles are none");
}

#[test]
fn what_one_person_may_say_counts_once() {
    let (mut world, bob, dora) = world();
    let two = LEADS
        .replace("@within", "@quorum(\"2\") @within")
        .replace("(\"leads\") }", "(\"leads\") && context.approval.count >= 2 }");
    world.policy("leads", &two);
    world.now = BEGINNING.plus_seconds(DAY);
    let asked = update(&mut world);
    let mut other = world.clone();
    assert_eq!(world.must(&by(dora), yes(&asked)).len(), 1);
    assert_eq!(world.refused(&by(bob), yes(&asked)), "already_answered", "dora answered for him");
    assert_eq!(other.must(&by(bob), yes(&asked)).len(), 1);
    assert_eq!(other.refused(&by(dora), yes(&asked)), "not_an_approver", "he has answered himself");
    assert_eq!(world.must(&by(world.named("cleo")), yes(&asked)).len(), 2);
}

/// The agent `support` of ana may touch confidential data, and changing it is high risk, so that ana is asked.
fn confidential() -> World {
    let mut world = World::with_support();
    world.classify("refund", DataClass::D2);
    let profile = AgentProfile {
        data_classes: vec![DataClass::D0, DataClass::D1, DataClass::D2],
        ..world.profile(world.named("ana"))
    };
    let agent = world.support();
    world.must(&by(world.root), Command::DescribeAgent { agent, profile: Box::new(profile) });
    world
}

fn refund(world: &mut World) -> ApprovalRequested {
    let agent = world.support();
    let task = world.task(agent);
    let asked = world.call(task, "helpdesk/refund", json!({"id": 7, "amount": 40})).asked();
    world.now = world.now.plus_seconds(60);
    asked
}

#[test]
fn nobody_answers_alone_for_their_own_agent_where_data_is_confidential() {
    let mut world = confidential();
    let (ana, root) = (world.named("ana"), world.root);
    let asked = refund(&mut world);
    assert_eq!(asked.ask.quorum, 2);
    assert!(asked.ask.approvers.contains(&vec!["owner".to_owned()]));
    assert_eq!(world.look_and_answer(ana, &asked).len(), 1, "a vote and no grant");
    assert_eq!(world.refused(&by(world.named("bob")), yes(&asked)), "not_an_approver");
    assert_eq!(world.look_and_answer(root, &asked).len(), 2);
    world.call(asked.facts.task, "helpdesk/refund", json!({"id": 7, "amount": 40})).allowed();

    let mut open = World::with_support();
    let asked = refund(&mut open);
    assert_eq!(asked.ask.quorum, 1, "where it is not confidential, the owner's answer is enough");
}

#[test]
fn an_owner_who_is_everything_is_still_one_person() {
    let mut world = confidential();
    let (agent, root) = (world.support(), world.root);
    let ana = world.named("ana");
    world.must(&by(root), Command::SetPersonGroups { person: ana, groups: vec![ADMINISTRATORS.to_owned()] });
    let asked = refund(&mut world);
    assert_eq!(world.look_and_answer(ana, &asked).len(), 1);
    world.look_and_answer(root, &asked);
    // With nobody else there it is not asked at all.
    let mut alone = World::new();
    alone.connector("helpdesk", crate::tests::world::helpdesk());
    alone.classify("refund", DataClass::D2);
    let profile = AgentProfile { data_classes: vec![DataClass::D2], ..alone.profile(alone.root) };
    let only = alone.draft("support", profile);
    alone.must(&by(alone.root), Command::ActivateAgent { agent: only });
    let max = alone.person("max", &[]);
    let grant = alone.request(max, only, &["helpdesk/*"], DAY);
    alone.must(&by(alone.root), Command::ApproveGrant { grant });
    let task = alone.task(only);
    let denied = alone.call(task, "helpdesk/refund", json!({"id": 7, "amount": 40})).denied();
    assert_eq!(denied.refusal.code, "no_approver");
    assert!(denied.refusal.help.is_some());
    assert_ne!(agent, only);
}

/// A question is put before somebody becomes both owner and one of those asked: their own yes is not all even then.
#[test]
fn who_becomes_the_owner_after_the_question_does_not_answer_it_alone() {
    let mut world = confidential();
    world.classify("update", DataClass::D2);
    world.policy("leads", LEADS);
    let (bob, cleo, root) = (world.named("bob"), world.named("cleo"), world.root);
    let asked = update(&mut world);
    assert_eq!(asked.ask.quorum, 1, "ana is no lead");
    let profile = AgentProfile { owner: Some(bob), ..world.state.agent(world.support()).unwrap().profile.clone() };
    let agent = world.support();
    world.must(&by(root), Command::DescribeAgent { agent, profile: Box::new(profile) });
    world.now = world.now.plus_seconds(60);
    assert_eq!(world.look_and_answer(bob, &asked).len(), 1, "a vote and no grant");
    assert_eq!(world.look_and_answer(cleo, &asked).len(), 2);
}
