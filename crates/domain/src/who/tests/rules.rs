//! What the answers say, in the product's words.

use super::*;
use crate::tests::world::{policy, propose};
use crate::{ADMINISTRATORS, Alone, Artefact, Edit, Part, PersonId, StartTask, who_can_change};

/// The help desk after its founding: `eve` is a second administrator.
fn founded() -> (World, PersonId) {
    let mut world = World::with_support();
    let eve = world.person("eve", &[ADMINISTRATORS]);
    (world, eve)
}

fn names(world: &World, people: &[PersonId]) -> Vec<String> {
    people.iter().map(|person| world.state.people[person].name.clone()).collect()
}

fn parts(world: &World, artefact: &str) -> Vec<Part> {
    let artefact: Artefact = artefact.parse().unwrap();
    who_can_change(&world.state, &artefact, world.now).unwrap().parts
}

fn alone(world: &World, part: &Part, why: Alone) -> Vec<String> {
    let people: Vec<PersonId> = part.alone.iter().filter(|(_, own)| *own == why).map(|(person, _)| *person).collect();
    names(world, &people)
}

#[test]
fn a_caller_comes_with_its_grant_its_policy_and_the_condition_that_is_left() {
    let world = World::with_support();
    let grant = world.state.grants_of(world.support()).next().unwrap().id;
    let read = all(who_can_call(&world.state, &operation("helpdesk/read"), None, world.now).unwrap());
    let [caller] = read.as_slice() else { panic!("{read:?}") };
    let reached = &caller.reaches[0];
    assert_eq!((caller.agent.name.as_str(), reached.grant, caller.more), ("support", Some(grant), false));
    assert_ne!(reached.prospect.reachable, Reachable::Never);
    assert_eq!(reached.prospect.policies, ["a-live-grant-permits"]);
    let is_known = reached.prospect.reachable == Reachable::Always;
    assert_eq!(reached.prospect.condition.is_none(), is_known, "a condition wherever one is left");
    let refund = all(who_can_call(&world.state, &operation("helpdesk/refund"), None, world.now).unwrap());
    let prospect = &refund[0].reaches[0].prospect;
    assert_eq!(prospect.reachable, Reachable::Depends);
    assert!(prospect.condition.as_ref().is_some_and(|condition| condition.contains("approval")), "{prospect:?}");
    assert!(prospect.asks.iter().any(|ask| ask.approvers == [["owner".to_owned()]]), "{prospect:?}");
}

#[test]
fn nobody_calls_what_no_grant_covers_any_more() {
    let mut world = World::with_support();
    assert_eq!(callers(&world.state, "helpdesk/read", world.now).len(), 1);
    let ends = world.now.plus_seconds(30 * DAY);
    assert!(callers(&world.state, "helpdesk/read", ends).is_empty(), "its time is over, whatever the timer says");
    let grant = world.state.grants_of(world.support()).next().unwrap().id;
    world.must(&by(world.named("ana")), Command::RevokeGrant { grant, reason: "enough".to_owned() });
    assert!(callers(&world.state, "helpdesk/read", world.now).is_empty());
    assert!(world.state.grants_by_pattern.is_empty(), "nothing is left of it");
    let unknown = who_can_call(&world.state, &operation("helpdesk/none"), None, world.now).unwrap_err();
    assert_eq!(unknown.code, "operation_unknown");
}

#[test]
fn a_kept_state_answers_alike() {
    let world = World::with_support();
    let kept = serde_json::to_vec(&world.state).unwrap();
    let again: State = serde_json::from_slice(&kept).unwrap();
    assert_eq!(again.grants_by_pattern, world.state.grants_by_pattern);
    let read = |state: &State| callers(state, "helpdesk/read", world.now);
    assert_eq!((read(&again), read(&again).len()), (read(&world.state), 1));
}

#[test]
fn an_answer_goes_on_where_it_stopped() {
    let mut world = World::with_support();
    let ana = world.named("ana");
    for name in ["a", "b", "z"] {
        let agent = world.agent(name, ana);
        world.grant(agent, &["helpdesk/read"]);
    }
    let read = operation("helpdesk/read");
    let mut walk = who_can_call(&world.state, &read, None, world.now).unwrap();
    assert_eq!((walk.step().flatten().unwrap().agent.name.clone(), walk.place()), ("a".to_owned(), Some("a")));
    let rest = all(who_can_call(&world.state, &read, Some("a"), world.now).unwrap());
    assert_eq!(rest.iter().map(|caller| caller.agent.name.as_str()).collect::<Vec<_>>(), ["b", "support", "z"]);
}

#[test]
fn people_reach_through_what_they_own_approve_started_or_are_acted_for_by() {
    let mut world = World::with_support();
    let (ana, bob, root, agent) = (world.named("ana"), world.named("bob"), world.root, world.support());
    let start = StartTask { acting_for: Some(bob), ..crate::tests::world::work(agent) };
    world.start(&by(ana), start);
    let (people, more) = people_through(&world.state, &world.state.agents[&agent]);
    let ties = |person: PersonId| people.iter().find(|it| it.person == person).map(|it| it.ties.clone());
    assert!(!more);
    assert_eq!(ties(ana), Some(BTreeSet::from([Tie::Owner, Tie::Started])));
    assert_eq!(ties(bob), Some(BTreeSet::from([Tie::ActsFor])));
    assert_eq!(ties(root), Some(BTreeSet::from([Tie::Approver])));
    assert_eq!(ties(world.named("cleo")), None);
}

