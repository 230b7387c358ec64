use axum::body::Body;
use http::{Request, StatusCode, header};
use remit_domain::Event;
use serde_json::{Value, json};

use super::{Answered, House, post, question, read, send};

/// What the scenario says in words only: the entities that a search has to find, by test.
fn found_in_words(test: &str) -> Option<Value> {
    let user = |id: &str| json!({"type": "user", "id": id});
    match test {
        "c-4-2-2" | "c-4-2-3" => Some(json!([user("alice"), user("bob")])),
        "c-4-3-2" | "c-4-3-3" => Some(json!([{"type": "record", "id": "record-1"}])),
        "c-4-4-2" => Some(json!([{"name": "read"}, {"name": "write"}])),
        _ => None,
    }
}

fn decisions(answered: &Answered) -> Vec<bool> {
    let each = answered.body["evaluations"].as_array().unwrap().iter();
    each.map(|one| one["decision"].as_bool().unwrap()).collect()
}

fn check(vector: &Value, answered: &Answered) {
    let (test, expected) = (vector["test"].as_str().unwrap(), &vector["expected_body"]);
    let context = format!("{test} {}: {}", vector["case"], answered.body);
    assert_eq!(u64::from(answered.status.as_u16()), vector["expected_status"].as_u64().unwrap(), "{context}");
    if answered.status != StatusCode::OK {
        return;
    }
    assert_eq!(answered.headers[header::CONTENT_TYPE], "application/json", "{context}");
    if expected["decision"].is_boolean() {
        assert_eq!(answered.body["decision"], expected["decision"], "{context}");
    } else if vector["expected_text"].as_str().unwrap().contains("`\"decision\": true`") {
        assert_eq!(answered.body["decision"], json!(true), "{context}");
    }
    let asked = vector["request"]["evaluations"].as_array().filter(|asked| !asked.is_empty());
    if let Some(asked) = asked {
        assert_eq!(decisions(answered).len(), asked.len(), "{context}");
    }
    if let Some(each) = expected["evaluations"].as_array() {
        let each: Vec<bool> = each.iter().map(|one| one["decision"].as_bool().unwrap()).collect();
        assert_eq!(decisions(answered), each, "{context}");
    }
    if test == "c-3-4-1" {
        assert!(!decisions(answered)[1], "{context}");
    }
    let results = expected.get("results").cloned().or_else(|| found_in_words(test));
    if let Some(results) = results {
        let found = answered.body["results"].as_array().unwrap();
        let results = results.as_array().unwrap();
        assert!(results.iter().all(|result| found.contains(result)), "{context}");
        assert!(!results.is_empty() || found.is_empty(), "{context}");
    }
}

#[tokio::test]
async fn the_certification_scenario_is_met() {
    let house = House::of("certification").await;
    let vectors = read("certification-vectors.json");
    let vectors = vectors["vectors"].as_array().unwrap();
    assert_eq!(vectors.len(), 50);
    let mut next = String::new();
    for vector in vectors {
        let mut request = vector["request"].clone();
        if vector["test"] == "c-4-5-2" {
            request["page"]["token"] = next.clone().into();
        }
        let answered = house.ask(vector["endpoint"].as_str().unwrap(), &request).await;
        check(vector, &answered);
        if vector["test"] == "c-4-5-1" {
            assert_eq!(answered.body["results"].as_array().unwrap().len(), 1);
            next = answered.body["page"]["next_token"].as_str().unwrap().to_owned();
            assert!(!next.is_empty());
        }
        if vector["test"] == "c-4-5-2" {
            assert_eq!(answered.body["page"]["next_token"], "");
        }
    }
}

