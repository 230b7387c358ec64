use super::*;
use crate::Command;
use crate::tests::world::{World, by, digest};

fn offer(world: &mut World, person: PersonId) {
    let offer = Command::OfferSignIn { person, code: digest("code"), ttl_seconds: 600 };
    world.must(&by(world.root), offer);
}

fn open() -> Command {
    Command::OpenSession(OpenSession { code: digest("code"), token: digest("token") })
}

#[test]
fn a_code_signs_in_once() {
    let mut world = World::with_support();
    let ana = world.named("ana");
    offer(&mut world, ana);
    world.must(&Actor::Remit, open());
    assert_eq!(world.state.session_of(&digest("token"), world.now).unwrap().person, ana);
    assert_eq!(world.refused(&Actor::Remit, open()), "code_refused");
}

#[test]
fn a_code_that_is_late_or_whose_person_is_gone_opens_nothing() {
    let mut world = World::with_support();
    assert_eq!(world.refused(&Actor::Remit, open()), "code_refused");
    let bob = world.named("bob");
    offer(&mut world, bob);
    world.advance(600);
    assert_eq!(world.refused(&Actor::Remit, open()), "code_refused");
    offer(&mut world, bob);
    world.must(&by(world.root), Command::RemovePerson { person: bob });
    assert_eq!(world.refused(&Actor::Remit, open()), "not_found");
}

#[test]
fn a_session_ends_by_time_by_its_person_and_with_its_person() {
    let mut world = World::with_support();
    let (bob, cleo) = (world.named("bob"), world.named("cleo"));
    let session = |world: &mut World| {
        offer(world, bob);
        match world.must(&Actor::Remit, open()).as_slice() {
            [Event::SessionOpened(opened)] => opened.session,
            other => panic!("{other:?}"),
        }
    };
    let first = session(&mut world);
    assert_eq!(world.refused(&by(cleo), Command::EndSession { session: first }), "not_permitted");
    world.must(&by(bob), Command::EndSession { session: first });
    assert!(world.state.session_of(&digest("token"), world.now).is_none());

    session(&mut world);
    let late = world.now.plus_seconds(limits::SESSION_SECONDS_MAX);
    assert!(world.state.session_of(&digest("token"), late).is_none());
    let events = world.must(&by(world.root), Command::RemovePerson { person: bob });
    assert!(matches!(events.as_slice(), [Event::PersonRemoved { .. }, Event::SessionEnded { .. }]), "{events:?}");
    assert!(world.state.sessions.is_empty());
}

#[test]
fn a_code_lives_a_day_at_most() {
    assert!(check_ttl(1).is_ok() && check_ttl(limits::CODE_SECONDS_MAX).is_ok());
    assert!(check_ttl(0).is_err() && check_ttl(limits::CODE_SECONDS_MAX + 1).is_err());
}

/// What a code opens is never fresh: a link is no proof that its person is there.
#[test]
fn a_link_never_makes_fresh() {
    let mut world = World::with_support();
    let bob = world.named("bob");
    offer(&mut world, bob);
    world.must(&Actor::Remit, open());
    let session = world.state.session_of(&digest("token"), world.now).unwrap();
    assert_eq!((session.fresh_at, session.method_at(world.now)), (None, SignInMethod::OneTimeLink));
}
