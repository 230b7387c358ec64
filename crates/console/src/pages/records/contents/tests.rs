use http::StatusCode;
use remit_domain::Event;
use serde_json::json;

use crate::world::World;

/// The record of the question that waits, and the page for reading what it refers to.
async fn asked(world: &World) -> String {
    world.ask(json!({"order": "A-1 <b>"})).await;
    format!("/records/{}", world.engine.head() - 1)
}

async fn reads(world: &World) -> usize {
    let mut found = 0;
    for seq in 0..world.engine.head() {
        let record = world.engine.record(seq).await.unwrap().unwrap();
        found += usize::from(matches!(record.record.event, Event::ContentRead { .. }));
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn content_is_read_for_a_reason_that_stands_on_record() {
    let world = World::new().await;
    world.join("rita", &["auditors", "content-readers"]).await;
    let page = asked(&world).await;
    let rita = world.sign_in("rita").await;
    let record = world.get(&page, &rita).await;
    assert!(record.body.contains("the arguments of an action") && !record.body.contains("A-1"), "{}", record.body);
    let token = record.field("form_token");
    let read = format!("{page}/contents");
    let without = world.post(&read, &rita, &[("form_token", &token), ("reason", "  ")]).await;
    assert_eq!((without.status, reads(&world).await), (StatusCode::UNPROCESSABLE_ENTITY, 0), "{}", without.body);
    let read = world.post(&read, &rita, &[("form_token", &token), ("reason", "complaint 4711")]).await;
    assert_eq!(read.status, StatusCode::OK, "{}", read.body);
    assert!(read.body.contains("A-1 &lt;b&gt;") && read.body.contains("on record"), "{}", read.body);
    assert_eq!(read.header("cache-control"), "no-store");
    assert_eq!(reads(&world).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_reads_records_does_not_read_content_with_them() {
    let world = World::new().await;
    world.join("rita", &["auditors"]).await;
    world.join("carl", &["content-readers"]).await;
    let page = asked(&world).await;
    let rita = world.sign_in("rita").await;
    let record = world.get(&page, &rita).await;
    assert!(record.body.contains("disabled") && record.body.contains("content-readers"), "{}", record.body);
    let fields = [("form_token", record.field("form_token")), ("reason", "curious".to_owned())];
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let refused = world.post(&format!("{page}/contents"), &rita, &fields).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN, "{}", refused.body);
    assert!(!refused.body.contains("A-1"));
    // Nor does who reads content read what they may not know of.
    let carl = world.sign_in("carl").await;
    assert_eq!(world.get(&page, &carl).await.status, StatusCode::FORBIDDEN);
    assert_eq!(reads(&world).await, 0);
}