#[tokio::test]
async fn what_the_scenario_requires_besides_requests_is_met() {
    let house = House::of("certification").await;
    let permitted = question("alice", json!({"name": "read"}), ("record", "record-1"));
    for (kind, body) in [
        ("text/plain", permitted.to_string()),
        ("application/json", "{\"subject\":".to_owned()),
        ("application/json", String::new()),
        ("application/json", "[]".to_owned()),
        // Two readers could disagree about which one counts.
        ("application/json", permitted.to_string().replacen('{', "{\"action\":{\"name\":\"write\"},", 1)),
    ] {
        let mut request = post("/access/v1/evaluation", &house.token, &Value::Null);
        request.headers_mut().insert(header::CONTENT_TYPE, kind.parse().unwrap());
        request.headers_mut().insert("x-request-id", "of-a-bad-one".parse().unwrap());
        *request.body_mut() = Body::from(body);
        let answered = send(&house.router, request).await;
        assert_eq!(answered.status, StatusCode::BAD_REQUEST, "{}", answered.body);
        assert_eq!(answered.headers["x-request-id"], "of-a-bad-one");
    }
    let mut named = post("/access/v1/evaluation", &house.token, &permitted);
    named.headers_mut().insert("x-request-id", "bfe9eb29-ab87-4ca3-be83-a1d5d8305716".parse().unwrap());
    let answered = send(&house.router, named).await;
    assert_eq!(answered.headers["x-request-id"], "bfe9eb29-ab87-4ca3-be83-a1d5d8305716");
    for _ in 0..3 {
        let again = house.evaluate(&permitted).await;
        assert!(again.decision() && !again.headers.contains_key("x-request-id"));
        assert_eq!(again.headers["remit-decision"], again.body["context"]["id"].as_str().unwrap());
    }
    let request = Request::get("/.well-known/authzen-configuration").body(Body::empty()).unwrap();
    let metadata = send(&house.router, request).await;
    assert_eq!(metadata.body["policy_decision_point"], super::CONSOLE);
    assert_eq!(metadata.body["access_evaluation_endpoint"], format!("{}/access/v1/evaluation", super::CONSOLE));
}

#[tokio::test]
async fn the_to_do_application_gets_the_decisions_that_it_expects() {
    let house = House::of("todo").await;
    for (file, count) in [
        ("decisions", 40),
        ("decisions-authorization-api-1_0-00", 40),
        ("decisions-authorization-api-1_0-01", 40),
        ("decisions-authorization-api-1_0-02", 43),
    ] {
        let vectors = read(&format!("todo/{file}.json"));
        let mut asked = 0;
        for (of, endpoint) in
            [("decisions", "evaluation"), ("evaluation", "evaluation"), ("evaluations", "evaluations")]
        {
            for vector in vectors.get(of).and_then(Value::as_array).into_iter().flatten() {
                let answered = house.ask(&format!("/access/v1/{endpoint}"), &vector["request"]).await;
                match &vector["expected"] {
                    Value::Bool(expected) => {
                        assert_eq!(answered.decision(), *expected, "{file}: {} {}", vector["request"], answered.body);
                    }
                    each => {
                        let each = each.as_array().unwrap().iter();
                        let each: Vec<bool> = each.map(|one| one["decision"].as_bool().unwrap()).collect();
                        assert_eq!(decisions(&answered), each, "{file}: {}", vector["request"]);
                    }
                }
                asked += 1;
            }
        }
        assert_eq!(asked, count, "{file}");
    }
}

#[tokio::test]
async fn the_gateway_gets_the_decisions_that_it_expects() {
    let house = House::of("gateway").await;
    let vectors = read("gateway/decisions.json");
    let vectors = vectors["evaluation"].as_array().unwrap();
    assert_eq!(vectors.len(), 25);
    for vector in vectors {
        let answered = house.evaluate(&vector["request"]).await;
        assert_eq!(answered.decision(), vector["expected"], "{}", vector["request"]);
    }
}

