//! Credentials that are seen in several hands.

use remit_domain::{Attribution, Event};
use serde_json::json;

use super::world::{World, read};

fn found(event: &Event) -> Option<Vec<String>> {
    match event {
        Event::FindingOpened(opened) => Some(opened.parties.clone()),
        _ => None,
    }
}

#[tokio::test]
async fn a_token_from_two_machines_is_found_and_its_records_say_so() {
    let world = World::new().await;
    let call = |from: &'static str| {
        let params = json!({"name": "echo", "arguments": {}});
        let request = world.modern("/mcp/desk", "tools/call", params).header("x-test-from", from).send();
        async move { read(request.await.unwrap()).await }
    };
    for from in ["10.0.0.1", "10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.1"] {
        assert_eq!(call(from).await.text(), "{}", "it is seen, not prevented");
    }
    let records = world.records().await;
    let findings: Vec<_> = records.iter().filter_map(|record| found(&record.record.event)).collect();
    assert_eq!(findings, [["address 10.0.0.1".to_owned(), "address 10.0.0.2".to_owned()]], "told once");
    let grades: Vec<_> = records
        .iter()
        .filter_map(|record| match &record.record.event {
            Event::ActionAllowed(allowed) => Some(allowed.facts.attribution),
            _ => None,
        })
        .collect();
    use Attribution::{Asserted, Shared};
    assert_eq!(grades, [Asserted, Asserted, Shared, Shared, Shared]);
}

#[tokio::test]
async fn a_token_on_the_connections_of_two_foreign_workloads_is_found() {
    let world = World::new().await;
    let peer = |name: &str| format!("spiffe://elsewhere.test/{name} c");
    for name in ["a", "b"] {
        let said = [("x-test-peer", peer(name)), ("x-test-from", "10.0.0.1".to_owned())];
        let said: Vec<_> = said.iter().map(|(name, value)| (*name, value.as_str())).collect();
        assert_eq!(world.asks("/mcp", Some(&world.token), &said).await.status, 200);
    }
    assert_eq!(world.wait_for(found).await, ["spiffe://elsewhere.test/a", "spiffe://elsewhere.test/b"]);
}

#[tokio::test]
async fn a_bound_token_may_move() {
    let mut world = World::new().await;
    let key = world.enrol().await;
    world.task = world.start_task(Some(key.public().thumbprint())).await;
    world.token = world.token(world.task).await;
    for (number, from) in ["10.0.0.1", "10.0.0.2"].into_iter().enumerate() {
        let proof = world.proof(&key, "/mcp", &world.token, &format!("j{number}"));
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}).to_string();
        let request = world.http.post(format!("{}/mcp", world.url)).header("content-type", "application/json");
        let request = request.header("authorization", format!("DPoP {}", world.token)).header("dpop", proof);
        assert_eq!(request.header("x-test-from", from).body(body).send().await.unwrap().status(), 200);
    }
    assert!(world.records().await.iter().all(|record| found(&record.record.event).is_none()));
}
