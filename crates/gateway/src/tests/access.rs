//! What an agent asks for in band, and what comes of it.

use remit_domain::{Command, Event, GrantId, limits as bounds};
use serde_json::{Value, json};

use super::world::{Answered, World, read};
use crate::mcp::access::{MINUTES_MAX, NAME};

async fn call(world: &World, path: &str, tool: &str, arguments: Value) -> Answered {
    let params = json!({"name": tool, "arguments": arguments});
    read(world.modern(path, "tools/call", params).send().await.unwrap()).await
}

async fn ask(world: &World, arguments: Value) -> Answered {
    call(world, "/mcp", NAME, arguments).await
}

fn secret() -> Value {
    json!({"operations": ["desk__secret"], "reason": "the customer asked for it"})
}

fn help_of(answered: &Answered) -> &str {
    answered.result()["_meta"]["remit/refusal"]["help"].as_str().unwrap()
}

async fn names(world: &World, path: &str) -> Vec<String> {
    let listed = read(world.modern(path, "tools/list", json!({})).send().await.unwrap()).await;
    let tools = listed.result()["tools"].as_array().unwrap();
    tools.iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect()
}

fn requested(world: &World) -> Vec<GrantId> {
    world.engine.read(|state| {
        state
            .grant_requests
            .values()
            .filter(|request| request.task == Some(world.task))
            .map(|request| request.id)
            .collect()
    })
}

#[tokio::test]
async fn what_was_refused_is_asked_for_given_and_called() {
    let world = World::new().await;
    let refused = call(&world, "/mcp", "desk__secret", json!({})).await;
    assert_eq!(refused.refused(), Some("denied_by_policy"));
    assert!(help_of(&refused).contains("`remit__request_access`: name `desk__secret`"), "{}", help_of(&refused));

    let asked = ask(&world, secret()).await;
    let document = &asked.result()["structuredContent"];
    assert_eq!((&document["status"], &document["operations"]), (&json!("waiting"), &json!(["desk/secret"])));
    assert_eq!(document["answered_by"], json!(["ada"]));
    let id: GrantId = document["request"].as_str().unwrap().parse().unwrap();
    assert_eq!(document["page"], format!("http://127.0.0.1:7470/grants/{id}"));
    assert_eq!(ask(&world, secret()).await.result()["structuredContent"], *document, "asked again, it is the same");
    assert_eq!(requested(&world), [id]);
    assert_eq!(call(&world, "/mcp", "desk__secret", json!({})).await.refused(), Some("denied_by_policy"));

    world.submit(&world.ada, Command::ApproveGrant { grant: id }).await;
    let given = ask(&world, json!({"operations": ["desk/secret"], "reason": "again"})).await;
    assert_eq!(given.result()["structuredContent"]["status"], "given");
    assert_eq!(call(&world, "/mcp", "desk__secret", json!({})).await.refused(), None);
    assert!(names(&world, "/mcp").await.contains(&"desk__secret".to_owned()));
    let asks = |event: &Event| matches!(event, Event::GrantRequested(request) if request.task.is_some());
    assert_eq!(world.records().await.iter().filter(|committed| asks(&committed.record.event)).count(), 1);
}

#[tokio::test]
async fn it_is_listed_last_at_the_joined_door_and_nowhere_else() {
    let world = World::new().await;
    assert_eq!(names(&world, "/mcp").await.last().unwrap(), NAME);
    assert!(!names(&world, "/mcp/desk").await.iter().any(|name| name.contains("request_access")));
    let elsewhere = call(&world, "/mcp/desk", NAME, secret()).await;
    assert_eq!(elsewhere.refused(), Some("operation_unknown"), "there it is a tool of the desk that nobody approved");
    let refused = call(&world, "/mcp/desk", "secret", json!({})).await;
    assert!(!help_of(&refused).contains(NAME), "{}", help_of(&refused));
    assert!(requested(&world).is_empty());
}

#[tokio::test]
async fn what_is_no_request_asks_nobody() {
    let world = World::new().await;
    let many = vec!["desk__secret"; bounds::ACCESS_OPERATIONS_MAX + 1];
    let long = "x".repeat(bounds::OPERATION_BYTES_MAX + 1);
    for arguments in [
        json!({}),
        json!({"operations": [], "reason": "why"}),
        json!({"operations": "desk__secret", "reason": "why"}),
        json!({"operations": [7], "reason": "why"}),
        json!({"operations": many, "reason": "why"}),
        json!({"operations": [long], "reason": "why"}),
        json!({"operations": ["desk__secret"]}),
        json!({"operations": ["desk__secret"], "reason": "why", "minutes": 0}),
        json!({"operations": ["desk__secret"], "reason": "why", "minutes": MINUTES_MAX + 1}),
        json!({"operations": ["desk__secret"], "reason": "why", "minutes": 1.5}),
        json!({"operations": ["desk__secret"], "reason": "why", "agent": "another"}),
    ] {
        assert_eq!(ask(&world, arguments.clone()).await.refused(), Some("bad_arguments"), "{arguments}");
    }
    for (operation, code) in [
        ("desk__ungranted", "operation_unknown"),
        ("nowhere", "operation_unknown"),
        ("desk__echo", "already_granted"),
        ("desk/*", "grant_too_wide"),
    ] {
        let answered = ask(&world, json!({"operations": [operation], "reason": "why"})).await;
        assert_eq!(answered.refused(), Some(code), "{operation}");
    }
    let blank = ask(&world, json!({"operations": ["desk__secret"], "reason": " "})).await;
    assert_eq!(blank.refused(), Some("missing_text"));
    assert!(requested(&world).is_empty());
}

#[tokio::test]
async fn a_no_reaches_the_agent_with_its_note() {
    let world = World::new().await;
    let asked = ask(&world, secret()).await;
    let id: GrantId = asked.result()["structuredContent"]["request"].as_str().unwrap().parse().unwrap();
    world.submit(&world.ada, Command::DenyGrant { grant: id, note: "use echo".to_owned() }).await;
    let refused = ask(&world, secret()).await;
    assert_eq!(refused.refused(), Some("access_denied"));
    assert!(refused.text().contains("saying: use echo"), "{}", refused.text());
    let called = call(&world, "/mcp", "desk__secret", json!({})).await;
    assert!(!help_of(&called).contains(NAME), "it is not told to ask again: {}", help_of(&called));
}
