use super::*;

fn with_cookie(lines: &[&'static str]) -> HeaderMap {
    lines.iter().map(|line| (COOKIE, line.parse().unwrap())).collect()
}

#[test]
fn the_session_is_found_among_other_cookies() {
    let expected = Some(Digest::of_bytes(b"ses_abc"));
    assert_eq!(presented(&with_cookie(&["remit_session=ses_abc"])), expected);
    assert_eq!(presented(&with_cookie(&["a=b; remit_session=ses_abc; c=d"])), expected);
    assert_eq!(presented(&with_cookie(&["a=b", "remit_session=ses_abc"])), expected);
}

#[test]
fn what_is_no_session_is_none() {
    for line in ["", "remit_session", "remit_session=", "remit_session2=x", "xremit_session=x", ";;=;"] {
        assert_eq!(presented(&with_cookie(&[line])), None, "{line}");
    }
    assert_eq!(presented(&with_cookie(&["remit_session=ses_a; remit_session=ses_b"])), None);
    let long = format!("remit_session={}", "x".repeat(limits::SECRET_BYTES_MAX + 1));
    let headers: HeaderMap = [(COOKIE, long.parse().unwrap())].into_iter().collect();
    assert_eq!(presented(&headers), None);
}

#[test]
fn the_cookie_is_out_of_reach_of_scripts_and_other_sites() {
    assert_eq!(cookie("ses_a", false), "remit_session=ses_a; HttpOnly; SameSite=Strict; Path=/; Max-Age=43200");
    assert!(cookie("ses_a", true).ends_with("; Secure"));
    assert!(no_cookie().contains("Max-Age=0"));
}

#[test]
fn https_is_known_from_the_address_or_the_proxy() {
    let none = HeaderMap::new();
    let by_proxy: HeaderMap = [("x-forwarded-proto".parse().unwrap(), "https".parse().unwrap())].into_iter().collect();
    assert!(!is_secure(&Uri::from_static("/sign-in"), &none));
    assert!(is_secure(&Uri::from_static("https://remit.example/sign-in"), &none));
    assert!(is_secure(&Uri::from_static("/sign-in"), &by_proxy));
}
