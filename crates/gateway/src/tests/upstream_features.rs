//! What a server has besides tools, and what it is told of its client with each request.

use futures_util::FutureExt;
use serde_json::{Value, json};

use super::upstream_world::{Behind, Seen, Server, object, request, tools};
use crate::FaultKind;
use crate::upstream::{CallFault, Governed, Reply, Watch};

async fn modern(offered: Value) -> (std::sync::Arc<Server>, remit_domain::ConnectorSpec) {
    Server::start(move |seen: Seen| {
        let tools = offered.clone();
        async move {
            match seen.method() {
                "server/discover" => seen.result(json!({
                    "supportedVersions": ["2026-07-28"],
                    "capabilities": {"resources": {"subscribe": true}, "completions": {}, "prompts": null},
                    "instructions": "be kind",
                })),
                "tools/list" => seen.result(json!({"tools": tools})),
                "resources/read" => seen.result(json!({"contents": [], "resultType": "complete"})),
                _ => seen.error(-32601),
            }
        }
        .boxed()
    })
    .await
}

fn names(definitions: &[Value]) -> Vec<&str> {
    definitions.iter().map(|definition| definition["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn features_follow_the_tools_and_reserved_names_are_left_out() {
    let marked = |name: &str, mark: &str| {
        let properties = json!({"a": {"type": "string", "x-mcp-header": mark}});
        json!({"name": name, "inputSchema": {"type": "object", "properties": properties}})
    };
    let mut offered = tools(&["plain", "@resources", "@evil"]);
    offered.as_array_mut().unwrap().extend([marked("marked", "Good"), marked("mismarked", "not good")]);
    let (_, spec) = modern(offered).await;
    let behind = Behind::new(spec.clone(), &["plain", "@resources"]).await;
    let definitions = behind.upstreams.definitions(&spec).await.unwrap();
    let expected = ["plain", "marked", "@resources", "@completions", "@sampling", "@elicitation", "@roots"];
    assert_eq!(names(&definitions), expected);
    let connection = behind.ready().await;
    assert_eq!(connection.instructions(), Some("be kind"));
    let resources = remit_domain::Feature::Resources;
    assert!(connection.offers(resources) && !connection.offers(remit_domain::Feature::Prompts));
    assert_eq!(connection.definition("@resources"), Some(resources.digest()));
    assert_eq!(connection.definition("@prompts"), None);
}

#[tokio::test]
async fn a_request_describes_its_client_and_names_what_it_is_about() {
    let (server, spec) = modern(tools(&["plain"])).await;
    let behind = Behind::new(spec, &["plain", "@resources"]).await;
    let connection = behind.ready().await;
    let permit = behind.permit("@resources", json!({"method": "resources/read", "uri": "a:ü"})).await;
    let mut read = request(Governed::ReadResource, json!({"uri": "a:ü", "inputResponses": {}}));
    read.meta = object(json!({"traceparent": "00-1"}));
    read.capabilities = object(json!({"elicitation": {"form": {}}}));
    read.log_level = Some("warning".to_owned());
    let reply = connection.call(&permit, &read, Watch::default()).await.unwrap();
    assert!(matches!(reply, Reply::Result(_)));
    let seen = server.wait_for(|seen| seen.method() == "resources/read").await;
    assert_eq!(seen.header("mcp-name"), Some("=?base64?YTrDvA==?="));
    assert_eq!(seen.header("remit-decision"), Some(permit.action().to_string().as_str()));
    let expected = json!({
        "traceparent": "00-1",
        "remit/decision": permit.action().to_string(),
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "remit", "version": env!("CARGO_PKG_VERSION")},
        "io.modelcontextprotocol/clientCapabilities": {"elicitation": {"form": {}}},
        "io.modelcontextprotocol/logLevel": "warning",
    });
    assert_eq!(seen.body["params"], json!({"uri": "a:ü", "inputResponses": {}, "_meta": expected}));
}

#[tokio::test]
async fn a_permit_carries_nothing_else() {
    let (server, spec) = modern(tools(&["plain", "other"])).await;
    let behind = Behind::new(spec, &["plain", "other", "@resources"]).await;
    let connection = behind.ready().await;
    let permit = behind.permit("plain", json!({})).await;
    for other in [
        request(Governed::CallTool, json!({"name": "other", "arguments": {}})),
        request(Governed::ReadResource, json!({"uri": "a:b"})),
        request(Governed::GetPrompt, json!({"name": "plain"})),
    ] {
        let Err(CallFault::Fault(fault)) = connection.call(&permit, &other, Watch::default()).await else { panic!() };
        assert_eq!(fault.kind, FaultKind::NotSent);
    }
    assert!(server.seen(|seen| matches!(seen.method(), "tools/call" | "resources/read" | "prompts/get")).is_empty());
}
