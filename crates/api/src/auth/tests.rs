use http::{HeaderMap, HeaderValue, Method, header};

use super::{Credential, refuse_forged};

fn headers(pairs: &[(header::HeaderName, &'static str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(name, HeaderValue::from_static(value));
    }
    headers
}

#[test]
fn a_bearer_token_wins_over_a_cookie() {
    let headers = headers(&[(header::AUTHORIZATION, "bearer ses_a"), (header::COOKIE, "remit_session=ses_b")]);
    assert_eq!(Credential::of(&headers).unwrap(), Credential::Bearer("ses_a"));
}

#[test]
fn a_session_is_found_among_other_cookies() {
    let headers = headers(&[(header::COOKIE, "theme=dark; remit_session=ses_b; x=y")]);
    assert_eq!(Credential::of(&headers).unwrap(), Credential::Cookie("ses_b"));
}

#[test]
fn two_sessions_and_other_schemes_are_refused_rather_than_chosen_from() {
    let planted = headers(&[(header::COOKIE, "remit_session=ses_a; remit_session=ses_b")]);
    assert_eq!(Credential::of(&planted).unwrap_err().status().as_u16(), 401);
    let basic = headers(&[(header::AUTHORIZATION, "Basic abc"), (header::COOKIE, "remit_session=ses_b")]);
    assert_eq!(Credential::of(&basic).unwrap_err().status().as_u16(), 401);
    let nothing = headers(&[(header::COOKIE, "remit_session_other=1")]);
    assert_eq!(Credential::of(&nothing).unwrap(), Credential::Nothing);
}

#[test]
fn a_browser_changes_nothing_without_the_header_that_no_form_can_set() {
    assert!(refuse_forged(&Method::GET, &HeaderMap::new()).is_ok());
    for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
        assert_eq!(refuse_forged(&method, &HeaderMap::new()).unwrap_err().status().as_u16(), 403);
    }
    let with = headers(&[(header::HeaderName::from_static("remit-csrf"), "1")]);
    assert!(refuse_forged(&Method::POST, &with).is_ok());
}
