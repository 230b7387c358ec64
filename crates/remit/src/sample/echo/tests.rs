use rmcp::model::{CallToolRequestParams, ClientConfig, ProtocolVersion};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::{ClientLifecycleMode, ClientServiceExt};
use serde_json::{Value, json};

use super::*;

fn asked(modern: bool, message: &Value) -> Value {
    match Echo::new(3).answer(modern, message.to_string().as_bytes()) {
        Answer::Document(_, document) => serde_json::from_str(&document).expect(&document),
        Answer::Nothing => Value::Null,
    }
}

fn call(name: &str, text: &Value) -> Value {
    json!({"jsonrpc": "2.0", "id": "a", "method": "tools/call", "params": {"name": name, "arguments": {"text": text}}})
}

#[test]
fn it_says_what_it_was_told() {
    let strange = json!("a \"quoted\" line\nand \u{1f600}");
    for (modern, kind) in [(true, json!("complete")), (false, Value::Null)] {
        let answer = asked(modern, &call("echo", &strange));
        assert_eq!(answer["id"], "a");
        assert_eq!(answer["result"]["content"][0]["text"], strange);
        assert_eq!(answer["result"]["resultType"], kind);
    }
}

#[test]
fn numbered_tools_are_listed_and_work() {
    let listed = asked(true, &json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}));
    let names: Vec<&str> =
        listed["result"]["tools"].as_array().unwrap().iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["echo", "echo_0001", "echo_0002", "echo_0003"]);
    assert_eq!(listed["result"]["cacheScope"], "private");
    assert_eq!(asked(true, &call("echo_0003", &json!("x")))["result"]["content"][0]["text"], "x");
    for unknown in ["echo_0004", "echo_3", "echo_", "other"] {
        assert_eq!(asked(true, &call(unknown, &json!("x")))["result"]["isError"], true, "{unknown}");
    }
}

#[test]
fn what_it_does_not_know_is_an_error() {
    assert_eq!(asked(true, &call("echo", &json!(7)))["error"]["code"], -32602);
    assert_eq!(asked(true, &json!({"jsonrpc": "2.0", "id": 1, "method": "initialize"}))["error"]["code"], -32601);
    assert_eq!(asked(false, &json!({"jsonrpc": "2.0", "id": 1, "method": "server/discover"}))["error"]["code"], -32601);
    assert!(matches!(Echo::new(0).answer(true, b"{"), Answer::Document(StatusCode::BAD_REQUEST, _)));
    assert_eq!(
        Echo::new(0).answer(false, br#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#),
        Answer::Nothing
    );
}

#[tokio::test]
async fn the_official_client_understands_it_in_both_generations() {
    // Another test of this program may have been first: there is one provider per process.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/mcp", listener.local_addr().unwrap());
    let shutdown = CancellationToken::new();
    let served = tokio::spawn(serve(listener, 2, shutdown.clone()));
    let newest = ClientLifecycleMode::Discover { preferred_versions: vec![ProtocolVersion::V_2026_07_28] };
    for lifecycle in [newest, ClientLifecycleMode::Initialize] {
        let transport = StreamableHttpClientTransport::from_uri(url.clone());
        let client = ClientConfig::default().serve_with_lifecycle(transport, lifecycle).await.unwrap();
        assert_eq!(client.list_all_tools().await.unwrap().len(), 3);
        let arguments = json!({"text": "hello"}).as_object().cloned().unwrap();
        let said = client.call_tool(CallToolRequestParams::new("echo").with_arguments(arguments)).await.unwrap();
        assert_eq!(serde_json::to_value(&said.content).unwrap()[0]["text"], "hello");
        client.cancel().await.unwrap();
    }
    shutdown.cancel();
    served.await.unwrap().unwrap();
}
