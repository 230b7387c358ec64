//! Enrolling, signing in, showing again: and everything that must not pass for it.

use remit_domain::{Actor, Command, SignInMethod, limits as domain_limits};

use serde_json::json;

use super::world::{ORIGIN, World, authenticator, code, shown};
use crate::{limits, registration};

#[tokio::test(flavor = "multi_thread")]
async fn a_passkey_signs_its_person_in() {
    let world = World::new().await;
    let (ana, mut key) = world.with_passkey("ana").await;
    let signed_in = world.sign_in(&mut key).await.unwrap();
    assert_eq!(signed_in.person, ana.person, "the passkey says who it is");
    assert_eq!(world.method(signed_in.session), SignInMethod::FreshPasskey);
    world.realm.advance(domain_limits::FRESH_SECONDS);
    assert_eq!(world.method(signed_in.session), SignInMethod::Passkey, "it is not fresh for ever");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_counts_once() {
    let world = World::new().await;
    let (ana, mut key) = world.with_passkey("ana").await;
    let ceremony = world.people.begin_sign_in().unwrap();
    // Its count stays at zero, so that nothing but the ceremony tells the second time from the first.
    let assertion = shown(&mut key, &ceremony.options);
    world.people.sign_in(None, &ceremony.id, &assertion).await.unwrap();
    assert_eq!(code(world.people.sign_in(None, &ceremony.id, &assertion).await), "ceremony_ended");

    let ceremony = world.people.begin_step_up(ana.person).unwrap();
    let assertion = shown(&mut key, &ceremony.options);
    let step_up = || world.people.step_up(world.actor(ana), ana.session, &ceremony.id, &assertion);
    step_up().await.unwrap();
    assert_eq!(code(step_up().await), "ceremony_ended");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ceremony_is_for_one_purpose_and_one_person() {
    let world = World::new().await;
    let (ana, mut key) = world.with_passkey("ana").await;
    let (bob, mut other) = world.with_passkey("bob").await;
    let step_up = world.people.begin_step_up(ana.person).unwrap();
    let assertion = shown(&mut key, &step_up.options);
    assert_eq!(code(world.people.sign_in(None, &step_up.id, &assertion).await), "ceremony_ended");
    let assertion = shown(&mut other, &step_up.options);
    let as_bob = world.people.step_up(world.actor(bob), bob.session, &step_up.id, &assertion).await;
    assert_eq!(code(as_bob), "ceremony_ended", "it was begun for ana");

    let enrolment = world.people.begin_enrolment(ana.person, Some(ana.session)).unwrap();
    let made = registration(&authenticator().create(&enrolment.options).to_string()).unwrap();
    let as_bob = world.people.enrol(world.actor(bob), Some(bob.session), &enrolment.id, &made, "key").await;
    assert_eq!(code(as_bob), "ceremony_ended", "it was begun for ana");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ceremony_cannot_be_made_up_or_kept() {
    let world = World::new().await;
    let (_, mut key) = world.with_passkey("ana").await;
    let ceremony = world.people.begin_sign_in().unwrap();
    let other = world.people.begin_sign_in().unwrap();
    let assertion = shown(&mut key, &ceremony.options);
    // The answer to one is none to another, and an id with another challenge has another MAC.
    assert_eq!(code(world.people.sign_in(None, &other.id, &assertion).await), "passkey_refused");
    let mac = other.id.rsplit_once('.').unwrap().1;
    let forged = format!("{}.{mac}", ceremony.id.rsplit_once('.').unwrap().0);
    for id in ["", "1", "..", forged.as_str(), &"9".repeat(10_000)] {
        assert_eq!(code(world.people.sign_in(None, id, &assertion).await), "ceremony_ended", "{id}");
    }
    world.realm.advance(limits::CEREMONY_SECONDS);
    assert_eq!(code(world.people.sign_in(None, &ceremony.id, &assertion).await), "ceremony_ended", "too late");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_site_got_is_refused() {
    let world = World::new().await;
    let (ana, mut key) = world.with_passkey("ana").await;
    for (origin, rp_id) in
        [("http://localhost:7471", "localhost"), ("https://remit.evil", "localhost"), (ORIGIN, "remit.evil")]
    {
        (key.origin, key.rp_id) = (origin.to_owned(), rp_id.to_owned());
        assert_eq!(code(world.sign_in(&mut key).await), "passkey_refused", "{origin} {rp_id}");
        assert_eq!(code(world.step_up(ana, &mut key).await), "passkey_refused", "{origin} {rp_id}");
    }
    let mut far = authenticator();
    "https://remit.evil".clone_into(&mut far.origin);
    let bob = world.join("bob").await;
    assert_eq!(code(world.enrol(bob, &mut far).await), "passkey_refused");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_there_with_the_passkey_of_somebody_else() {
    let world = World::new().await;
    let (ana, _) = world.with_passkey("ana").await;
    let (_, mut of_bob) = world.with_passkey("bob").await;
    assert_eq!(code(world.step_up(ana, &mut of_bob).await), "passkey_refused");
    assert_eq!(world.method(ana.session), SignInMethod::OneTimeLink);
    let mut stranger = authenticator();
    assert_eq!(code(world.sign_in(&mut stranger).await), "passkey_refused", "nobody enrolled it");
    assert_eq!(code(world.step_up(ana, &mut stranger).await), "passkey_refused");
    // The same id with another key: whoever knows the id has nothing.
    stranger.id.clone_from(&of_bob.id);
    assert_eq!(code(world.sign_in(&mut stranger).await), "passkey_refused");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_steals_a_session_enrols_nothing_and_changes_nothing() {
    let world = World::new().await;
    let (ana, mut key) = world.with_passkey("ana").await;
    let add = || Command::AddPerson(remit_domain::AddPerson { name: "eve".to_owned(), groups: Vec::new() });
    assert_eq!(world.realm.refused(&world.actor(ana), add()).await.code, "step_up_needed");
    assert_eq!(code(world.enrol(ana, &mut authenticator()).await), "step_up_needed");

    world.step_up(ana, &mut key).await.unwrap();
    world.realm.advance(domain_limits::FRESH_SECONDS - 1);
    world.enrol(ana, &mut authenticator()).await.unwrap();
    world.realm.advance(1);
    assert_eq!(world.realm.refused(&world.actor(ana), add()).await.code, "step_up_needed", "it has gone stale");
    assert_eq!(code(world.enrol(ana, &mut authenticator()).await), "step_up_needed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_of_a_passkey_is_noticed() {
    let world = World::new().await;
    let (ana, mut key) = (world.join("ana").await, authenticator());
    key.counts = true;
    world.enrol(ana, &mut key).await.unwrap();
    world.sign_in(&mut key).await.unwrap();
    world.sign_in(&mut key).await.unwrap();
    key.sign_count -= 1;
    assert_eq!(code(world.sign_in(&mut key).await), "passkey_cloned", "the same count again");
    key.sign_count = 0;
    assert_eq!(code(world.step_up(ana, &mut key).await), "passkey_cloned", "a count of before");
    key.counts = false;
    key.sign_count = 0;
    assert_eq!(code(world.sign_in(&mut key).await), "passkey_cloned", "a copy that does not count");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_passkey_opens_nothing_and_what_it_opened_ends() {
    let world = World::new().await;
    let (ana, mut key) = world.with_passkey("ana").await;
    let opened = world.sign_in(&mut key).await.unwrap();
    let credential = remit_identity::base64url::encode(&key.id);
    let root = world.realm.root();
    world.realm.submit(&root, Command::RemovePasskey { credential, reason: "lost".to_owned() }).await;
    assert_eq!(code(world.sign_in(&mut key).await), "passkey_refused");
    assert!(world.realm.engine.read(|state| !state.sessions.contains_key(&opened.session)));
    assert_eq!(code(world.people.begin_step_up(ana.person).map(|_| ())), "passkey_needed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recovery_enrols_without_the_lost_passkey() {
    let world = World::new().await;
    let (ana, _lost) = world.with_passkey("ana").await;
    let recovered = world.join("ana").await;
    assert_eq!(code(world.enrol(ana, &mut authenticator()).await), "step_up_needed", "only the recovered session");
    // The authenticator that holds what cannot be used any more may be the only one that there is, so it must not be told to decline.
    let excluded =
        |session| world.people.begin_enrolment(ana.person, session).unwrap().options["excludeCredentials"].clone();
    assert_eq!(excluded(Some(recovered.session)), json!([]));
    assert_eq!(excluded(Some(ana.session)).as_array().map(Vec::len), Some(1), "else the same one twice is declined");
    let mut new = authenticator();
    world.enrol(recovered, &mut new).await.unwrap();
    let own = world.realm.engine.read(|state| state.passkeys_of(ana.person).len());
    assert_eq!(own, 1, "what was lost opens nothing any more");
    assert_eq!(excluded(Some(recovered.session)).as_array().map(Vec::len), Some(1), "a recovery replaces once");
    assert_eq!(world.sign_in(&mut new).await.unwrap().person, ana.person);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_takes_part_in_no_ceremony() {
    let world = World::new().await;
    let (ana, mut key) = world.with_passkey("ana").await;
    let agent = world.realm.agent("support", "ana", |_| {}).await;
    let actor = Actor::Agent { agent, task: None };
    let ceremony = world.people.begin_step_up(ana.person).unwrap();
    let assertion = shown(&mut key, &ceremony.options);
    assert_eq!(code(world.people.step_up(actor, ana.session, &ceremony.id, &assertion).await), "person_needed");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_fails_waits_and_nobody_else_does() {
    let world = World::new().await;
    let (ana, mut key) = world.with_passkey("ana").await;
    let (far, near) = (Some("192.0.2.7".parse().unwrap()), Some("192.0.2.8".parse().unwrap()));
    let mut stranger = authenticator();
    let ceremony = world.people.begin_sign_in().unwrap();
    let wrong = shown(&mut stranger, &ceremony.options);
    for _ in 0..limits::FAILURES_FREE {
        assert_eq!(code(world.people.sign_in(far, &ceremony.id, &wrong).await), "passkey_refused");
    }
    assert_eq!(code(world.people.sign_in(far, &ceremony.id, &wrong).await), "wait");
    assert_eq!(code(world.people.sign_in(near, &ceremony.id, &wrong).await), "passkey_refused");
    // Somebody else behind the same address, who is who they are, does not wait for whoever fails there.
    let right = shown(&mut key, &ceremony.options);
    assert_eq!(world.people.sign_in(far, &ceremony.id, &right).await.unwrap().person, ana.person);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stolen_session_keeps_its_person_from_nothing() {
    let world = World::new().await;
    let (ana, mut key) = world.with_passkey("ana").await;
    let mut stranger = authenticator();
    for _ in 0..limits::FAILURES_FREE {
        assert_eq!(code(world.step_up(ana, &mut stranger).await), "passkey_refused");
    }
    assert_eq!(code(world.step_up(ana, &mut stranger).await), "wait");
    world.step_up(ana, &mut key).await.unwrap();
    assert_eq!(world.method(ana.session), SignInMethod::FreshPasskey);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_passkeys_are_required_a_link_leads_to_a_passkey_and_to_nothing_grave() {
    let world = World::with_passkeys_required().await;
    let ana = world.join("ana").await;
    let add = |name: &str| Command::AddPerson(remit_domain::AddPerson { name: name.to_owned(), groups: Vec::new() });
    assert_eq!(world.realm.refused(&world.actor(ana), add("eve")).await.code, "passkey_required");
    let mut key = authenticator();
    world.enrol(ana, &mut key).await.unwrap();
    assert_eq!(world.realm.refused(&world.actor(ana), add("eve")).await.code, "step_up_needed");
    world.step_up(ana, &mut key).await.unwrap();
    world.realm.submit(&world.actor(ana), add("eve")).await;
    // Agents, and the machine itself, are let in by no link.
    world.realm.submit(&world.realm.root(), add("zoe")).await;
    // Elsewhere it stays as it was.
    let open = World::new().await;
    let ana = open.join("ana").await;
    open.realm.submit(&open.actor(ana), add("eve")).await;
}