#[test]
fn what_a_person_may_do_themselves_is_not_beyond_them() {
    let mut world = World::with_support();
    let ana = world.named("ana");
    let walk = what_person_reaches(&world.state, ana, None, world.now).unwrap();
    assert_eq!((walk.entitlements(), walk.agents()), (None, 1), "nothing on record");
    let reached = all(what_agent_reaches(&world.state, world.support(), None, world.now).unwrap());
    assert_eq!(all(walk).len(), reached.len());
    let operations = Some(vec![pattern("helpdesk/read"), pattern("helpdesk/update")]);
    world.must(&by(world.root), propose(vec![Edit::Entitlements { person: ana, operations }]));
    let found = all(what_person_reaches(&world.state, ana, None, world.now).unwrap());
    let found: Vec<_> = found.iter().map(|beyond| beyond.operation.as_str()).collect();
    let entitled = ["helpdesk/read", "helpdesk/update"];
    let left = reached.iter().filter(|it| !entitled.contains(&it.operation.as_str())).count();
    assert_eq!(found.len(), left, "{found:?}");
    assert!(found.contains(&"helpdesk/refund"), "{found:?}");
    let direct = who_can_call(&world.state, &operation("helpdesk/read"), None, world.now).unwrap().entitled();
    assert_eq!(direct.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(), ["ana"]);
}

#[test]
fn in_the_founding_one_administrator_changes_things_alone() {
    let world = World::with_support();
    let text = &parts(&world, "policy:new-rule")[0];
    assert_eq!(alone(&world, text, Alone::Founding), ["root"]);
    assert!(alone(&world, text, Alone::Emergency).is_empty());
    assert_eq!(names(&world, &text.propose), ["ana", "bob", "cleo", "root"], "anybody may propose a policy");
    assert_eq!(names(&world, &text.approve), ["root"]);
}

#[test]
fn afterwards_two_people_are_needed_or_two_more_look_at_it() {
    let (mut world, eve) = founded();
    let text = &parts(&world, "policy:new-rule")[0];
    assert!(alone(&world, text, Alone::Founding).is_empty());
    assert_eq!(alone(&world, text, Alone::Emergency), ["eve", "root"]);
    let groups = &parts(&world, "person:eve")[0];
    assert_eq!((groups.part, names(&world, &groups.approve)), ("groups", vec!["root".to_owned()]));
    assert_eq!(alone(&world, groups, Alone::Emergency), ["root"], "nobody gives something to themselves");
    assert_eq!(alone(&world, groups, Alone::TakingAway), ["eve", "root"]);
    let rule =
        policy("mail", Some("@id(\"no-mail\") forbid (principal, action == Action::\"helpdesk/mail\", resource);"));
    let reason = "mail leaks".to_owned();
    world.must(&by(eve), Command::EmergencyChange { edits: vec![rule], reason });
    world.now = world.now.plus_seconds(2 * DAY);
    let answer = who_can_change(&world.state, &"policy:mail".parse().unwrap(), world.now).unwrap();
    assert!(answer.overdue.is_some() && answer.is_there);
    assert!(alone(&world, &answer.parts[0], Alone::Emergency).is_empty(), "until it has been reviewed");
}

#[test]
fn owners_propose_and_approve_what_is_theirs() {
    let (world, _) = founded();
    let agent = parts(&world, "agent:support");
    assert_eq!(agent.iter().map(|part| part.part).collect::<Vec<_>>(), ["approvers", "configuration"]);
    assert_eq!(names(&world, &agent[1].propose), ["ana", "eve", "root"]);
    assert_eq!(names(&world, &agent[1].approve), ["ana", "eve", "root"]);
    assert_eq!(alone(&world, &agent[0], Alone::TakingAway), ["ana", "eve", "root"]);
    let operation = &parts(&world, "operation:helpdesk/read")[0];
    assert_eq!(names(&world, &operation.propose), ["eve", "root"]);
    assert_eq!(alone(&world, operation, Alone::TakingAway), ["eve", "root"]);
    let connector = &parts(&world, "connector:helpdesk")[0];
    assert_eq!(names(&world, &connector.approve), ["eve", "root"]);
}

#[test]
fn what_is_no_artefact_is_refused() {
    let world = World::with_support();
    for text in ["support", "task:x", "policy:", "operation:helpdesk/*", "operation:helpdesk", "agent:A B"] {
        assert!(text.parse::<Artefact>().is_err(), "{text}");
    }
    for text in ["agent:nobody", "person:nobody", "connector:none", "operation:helpdesk/none"] {
        let refusal = who_can_change(&world.state, &text.parse().unwrap(), world.now).unwrap_err();
        assert_eq!(refusal.code, "not_found", "{text}");
    }
}
