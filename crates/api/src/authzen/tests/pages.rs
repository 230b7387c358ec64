use http::StatusCode;
use serde_json::{Value, json};

use super::House;

fn search(page: &Value) -> Value {
    json!({
        "subject": {"type": "user"},
        "action": {"name": "can_read_todos"},
        "resource": {"type": "todo", "id": "todo-1"},
        "page": page,
    })
}

#[tokio::test]
async fn pages_give_everybody_once_and_record_nothing() {
    let house = House::of("todo").await;
    let before = house.world.engine.head();
    let (mut seen, mut token) = (Vec::new(), String::new());
    loop {
        let answered = house.ask("/access/v1/search/subject", &search(&json!({"limit": 3, "token": token}))).await;
        assert_eq!(answered.status, StatusCode::OK);
        let rows = answered.body["results"].as_array().unwrap();
        assert_eq!(answered.body["page"]["count"], rows.len());
        seen.extend(rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()));
        token = answered.body["page"]["next_token"].as_str().unwrap().to_owned();
        if token.is_empty() {
            break;
        }
    }
    let whole = house.ask("/access/v1/search/subject", &search(&json!({}))).await;
    let whole: Vec<&str> =
        whole.body["results"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap()).collect();
    assert_eq!(seen, whole);
    // Ten names of five people in the catalogue, and the people of the realm.
    assert_eq!(seen.len(), 13);
    assert_eq!(house.world.engine.head(), before);
}

#[tokio::test]
async fn a_page_of_another_search_or_of_none_is_refused() {
    let house = House::of("todo").await;
    let first = house.ask("/access/v1/search/subject", &search(&json!({"limit": 1}))).await;
    let mut other = search(&json!({"limit": 1, "token": first.body["page"]["next_token"]}));
    other["action"]["name"] = json!("can_create_todo");
    for wrong in [
        other,
        search(&json!({"token": "somewhere"})),
        search(&json!({"token": 7})),
        search(&json!({"limit": 0})),
        search(&json!({"limit": "all"})),
        search(&json!("first")),
    ] {
        let refused = house.ask("/access/v1/search/subject", &wrong).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{wrong}");
    }
}

#[tokio::test]
async fn agents_are_found_by_their_own_grants() {
    let house = House::of("gateway").await;
    house.world.agent("reader", "ana", |_| {}).await;
    house.world.grant("reader", &["route/GET"], 3_600).await;
    house.world.agent("other", "ana", |_| {}).await;
    let search = json!({
        "subject": {"type": "agent"},
        "action": {"name": "GET"},
        "resource": {"type": "route", "id": "/todos"},
    });
    let found = house.ask("/access/v1/search/subject", &search).await;
    let rows = json!([{"type": "agent", "id": "enforcer"}, {"type": "agent", "id": "reader"}]);
    assert_eq!(found.body["results"], rows);
}
