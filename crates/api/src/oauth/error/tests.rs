use http::StatusCode;
use remit_domain::Refusal;

use super::OAuthError;

#[test]
fn a_description_has_only_the_characters_of_the_standard() {
    let refusal = Refusal::new("task_ended", "the task \"ä\\b\" has ended").help("start a new one");
    let error = OAuthError::from(refusal);
    assert_eq!(error.error, "invalid_grant");
    assert_eq!(error.description(), "the task '''b' has ended; start a new one");
}

#[test]
fn the_status_follows_from_the_word() {
    let status = |error| OAuthError::new(error, Refusal::new("code", "it is so")).status;
    assert_eq!(status("invalid_client"), StatusCode::UNAUTHORIZED);
    assert_eq!(status("temporarily_unavailable"), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(status("invalid_grant"), StatusCode::BAD_REQUEST);
}
