//! The agent: a stock MCP client that knows nothing of Remit but an address and a token.

use rmcp::RoleClient;
use rmcp::model::{CallToolRequestParams, CallToolResult, ClientConfig, ProtocolVersion, RequestMetaObject};
use rmcp::service::{ClientLifecycleMode, ClientServiceExt, RunningService};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use serde_json::Value;

use crate::command::Failure;

/// A connected agent.
pub struct Agent(RunningService<RoleClient, ClientConfig>);

/// What came of a call.
#[derive(Debug)]
pub struct Called {
    pub is_error: bool,
    pub text: String,
    /// The code of Remit's refusal, if it was one.
    pub code: Option<String>,
    pub structured: Value,
}

impl Agent {
    /// Connects to `url` with a task token.
    pub async fn connect(url: &str, token: &str) -> Result<Self, Failure> {
        let config = StreamableHttpClientTransportConfig::with_uri(url.to_owned()).auth_header(token.to_owned());
        let transport = StreamableHttpClientTransport::from_config(config);
        let newest = ClientLifecycleMode::Discover { preferred_versions: vec![ProtocolVersion::V_2026_07_28] };
        let connected = ClientConfig::default().serve_with_lifecycle(transport, newest).await;
        connected
            .map(Self)
            .map_err(|error| Failure::fault(format!("the agent cannot connect: {error}"), "look at the lines above"))
    }

    /// The names of the tools that it sees.
    pub async fn tools(&self) -> Result<Vec<String>, Failure> {
        let tools = self.0.list_all_tools().await;
        let tools = tools.map_err(|error| {
            Failure::fault(format!("the agent cannot list tools: {error}"), "look at the lines above")
        })?;
        Ok(tools.into_iter().map(|tool| tool.name.into_owned()).collect())
    }

    /// Calls a tool, presenting `approval` if there is one.
    pub async fn call(&self, tool: &'static str, arguments: Value, approval: Option<&str>) -> Result<Called, Failure> {
        let Value::Object(arguments) = arguments else {
            return Err(Failure::fault("arguments are an object", "correct the demo"));
        };
        let mut call = CallToolRequestParams::new(tool).with_arguments(arguments);
        if let Some(approval) = approval {
            let mut meta = RequestMetaObject::default();
            meta.insert("remit/approval".to_owned(), Value::String(approval.to_owned()));
            call.meta = Some(meta);
        }
        let result = self.0.call_tool(call).await;
        result
            .map(called)
            .map_err(|error| Failure::fault(format!("the call failed: {error}"), "look at the lines above"))
    }
}

fn called(result: CallToolResult) -> Called {
    let value = serde_json::to_value(&result).unwrap_or_default();
    let text = value.pointer("/content/0/text").and_then(Value::as_str).unwrap_or_default().to_owned();
    Called {
        is_error: result.is_error == Some(true),
        text,
        code: value.pointer("/_meta/remit~1refusal/code").and_then(Value::as_str).map(str::to_owned),
        structured: result.structured_content.unwrap_or_default(),
    }
}
