use super::*;
use crate::tests::world::{DAY, World, by, digest, enrol, signed_in, work};
use crate::{Command, OpenSession, StartTask};

const IDP: &str = "https://idp.example.org";

fn link(person: PersonId, subject: &str) -> Command {
    Command::LinkPerson { person, issuer: IDP.to_owned(), subject: subject.to_owned() }
}

fn signal(kind: SignalKind, jti: &str) -> Command {
    Command::ReceiveSignal(Box::new(ReceiveSignal {
        transmitter: IDP.to_owned(),
        kind,
        jti: jti.to_owned(),
        issuer: IDP.to_owned(),
        subject: "ana@example.org".to_owned(),
    }))
}

/// ana, known to the provider, signed in here.
fn world() -> (World, PersonId) {
    let mut world = World::with_support();
    let (ana, root) = (world.named("ana"), by(world.root));
    world.must(&root, link(ana, "ana@example.org"));
    world.must(&root, Command::OfferSignIn { person: ana, code: digest("code"), ttl_seconds: 60 });
    world.must(&ana_opens(), Command::OpenSession(OpenSession { code: digest("code"), token: digest("token") }));
    (world, ana)
}

fn ana_opens() -> Actor {
    Actor::Remit
}

#[test]
fn an_account_elsewhere_is_one_person() {
    let mut world = World::with_support();
    let (ana, bob, root) = (world.named("ana"), world.named("bob"), by(world.root));
    assert_eq!(world.refused(&by(ana), link(ana, "ana")), "not_permitted");
    world.must(&root, link(ana, "ana"));
    assert!(world.must(&root, link(ana, "ana")).is_empty(), "twice is no error");
    assert_eq!(world.refused(&root, link(bob, "ana")), "subject_taken");
    assert_eq!(world.refused(&root, link(ana, "")), "bad_identity");
    for number in 1..limits::PERSON_LINKS_MAX {
        world.must(&root, link(ana, &format!("ana-{number}")));
    }
    assert_eq!(world.refused(&root, link(ana, "one-more")), "too_many_links");
    world.must(&root, link(bob, "bob"));
    world.must(&root, Command::RemovePerson { person: bob });
    assert_eq!((world.state.person_of(IDP, "bob"), world.state.person_of(IDP, "ana")), (None, Some(ana)));
}

#[test]
fn a_revoked_session_ends_sessions_and_tasks_but_no_agent() {
    let (mut world, ana) = world();
    let (agent, bob) = (world.support(), world.named("bob"));
    let started = world.start(&by(ana), work(agent));
    let clerk = world.agent("clerk", bob);
    let for_ana = world.start(&by(bob), StartTask { acting_for: Some(ana), ..work(clerk) });
    let sub = world.start(&world.under(for_ana), StartTask { parent: Some(for_ana), ..work(clerk) });
    let own = world.task(agent);
    assert_eq!(world.refused(&by(world.root), signal(SignalKind::SessionRevoked, "1")), "not_permitted");
    let events = world.must(&Actor::Remit, signal(SignalKind::SessionRevoked, "1"));
    assert!(matches!(&events[0], Event::SignalReceived(received) if received.person == Some(ana)));
    assert!(matches!(events[1], Event::SessionEnded { .. }));
    assert!(world.state.session_of(&digest("token"), world.now).is_none());
    for task in [started, for_ana, sub] {
        assert!(!world.state.task(task).unwrap().is_live());
    }
    let reason = &world.state.task(for_ana).unwrap().ended.as_ref().unwrap().1;
    assert_eq!(*reason, EndReason::Signal { signal: "session-revoked".to_owned() });
    assert!(world.state.task(own).unwrap().is_live(), "the agent's own work goes on");
}

#[test]
fn with_an_account_go_the_agents_that_its_person_answers_for() {
    for kind in [SignalKind::AccountDisabled, SignalKind::AccountPurged] {
        let (mut world, ana) = world();
        let agent = world.support();
        let (started, own) = (world.start(&by(ana), work(agent)), world.task(agent));
        let events = world.must(&Actor::Remit, signal(kind, "1"));
        let ended = events.iter().filter(|event| matches!(event, Event::TaskEnded { .. })).count();
        assert_eq!(ended, 2, "each task once: {events:?}");
        assert_eq!(world.state.agent(agent).unwrap().status, AgentStatus::Suspended);
        let reason = |task| world.state.task(task).unwrap().ended.clone().unwrap().1;
        assert_eq!(reason(started), EndReason::Signal { signal: kind.as_str().to_owned() });
        assert_eq!(reason(own), EndReason::AgentSuspended);
    }
}

#[test]
fn a_signal_counts_once_in_a_day() {
    let (mut world, ana) = world();
    world.must(&Actor::Remit, signal(SignalKind::SessionRevoked, "1"));
    let task = world.start(&by(ana), work(world.support()));
    assert!(world.must(&Actor::Remit, signal(SignalKind::SessionRevoked, "1")).is_empty());
    assert!(world.state.task(task).unwrap().is_live());
    let other = Command::ReceiveSignal(Box::new(ReceiveSignal {
        transmitter: "https://other.example.org".to_owned(),
        kind: SignalKind::SessionRevoked,
        jti: "1".to_owned(),
        issuer: IDP.to_owned(),
        subject: "nobody".to_owned(),
    }));
    let events = world.must(&Actor::Remit, other);
    assert!(matches!(events.as_slice(), [Event::SignalReceived(received)] if received.person.is_none()));
    world.now = world.now.plus_seconds(DAY);
    assert!(!world.must(&Actor::Remit, signal(SignalKind::SessionRevoked, "1")).is_empty(), "forgotten");
}

#[test]
fn what_is_remembered_of_signals_is_bounded() {
    let mut seen = Seen::default();
    let now = crate::tests::world::BEGINNING;
    for number in 0..limits::SIGNALS_KEPT_MAX + 10 {
        seen.insert(name(&number.to_string()), now);
    }
    assert_eq!((seen.order.len(), seen.at.len()), (limits::SIGNALS_KEPT_MAX, limits::SIGNALS_KEPT_MAX));
    assert!(!seen.contains(&name("0"), now) && seen.contains(&name("10"), now));
    let later = now.plus_seconds(limits::SIGNAL_SECONDS_KEPT);
    assert!(!seen.contains(&name("10"), later));
    seen.insert(name("10"), later);
    assert!(seen.contains(&name("10"), later));
    seen.insert(name("new"), later);
    assert!(seen.contains(&name("10"), later) && seen.order.len() == seen.at.len());
}

#[test]
fn nobody_elsewhere_links_an_account_to_whoever_has_a_passkey() {
    let (mut world, ana) = world();
    world.must(&signed_in(ana, SignInMethod::OneTimeLink), enrol("key", None));
    let root = world.root;
    assert_eq!(
        world.refused(&signed_in(root, SignInMethod::FreshPasskey), link(ana, "mallory@example.org")),
        "has_passkey"
    );
    // On the machine itself it is done, on record.
    world.must(&by(root), link(ana, "ana.two@example.org"));
}
