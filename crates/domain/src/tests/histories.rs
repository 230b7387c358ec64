//! What holds in every history, whatever people, agents and time do.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRng, TestRunner};
use serde_json::to_value;

use super::fixtures::variant;
use super::observer::{Observer, trust_agrees};
use super::steps::{Ids, Kind, Step, steps};
use super::world::{World, by};
use crate::*;

const LENGTH: usize = 300;
/// Events that old ledgers have and nothing brings about any more.
const FORMER: &[&str] = &["KeyRotated", "PolicyProposed", "PolicyRejected"];

/// The world of the helpdesk, with a second agent that may only propose (A2), a third that only assists with what is public,
/// and a fourth that may read and has to ask for more.
fn beginning() -> World {
    let mut world = World::with_support();
    let bob = world.named("bob");
    let profile = AgentProfile { autonomy: Some(2), ..world.profile(bob) };
    let agent = world.draft("clerk", profile);
    world.must(&by(bob), Command::ActivateAgent { agent });
    world.grant(agent, &["helpdesk/update", "helpdesk/read"]);
    let profile = AgentProfile { autonomy: Some(1), data_classes: vec![DataClass::D0], ..world.profile(bob) };
    let agent = world.draft("intake", profile);
    world.must(&by(bob), Command::ActivateAgent { agent });
    world.grant(agent, &["helpdesk/read"]);
    let agent = world.agent("reader", bob);
    world.grant(agent, &["helpdesk/read"]);
    world
}

/// Takes the steps, with somebody watching the ledger.
fn live(steps: &[Step]) -> World {
    let mut world = beginning();
    let (mut ids, mut observer) = (Ids::default(), Observer::default());
    for (at, event) in &world.history {
        ids.learn(event);
        observer.see(event, *at);
    }
    for step in steps {
        let Some(command) = step.command(&world, &ids) else {
            world.now = world.now.plus_seconds(step.seconds());
            continue;
        };
        let decided = world.decide(&step.actor(&ids), &command);
        if step.kind == Kind::Attempt {
            every_attempt_has_one_verdict(&world, &command, &decided);
        }
        match decided {
            Ok(events) => {
                observer.see_actor(&step.actor(&ids), &events);
                for event in &events {
                    ids.learn(event);
                    observer.see(event, world.now);
                }
                observer.settle(&world.state);
            }
            Err(refusal) => {
                assert!(!refusal.code.is_empty() && !refusal.sentence.is_empty() && !refusal.sentence.ends_with('.'))
            }
        }
    }
    nothing_is_missing_from_a_sequence(&world, &observer);
    world
}

fn every_attempt_has_one_verdict(world: &World, command: &Command, decided: &Result<Vec<Event>, Refusal>) {
    match decided {
        Ok(events) => assert!(events.len() == 1 && Verdict::among(events).is_some(), "{events:?}"),
        Err(refusal) => {
            let Command::AttemptAction(attempt) = command else { return };
            // Without a record only what names no known task, or does not come from its agent.
            let known = world.state.task(attempt.task).is_ok();
            assert!(!known || refusal.code == "not_permitted" || refusal.code == "not_found", "{refusal:?}");
        }
    }
}

/// An event belongs to the sequence of the agent whose thing it is about, so a sequence without a gap leaves nothing out.
fn nothing_is_missing_from_a_sequence(world: &World, observer: &Observer) {
    for (agent, entries) in observer.entries() {
        let text = agent.to_string();
        let about = world.history.iter().filter(|(_, event)| {
            let document = to_value(event).unwrap();
            document["agent"] == text.as_str()
        });
        let denied_requests = about.clone().filter(|(_, event)| event.agent() != Some(*agent)).count();
        assert_eq!(
            (about.count() as u64, denied_requests),
            (*entries, 0),
            "the sequence of `{agent}` leaves something out"
        );
    }
}

/// What the state says in two places, it says alike.
fn agrees_with_itself(state: &State) {
    let live = state.tasks.values().filter(|task| task.is_live()).map(|task| task.id).collect::<BTreeSet<_>>();
    assert_eq!(live, state.live_tasks().map(|task| task.id).collect());
    let by_agent = state.agents.keys().flat_map(|agent| state.grants_of(*agent)).map(|grant| grant.id);
    let by_task = state.live_tasks().flat_map(|task| state.grants_of_task(task)).map(|grant| grant.id);
    assert_eq!(by_agent.chain(by_task).collect::<BTreeSet<_>>(), state.grants.keys().copied().collect());
    access_agrees(state);
    for task in state.tasks.values() {
        for approval in &task.open_approvals {
            let status = &state.approval(*approval).unwrap().status;
            assert!(task.is_live() && matches!(status, ApprovalStatus::Pending | ApprovalStatus::Granted { .. }));
        }
    }
    let open = state
        .approvals
        .values()
        .filter(|approval| matches!(approval.status, ApprovalStatus::Pending | ApprovalStatus::Granted { .. }));
    let reviewed = state.agents.values().filter(|agent| agent.status == AgentStatus::Active).count();
    let due = live.len() + state.grants.len() + open.count() + state.actions.len() + reviewed;
    trust_agrees(state);
    assert_eq!(state.deadlines.len(), due, "each thing that time ends has one deadline, and nothing else has");
}

/// A task knows where each of its requests stands, and what has ended has nothing open.
fn access_agrees(state: &State) {
    for task in state.tasks.values() {
        for access in &task.access {
            let waits = state.grant_requests.get(&access.grant).is_some_and(|request| request.task == Some(task.id));
            let given = state.grants.get(&access.grant).is_some_and(|grant| grant.task == Some(task.id));
            assert_eq!(access.status == AccessStatus::Waiting, waits, "{access:?}");
            assert_eq!(matches!(access.status, AccessStatus::Given { .. }), given, "{access:?}");
            assert!(task.is_live() || !waits && !given, "access outlived its task");
        }
    }
    let of_tasks = state.grant_requests.values().filter_map(|request| request.task);
    assert!(of_tasks.map(|task| state.task(task).unwrap()).all(|task| task.is_live()), "a request outlived its task");
}

