use super::*;

#[test]
fn a_refusal_says_who_has_to_act() {
    for (code, status) in [
        ("not_found", 404),
        ("not_permitted", 403),
        ("approver_is_acted_for", 403),
        ("form_refused", 403),
        ("approval_closed", 409),
        ("approval_digest", 409),
        ("text_too_long", 422),
        ("bad_text", 422),
    ] {
        assert_eq!(status_of(&Refusal::new(code, "no")).as_u16(), status, "{code}");
    }
}

#[tokio::test]
async fn a_refusal_is_a_page_with_sentence_and_help() {
    let refusal = Refusal::new("approval_closed", "`<b>` has been answered").help("look again");
    let response = PageError::Refused(refusal).into_response();
    assert_eq!(response.status(), StatusCode::CONFLICT);
    let body = axum::body::to_bytes(response.into_body(), 100_000).await.unwrap();
    let page = String::from_utf8(body.to_vec()).unwrap();
    assert!(page.contains("<code>&lt;b&gt;</code> has been answered") && page.contains("look again"), "{page}");
    assert!(!page.contains("<b>"));
}

#[test]
fn whoever_is_not_signed_in_is_sent_there_and_back() {
    let response = PageError::SignedOut { next: "/approvals/apr_1?x=1&y=2".to_owned() }.into_response();
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    assert_eq!(response.headers().get("location").unwrap(), "/sign-in?next=%2Fapprovals%2Fapr_1%3Fx%3D1%26y%3D2");
}

#[test]
fn what_is_not_there_now_may_be_asked_for_again() {
    let response = PageError::Unavailable(Refusal::new("overloaded", "too much at once")).into_response();
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(response.headers().contains_key(RETRY_AFTER));
}

#[tokio::test]
async fn whoever_needs_a_passkey_first_finds_the_way_to_one() {
    let refusal = Refusal::new("passkey_required", "you have none yet").help("enrol one");
    let response = PageError::Refused(refusal).into_response();
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    assert!(response.extensions().get::<StepUpNeeded>().is_none(), "there is none to show");
    let body = axum::body::to_bytes(response.into_body(), 100_000).await.unwrap();
    assert!(String::from_utf8(body.to_vec()).unwrap().contains(r#"href="/passkeys""#));
}
