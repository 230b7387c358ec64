//! Step six: sends a permitted call to its upstream, once.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::client::Client;
use crate::permit::Permit;
use crate::upstream::{CallFault, Connection, Reply, UpstreamFault, Watch};
use crate::{Gateway, limits};

/// What is sent upstream beside the permit that says to which tool.
#[derive(Debug, Clone)]
pub(crate) struct UpstreamRequest {
    pub arguments: Arc<Value>,
    pub meta: Map<String, Value>,
}

/// Sends the call that `permit` allows, and waits for its answer.
pub(crate) async fn forward(
    gateway: &Gateway,
    permit: Permit,
    request: UpstreamRequest,
    client: &Client,
) -> Result<Reply, UpstreamFault> {
    let connector = permit.operation().connector().to_owned();
    let connector = gateway.engine.read(|state| state.connector_named(&connector).cloned());
    let connector = connector.map_err(|_| UpstreamFault::not_sent("the connector is no longer there"))?;
    let deadline = Instant::now() + Duration::from_secs(gateway.settings.call_seconds_max);
    let mut again = true;
    loop {
        // The server's tools are compared with the approved ones before the first call, so this may take a while.
        let connection = tokio::select! {
            connection = gateway.upstreams.ready(&connector) => connection?,
            () = client.gave_up() => return Err(UpstreamFault::not_sent("the caller gave up before it was sent")),
            () = tokio::time::sleep_until(deadline) => return Err(UpstreamFault::not_sent("the upstream was not ready in time")),
        };
        // INVARIANT: what runs is what was decided on: the same definition, seen on this very connection.
        if connection.definition(permit.operation().tool()) != permit.definition() {
            return Err(UpstreamFault::not_sent("the server now defines this tool otherwise than it was approved"));
        }
        match call(gateway, &connection, &permit, &request, client, deadline).await {
            Ok(reply) => return Ok(reply),
            // The server says that it knows no such session, or is gone before anything was written: nothing can have run.
            Err(CallFault::ConnectionEnded(fault)) => {
                gateway.upstreams.discard(&connector, &connection).await;
                if !again {
                    return Err(fault);
                }
                again = false;
            }
            Err(CallFault::Fault(fault)) => return Err(fault),
        }
    }
}

/// How far a call is, in numbers only: words of the upstream reach the agent in the result, which is recorded.
fn in_numbers(mut progress: Map<String, Value>) -> Map<String, Value> {
    progress.retain(|name, value| matches!(name.as_str(), "progress" | "total") && value.is_number());
    progress
}

/// One try: progress goes to the client while the call runs; if the client gives up or time is over, the upstream is told.
async fn call(
    gateway: &Gateway,
    connection: &Connection,
    permit: &Permit,
    request: &UpstreamRequest,
    client: &Client,
    deadline: Instant,
) -> Result<Reply, CallFault> {
    let cut = CancellationToken::new();
    let (sender, mut progress) = mpsc::channel(limits::STEPS_MAX);
    let watch = Watch { progress: client.wants_progress().then_some(sender), cut: cut.clone() };
    let mut reply = std::pin::pin!(connection.call(permit, request, watch));
    let mut reason = None;
    loop {
        tokio::select! {
            biased;
            Some(params) = progress.recv() => client.progress(in_numbers(params)),
            reply = &mut reply => return match (reply, reason) {
                (Err(CallFault::Fault(fault)), Some(reason)) => Err(CallFault::Fault(fault.because(reason))),
                (reply, _) => reply,
            },
            () = client.gave_up(), if reason.is_none() => {
                reason = Some("the caller gave up before there was an answer".to_owned());
                cut.cancel();
            }
            () = tokio::time::sleep_until(deadline), if reason.is_none() => {
                reason = Some(format!("there was no answer within {} seconds", gateway.settings.call_seconds_max));
                cut.cancel();
            }
        }
    }
}
