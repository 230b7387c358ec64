use super::*;

fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
}

#[test]
fn a_token_opens_the_forms_of_its_own_session_alone() {
    let tokens = Tokens::generate().unwrap();
    let (mine, other) = (Digest::of_bytes(b"mine"), Digest::of_bytes(b"other"));
    assert!(tokens.check(&mine, &tokens.token(&mine)).is_ok());
    for wrong in [String::new(), "x".to_owned(), tokens.token(&other), format!("{} ", tokens.token(&mine))] {
        assert_eq!(tokens.check(&mine, &wrong).unwrap_err().code, "form_refused");
    }
}

#[test]
fn a_restart_voids_the_forms_handed_out_before() {
    let session = Digest::of_bytes(b"session");
    let before = Tokens::generate().unwrap().token(&session);
    assert!(Tokens::generate().unwrap().check(&session, &before).is_err());
}

#[test]
fn a_form_of_our_own_page_is_taken() {
    for ours in [
        headers(&[]),
        headers(&[("host", "127.0.0.1:7470"), ("origin", "http://127.0.0.1:7470")]),
        headers(&[("host", "remit.example"), ("origin", "https://remit.example"), ("sec-fetch-site", "same-origin")]),
        headers(&[("host", "remit.example"), ("origin", "null"), ("sec-fetch-site", "same-origin")]),
    ] {
        assert!(must_be_ours(&ours).is_ok(), "{ours:?}");
    }
}

#[test]
fn a_form_of_a_foreign_page_is_refused() {
    for foreign in [
        headers(&[("host", "127.0.0.1:7470"), ("origin", "http://127.0.0.1:8080")]),
        headers(&[("host", "remit.example"), ("origin", "https://evil.example")]),
        headers(&[("host", "remit.example"), ("origin", "null")]),
        headers(&[("host", "remit.example"), ("origin", "null"), ("sec-fetch-site", "cross-site")]),
        headers(&[("sec-fetch-site", "same-site")]),
        headers(&[("origin", "https://remit.example")]),
        headers(&[("host", "x"), ("origin", "ftp://x")]),
    ] {
        assert_eq!(must_be_ours(&foreign).unwrap_err().code, "foreign_form", "{foreign:?}");
    }
}
