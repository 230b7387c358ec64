//! Keys and tokens: issued on record, verified by the realm's keys, across their rotation and a restart.

use remit_domain::{Event, TaskId};
use remit_engine::Engine;
use remit_identity::token::Expected;
use remit_identity::x509::{self, SvidRequest, X509Error};
use remit_identity::{Purpose, SpiffeId, UnverifiedTaskToken};
use remit_testkit::World;

use crate::desk::desk;

/// The task that `token` is for, if the realm's keys vouch for it.
fn verified(engine: &Engine, token: &str) -> Result<String, String> {
    let issuer = engine.realm().issuer;
    let expected = Expected { issuer: &issuer, audience: engine.audience(), environment: Some("production") };
    let token = UnverifiedTaskToken::parse(token).map_err(|error| error.to_string())?;
    let claims = token.verify(&engine.keys(), &expected, engine.now().as_seconds());
    claims.map(|claims| claims.task).map_err(|error| error.to_string())
}

fn published(world: &World) -> Vec<String> {
    let jwks = world.engine.keys().jwks(world.engine.now().as_seconds());
    jwks["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_on_record_and_lives_no_longer_than_it_says() {
    let (world, task) = desk().await;
    let issued = world.engine.issue_token(world.agent_of(task), task, 60).await.unwrap();
    assert_eq!(issued.scheme, "Bearer");
    assert_eq!(verified(&world.engine, &issued.token), Ok(task.to_string()));
    let last = world.engine.record(world.engine.head() - 1).await.unwrap().unwrap();
    assert!(matches!(last.record.event, Event::TokenIssued { task: of, .. } if of == task));
    assert!(!serde_json::to_string(&last).unwrap().contains(&issued.token), "the ledger holds no token");
    world.advance(60);
    assert!(verified(&world.engine, &issued.token).is_err());
    let forgotten = TaskId::from_uuid(Default::default());
    assert!(world.engine.issue_token(world.root(), forgotten, 60).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_outlives_the_key_that_signed_it() {
    let (mut world, task) = desk().await;
    let before = world.token(task).await;
    let former = published(&world);
    let active = world.engine.rotate_keys(world.root(), Purpose::Token).await.unwrap();
    let after = world.token(task).await;
    assert!(!former.contains(&active));
    for _ in 0..2 {
        assert_eq!(verified(&world.engine, &before), Ok(task.to_string()));
        assert_eq!(verified(&world.engine, &after), Ok(task.to_string()));
        let published = published(&world);
        assert!(former.iter().chain([&active]).all(|key| published.contains(key)), "{published:?}");
        world.reopen().await;
    }
    let foreign = World::new().await;
    assert!(verified(&foreign.engine, &before).is_err());
    let rotated = world.records().await;
    let steps = rotated.iter().filter_map(|committed| match &committed.record.event {
        Event::RealmKeyStepped(stepped) if stepped.key == active => Some(stepped.step.as_str()),
        _ => None,
    });
    assert_eq!(steps.collect::<Vec<_>>(), ["prepared", "active"]);
}

/// A certificate for a gateway of this realm, as its authority signs it now.
fn svid(world: &World) -> x509::X509Svid {
    let id = SpiffeId::door(&world.engine.realm().trust_domain, "gateway").unwrap();
    x509::issue(&world.engine.keys(), &SvidRequest::new(id, 3_600), world.engine.now().as_seconds()).unwrap()
}

fn vouched(world: &World, svid: &x509::X509Svid) -> Result<(), X509Error> {
    let now = world.engine.now().as_seconds();
    x509::verify(&svid.chain, &world.engine.keys().bundle(now).unwrap(), now).map(drop)
}

/// The steps on record, as `purpose step` by key.
fn on_record(world: &World, key: &str) -> String {
    world.engine.read(|state| {
        let known = state.realm_keys.get(key);
        known.map_or("unknown".to_owned(), |known| format!("{} {}", known.purpose.as_str(), known.step.as_str()))
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn the_authority_rotates_and_what_it_signed_stays_good_until_it_is_revoked() {
    let mut world = World::new().await;
    let before = svid(&world);
    assert_eq!(on_record(&world, &before.authority), "ca active");
    let active = world.engine.rotate_keys(world.root(), Purpose::Ca).await.unwrap();
    let after = svid(&world);
    assert_eq!(
        (after.authority.as_str(), on_record(&world, &before.authority).as_str()),
        (active.as_str(), "ca retired")
    );
    for _ in 0..2 {
        assert_eq!((vouched(&world, &before), vouched(&world, &after)), (Ok(()), Ok(())));
        world.reopen().await;
    }
    world.engine.revoke_key(world.root(), &active).await.unwrap();
    for _ in 0..2 {
        assert_eq!((vouched(&world, &before), vouched(&world, &after)), (Ok(()), Err(X509Error::UnknownAuthority)));
        assert_eq!(on_record(&world, &active), "ca revoked");
        assert_eq!(vouched(&world, &svid(&world)), Ok(()), "another took its place");
        world.reopen().await;
    }
    assert!(world.engine.revoke_key(world.root(), "unknown").await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_token_key_is_revoked_its_tokens_are_worthless_and_new_ones_are_issued() {
    let (mut world, task) = desk().await;
    let before = world.token(task).await;
    let key = published(&world).remove(0);
    let receipt = world.engine.revoke_key(world.root(), &key).await.unwrap();
    assert!(matches!(&receipt.events[0], Event::RealmKeyStepped(stepped) if stepped.key == key));
    world.reopen().await;
    assert!(verified(&world.engine, &before).is_err());
    assert!(!published(&world).contains(&key));
}

#[tokio::test(flavor = "multi_thread")]
async fn sealed_keys_that_are_older_than_the_ledger_are_put_right() {
    let (mut world, task) = desk().await;
    let (file, kept) = (world.data().join("keys.sealed"), world.data().join("keys.kept"));
    let before = world.token(task).await;
    // A crash right after the key became active on record: the file has it as prepared.
    let prepared = world.engine.prepare_key(world.root(), Purpose::Token).await.unwrap();
    std::fs::copy(&file, &kept).unwrap();
    assert_eq!(world.engine.rotate_keys(world.root(), Purpose::Token).await.unwrap(), prepared);
    world.engine.close().await;
    std::fs::copy(&kept, &file).unwrap();
    world.reopen().await;
    assert_eq!(world.engine.keys().signing().unwrap().kid(), prepared);
    assert_eq!(verified(&world.engine, &before), Ok(task.to_string()));
    // A backup that lacks the active key: nothing could sign, so a new one is made.
    let lost = world.engine.rotate_keys(world.root(), Purpose::Token).await.unwrap();
    world.engine.close().await;
    std::fs::copy(&kept, &file).unwrap();
    world.reopen().await;
    let active = world.engine.keys().signing().unwrap().kid().to_owned();
    assert!(active != lost && active != prepared);
    assert_eq!(
        (on_record(&world, &lost), on_record(&world, &active)),
        ("token retired".to_owned(), "token active".to_owned())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_rotate_by_themselves_when_their_time_has_come() {
    let world = World::new().await;
    let (day, signing) = (86_400, |world: &World| world.engine.keys().signing().unwrap().kid().to_owned());
    let (first, count) = (signing(&world), || published(&world).len());
    world.engine.rotate_due_keys(30 * day).await.unwrap();
    assert_eq!(count(), 1);
    world.advance(u64::try_from(30 * day - 3_600).unwrap());
    world.engine.rotate_due_keys(30 * day).await.unwrap();
    assert_eq!((count(), signing(&world)), (2, first.clone()), "the next one is published and does not sign yet");
    world.advance(3_600);
    world.engine.rotate_due_keys(30 * day).await.unwrap();
    assert_ne!(signing(&world), first);
    world.engine.rotate_due_keys(30 * day).await.unwrap();
    assert_eq!(count(), 2);
    assert_eq!(world.engine.read(|state| state.realm_keys.len()), 4);
}
