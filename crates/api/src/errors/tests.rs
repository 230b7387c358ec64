use axum::response::IntoResponse;
use http::{StatusCode, header};
use http_body_util::BodyExt;
use remit_domain::{FieldProblem, Refusal};
use remit_engine::SubmitError;
use serde_json::Value;

use super::Problem;

async fn body(problem: Problem) -> Value {
    let bytes = problem.into_response().into_body().collect().await.unwrap().to_bytes();
    serde_json::from_slice(&bytes).unwrap()
}

#[test]
fn codes_become_statuses() {
    let table = [
        ("not_found", 404),
        ("not_permitted", 403),
        ("person_needed", 403),
        ("self_approval", 403),
        ("bad_name", 422),
        ("missing_text", 422),
        ("task_too_long", 422),
        ("code_refused", 401),
        ("name_taken", 409),
        ("approval_closed", 409),
        ("change_stale", 409),
    ];
    for (code, status) in table {
        assert_eq!(Problem::from(Refusal::new(code, "no")).status().as_u16(), status, "{code}");
    }
}

#[tokio::test]
async fn a_refusal_is_told_with_code_detail_help_and_fields() {
    let refusal = Refusal::new("agent_incomplete", "the agent's record is not complete")
        .help("fill it in")
        .fields(vec![FieldProblem::new("owner", "name the person who answers for this agent")]);
    let body = body(refusal.into()).await;
    assert_eq!(body["status"], 422);
    assert_eq!(body["code"], "agent_incomplete");
    assert_eq!(body["detail"], "the agent's record is not complete");
    assert_eq!(body["help"], "fill it in");
    assert_eq!(body["fields"][0]["field"], "owner");
}

#[tokio::test]
async fn what_cannot_be_recorded_now_may_be_tried_again() {
    let problem = Problem::from(SubmitError::Unavailable(Refusal::new("overloaded", "too much waits")));
    let response = problem.into_response();
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(response.headers()[header::RETRY_AFTER], "2");
    assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
}
