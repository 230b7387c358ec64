use serde_json::json;

use super::*;

fn read(params: Value) -> Result<Call, CallError> {
    Call::read(&Door::All, Governed::CallTool, members(params))
}

fn members(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

#[test]
fn what_is_unknown_goes_upstream_and_is_committed_to() {
    let call = read(json!({
        "name": "desk__echo",
        "arguments": {"b": 1, "a": 2},
        "_meta": {
            "progressToken": 7,
            "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "tracestate": "free text",
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "remit/decision": "act_forged",
            "com.example/own": "data",
        },
        "unheard": {"of": true},
        "inputResponses": {"y": 1},
        "task": {"ttl": 1},
    }));
    let call = call.unwrap();
    assert_eq!(call.canonical, br#"{"a":2,"b":1}"#);
    assert_eq!(call.beside.as_deref(), Some(br#"{"inputResponses":{"y":1},"unheard":{"of":true}}"#.as_slice()));
    assert_eq!(call.progress_token, Some(json!(7)));
    assert_eq!(
        Value::Object(call.trace),
        json!({"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"})
    );
    assert_eq!(Value::Object(call.unknown), json!({"tracestate": "free text", "com.example/own": "data"}));
    let upstream =
        json!({"name": "echo", "arguments": {"b": 1, "a": 2}, "unheard": {"of": true}, "inputResponses": {"y": 1}});
    assert_eq!(Value::Object((*call.params).clone()), upstream);
}

#[test]
fn what_is_no_tool_is_decided_on_its_params() {
    let read = |method, params| Call::read(&Door::All, method, members(params)).unwrap();
    let resource = read(Governed::ReadResource, json!({"uri": "desk+file:///x", "extra": 1}));
    assert_eq!(resource.operation.as_str(), "desk/@resources");
    assert_eq!(*resource.arguments, json!({"uri": "file:///x", "method": "resources/read"}));
    assert_eq!(Value::Object((*resource.params).clone()), json!({"uri": "file:///x", "extra": 1}));
    assert_eq!(resource.beside.as_deref(), Some(br#"{"extra":1}"#.as_slice()));
    let prompt = read(Governed::GetPrompt, json!({"name": "desk__hello", "arguments": {"who": "you"}}));
    assert_eq!(*prompt.arguments, json!({"name": "hello", "arguments": {"who": "you"}, "method": "prompts/get"}));
    let reference =
        json!({"ref": {"type": "ref/resource", "uri": "desk+file:///{x}"}, "argument": {"name": "x", "value": "a"}});
    let completion = read(Governed::Complete, reference);
    assert_eq!(completion.operation.as_str(), "desk/@completions");
    assert_eq!(completion.params["ref"], json!({"type": "ref/resource", "uri": "file:///{x}"}));
}

#[test]
fn a_request_can_be_continued_and_taken_apart_again() {
    let call = read(json!({"name": "desk__echo", "requestState": "ours"})).unwrap();
    let (call, state) = call.without(STATE_MEMBER).unwrap();
    assert_eq!((state, call.beside.clone()), (Some(json!("ours")), None));
    let next = call.with(members(json!({"requestState": "theirs", "inputResponses": {}}))).unwrap();
    assert_eq!(next.beside.as_deref(), Some(br#"{"inputResponses":{},"requestState":"theirs"}"#.as_slice()));
    assert_eq!(next.params["requestState"], "theirs");
    assert_eq!(next.canonical, call.canonical);
}

#[test]
fn a_malformed_call_says_what_is_wrong() {
    let malformed = [
        json!({}),
        json!({"name": 7}),
        json!({"name": ""}),
        json!({"name": "a\u{1b}[2J"}),
        json!({"name": "x".repeat(limits::TOOL_NAME_BYTES_MAX + 1)}),
        json!({"name": "a", "arguments": []}),
        json!({"name": "a", "arguments": null}),
        json!({"name": "a", "_meta": 7}),
        json!({"name": "a", "_meta": {"progressToken": 1.5}}),
        json!({"name": "a", "arguments": {"x": "y".repeat(limits::ARGUMENTS_BYTES_MAX)}}),
    ];
    for params in malformed {
        assert!(matches!(read(params.clone()), Err(CallError::Malformed(_))), "{params}");
    }
}

#[test]
fn an_approval_that_is_none_is_refused() {
    for approval in [json!("apr_nonsense"), json!("act_00000000000000000000000000"), json!(7)] {
        let Err(CallError::Refused(refusal)) = read(json!({"name": "a", "_meta": {"remit/approval": approval}})) else {
            panic!("{approval}");
        };
        assert_eq!(refusal.code, "approval_unknown");
    }
}
