use super::*;

fn id(json: &str) -> Id {
    Id(json.to_owned())
}

#[test]
fn a_request_says_its_version_and_what_it_is_about() {
    let line = br#"{"method":"tools/call","jsonrpc":"2.0","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"},"name":"find","arguments":{"name":1,"name":2}},"id":0}"#;
    let message = read(line).unwrap();
    assert_eq!(message.kind, Kind::Request { id: id("0"), method: "tools/call".to_owned() });
    assert_eq!(message.version.as_deref(), Some("2026-07-28"));
    assert_eq!(message.name.as_deref(), Some("find"));
}

#[test]
fn a_resource_is_named_by_its_address() {
    let message = read(br#"{"id":"a","method":"resources/read","params":{"uri":"file:///x","name":"y"}}"#).unwrap();
    assert_eq!(message.name.as_deref(), Some("file:///x"));
    let message = read(br#"{"id":"a","method":"tools/list","params":{"name":"y"}}"#).unwrap();
    assert_eq!(message.name, None);
}

#[test]
fn a_cancellation_names_its_request() {
    let message = read(br#"{"method":"notifications/cancelled","params":{"requestId":"\u0061"}}"#).unwrap();
    let Kind::Notification { cancels, .. } = message.kind else { panic!("{message:?}") };
    assert_eq!(cancels, Some(id("\"a\"")));
}

#[test]
fn an_answer_of_the_client_is_recognised() {
    assert_eq!(read(br#"{"jsonrpc":"2.0","id":1,"result":{}}"#).unwrap().kind, Kind::Response);
    assert_eq!(read(br#"{"jsonrpc":"2.0","id":1,"error":{}}"#).unwrap().kind, Kind::Response);
}

#[test]
fn what_others_could_read_otherwise_is_refused() {
    for (line, is_json) in [
        (&b"not json"[..], false),
        (br#"{"id":1,"method":"a""#, false),
        (b"\xff{}", false),
        (br#"[{"id":1,"method":"a"}]"#, true),
        (br#"{"id":1,"id":2,"method":"a"}"#, true),
        (br#"{"id":1,"method":"a","params":{"name":"x","name":"y"}}"#, true),
        (br#"{"id":{},"method":"a"}"#, true),
        (br#"{"id":1}"#, true),
    ] {
        let unreadable = read(line).unwrap_err();
        assert_eq!(unreadable.is_json, is_json, "{}: {unreadable:?}", String::from_utf8_lossy(line));
    }
    let twice = read(br#"{"id":1,"method":"a","params":{"name":"x","name":"y"}}"#).unwrap_err();
    assert_eq!(twice.id, Some(id("1")));
}

#[test]
fn answers_of_the_gateway_are_told_from_what_it_asks() {
    let answer = said(br#"{"id":1,"result":{"protocolVersion":"2025-11-25"}}"#).unwrap();
    assert_eq!((answer.answers, answer.version.as_deref()), (Some(id("1")), Some("2025-11-25")));
    assert_eq!(said(br#"{"id":1,"method":"roots/list"}"#).unwrap().answers, None);
    let stray = said(br#"{"id":null,"error":{"code":-32040}}"#).unwrap();
    assert_eq!(stray.stray_error.map(RawValue::get), Some(r#"{"code":-32040}"#));
    assert!(said(b"<html>").is_none());
}
