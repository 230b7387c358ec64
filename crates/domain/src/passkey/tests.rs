use super::*;
use crate::tests::world::{HOUR, World, by, digest, enrol, shown_passkey, sign_in, signed_in};
use crate::{ADMINISTRATORS, Command, OpenForeignSession, OpenSession};

fn remove(credential: &str) -> Command {
    Command::RemovePasskey { credential: credential.to_owned(), reason: "lost on a train".to_owned() }
}

fn raise(session: SessionId, credential: &str, sign_count: u32) -> Command {
    Command::RaiseSession { session, shown: shown_passkey(credential, sign_count) }
}

/// ana, with the passkey `one`, and root, who has none.
fn world() -> (World, PersonId) {
    let mut world = World::with_support();
    let ana = world.named("ana");
    world.passkey(ana, "one");
    (world, ana)
}

/// The actor that a door makes of a session now.
fn in_session(world: &World, session: SessionId) -> Actor {
    let session = &world.state.sessions[&session];
    signed_in(session.person, session.method_at(world.now))
}

/// A session that a recovery opened for `person`.
fn recovered(world: &mut World, person: PersonId) -> SessionId {
    let session = world.link_session(person, "recovered");
    assert!(world.state.sessions[&session].recovery);
    session
}

#[test]
fn the_first_passkey_comes_from_any_session_and_a_further_one_from_a_fresh_one() {
    let mut world = World::with_support();
    let (ana, bob) = (world.named("ana"), world.named("bob"));
    world.must(&signed_in(ana, SignInMethod::OneTimeLink), enrol("one", None));
    world.must(&signed_in(bob, SignInMethod::OpenIdConnect), enrol("two", None));
    for method in [SignInMethod::OneTimeLink, SignInMethod::Passkey, SignInMethod::OpenIdConnect] {
        assert_eq!(world.refused(&signed_in(ana, method), enrol("three", None)), "step_up_needed", "{method:?}");
    }
    world.must(&signed_in(ana, SignInMethod::FreshPasskey), enrol("three", None));
    let own = world.state.passkeys_of(ana);
    assert_eq!(own.iter().map(|passkey| passkey.credential.as_str()).collect::<Vec<_>>(), ["one", "three"]);
    assert!(!own[0].backed_up && own[0].added_at == world.now && world.state.has_passkey(ana));
}

#[test]
fn a_passkey_is_enrolled_by_its_person_in_a_browser_once() {
    let (mut world, ana) = world();
    let (bob, agent) = (world.named("bob"), world.support());
    assert_eq!(world.refused(&Actor::Agent { agent, task: None }, enrol("two", None)), "person_needed");
    assert_eq!(world.refused(&Actor::Remit, enrol("two", None)), "person_needed");
    assert_eq!(world.refused(&by(bob), enrol("two", None)), "browser_needed");
    let link = signed_in(bob, SignInMethod::OneTimeLink);
    assert_eq!(world.refused(&link, enrol("one", None)), "passkey_known", "it is ana's");
    assert_eq!(world.refused(&link, enrol("", None)), "bad_passkey");
    assert_eq!(world.refused(&link, enrol(&"x".repeat(limits::CREDENTIAL_BYTES_MAX + 1), None)), "bad_passkey");
    let fresh = signed_in(ana, SignInMethod::FreshPasskey);
    for nth in 1..limits::PASSKEYS_MAX {
        world.must(&fresh, enrol(&format!("further-{nth}"), None));
    }
    assert_eq!(world.refused(&fresh, enrol("too-many", None)), "too_many_passkeys");
}

#[test]
fn showing_a_passkey_lasts_five_minutes() {
    let (mut world, ana) = world();
    let agent = world.support();
    let session = world.session("one", 0, "token");
    let suspend = Command::SuspendAgent { agent, reason: "it misbehaves".to_owned() };
    let resume = Command::ResumeAgent { agent };
    world.now = world.now.plus_seconds(limits::FRESH_SECONDS - 1);
    assert_eq!(in_session(&world, session), signed_in(ana, SignInMethod::FreshPasskey));
    let actor = in_session(&world, session);
    world.must(&actor, suspend);
    world.now = world.now.plus_seconds(1);
    let stale = in_session(&world, session);
    assert_eq!(stale, signed_in(ana, SignInMethod::Passkey));
    assert_eq!(world.refused(&stale, resume.clone()), "step_up_needed");
    world.must(&stale, raise(session, "one", 0));
    let fresh = in_session(&world, session);
    world.must(&fresh, resume);
}

