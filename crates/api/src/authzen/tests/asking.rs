use http::StatusCode;
use remit_domain::ApprovalId;
use serde_json::{Value, json};

use super::{Answered, House, post, send};

const REQUESTS: &str = "/access/v1/requests";

fn payment(invoice: &str, amount_cents: u64) -> Value {
    json!({
        "subject": {"type": "user", "id": "alice"},
        "action": {"name": "pay", "properties": {"amount_cents": amount_cents}},
        "resource": {"type": "payment", "id": invoice},
        "context": {"time": "2026-11-22T08:00-07:00", "ip": "192.0.2.1"},
    })
}

/// What the profile has an enforcer send after a denial of `question`.
fn request(question: &Value, denied: &Answered) -> Value {
    let access = &denied.body["context"]["access_request"];
    let mut request = question.clone();
    request["denial"] = json!({
        "evaluation_id": denied.body["context"]["evaluation_id"],
        "expires_at": access["expires_at"],
        "reason": denied.reason(),
        "binding_token": access["binding_token"],
        "template": access["template"],
    });
    request
}

fn with_approval(question: &Value, approval: &Value) -> Value {
    let mut question = question.clone();
    question["context"]["approval"] = approval.clone();
    question
}

fn id(task: &Answered) -> ApprovalId {
    task.body["task"]["id"].as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn what_a_person_approves_is_permitted_once_and_nothing_else_is() {
    let house = House::of("approval").await;
    let question = payment("invoice-7", 4_200);
    let denied = house.evaluate(&question).await;
    assert!(!denied.decision());
    let access = &denied.body["context"]["access_request"];
    assert_eq!((denied.reason(), &access["template"]), ("approval_required", &json!("payment-asks")));
    assert_eq!(access["endpoint"], format!("{}{REQUESTS}", super::CONSOLE));

    let asked = house.ask(REQUESTS, &request(&question, &denied)).await;
    assert_eq!(asked.status, StatusCode::ACCEPTED, "{}", asked.body);
    let endpoint = asked.body["task"]["status_endpoint"].as_str().unwrap().replace(super::CONSOLE, "");
    assert_eq!(house.get(&endpoint).await.body["task"]["status"], "pending");
    // Repeated, it is the same question; and evaluating meanwhile asks nobody else.
    assert_eq!(id(&house.ask(REQUESTS, &request(&question, &denied)).await), id(&asked));
    let waiting = house.evaluate(&question).await;
    assert_eq!((waiting.decision(), waiting.reason()), (false, "approval_pending"));

    house.world.approve("ben", id(&asked)).await;
    let approved = house.get(&endpoint).await;
    assert_eq!(approved.body["task"]["status"], "approved", "{}", approved.body);
    assert_eq!(approved.body["result"]["mode"], "reevaluate");
    let approval = approved.body["result"]["approval"].clone();

    for (other, reason) in
        [(payment("invoice-7", 4_201), "out_of_scope"), (payment("invoice-8", 4_200), "out_of_scope")]
    {
        let refused = house.evaluate(&with_approval(&other, &approval)).await;
        assert_eq!((refused.decision(), refused.reason()), (false, reason), "{}", refused.body);
        assert_eq!(refused.body["context"]["next_action"], "none");
    }
    let forged = json!({"id": approval["id"], "state": "e30.e30.e30"});
    let refused = house.evaluate(&with_approval(&question, &forged)).await;
    assert_eq!((refused.decision(), refused.reason()), (false, "approval_unverifiable"));

    let permitted = house.evaluate(&with_approval(&question, &approval)).await;
    assert!(permitted.decision(), "{}", permitted.body);
    assert_eq!(permitted.body["context"]["approval"]["id"], approval["id"]);
    let again = house.evaluate(&with_approval(&question, &approval)).await;
    assert_eq!((again.decision(), again.reason()), (false, "approval_expired"), "{}", again.body);
    assert_eq!(again.body["context"]["code"], "approval_used");
}

#[tokio::test]
async fn an_approval_is_nobody_elses() {
    let house = House::of("approval").await;
    house.world.agent("other", "ana", |profile| profile.enforcer = true).await;
    house.world.grant("other", &["payment/*"], 3_600).await;
    let task = house.world.task("other").await;
    let token = house.world.token(task).await;
    let question = payment("invoice-7", 4_200);
    let denied = house.evaluate(&question).await;
    let stolen = send(&house.router, post(REQUESTS, &token, &request(&question, &denied))).await;
    assert_eq!(stolen.status, StatusCode::BAD_REQUEST);
    assert_eq!(stolen.body["type"], "urn:openid:authzen:access-request:error:invalid_denial_binding");
    let asked = house.ask(REQUESTS, &request(&question, &denied)).await;
    house.world.approve("ben", id(&asked)).await;
    let shown = house.get(&format!("{REQUESTS}/{}", id(&asked))).await;
    let approval = shown.body["result"]["approval"].clone();
    let path = format!("{REQUESTS}/{}", id(&asked));
    let seen = send(&house.router, get_as(&path, &token)).await;
    assert_eq!((seen.status, &seen.body["code"]), (StatusCode::NOT_FOUND, &json!("unknown_task")));
    for approval in [approval.clone(), json!({"id": approval["id"]})] {
        let used =
            send(&house.router, post("/access/v1/evaluation", &token, &with_approval(&question, &approval))).await;
        assert!(!used.decision(), "{}", used.body);
    }
    assert!(house.evaluate(&with_approval(&question, &approval)).await.decision());
}

fn get_as(path: &str, token: &str) -> http::Request<axum::body::Body> {
    let request = http::Request::get(path).header("authorization", format!("Bearer {token}"));
    request.body(axum::body::Body::empty()).unwrap()
}

#[tokio::test]
async fn a_no_reaches_whoever_asked_with_its_note() {
    let house = House::of("approval").await;
    let question = payment("invoice-7", 4_200);
    let denied = house.evaluate(&question).await;
    let asked = house.ask(REQUESTS, &request(&question, &denied)).await;
    house.world.deny("ben", id(&asked), "we paid this in May").await;
    let shown = house.get(&format!("{REQUESTS}/{}", id(&asked))).await;
    assert_eq!(shown.body["task"]["status"], "denied");
    let said = shown.body["task"]["display"]["description"].as_str().unwrap();
    assert!(said.contains("we paid this in May"), "{said}");
    assert_eq!(shown.body.get("result"), None);
    let again = house.evaluate(&question).await;
    assert_eq!((again.decision(), again.reason()), (false, "approval_denied"));
    assert!(again.body["context"]["reason_user"]["en"].as_str().unwrap().contains("we paid this in May"));
    assert_eq!(again.body["context"].get("access_request"), None);
}

#[tokio::test]
async fn a_request_needs_the_denial_of_exactly_this_action_while_it_is_fresh() {
    let house = House::of("approval").await;
    let question = payment("invoice-7", 4_200);
    let denied = house.evaluate(&question).await;
    let good = request(&question, &denied);
    let changed = |place: &str, value: Value| {
        let mut changed = good.clone();
        *changed.pointer_mut(place).unwrap() = value;
        changed
    };
    for other in [
        changed("/resource/id", json!("invoice-8")),
        changed("/action/properties/amount_cents", json!(1)),
        changed("/subject/id", json!("bob")),
        changed("/context/ip", json!("198.51.100.9")),
        changed("/denial/expires_at", json!("2099-01-01T00:00:00.000Z")),
        changed("/denial/binding_token", json!("e30.e30.e30")),
    ] {
        let refused = house.ask(REQUESTS, &other).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{other}");
        assert_eq!(refused.body["code"], "invalid_denial_binding", "{other}");
    }
    // What no schema names is no part of the action.
    let later = changed("/context/time", json!("2026-11-22T09:00-07:00"));
    assert_eq!(house.ask(REQUESTS, &later).await.status, StatusCode::ACCEPTED);
    assert_eq!(house.ask(REQUESTS, &question).await.status, StatusCode::BAD_REQUEST);
    house.world.advance(601);
    let token = house.world.token(house.task).await;
    let expired = send(&house.router, post(REQUESTS, &token, &good)).await;
    assert_eq!((expired.status, &expired.body["code"]), (StatusCode::GONE, &json!("expired_denial")));
}
