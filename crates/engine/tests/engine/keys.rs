//! Keys and tokens: issued on record, verified by the realm's keys, across their rotation and a restart.

use remit_domain::{Event, TaskId};
use remit_engine::Engine;
use remit_identity::UnverifiedTaskToken;
use remit_identity::token::Expected;
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
    let active = world.engine.rotate_keys(world.root()).await.unwrap();
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
        Event::KeyRotated { key, step } if *key == active => Some(step.as_str()),
        _ => None,
    });
    assert_eq!(steps.collect::<Vec<_>>(), ["prepared", "active"]);
}