#[tokio::test]
async fn a_batch_stops_where_it_says_and_what_was_not_asked_is_not_on_record() {
    let house = House::of("certification").await;
    let batch = |semantic: &str| {
        json!({
            "subject": {"type": "user", "id": "bob"},
            "resource": {"type": "record", "id": "record-1"},
            "options": {"evaluations_semantic": semantic},
            "evaluations": [{"action": {"name": "read"}}, {"action": {"name": "write"}}, {"action": {"name": "read"}}],
        })
    };
    for (semantic, expected) in [
        ("execute_all", vec![true, false, true]),
        ("deny_on_first_deny", vec![true, false]),
        ("permit_on_first_permit", vec![true]),
    ] {
        let before = house.world.engine.head();
        let answered = house.ask("/access/v1/evaluations", &batch(semantic)).await;
        assert_eq!(decisions(&answered), expected, "{semantic}");
        assert_eq!(house.world.engine.head() - before, expected.len() as u64, "{semantic}");
    }
    assert_eq!(house.ask("/access/v1/evaluations", &batch("most")).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn properties_in_a_request_count_only_where_the_connector_believes_them() {
    let house = House::of("todo").await;
    let jerry = |action: &str| {
        json!({
            "subject": {"type": "user", "id": "jerry@the-smiths.com", "properties": {"role": "admin"}},
            "action": {"name": action},
            "resource": {"type": "todo", "id": "todo-1"},
        })
    };
    assert!(!house.evaluate(&jerry("can_create_todo")).await.decision());
    let recorded = house.world.records().await;
    let beside = recorded.iter().find_map(|committed| match &committed.record.event {
        Event::ActionDenied(denied) => Some((denied.facts.beside.clone().unwrap(), denied.facts.task)),
        _ => None,
    });
    let (beside, task) = beside.unwrap();
    let beside = house.world.engine.content(&beside, task).await.unwrap().unwrap();
    assert_eq!(beside, br#"{"subject":{"properties":{"role":"admin"}}}"#);
    let believed = House::of("certification").await;
    let mut write = question("alice", json!({"name": "write"}), ("record", "record-2"));
    assert!(!believed.evaluate(&write).await.decision());
    write["resource"]["properties"] = json!({"status": "active"});
    assert!(believed.evaluate(&write).await.decision());
    // Whose they are is not theirs to say.
    write["subject"]["properties"] = json!({"id": "bob"});
    assert!(believed.evaluate(&write).await.decision());
}

#[tokio::test]
async fn operations_that_no_server_lists_are_approved_as_they_are_given() {
    let house = House::of("certification").await;
    let path = "/v1/connectors/record/approve-tools";
    let choice = json!({"tool": "archive", "verb": "write", "risk": 1, "data": "D1"});
    let refused = super::administered(&house.router, path, &json!({"choices": [choice]})).await;
    assert_eq!((refused.status, &refused.body["code"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("bad_request")));
    let mut given = choice.clone();
    let schema = json!({"type": "object", "properties": {}});
    given["definition"] = json!({"document": {"name": "archive", "inputSchema": schema}});
    let answered = super::administered(&house.router, path, &json!({"choices": [given]})).await;
    assert_eq!(answered.status, StatusCode::OK, "{}", answered.body);
    assert!(house.evaluate(&question("alice", json!({"name": "archive"}), ("record", "record-1"))).await.decision());
}

#[tokio::test]
async fn each_answer_is_on_record_with_who_enforces_it() {
    let house = House::of("certification").await;
    let permitted = house.evaluate(&question("alice", json!({"name": "read"}), ("record", "record-1"))).await;
    let unknown = house.evaluate(&question("alice", json!({"name": "shred"}), ("record", "record-1"))).await;
    let nobody = house.evaluate(&question("mallory", json!({"name": "read"}), ("record", "record-1"))).await;
    let ship = json!({
        "subject": {"type": "spaceship", "id": "alice"},
        "action": {"name": "read"},
        "resource": {"type": "record", "id": "record-1"},
    });
    let ship = house.evaluate(&ship).await;
    assert!(permitted.decision() && !unknown.decision() && !nobody.decision() && !ship.decision());
    assert_eq!(
        [unknown.reason(), nobody.reason(), ship.reason()],
        ["operation_unknown", "subject_unknown", "subject_unknown"]
    );
    let enforcer = Some(house.world.agent_named("enforcer"));
    let recorded: Vec<(String, bool)> = house
        .world
        .records()
        .await
        .iter()
        .filter_map(|committed| match &committed.record.event {
            Event::ActionAllowed(allowed) => {
                assert_eq!(allowed.facts.enforcer, enforcer);
                Some((allowed.facts.operation.to_string(), true))
            }
            Event::ActionDenied(denied) => {
                assert_eq!(denied.facts.enforcer, enforcer);
                Some((denied.facts.operation.to_string(), false))
            }
            _ => None,
        })
        .collect();
    let expected = [
        ("record/read", true),
        ("record/shred", false),
        ("@authzen/record/read", false),
        ("@authzen/record/read", false),
    ];
    assert_eq!(recorded, expected.map(|(operation, allowed)| (operation.to_owned(), allowed)));
}
