//! A yes is over exactly what was shown.

use remit_domain::{Command, Digest, Event, answer_challenge, limits as domain_limits};
use remit_engine::Committed;
use remit_testkit::Authenticator;
use serde_json::json;

use super::world::{Someone, World, authenticator, code, shown};
use crate::{Assertion, Question};

/// What `who` signs with `key` to say yes to `question`.
fn signed(
    world: &World,
    who: Someone,
    key: &mut Authenticator,
    approval: remit_domain::ApprovalId,
    question: &Question,
    note: &str,
) -> Assertion {
    let options = world.people.yes_options(who.person, approval, question.digest, question.commitment, note).unwrap();
    shown(key, &options)
}

fn is_shown(committed: &Committed) -> bool {
    matches!(committed.record.event, Event::ApprovalShown(_))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_yes_holds_what_was_shown() {
    let world = World::new().await;
    let (ana, mut key) = world.with_passkey("ana").await;
    let (approval, task) = world.ask(json!({"order": "7", "amount": 30})).await;
    let question = world.people.show(world.actor(ana), approval).await.unwrap();
    assert_eq!(question.shown["arguments"], json!({"order": "7", "amount": 30}));
    assert_eq!(question.shown["agent"]["name"], "support");

    let again = world.people.show(world.actor(ana), approval).await.unwrap();
    assert_eq!(again.commitment, question.commitment);
    assert_eq!(world.realm.records().await.iter().filter(|committed| is_shown(committed)).count(), 1);

    world.realm.advance(domain_limits::DWELL_SECONDS_D2);
    let assertion = signed(&world, ana, &mut key, approval, &question, "fine");
    let (digest, commitment) = (question.digest, Some(question.commitment));
    let approve = world.people.approve(world.actor(ana), approval, digest, commitment, "fine", Some(&assertion));
    let receipt = approve.await.unwrap();
    let vote = receipt.events.iter().find_map(|event| match event {
        Event::ApprovalVoted { vote, .. } => Some(vote),
        _ => None,
    });
    let vote = vote.unwrap();
    assert_eq!(vote.shown, commitment);

    // Whoever has the record alone makes the same challenge, and finds it signed.
    let signed = vote.signed.as_ref().unwrap();
    let bytes = |text: &str| remit_identity::base64url::decode(text).unwrap();
    let jwk = world.realm.engine.read(|state| state.passkey(&signed.credential).unwrap().key.clone());
    let (said, _) = remit_identity::webauthn::check_signature(
        &remit_identity::webauthn::PasskeyKey::parse(&jwk).unwrap(),
        &bytes(&signed.authenticator_data),
        &bytes(&signed.client_data),
        &bytes(&signed.signature),
    )
    .unwrap();
    let challenge = answer_challenge(approval, digest, question.commitment, ana.person, "fine");
    assert_eq!(said.challenge, challenge.as_bytes());

    // What was shown is kept beside the arguments, as it was.
    let reference = world.realm.records().await.into_iter().find_map(|committed| match committed.record.event {
        Event::ApprovalShown(shown) => Some(shown.shown),
        _ => None,
    });
    let kept = world.realm.engine.content(&reference.unwrap(), task).await.unwrap().unwrap();
    assert_eq!(serde_json::from_slice::<serde_json::Value>(&kept).unwrap(), question.shown);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signature_over_anything_else_is_no_yes() {
    let world = World::new().await;
    let (ana, mut key) = world.with_passkey("ana").await;
    let (bob, mut of_bob) = world.with_passkey("bob").await;
    let (approval, _) = world.ask(json!({"order": "7", "amount": 30})).await;
    let question = world.people.show(world.actor(ana), approval).await.unwrap();
    world.realm.advance(domain_limits::DWELL_SECONDS_D2);
    let (digest, commitment) = (question.digest, question.commitment);
    let yes = signed(&world, ana, &mut key, approval, &question, "");
    let other = Digest::of_bytes(b"something else");
    let approve = |digest, shown, note, assertion: Option<Assertion>| {
        let (world, actor) = (&world, world.actor(ana));
        async move { code(world.people.approve(actor, approval, digest, shown, note, assertion.as_ref()).await) }
    };
    assert_eq!(approve(digest, Some(commitment), "another note", Some(yes.clone())).await, "passkey_refused");
    assert_eq!(approve(other, Some(commitment), "", Some(yes.clone())).await, "passkey_refused");
    assert_eq!(approve(digest, Some(other), "", Some(yes.clone())).await, "passkey_refused");
    assert_eq!(approve(digest, None, "", Some(yes.clone())).await, "approval_shown");
    assert_eq!(approve(digest, Some(commitment), "", None).await, "signature_needed");

    // Signed over what is true now, by a passkey that says nothing for ana.
    let options = world.people.yes_options(ana.person, approval, digest, commitment, "").unwrap();
    assert_eq!(approve(digest, Some(commitment), "", Some(shown(&mut of_bob, &options))).await, "passkey_refused");
    assert_eq!(
        approve(digest, Some(commitment), "", Some(shown(&mut authenticator(), &options))).await,
        "passkey_refused"
    );
    // A passkey that was shown for something else is not shown for this.
    let step_up = world.people.begin_step_up(ana.person).unwrap();
    assert_eq!(approve(digest, Some(commitment), "", Some(shown(&mut key, &step_up.options))).await, "passkey_refused");
    // What ana signed says nothing for bob.
    let as_bob = world.people.approve(world.actor(bob), approval, digest, Some(commitment), "", Some(&yes)).await;
    assert_eq!(code(as_bob), "passkey_refused");
    // Signed for another document that ana never saw.
    let forged = Question { commitment: other, ..question.clone() };
    let unseen = signed(&world, ana, &mut key, approval, &forged, "");
    assert_eq!(approve(digest, Some(other), "", Some(unseen)).await, "approval_shown");

    world.people.approve(world.actor(ana), approval, digest, Some(commitment), "", Some(&yes)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_yes_to_one_question_is_none_to_another() {
    let world = World::new().await;
    let (ana, mut key) = world.with_passkey("ana").await;
    let (first, task) = world.ask(json!({"order": "7", "amount": 30})).await;
    let second = world.realm.call(task, "desk/refund", json!({"order": "8", "amount": 30})).await.asked();
    let question = world.people.show(world.actor(ana), first).await.unwrap();
    let other = world.people.show(world.actor(ana), second).await.unwrap();
    world.realm.advance(domain_limits::DWELL_SECONDS_D2);
    let yes = signed(&world, ana, &mut key, first, &question, "");
    let replayed = world.people.approve(world.actor(ana), second, other.digest, Some(other.commitment), "", Some(&yes));
    assert_eq!(code(replayed.await), "passkey_refused");
    let digest = question.digest;
    world.people.approve(world.actor(ana), first, digest, Some(question.commitment), "", Some(&yes)).await.unwrap();
    let again = world.people.approve(world.actor(ana), first, digest, Some(question.commitment), "", Some(&yes)).await;
    assert_ne!(code(again), "", "it is answered");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_shown_what_they_cannot_answer() {
    let world = World::new().await;
    let (approval, task) = world.ask(json!({"order": "7", "amount": 30})).await;
    world.realm.person("eve", &[]).await;
    let eve = world.join("eve").await;
    assert_eq!(code(world.people.show(world.actor(eve), approval).await), "not_an_approver");
    assert!(!world.realm.records().await.iter().any(is_shown));
    // Nor what cannot be shown any more.
    world.realm.submit(&world.realm.root(), Command::EndTask { task, note: String::new() }).await;
    let ana = world.join("ana").await;
    assert_ne!(code(world.people.show(world.actor(ana), approval).await), "", "it is closed");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_no_passkey_says_yes_without() {
    let world = World::new().await;
    let ana = world.join("ana").await;
    let (approval, _) = world.ask(json!({"order": "7", "amount": 30})).await;
    let question = world.people.show(world.actor(ana), approval).await.unwrap();
    assert_eq!(
        code(world.people.yes_options(ana.person, approval, question.digest, question.commitment, "")),
        "passkey_needed"
    );
    let approve = |shown| world.people.approve(world.actor(ana), approval, question.digest, shown, "", None);
    let shown = Some(question.commitment);
    assert_eq!(code(approve(shown).await), "too_soon");
    world.realm.advance(domain_limits::DWELL_SECONDS_D2);
    assert_eq!(code(approve(None).await), "approval_shown", "about confidential data it says what was shown");
    approve(shown).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_yes_to_what_the_question_no_longer_says_is_no_yes() {
    let world = World::new().await;
    let (ana, mut key) = world.with_passkey("ana").await;
    let (earlier, task) = world.ask(json!({"order": "7", "amount": 29})).await;
    let approval = world.realm.call(task, "desk/refund", json!({"order": "7", "amount": 30})).await.asked();
    let question = world.people.show(world.actor(ana), approval).await.unwrap();
    world.realm.advance(domain_limits::DWELL_SECONDS_D2);
    let yes = signed(&world, ana, &mut key, approval, &question, "");
    // Meanwhile somebody says no to what the same task asked before.
    let deny = remit_domain::Deny { approval: earlier, note: "it was paid twice already".to_owned() };
    world.realm.engine.submit(world.actor(ana), remit_domain::Command::Deny(deny)).await.unwrap();
    let (digest, shown) = (question.digest, Some(question.commitment));
    let late = world.people.approve(world.actor(ana), approval, digest, shown, "", Some(&yes)).await;
    assert_eq!(code(late), "approval_shown");
}
