//! Step six: sends a permitted call to its upstream, once.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use remit_domain::Connector;
use serde_json::{Map, Value};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::asked::{self, Asker};
use crate::caller::Caller;
use crate::client::Client;
use crate::lives::Held;
use crate::permit::Permit;
use crate::upstream::{CallFault, Connection, Governed, Reply, UpstreamFault, UpstreamRequest, Watch};
use crate::words::Words;
use crate::{Gateway, limits};

/// Why a call was not sent whose task has ended.
const ENDED: &str = "the task ended before it was sent";

/// One permitted call on its way.
#[derive(Debug)]
pub(crate) struct Sending<'a> {
    pub caller: &'a Caller,
    pub client: &'a Client,
    pub permit: Permit,
    pub request: UpstreamRequest,
    pub words: &'a Words,
    /// Ends when the caller's task does.
    pub life: &'a Held,
}

/// Sends the call that the permit allows, and waits for its answer.
pub(crate) async fn forward(gateway: &Gateway, sending: Sending<'_>) -> Result<Reply, UpstreamFault> {
    let (permit, client) = (&sending.permit, sending.client);
    let connector = permit.operation().connector().to_owned();
    let connector = gateway.engine.read(|state| state.connector_named(&connector).cloned());
    let connector = connector.map_err(|_| UpstreamFault::not_sent("the connector is no longer there"))?;
    let seconds = gateway.settings.call_seconds_max.min(limits::CALL_SECONDS_MAX);
    let deadline = Instant::now() + Duration::from_secs(seconds);
    let mut again = true;
    loop {
        // The server's tools are compared with the approved ones before the first call, so this may take a while.
        let connection = tokio::select! {
            connection = gateway.upstreams.ready(&connector) => connection?,
            () = client.gave_up() => return Err(UpstreamFault::not_sent("the caller gave up before it was sent")),
            () = sending.life.ended() => return Err(UpstreamFault::not_sent(ENDED)),
            () = tokio::time::sleep_until(deadline) => return Err(UpstreamFault::not_sent("the upstream was not ready in time")),
        };
        // INVARIANT: what runs is what was decided on: the same definition, seen on this very connection.
        if connection.definition(permit.operation().tool()) != permit.definition() {
            return Err(UpstreamFault::not_sent("the server now defines this tool otherwise than it was approved"));
        }
        // Another connection may have been ready at once, and the end of the task have come before all the same.
        if sending.life.has_ended() {
            return Err(UpstreamFault::not_sent(ENDED));
        }
        if connection.is_modern() && sending.request.method.is_gone() {
            return follow(gateway, &connector, &connection, &sending).await;
        }
        match call(gateway, &connection, &sending, deadline).await {
            Ok(reply) => return of_its_revision(reply, &connection),
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

/// A server of 2026-07-28 is not asked about single resources: it is told on the connection's own stream which ones are followed, as long as
/// somebody does.
async fn follow(
    gateway: &Gateway,
    connector: &Connector,
    connection: &Connection,
    sending: &Sending<'_>,
) -> Result<Reply, UpstreamFault> {
    let uri = sending.request.params.get("uri").and_then(Value::as_str).unwrap_or_default();
    if sending.request.method == Governed::Subscribe {
        sending.client.follow(gateway.upstreams.follow(connector, connection, uri).await?);
    }
    Ok(Reply::Result(Map::new()))
}

/// Before 2026-07-28 a result is of one kind: a server that was greeted by a handshake and says otherwise means something that nobody knows.
fn of_its_revision(reply: Reply, connection: &Connection) -> Result<Reply, UpstreamFault> {
    match &reply {
        Reply::Result(result)
            if !connection.is_modern() && result.get("resultType").is_some_and(|kind| kind != "complete") =>
        {
            Err(UpstreamFault::failed("the upstream's result is of a kind that its revision does not have"))
        }
        _ => Ok(reply),
    }
}

/// The next message, if there can be one.
async fn next<T>(from: &mut Option<mpsc::Receiver<T>>) -> Option<T> {
    from.as_mut()?.recv().await
}

/// One try: what the upstream says and asks meanwhile goes to the client; if the client gives up or time is over, the upstream is
/// told.
async fn call(
    gateway: &Gateway,
    connection: &Connection,
    sending: &Sending<'_>,
    mut deadline: Instant,
) -> Result<Reply, CallFault> {
    let Sending { caller, client, permit, request, words, life } = sending;
    let cut = CancellationToken::new();
    // A channel that nobody uses is not made: one has room for all that it could hold from the start.
    let listening = client.manner.wants_progress || words.logs();
    let (notices, mut noticed) = listening.then(|| mpsc::channel(limits::STEPS_MAX)).unzip();
    // A server of 2026-07-28 asks in its result.
    let asks_meanwhile = client.manner.can_be_asked && !connection.is_modern();
    let (asks, mut asked) = asks_meanwhile.then(|| mpsc::channel(limits::ASKS_AT_A_TIME_MAX)).unzip();
    let watch = Watch { notices, asks, cut: cut.clone() };
    // INVARIANT: a call ends before its outcome is closed as unknown, so that no result comes after its record.
    let last = Instant::now() + Duration::from_secs(limits::CALL_SECONDS_MAX);
    let asker = Asker { gateway, caller, client, connector: permit.operation().connector() };
    let mut asking = FuturesUnordered::new();
    let mut reply = std::pin::pin!(connection.call(permit, request, watch));
    let mut reason: Option<String> = None;
    let mut cut_at = last;
    loop {
        tokio::select! {
            biased;
            Some(notice) = next(&mut noticed) => words.hear(notice, client),
            reply = &mut reply => {
                while let Some(notice) = noticed.as_mut().and_then(|noticed| noticed.try_recv().ok()) {
                    words.hear(notice, client);
                }
                return match (reply, reason) {
                    (Err(CallFault::Fault(fault)), Some(reason)) => Err(CallFault::Fault(fault.because(reason))),
                    (reply, _) => reply,
                };
            }
            Some(back) = next(&mut asked) => {
                // People answer slowly; the time that they take is not the upstream's.
                deadline = deadline.max(Instant::now() + Duration::from_secs(limits::ASK_SECONDS_MAX)).min(last);
                asking.push(asked::answer(&asker, back));
            }
            Some(()) = asking.next(), if !asking.is_empty() => {}
            () = client.gave_up(), if reason.is_none() => {
                reason = Some("the caller gave up before there was an answer".to_owned());
                cut_at = Instant::now() + Duration::from_secs(limits::CUT_SECONDS_MAX);
                cut.cancel();
            }
            () = life.ended(), if reason.is_none() => {
                reason = Some("the task ended before there was an answer".to_owned());
                cut_at = Instant::now() + Duration::from_secs(limits::CUT_SECONDS_MAX);
                life.was_sent(format!("`{}` had left as {}, and may have run", permit.operation(), permit.action()));
                cut.cancel();
            }
            () = tokio::time::sleep_until(deadline), if reason.is_none() => {
                reason = Some(format!("there was no answer within {} seconds", gateway.settings.call_seconds_max));
                cut_at = Instant::now() + Duration::from_secs(limits::CUT_SECONDS_MAX);
                cut.cancel();
            }
            // Whatever the wire still does, nobody waits for it any longer.
            () = tokio::time::sleep_until(cut_at), if reason.is_some() => {
                return Err(CallFault::Fault(UpstreamFault::unknown(reason.unwrap_or_default())));
            }
        }
    }
}