#[test]
fn a_session_is_raised_by_its_own_person_while_it_lives() {
    let (mut world, ana) = world();
    let bob = world.named("bob");
    world.passkey(bob, "two");
    let session = world.session("one", 0, "token");
    let (actor, other) = (signed_in(ana, SignInMethod::Passkey), signed_in(bob, SignInMethod::FreshPasskey));
    assert_eq!(world.refused(&other, raise(session, "two", 0)), "session_ended", "it is ana's");
    assert_eq!(world.refused(&actor, raise(session, "two", 0)), "passkey_unknown", "it is bob's");
    assert_eq!(world.refused(&actor, raise(session, "three", 0)), "passkey_unknown");
    world.now = world.now.plus_seconds(limits::SESSION_SECONDS_MAX);
    assert_eq!(world.refused(&actor, raise(session, "one", 0)), "session_ended");
}

#[test]
fn a_copy_of_a_passkey_is_found_by_its_count() {
    let (mut world, ana) = world();
    let session = world.session("one", 0, "first");
    world.session("one", 0, "again");
    world.must(&signed_in(ana, SignInMethod::Passkey), raise(session, "one", 5));
    assert_eq!(world.state.passkey("one").unwrap().sign_count, 5);
    for count in [0, 4, 5] {
        assert_eq!(world.refused(&Actor::Remit, sign_in("one", count, "copy")), "passkey_cloned", "{count}");
        let copy = signed_in(ana, SignInMethod::Passkey);
        assert_eq!(world.refused(&copy, raise(session, "one", count)), "passkey_cloned", "{count}");
    }
    world.session("one", 6, "on");
    assert_eq!(world.state.passkey("one").unwrap().sign_count, 6);
}

#[test]
fn who_has_a_passkey_gets_a_link_on_the_machine_itself_only() {
    let (mut world, ana) = world();
    let (root, code) = (world.root, digest("code"));
    let offer = Command::OfferSignIn { person: ana, code, ttl_seconds: 600 };
    for method in [SignInMethod::OneTimeLink, SignInMethod::FreshPasskey, SignInMethod::OpenIdConnect] {
        assert_eq!(world.refused(&signed_in(root, method), offer.clone()), "has_passkey", "{method:?}");
    }
    assert_eq!(world.refused(&by(world.named("bob")), offer.clone()), "not_permitted");
    let events = world.must(&by(root), offer);
    assert!(matches!(events.as_slice(), [Event::SignInOffered(offered)] if offered.recovery), "{events:?}");
    let events = world.must(&Actor::Remit, Command::OpenSession(OpenSession { code, token: digest("token") }));
    assert!(matches!(events.as_slice(), [Event::SessionOpened(opened)] if opened.recovery), "{events:?}");
    let bob = world.named("bob");
    let plain = Command::OfferSignIn { person: bob, code: digest("other"), ttl_seconds: 600 };
    world.must(&signed_in(root, SignInMethod::OneTimeLink), plain);
}

#[test]
fn a_link_from_before_the_passkey_opens_nothing() {
    let mut world = World::with_support();
    let (ana, code) = (world.named("ana"), digest("code"));
    world.must(&by(world.root), Command::OfferSignIn { person: ana, code, ttl_seconds: 600 });
    world.passkey(ana, "one");
    let open = Command::OpenSession(OpenSession { code, token: digest("token") });
    assert_eq!(world.refused(&Actor::Remit, open), "has_passkey");
}