fn config(cases: u32) -> Config {
    Config { cases, failure_persistence: None, ..Config::default() }
}

/// Reads the state back from what a snapshot holds.
fn reloaded(state: &State) -> State {
    serde_json::from_slice(&serde_json::to_vec(state).unwrap()).unwrap()
}

/// Folds the history as a new node would: from bytes.
fn replayed(world: &World) -> State {
    let mut state = State::default();
    for (at, event) in &world.history {
        let bytes = serde_json::to_vec(event).unwrap();
        let read: Event = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(read, *event);
        state.apply(&read, *at);
    }
    state
}

/// The histories are the same in every run, so that a failure is the same for everybody; and between them everything happens,
/// so that what holds does not hold for want of trying.
#[test]
fn nothing_that_must_never_happen_happens() {
    let mut seen = BTreeSet::new();
    let mut approved = 0;
    let (mut signed, mut deputised, mut recovered) = (0, 0, 0);
    let (mut given, mut used) = (BTreeSet::new(), 0);
    let rng = TestRng::deterministic_rng(config(1).rng_algorithm);
    let mut runner = TestRunner::new_with_rng(config(1), rng);
    for _ in 0..600 {
        let steps = steps(LENGTH).new_tree(&mut runner).unwrap().current();
        let world = live(&steps);
        agrees_with_itself(&world.state);
        seen.extend(world.history.iter().map(|(_, event)| variant(event)));
        let with_approval =
            |event: &Event| matches!(event, Event::ActionAllowed(allowed) if allowed.approval.is_some());
        approved += world.history.iter().filter(|(_, event)| with_approval(event)).count();
        for (_, event) in &world.history {
            match event {
                Event::ApprovalVoted { vote, .. } => {
                    signed += usize::from(vote.signed.is_some());
                    deputised += usize::from(!vote.deputy_of.is_empty());
                }
                Event::GrantGiven(grant) if grant.task.is_some() => drop(given.insert(grant.id)),
                Event::ActionAllowed(allowed) if allowed.grant.is_some_and(|grant| given.contains(&grant)) => used += 1,
                Event::PasskeyRemoved { reason, .. } => recovered += usize::from(reason == "replaced by a recovery"),
                _ => {}
            }
        }
    }
    let missing = super::fixtures::VARIANTS.iter().filter(|name| !seen.contains(*name) && !FORMER.contains(*name));
    let missing: Vec<_> = missing.collect();
    assert!(missing.is_empty(), "no history has {missing:?}");
    assert!(approved > 40, "approvals were used only {approved} times");
    assert!(given.len() > 20 && used > 0, "access was given {} times and used {used} times", given.len());
    let rare = [(signed, "signed"), (deputised, "said by deputies"), (recovered, "taken by recoveries")];
    assert!(rare.iter().all(|(times, _)| *times > 0), "never tried: {rare:?}");
}

proptest! {
    #![proptest_config(config(32))]

    #[test]
    fn any_history_holds(steps in steps(LENGTH)) {
        let world = live(&steps);
        agrees_with_itself(&world.state);
    }

    #[test]
    fn folding_the_ledger_again_gives_the_same_state(steps in steps(LENGTH)) {
        let world = live(&steps);
        let now = to_value(&world.state).unwrap();
        prop_assert_eq!(&to_value(replayed(&world)).unwrap(), &now);
        prop_assert_eq!(&to_value(reloaded(&world.state)).unwrap(), &now);
    }

    #[test]
    fn another_node_decides_the_same(history in steps(LENGTH), next in steps(12)) {
        let mut world = live(&history);
        let (one, other) = (reloaded(&world.state), replayed(&world));
        let mut ids = Ids::default();
        world.history.iter().for_each(|(_, event)| ids.learn(event));
        world.now = world.now.plus_seconds(next[0].seconds());
        let people = world.state.people.keys().map(|person| Command::RemovePerson { person: *person });
        let connectors = world.state.connectors.keys().map(|connector| Command::RemoveConnector { connector: *connector });
        let commands = next.iter().filter_map(|step| Some((step.actor(&ids), step.command(&world, &ids)?)));
        let always = people.chain(connectors).map(|command| (by(world.root), command));
        for (actor, command) in commands.chain(always).chain([(Actor::Remit, Command::Expire), (Actor::Remit, Command::Recover)]) {
            let answer = decide(&one, &actor, &command, &world.moment());
            prop_assert_eq!(&answer, &decide(&other, &actor, &command, &world.moment()));
            prop_assert_eq!(&answer, &decide(&world.state, &actor, &command, &world.moment()));
        }
    }

    #[test]
    fn applying_never_fails_whatever_the_order(
        steps in steps(LENGTH),
        order in prop::collection::vec((any::<prop::sample::Index>(), 0..3_u64 * 24 * 3600), 1..200),
    ) {
        let world = live(&steps);
        let mut state = State::default();
        let mut now = super::world::BEGINNING;
        for (index, seconds) in order {
            let (_, event) = index.get(&world.history);
            now = now.plus_seconds(seconds / 16);
            state.apply(event, now);
            state.apply(event, now);
        }
        let at = Moment::new(now, 1);
        for command in [Command::Expire, Command::Recover] {
            let _ = decide(&state, &Actor::Remit, &command, &at);
        }
        let _ = reloaded(&state);
    }
}
