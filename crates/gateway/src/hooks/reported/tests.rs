use super::*;
use crate::hooks::proto::envoy::config::core::v3 as core;
use crate::hooks::proto::envoy::service::auth::v3::attribute_context::Request;

fn asked(change: impl FnOnce(&mut HttpRequest)) -> AttributeContext {
    let mut http = HttpRequest {
        method: "POST".to_owned(),
        path: "/orders?full=1".to_owned(),
        host: "Shop.example:8443".to_owned(),
        scheme: "https".to_owned(),
        protocol: "HTTP/1.1".to_owned(),
        ..HttpRequest::default()
    };
    change(&mut http);
    AttributeContext { request: Some(Request { http: Some(http) }), ..AttributeContext::default() }
}

fn body_of(protocol: &str, headers: &[(&str, &str)], body: &str) -> Body {
    let reported = Reported::read(Some(asked(|http| {
        http.protocol = protocol.to_owned();
        http.raw_body = body.as_bytes().to_vec();
        http.headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    })));
    reported.unwrap().body
}

#[test]
fn a_request_is_about_the_host_unless_the_operator_says_otherwise() {
    let reported = Reported::read(Some(asked(|_| {}))).unwrap();
    assert_eq!((reported.connector.as_str(), reported.path.as_str()), ("shop.example", "/orders"));
    assert_eq!(reported.query.as_deref(), Some("full=1"));
    assert_eq!(reported.address(), "https://Shop.example:8443/orders");
    let mut attributes = asked(|_| {});
    attributes.context_extensions.insert("connector".to_owned(), "orders".to_owned());
    attributes.context_extensions.insert("agent".to_owned(), "triage".to_owned());
    let reported = Reported::read(Some(attributes)).unwrap();
    assert_eq!((reported.connector.as_str(), reported.agent.as_deref()), ("orders", Some("triage")));
}

#[test]
fn what_is_no_request_that_can_be_decided_has_a_code() {
    let code = |change: fn(&mut HttpRequest)| Reported::read(Some(asked(change))).unwrap_err().refusal.code;
    assert_eq!(Reported::read(None).unwrap_err().refusal.code, "request_unread");
    assert_eq!(code(|http| http.method = "GET /".to_owned()), "method_unread");
    assert_eq!(code(|http| http.path = "/a/../b".to_owned()), "path_ambiguous");
    assert_eq!(code(|http| http.path = format!("/{}", "a".repeat(limits::HOOK_PATH_BYTES_MAX))), "path_ambiguous");
    assert_eq!(code(|http| http.host = "[::1]:80".to_owned()), "connector_unknown");
    assert_eq!(code(|http| http.host = "a/b".to_owned()), "connector_unknown");
    let broken = |http: &mut HttpRequest| drop(http.headers.insert("a b".to_owned(), String::new()));
    assert_eq!(code(broken), "headers_unread");
    let many = |http: &mut HttpRequest| {
        http.headers = (0..=limits::HOOK_HEADERS_MAX).map(|each| (format!("x-{each}"), String::new())).collect();
    };
    assert_eq!(code(many), "headers_unread");
}

#[test]
fn a_body_is_whole_only_where_nothing_leaves_it_open() {
    let whole = Body::Whole(b"{}".to_vec());
    assert_eq!(body_of("HTTP/1.1", &[("content-length", "2")], "{}"), whole);
    assert_eq!(body_of("HTTP/2", &[("x-envoy-auth-partial-body", "false")], "{}"), whole);
    assert_eq!(body_of("HTTP/1.1", &[], ""), Body::None);
    assert_eq!(body_of("HTTP/2", &[("content-length", "0")], ""), Body::None);
    for (protocol, headers, body) in [
        ("HTTP/1.1", &[("content-length", "3")][..], "{}"),
        ("HTTP/1.1", &[("content-length", "2"), ("x-envoy-auth-partial-body", "true")], "{}"),
        ("HTTP/1.1", &[("content-length", "two")], "{}"),
        ("HTTP/1.1", &[("content-length", "2")], ""),
        ("HTTP/1.1", &[("transfer-encoding", "chunked")], ""),
        ("HTTP/2", &[], ""),
        ("HTTP/2", &[], "{}"),
        // A client can say so itself where no body is passed on.
        ("HTTP/2", &[("x-envoy-auth-partial-body", "false")], ""),
    ] {
        assert_eq!(body_of(protocol, headers, body), Body::Unknown, "{protocol} {headers:?} {body}");
    }
    let large = "a".repeat(limits::HOOK_BODY_BYTES_MAX + 1);
    assert_eq!(body_of("HTTP/2", &[("x-envoy-auth-partial-body", "false")], &large), Body::Unknown);
}

#[test]
fn headers_that_come_raw_are_kept_as_often_as_they_come() {
    let header = |name: &str, value: &[u8]| core::HeaderValue {
        key: name.to_owned(),
        raw_value: value.to_vec(),
        ..core::HeaderValue::default()
    };
    let raw = vec![header(":path", b"/"), header("x-envoy-auth-partial-body", b"false"), header("x-two", b"\xff")];
    let both = [raw.clone(), vec![header("x-envoy-auth-partial-body", b"false"), header("x-two", b"b")]].concat();
    let read = |headers: Vec<core::HeaderValue>| {
        let told = asked(|http| {
            http.header_map = Some(core::HeaderMap { headers });
            http.body = "{}".to_owned();
        });
        Reported::read(Some(told)).unwrap()
    };
    assert_eq!(read(raw).body, Body::Whole(b"{}".to_vec()));
    let both = read(both);
    assert_eq!(both.headers.get_all("x-two").iter().count(), 2);
    assert_eq!(both.body, Body::Unknown, "one of them is the client's own");
}

#[test]
fn json_is_what_says_so_once_and_is_not_coded() {
    let is_json = |headers: &[(&str, &str)]| {
        let told = asked(|http| {
            http.headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        });
        Reported::read(Some(told)).unwrap().is_json()
    };
    assert!(is_json(&[("content-type", "Application/JSON; charset=utf-8")]));
    assert!(is_json(&[("content-type", "application/merge-patch+json")]));
    assert!(!is_json(&[("content-type", "text/json")]));
    assert!(!is_json(&[]));
    assert!(!is_json(&[("content-type", "application/json"), ("content-encoding", "gzip")]));
}