#[test]
fn a_recovery_replaces_what_was_lost_and_ends_every_other_session() {
    let (mut world, ana) = world();
    world.must(&signed_in(ana, SignInMethod::FreshPasskey), enrol("two", None));
    world.must(&by(world.root), Command::OfferSignIn { person: ana, code: digest("spare"), ttl_seconds: 600 });
    let (thief, other) = (world.session("one", 0, "thief"), world.session("two", 0, "other"));
    let session = recovered(&mut world, ana);
    let actor = in_session(&world, session);
    let suspend = Command::SuspendAgent { agent: world.support(), reason: "it misbehaves".to_owned() };
    assert_eq!(world.refused(&actor, suspend), "step_up_needed", "a recovery only leads to a passkey");
    assert_eq!(world.refused(&actor, enrol("three", None)), "step_up_needed", "not in the session of the recovery");
    assert_eq!(world.refused(&actor, enrol("three", Some(thief))), "step_up_needed", "nor in another one");
    let bob = signed_in(world.named("bob"), SignInMethod::OneTimeLink);
    world.must(&bob, enrol("bobs", Some(session)));
    let events = world.must(&actor, enrol("three", Some(session)));
    let enrolled = matches!(&events[0], Event::PasskeyEnrolled(enrolled) if enrolled.recovery);
    assert!(enrolled && events.len() == 5, "{events:?}");
    for (event, lost) in events[1..3].iter().zip(["one", "two"]) {
        let (credential, reason) = (lost.to_owned(), "replaced by a recovery".to_owned());
        assert_eq!(*event, Event::PasskeyRemoved { person: ana, credential, by: ana, reason });
    }
    assert!(events[3..].iter().all(|event| matches!(event, Event::SessionEnded { .. })), "{events:?}");
    let live = |session| world.state.sessions.contains_key(&session);
    assert!(live(session) && !live(thief) && !live(other));
    let own = world.state.passkeys_of(ana);
    assert_eq!(own.iter().map(|passkey| passkey.credential.as_str()).collect::<Vec<_>>(), ["three"]);
    // It replaces once: neither the session nor a second link of the same kind does so again.
    assert_eq!(world.refused(&actor, enrol("four", Some(session))), "step_up_needed");
    let spare = Command::OpenSession(OpenSession { code: digest("spare"), token: digest("late") });
    assert_eq!(world.refused(&Actor::Remit, spare), "code_refused");
}

#[test]
fn a_recovery_works_with_as_many_passkeys_as_there_may_be_and_not_after_its_time() {
    let (mut world, ana) = world();
    for nth in 1..limits::PASSKEYS_MAX {
        world.must(&signed_in(ana, SignInMethod::FreshPasskey), enrol(&format!("further-{nth}"), None));
    }
    let session = recovered(&mut world, ana);
    let actor = in_session(&world, session);
    let mut late = world.clone();
    late.now = late.now.plus_seconds(limits::SESSION_SECONDS_MAX);
    assert_eq!(late.refused(&actor, enrol("new", Some(session))), "too_many_passkeys", "the session is over");
    world.must(&actor, enrol("new", Some(session)));
    assert_eq!(world.state.passkeys_of(ana).len(), 1);
}

#[test]
fn with_a_passkey_ends_what_it_opened_and_what_it_made_fresh() {
    let (mut world, ana) = world();
    world.must(&signed_in(ana, SignInMethod::FreshPasskey), enrol("two", None));
    let (lost, kept) = (world.session("one", 0, "lost"), world.session("two", 0, "kept"));
    world.must(&signed_in(ana, SignInMethod::Passkey), raise(kept, "one", 0));
    assert_eq!(world.refused(&signed_in(ana, SignInMethod::Passkey), remove("one")), "step_up_needed");
    let events = world.must(&signed_in(ana, SignInMethod::FreshPasskey), remove("one"));
    assert!(
        matches!(events.as_slice(), [Event::PasskeyRemoved { by, .. }, Event::SessionEnded { session }]
            if *by == ana && *session == lost),
        "{events:?}"
    );
    assert_eq!(in_session(&world, kept), signed_in(ana, SignInMethod::Passkey), "what was shown is gone");
    assert_eq!(world.refused(&Actor::Remit, sign_in("one", 0, "late")), "passkey_unknown");
    assert!(world.state.session_of(&digest("lost"), world.now).is_none());
}

/// Otherwise a session that somebody stole could do everything from then on, since nothing has to be shown.
#[test]
fn with_the_last_passkey_end_all_sessions_of_its_person() {
    let mut world = World::with_support();
    let (ana, bob) = (world.named("ana"), world.named("bob"));
    let stolen = world.link_session(ana, "stolen");
    let bobs = world.link_session(bob, "bobs");
    world.passkey(ana, "one");
    world.must(&signed_in(ana, SignInMethod::FreshPasskey), remove("one"));
    assert!(!world.state.sessions.contains_key(&stolen) && world.state.sessions.contains_key(&bobs));
    assert!(!world.state.has_passkey(ana));
}

#[test]
fn the_passkey_of_somebody_else_is_removed_on_the_machine_itself_by_an_administrator() {
    let (mut world, _) = world();
    let (root, bob) = (world.root, world.named("bob"));
    assert_eq!(world.refused(&by(bob), remove("one")), "not_permitted");
    assert_eq!(world.refused(&signed_in(root, SignInMethod::FreshPasskey), remove("one")), "socket_needed");
    assert_eq!(world.refused(&by(root), remove("none")), "passkey_unknown");
    let events = world.must(&by(root), remove("one"));
    assert!(matches!(&events[0], Event::PasskeyRemoved { by, .. } if *by == root), "{events:?}");
}

