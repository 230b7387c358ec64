use proptest::prelude::*;
use serde_json::json;

use super::*;

fn code(body: &str) -> i64 {
    parse(body.as_bytes()).unwrap_err().code
}

#[test]
fn a_request_keeps_its_id_as_it_was_written() {
    for id in ["0", "-7", "123456789012345678901234567890", "\"a\\u00e9\"", "\"server-discover-probe-1\""] {
        let body = format!(r#"{{"method":"ping","id":{id},"jsonrpc":"2.0","extra":[1]}}"#);
        let Message::Request { id: read, method, .. } = parse(body.as_bytes()).unwrap() else { panic!("{body}") };
        assert_eq!(method, "ping");
        let written = serde_json::to_string(&read).unwrap();
        let same: bool =
            written == id || serde_json::from_str::<String>(&written).ok() == serde_json::from_str::<String>(id).ok();
        assert!(same, "{written} for {id}");
    }
}

#[test]
fn what_two_readers_could_read_differently_is_refused() {
    let twice = [
        r#"{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call"}"#,
        r#"{"jsonrpc":"2.0","id":1,"m\u0065thod":"ping","method":"tools/call"}"#,
        r#"{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","name":"b"}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":{"x":{"y":1,"y":2}}}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"ping","other":{"a":1,"a":1}}"#,
    ];
    for body in twice {
        assert_eq!(code(body), refuse::INVALID_REQUEST, "{body}");
    }
}

#[test]
fn numbers_that_others_would_round_are_refused() {
    for number in ["9007199254740992", "-9007199254740992", "18446744073709551616", "1e300"] {
        let body =
            format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"arguments":{{"n":{number}}}}}}}"#);
        assert_eq!(code(&body), refuse::INVALID_REQUEST, "{number}");
    }
    let safe =
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"arguments":{"n":9007199254740991,"f":0.1}}}"#;
    assert!(parse(safe.as_bytes()).is_ok());
}

#[test]
fn malformed_messages_have_their_codes() {
    let cases = [
        ("", refuse::PARSE_ERROR),
        ("{", refuse::PARSE_ERROR),
        ("nonsense", refuse::PARSE_ERROR),
        ("\"text\"", refuse::INVALID_REQUEST),
        ("  [{\"jsonrpc\":\"2.0\"}]", refuse::INVALID_REQUEST),
        (r#"{"jsonrpc":"2.0","id":1,"method":"ping"} trailing"#, refuse::PARSE_ERROR),
        (r#"{"id":1,"method":"ping"}"#, refuse::INVALID_REQUEST),
        (r#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#, refuse::INVALID_REQUEST),
        (r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, refuse::INVALID_REQUEST),
        (r#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#, refuse::INVALID_REQUEST),
        (r#"{"jsonrpc":"2.0","id":{"a":1},"method":"ping"}"#, refuse::INVALID_REQUEST),
        (r#"{"jsonrpc":"2.0","id":true,"method":"ping"}"#, refuse::INVALID_REQUEST),
        (r#"{"jsonrpc":"2.0","id":1,"method":7}"#, refuse::INVALID_REQUEST),
        (r#"{"jsonrpc":"2.0","id":1,"method":""}"#, refuse::INVALID_REQUEST),
        (r#"{"jsonrpc":"2.0","id":1}"#, refuse::INVALID_REQUEST),
        (r#"{"jsonrpc":"2.0","id":1,"method":"ping","result":{}}"#, refuse::INVALID_REQUEST),
        (r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":[1]}"#, refuse::INVALID_PARAMS),
        (r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":null}"#, refuse::INVALID_PARAMS),
    ];
    for (body, expected) in cases {
        assert_eq!(code(body), expected, "{body}");
    }
}

#[test]
fn the_id_is_kept_in_an_error_where_it_could_be_read() {
    let error = parse(br#"{"jsonrpc":"2.0","id":0,"method":"ping","params":7}"#).unwrap_err();
    assert_eq!(error.id, Some(RequestId::Number("0".to_owned())));
}

#[test]
fn nesting_has_an_end() {
    let deep = |levels: usize| {
        format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"m","params":{}1{}}}"#,
            r#"{"a":"#.repeat(levels),
            "}".repeat(levels)
        )
    };
    assert!(parse(deep(limits::JSON_DEPTH_MAX - 2).as_bytes()).is_ok());
    assert!(parse(deep(limits::JSON_DEPTH_MAX).as_bytes()).is_err());
    assert!(parse("[".repeat(100_000).as_bytes()).is_err());
    assert!(parse(deep(100_000).as_bytes()).is_err());
}

#[test]
fn notifications_and_answers_are_told_apart() {
    let notification =
        parse(br#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":2}}"#).unwrap();
    assert_eq!(notification.params().unwrap().get("requestId"), Some(&json!(2)));
    let id = RequestId::Number("1".to_owned());
    let said = Ok(serde_json::json!({}));
    assert_eq!(parse(br#"{"jsonrpc":"2.0","id":1,"result":{}}"#), Ok(Message::Response { id, said }));
    assert!(parse(br#"{"jsonrpc":"2.0","id":1,"result":{},"error":{"code":1,"message":""}}"#).is_err());
}

proptest! {
    #[test]
    fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse(&bytes);
    }

    #[test]
    fn never_panics_on_almost_messages(id in "[-0-9.eE\"a-z\\\\]{0,12}", method in "\\PC{0,12}", rest in "[\\[\\]{}:,\"a-z0-9]{0,30}") {
        let body = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{rest}}}"#);
        let _ = parse(body.as_bytes());
    }
}
