//! What a caller is shown.

use remit_domain::{Command, Event};
use serde_json::json;

use super::world::{Answered, World, read};

fn names(listed: &Answered) -> Vec<String> {
    let tools = listed.result()["tools"].as_array().unwrap();
    tools.iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect()
}

async fn list(world: &World, path: &str) -> Answered {
    read(world.modern(path, "tools/list", json!({})).send().await.unwrap()).await
}

#[tokio::test]
async fn only_what_some_call_could_reach_is_listed() {
    let world = World::new().await;
    let lists = world.desk.lists.load(std::sync::atomic::Ordering::SeqCst);
    let listed = list(&world, "/mcp/desk").await;
    assert_eq!(names(&listed), ["broken", "cut", "echo", "fail", "hang", "refund", "slow"]);
    assert_eq!((&listed.result()["ttlMs"], &listed.result()["cacheScope"]), (&json!(0), &json!("private")));
    assert_eq!(listed.result()["resultType"], "complete");
    assert_eq!(listed.result()["tools"][0]["description"], "does as it is told");
    assert!(!listed.result().to_string().contains("x-mcp-header"));
    assert_eq!(names(&list(&world, "/mcp").await)[0], "desk__broken");
    assert!(names(&list(&world, "/mcp/nowhere").await).is_empty());
    assert_eq!(world.desk.lists.load(std::sync::atomic::Ordering::SeqCst), lists, "the upstream is not asked");
}

#[tokio::test]
async fn a_revoked_grant_empties_the_list_at_once() {
    let world = World::new().await;
    let grant = world.wait_for(|event| match event {
        Event::GrantGiven(grant) => Some(grant.id),
        _ => None,
    });
    let revoke = Command::RevokeGrant { grant: grant.await, reason: "over".to_owned() };
    world.submit(&world.ada, revoke).await;
    assert!(names(&list(&world, "/mcp/desk").await).is_empty());
}

#[tokio::test]
async fn discovery_and_unknown_methods_answer_as_the_revision_says() {
    let world = World::new().await;
    let discovered = read(world.modern("/mcp", "server/discover", json!({})).send().await.unwrap()).await;
    assert_eq!(discovered.result()["supportedVersions"], json!(["2026-07-28"]));
    assert_eq!(discovered.result()["resultType"], "complete");
    for method in ["ping", "initialize", "prompts/list", "resources/subscribe", "logging/setLevel"] {
        let unknown = read(world.modern("/mcp", method, json!({})).send().await.unwrap()).await;
        assert_eq!((unknown.status, &unknown.body()["error"]["code"]), (404, &json!(-32601)), "{method}");
    }
    let cursor = read(world.modern("/mcp", "tools/list", json!({"cursor": "?"})).send().await.unwrap()).await;
    assert_eq!((cursor.status, &cursor.body()["error"]["code"]), (400, &json!(-32602)));
    let mismatch = world.modern("/mcp", "tools/call", json!({"name": "a"})).header("mcp-name", "b");
    let mismatch = read(mismatch.send().await.unwrap()).await;
    assert_eq!((mismatch.status, &mismatch.body()["error"]["code"]), (400, &json!(-32020)));
    for method in [http::Method::GET, http::Method::DELETE] {
        let response =
            world.http.request(method, format!("{}/mcp", world.url)).bearer_auth(&world.token).send().await.unwrap();
        assert_eq!((response.status().as_u16(), response.headers()["allow"].to_str().unwrap()), (405, "POST"));
    }
}