#[test]
fn with_a_person_their_passkeys_are_gone() {
    let mut world = World::with_support();
    let bob = world.named("bob");
    world.passkey(bob, "one");
    world.must(&by(world.root), Command::RemovePerson { person: bob });
    assert!(world.state.passkeys.is_empty());
    assert_eq!(world.refused(&Actor::Remit, sign_in("one", 0, "late")), "passkey_unknown");
}

#[test]
fn only_remit_says_who_showed_a_passkey_or_is_known_elsewhere() {
    let (mut world, ana) = world();
    let foreign = |subject: &str, token: &str| {
        let (issuer, subject) = ("https://id.example.org".to_owned(), subject.to_owned());
        Command::OpenForeignSession(Box::new(OpenForeignSession { issuer, subject, token: digest(token) }))
    };
    for command in [sign_in("one", 0, "token"), foreign("ana", "token")] {
        assert_eq!(world.refused(&by(world.root), command.clone()), "not_permitted");
        assert_eq!(world.refused(&signed_in(ana, SignInMethod::FreshPasskey), command), "not_permitted");
    }
    assert_eq!(world.refused(&Actor::Remit, foreign("ana", "token")), "person_unlinked");
    let (issuer, subject) = ("https://id.example.org".to_owned(), "ana".to_owned());
    world.must(&by(world.root), Command::LinkPerson { person: ana, issuer, subject });
    world.must(&Actor::Remit, foreign("ana", "token"));
    let session = world.state.session_of(&digest("token"), world.now).unwrap().clone();
    assert_eq!((session.person, session.method_at(world.now)), (ana, SignInMethod::OpenIdConnect));
    let actor = in_session(&world, session.id);
    let add = crate::AddPerson { name: "eve".to_owned(), groups: Vec::new() };
    assert_eq!(world.refused(&actor, Command::AddPerson(add)), "step_up_needed", "known elsewhere is not present here");
    world.must(&actor, raise(session.id, "one", 0));
    assert_eq!(in_session(&world, session.id), signed_in(ana, SignInMethod::FreshPasskey));
}

/// The machine's own user stands for the operating system, also for an administrator who has a passkey.
#[test]
fn an_administrator_who_lost_everything_gets_back_in() {
    let mut world = World::with_support();
    let root = world.root;
    world.passkey(root, "one");
    world.now = world.now.plus_seconds(HOUR);
    let session = recovered(&mut world, root);
    let actor = in_session(&world, session);
    world.must(&actor, enrol("two", Some(session)));
    world.must(&actor, raise(session, "two", 0));
    let add = crate::AddPerson { name: "eve".to_owned(), groups: vec![ADMINISTRATORS.to_owned()] };
    let fresh = in_session(&world, session);
    world.must(&fresh, Command::AddPerson(add));
}

#[test]
fn where_everybody_has_a_passkey_a_link_is_for_enrolling_one() {
    let (mut world, ana) = world();
    let root = world.root;
    let add = Command::AddPerson(crate::AddPerson { name: "eve".to_owned(), groups: Vec::new() });
    let asked = crate::approval::Approve::unsigned(Moment::new(world.now, 1).fresh_id(), digest("it"), String::new());
    let no = Command::Deny(crate::Deny { approval: asked.approval, note: String::new() });
    let refused = |world: &World, person, method, command: &Command| {
        must_have_passkey(&world.state, &signed_in(person, method), command).err().map(|refusal| refusal.code)
    };
    let required = Some("passkey_required".to_owned());
    for grave in [add.clone(), Command::Approve(asked)] {
        assert_eq!(refused(&world, root, SignInMethod::OneTimeLink, &grave), required, "{grave:?}");
        // Who is at the machine, or whom the organisation vouches for, was not let in by a link.
        for method in [SignInMethod::LocalSocket, SignInMethod::OpenIdConnect] {
            assert_eq!(refused(&world, root, method, &grave), None, "{grave:?} {method:?}");
        }
        assert_eq!(refused(&world, ana, SignInMethod::OneTimeLink, &grave), None, "who has one is asked to show it");
    }
    let enrols = enrol("first", None);
    let leaves = Command::EndSession { session: Moment::new(world.now, 2).fresh_id() };
    for light in [enrols, leaves, no] {
        assert_eq!(refused(&world, root, SignInMethod::OneTimeLink, &light), None, "{light:?}");
    }
    world.passkey(root, "first");
    assert_eq!(refused(&world, root, SignInMethod::OneTimeLink, &add), None, "then it is for the passkey to be shown");
}
