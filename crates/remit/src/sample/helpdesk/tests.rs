//! The help desk as its clients see it: the official client against the real listener, in both generations of MCP.

use rmcp::model::{CallToolRequestParams, CallToolResult, ClientConfig, ProtocolVersion, Tool};
use rmcp::service::RunningService;
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::{ClientLifecycleMode, ClientServiceExt, RoleClient};
use serde_json::{Value, json};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::*;

type Client = RunningService<RoleClient, ClientConfig>;

struct Served {
    url: String,
    ended: tokio::task::JoinHandle<anyhow::Result<()>>,
    shutdown: CancellationToken,
    _guard: DropGuard,
}

async fn served() -> Served {
    // Another test of this program may have been first: there is one provider per process.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/mcp", listener.local_addr().unwrap());
    let shutdown = CancellationToken::new();
    let ended = tokio::spawn(serve_http(listener, shutdown.clone()));
    Served { url, ended, shutdown: shutdown.clone(), _guard: shutdown.drop_guard() }
}

async fn connected(url: &str, lifecycle: ClientLifecycleMode) -> Client {
    let transport = StreamableHttpClientTransport::from_uri(url.to_owned());
    ClientConfig::default().serve_with_lifecycle(transport, lifecycle).await.unwrap()
}

fn newest() -> ClientLifecycleMode {
    ClientLifecycleMode::Discover { preferred_versions: vec![ProtocolVersion::V_2026_07_28] }
}

async fn call(client: &Client, tool: &'static str, arguments: Value) -> CallToolResult {
    let Value::Object(arguments) = arguments else { panic!("arguments are an object") };
    client.call_tool(CallToolRequestParams::new(tool).with_arguments(arguments)).await.unwrap()
}

fn sentence(result: &CallToolResult) -> String {
    assert_eq!(result.is_error, Some(true), "{result:?}");
    result.content.first().and_then(|block| block.as_text()).unwrap().text.clone()
}

fn data(result: CallToolResult) -> Value {
    assert_eq!(result.is_error, Some(false), "{result:?}");
    result.structured_content.unwrap()
}

#[tokio::test]
async fn both_generations_see_the_same_desk() {
    let served = served().await;
    let old = connected(&served.url, ClientLifecycleMode::Initialize).await;
    let new = connected(&served.url, newest()).await;

    let given = json!({"order_id": "O-5001", "amount_cents": 900, "reason": "scratched"});
    assert_eq!(data(call(&old, "refund_order", given).await)["refund_id"], "R-1");
    assert_eq!(data(call(&new, "list_refunds", json!({})).await)["refunds"][0]["amount_cents"], 900);
    let order = data(call(&new, "show_order", json!({"order_id": "O-5001"})).await);
    assert_eq!(order["refunded_cents"], 900);

    old.cancel().await.unwrap();
    new.cancel().await.unwrap();
}

#[tokio::test]
async fn refusals_are_results_that_say_why() {
    let served = served().await;
    let client = connected(&served.url, newest()).await;
    let too_much = json!({"order_id": "O-5004", "amount_cents": 1_291, "reason": "frayed"});
    assert_eq!(
        sentence(&call(&client, "refund_order", too_much).await),
        "`1291` cents is more than order `O-5004` has left to refund; at most `1290` cents are"
    );
    let nobody = sentence(&call(&client, "show_customer", json!({"customer_id": "C-1"})).await);
    assert!(nobody.starts_with("there is no customer `C-1`"), "{nobody}");
    let surplus = sentence(&call(&client, "show_customer", json!({"customer_id": "C-1001", "as": "admin"})).await);
    assert!(surplus.contains("unknown field `as`"), "{surplus}");
    let negative = json!({"order_id": "O-5004", "amount_cents": -5, "reason": "frayed"});
    assert!(sentence(&call(&client, "refund_order", negative).await).contains("invalid value"));
}

fn hints(tool: &Tool) -> (bool, bool) {
    let annotations = tool.annotations.as_ref().unwrap();
    (annotations.read_only_hint.unwrap(), annotations.destructive_hint.unwrap_or(false))
}

#[tokio::test]
async fn every_tool_says_what_it_takes_gives_and_changes() {
    let served = served().await;
    let client = connected(&served.url, newest()).await;
    let tools = client.list_all_tools().await.unwrap();
    let mut seen: Vec<_> = tools.iter().map(|tool| (tool.name.as_ref(), hints(tool))).collect();
    seen.sort_unstable();
    assert_eq!(
        seen,
        [
            ("close_account", (false, true)),
            ("find_customer", (true, false)),
            ("list_orders", (true, false)),
            ("list_outbox", (true, false)),
            ("list_refunds", (true, false)),
            ("refund_order", (false, true)),
            ("send_message", (false, false)),
            ("show_customer", (true, false)),
            ("show_order", (true, false)),
        ]
    );
    for tool in &tools {
        assert_eq!(tool.input_schema.get("additionalProperties"), Some(&json!(false)), "{}", tool.name);
        assert!(tool.output_schema.is_some() && tool.description.is_some(), "{}", tool.name);
        assert!(
            !serde_json::to_string(tool).unwrap().contains("\"format\""),
            "{} names a format nobody knows",
            tool.name
        );
    }
    let refund = tools.iter().find(|tool| tool.name == "refund_order").unwrap();
    let amount = &refund.input_schema["properties"]["amount_cents"];
    assert_eq!((&amount["type"], &amount["minimum"]), (&json!("integer"), &json!(1)));
    assert!(amount["description"].as_str().unwrap().contains("euro cents"), "{amount}");
}

#[tokio::test]
async fn a_foreign_host_name_is_refused() {
    let served = served().await;
    let request = reqwest::Client::new().post(&served.url).header("Host", "desk.example").body("{}");
    assert_eq!(request.send().await.unwrap().status(), 403);
    let request = reqwest::Client::new().post(&served.url).header("Origin", "http://127.0.0.1").body("{}");
    assert_eq!(request.send().await.unwrap().status(), 403);
}

#[tokio::test]
async fn shutdown_ends_the_listener_even_with_an_open_session() {
    let served = served().await;
    let client = connected(&served.url, ClientLifecycleMode::Initialize).await;
    served.shutdown.cancel();
    tokio::time::timeout(Duration::from_secs(DRAIN_SECONDS_MAX + 3), served.ended).await.unwrap().unwrap().unwrap();
    drop(client);
}
