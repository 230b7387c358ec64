use axum::body::Body;
use axum::response::IntoResponse;
use futures_util::StreamExt;
use http::{Request, StatusCode};
use remit_domain::{Command, Configuration, Edit};
use serde_json::json;

use crate::world::World;

/// The next message of a live page, or nothing if none comes for a while.
async fn next(body: &mut axum::body::BodyDataStream) -> Option<String> {
    let wait = std::time::Duration::from_millis(800);
    let bytes = tokio::time::timeout(wait, body.next()).await.ok()??.unwrap();
    Some(String::from_utf8(bytes.to_vec()).unwrap())
}

async fn listen(world: &World, cookie: &str) -> axum::body::BodyDataStream {
    let request = Request::get("/live").header("cookie", cookie).body(Body::empty()).unwrap();
    let response = world.answer(request).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    response.into_response().into_body().into_data_stream()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_page_hears_that_somebody_is_asked_and_nothing_of_what() {
    let world = World::new().await;
    let cookie = world.sign_in("olga").await;
    let mut heard = listen(&world, &cookie).await;
    world.ask(json!({"order": "SECRET-1"})).await;
    let mut all = String::new();
    while !all.contains("ApprovalRequested") {
        all += &next(&mut heard).await.expect("nothing was heard");
    }
    assert!(all.contains("event: record"), "{all}");
    for kept_back in ["SECRET", "refund", "agt_", "apr_", "support-bot"] {
        assert!(!all.contains(kept_back), "{kept_back} in {all}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_nothing_to_do_with_an_agent_hears_nothing_of_it() {
    let world = World::new().await;
    world.join("nina", &[]).await;
    let cookie = world.sign_in("nina").await;
    let mut heard = listen(&world, &cookie).await;
    world.ask(json!({"order": "A-1"})).await;
    assert_eq!(next(&mut heard).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_signs_out_hears_nothing_more() {
    let world = World::new().await;
    let cookie = world.sign_in("olga").await;
    let mut heard = listen(&world, &cookie).await;
    let token = world.get("/", &cookie).await.field("form_token");
    assert_eq!(world.post("/sign-out", &cookie, &[("form_token", &token)]).await.status, StatusCode::SEE_OTHER);
    world.ask(json!({"order": "A-1"})).await;
    let mut all = String::new();
    while let Some(more) = next(&mut heard).await {
        all += &more;
    }
    assert!(!all.contains("ApprovalRequested"), "{all}");
    assert_eq!(listen_status(&world, &cookie).await, StatusCode::SEE_OTHER);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_answer_a_change_hears_of_it_and_others_do_not() {
    let world = World::new().await;
    world.join("second", &["administrators"]).await;
    world.join("nina", &[]).await;
    let (olga, nina) = (world.sign_in("olga").await, world.sign_in("nina").await);
    let (mut heard, mut unheard) = (listen(&world, &olga).await, listen(&world, &nina).await);
    let edits = vec![Edit::Configuration { agent: world.agent, configuration: Some(Configuration::default()) }];
    let propose = Command::ProposeChange { edits, reason: "what it runs with".to_owned(), revert_of: None };
    world.engine.submit(world.root(), propose).await.unwrap();
    let mut all = String::new();
    while !all.contains("EditProposed") {
        all += &next(&mut heard).await.expect("nothing was heard");
    }
    assert!(all.contains("ChangeProposed"), "{all}");
    assert_eq!(next(&mut unheard).await, None);
}

async fn listen_status(world: &World, cookie: &str) -> StatusCode {
    world.get("/live", cookie).await.status
}
