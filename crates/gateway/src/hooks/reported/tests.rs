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
    let context_extensions = [("connector".to_owned(), "orders".to_owned())].into();
    AttributeContext { request: Some(Request { http: Some(http) }), context_extensions, ..AttributeContext::default() }
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
fn a_request_is_about_what_the_operator_says_and_never_what_the_client_writes() {
    let mut attributes = asked(|_| {});
    attributes.context_extensions.insert("agent".to_owned(), "triage".to_owned());
    let reported = Reported::read(Some(attributes.clone())).unwrap();
    assert_eq!((reported.connector.as_str(), reported.path.as_str()), ("orders", "/orders"));
    assert_eq!((reported.query.as_deref(), reported.agent.as_deref()), (Some("full=1"), Some("triage")));
    assert_eq!(reported.address(), "https://Shop.example:8443/orders");
    attributes.context_extensions.remove("connector");
    let refusal = Reported::read(Some(attributes)).unwrap_err().refusal;
    assert_eq!(refusal.code, "connector_unnamed");
    assert!(refusal.help.unwrap().contains("context_extensions"));
    for name in ["", "[::1]", "a/b"] {
        let mut attributes = asked(|_| {});
        attributes.context_extensions.insert("connector".to_owned(), name.to_owned());
        assert_eq!(Reported::read(Some(attributes)).unwrap_err().refusal.code, "connector_unknown", "{name}");
    }
}

#[test]
fn what_is_no_request_that_can_be_decided_has_a_code() {
    let code = |change: fn(&mut HttpRequest)| Reported::read(Some(asked(change))).unwrap_err().refusal.code;
    assert_eq!(Reported::read(None).unwrap_err().refusal.code, "request_unread");
    assert_eq!(code(|http| http.method = "GET /".to_owned()), "method_unread");
    assert_eq!(code(|http| http.path = "/a/../b".to_owned()), "path_ambiguous");
    assert_eq!(code(|http| http.path = format!("/{}", "a".repeat(limits::HOOK_PATH_BYTES_MAX))), "path_ambiguous");
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
    assert_eq!(body_of("HTTP/2", &[("content-length", "0")], ""), Body::None);
    for (protocol, headers, body) in [
        ("HTTP/1.1", &[("content-length", "3")][..], "{}"),
        ("HTTP/1.1", &[("content-length", "2"), ("x-envoy-auth-partial-body", "true")], "{}"),
        ("HTTP/1.1", &[("content-length", "two")], "{}"),
        ("HTTP/1.1", &[("content-length", "2")], ""),
        // Envoy takes `transfer-encoding` away before it asks: what is sent in chunks looks like this.
        ("HTTP/1.1", &[], ""),
        ("HTTP/1.0", &[], ""),
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
fn a_request_without_a_body_has_none_only_where_the_operator_says_that_bodies_come_whole() {
    let body_of = |said: &str, change: &dyn Fn(&mut HttpRequest)| {
        let mut attributes = asked(|http| {
            http.protocol = "HTTP/2".to_owned();
            change(http);
        });
        attributes.context_extensions.insert("bodies".to_owned(), said.to_owned());
        Reported::read(Some(attributes)).unwrap().body
    };
    for protocol in ["HTTP/1.1", "HTTP/2"] {
        let over = |http: &mut HttpRequest| http.protocol = protocol.to_owned();
        assert_eq!((body_of("whole", &over), body_of("partial", &over)), (Body::None, Body::Unknown), "{protocol}");
    }
    for (name, value) in [("upgrade", "websocket"), ("content-length", "3"), ("x-envoy-auth-partial-body", "true")] {
        let told = |http: &mut HttpRequest| drop(http.headers.insert(name.to_owned(), value.to_owned()));
        assert_eq!(body_of("whole", &told), Body::Unknown, "{name}");
    }
    let unsaid = |http: &mut HttpRequest| http.raw_body = b"{}".to_vec();
    assert_eq!(body_of("whole", &unsaid), Body::Unknown, "Envoy says of each body that it is whole");
}

#[test]
fn of_a_connection_that_becomes_another_one_no_body_is_known_whatever_is_said() {
    let connects = |http: &mut HttpRequest| http.method = "CONNECT".to_owned();
    let upgrades = |http: &mut HttpRequest| drop(http.headers.insert("upgrade".to_owned(), "websocket".to_owned()));
    for change in [&connects as &dyn Fn(&mut HttpRequest), &upgrades] {
        for body in [&b""[..], b"{}"] {
            // Envoy writes the length itself where it passes such a request on.
            for said in [None, Some(("content-length", body.len().to_string()))] {
                let mut attributes = asked(|http| {
                    http.raw_body = body.to_vec();
                    http.headers = said.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
                    http.headers.insert(PARTIAL_HEADER.to_owned(), "false".to_owned());
                    change(http);
                });
                attributes.context_extensions.insert("bodies".to_owned(), "whole".to_owned());
                assert_eq!(Reported::read(Some(attributes)).unwrap().body, Body::Unknown, "{said:?}");
            }
        }
    }
}

#[test]
fn text_is_the_body_only_where_it_stands_for_no_other_bytes() {
    let read = |body: &str, pack: bool| {
        let told = asked(|http| {
            http.headers.insert("content-length".to_owned(), body.len().to_string());
            if pack {
                http.raw_body = body.as_bytes().to_vec();
            } else {
                http.body = body.to_owned();
            }
        });
        Reported::read(Some(told)).unwrap().body
    };
    assert_eq!(read("a=1", false), Body::Whole(b"a=1".to_vec()));
    assert_eq!(read("a=!", false), Body::Unknown, "`a=\\xff` looks the same");
    assert_eq!(read("a=!", true), Body::Whole(b"a=!".to_vec()));
    assert!(body_unknown("it depends on it").help.unwrap().contains("pack_as_bytes: true"));
}

#[test]
fn a_path_is_the_one_whose_bytes_go_on() {
    let header = |value: &[u8]| core::HeaderValue {
        key: ":path".to_owned(),
        raw_value: value.to_vec(),
        ..core::HeaderValue::default()
    };
    let code = |headers: Vec<core::HeaderValue>| {
        let told = asked(|http| {
            http.path = "/orders?to=!".to_owned();
            http.header_map = Some(core::HeaderMap { headers });
        });
        Reported::read(Some(told)).map(|_| ()).map_err(|denial| denial.refusal.code)
    };
    let ambiguous = || Err("path_ambiguous".to_owned());
    assert_eq!(code(vec![header(b"/orders?to=!")]), Ok(()));
    assert_eq!(code(vec![header(b"/orders?to=\xff")]), ambiguous());
    assert_eq!(code(vec![header(b"/orders?to=!"), header(b"/orders?to=!")]), ambiguous());
    assert_eq!(code(Vec::new()), ambiguous());
}

#[test]
fn headers_that_come_raw_are_kept_as_often_as_they_come() {
    let header = |name: &str, value: &[u8]| core::HeaderValue {
        key: name.to_owned(),
        raw_value: value.to_vec(),
        ..core::HeaderValue::default()
    };
    let raw = vec![
        header(":path", b"/orders?full=1"),
        header("x-envoy-auth-partial-body", b"false"),
        header("x-two", b"\xff"),
    ];
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
