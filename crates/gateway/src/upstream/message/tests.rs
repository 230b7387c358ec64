use remit_domain::ActionId;
use serde_json::json;

use super::*;

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => panic!("no object"),
    }
}

#[test]
fn what_belongs_to_the_hop_is_ours_to_write() {
    let said = object(json!({
        "traceparent": "00-1",
        "progressToken": "theirs",
        "remit/decision": "forged",
        "io.modelcontextprotocol/clientInfo": {"name": "theirs"},
        "io.modelcontextprotocol/logLevel": "debug",
    }));
    let params = object(json!({"name": "echo", "_meta": {"never": true}}));
    let capabilities = object(json!({"elicitation": {}}));
    let decision: ActionId = "act_01990000000000000000000000".parse().unwrap_or_else(|_| panic!("no id"));
    let described = Described { capabilities: Some(&capabilities), log_level: None };
    let meta =
        Meta { said: Some(&said), decision: Some(decision), progress_token: Some(7), described: Some(described) };
    let written = write(7, &Ask::Tools, &params, meta).unwrap();
    let written: Value = serde_json::from_str(&written).unwrap();
    let expected = json!({
        "jsonrpc": "2.0", "id": 7, "method": "tools/list", "params": {"name": "echo", "_meta": {
            "traceparent": "00-1",
            "progressToken": 7,
            "remit/decision": decision.to_string(),
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": {"name": "remit", "version": env!("CARGO_PKG_VERSION")},
            "io.modelcontextprotocol/clientCapabilities": {"elicitation": {}},
        }},
    });
    assert_eq!(written, expected);
    let bare = write(1, &Ask::Initialize, &Map::new(), Meta::default()).unwrap();
    assert_eq!(bare, r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}"#);
}

#[test]
fn messages_are_told_apart() {
    let parse = |text: &str| Incoming::parse(text.as_bytes());
    let result = || Reply::Result(Map::new());
    assert_eq!(parse(r#"{"id":3,"result":{}}"#), Some(Incoming::Answer(Some(3), result())));
    assert_eq!(parse(r#"{"id":"3","result":{}}"#), Some(Incoming::Answer(Some(3), result())));
    assert_eq!(parse(r#"{"id":"x","result":{}}"#), Some(Incoming::Answer(None, result())));
    let error = RpcError { code: -1, message: "no".to_owned(), data: None };
    let said = parse(r#"{"id":null,"error":{"code":-1,"message":"no"}}"#);
    assert_eq!(said, Some(Incoming::Answer(None, Reply::Error(error))));
    let request = Incoming::Request { id: json!("a"), method: "roots/list".to_owned(), params: Map::new() };
    assert_eq!(parse(r#"{"id":"a","method":"roots/list"}"#), Some(request));
    let updated = r#"{"method":"notifications/resources/updated","params":{"uri":"a:b"}}"#;
    assert_eq!(parse(updated), Some(Incoming::Changed(Change::Resource { uri: "a:b".to_owned() })));
    let taken = r#"{"method":"notifications/subscriptions/acknowledged","params":{"_meta":{"io.modelcontextprotocol/subscriptionId":"9"}}}"#;
    assert_eq!(parse(taken), Some(Incoming::Listening(Some(9))));
    assert_eq!(parse(r#"{"method":"notifications/other"}"#), Some(Incoming::Other));
    for unreadable in ["", "[]", "{}", r#"{"id":1}"#, r#"{"id":1,"result":1}"#, r#"{"id":1,"id":2,"result":{}}"#] {
        assert_eq!(parse(unreadable), None, "{unreadable}");
    }
}

#[test]
fn an_answer_keeps_the_id_as_it_came() {
    assert_eq!(response(&json!("a-1"), &Ok(json!({}))), r#"{"jsonrpc":"2.0","id":"a-1","result":{}}"#);
    let refused = Err(RpcError { code: -32601, message: "no".to_owned(), data: None });
    let written = r#"{"jsonrpc":"2.0","id":0,"error":{"code":-32601,"message":"no"}}"#;
    assert_eq!(response(&json!(0), &refused), written);
}
