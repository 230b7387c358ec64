//! The path of every call, top to bottom.

use std::sync::Arc;
use std::time::Instant;

use remit_domain::{Feature, OperationName, Reachable, State, TaskId, Timestamp, Verdict};
use remit_engine::Receipt;
use serde_json::{Map, Value, json};

use crate::answer::{Answer, Body};
use crate::asked::{self, Asker};
use crate::attempt::Attempt;
use crate::call::Call;
use crate::caller::Caller;
use crate::client::{Client, Manner};
use crate::forward::{Sending, forward};
use crate::inspect::{Expected, inspect};
use crate::lives::Kind;
use crate::permit::Permit;
use crate::record::{Report, record_outcome};
use crate::upstream::{Governed, UpstreamRequest};
use crate::words::Words;
use crate::{Gateway, hold, mcp, refuse};

/// Takes one call of a known caller through the gate. Whatever happens, there is an answer, and from the decision on there
/// is a record of it.
pub(crate) async fn pass(gateway: &Gateway, caller: &Caller, call: &Call, client: &Client) -> Answer {
    steps(gateway, caller, call, client).await.unwrap_or_else(|refused| refused)
}

async fn steps(gateway: &Gateway, caller: &Caller, call: &Call, client: &Client) -> Result<Answer, Answer> {
    // A bounded number of calls: past it, saying so at once is better than answering all of them late.
    let _place = gateway.room.enter(caller.agent).ok_or_else(refuse::no_room)?;

    // From here on the end of its task ends it.
    let life = gateway.lives.hold(caller.task, Kind::Upstream);

    // Who and what are known. The arguments are committed to in one byte form, because the policies, the people asked, the
    // record and the upstream must all mean the same bytes.
    let mut attempt = Attempt::prepare(&gateway.engine, caller, call).await.map_err(refuse::submit_error)?;

    // The engine decides and records; where a rule asks for a person, there is no permit before there is an answer.
    let receipt = hold::decide(gateway, caller, Some(call), &mut attempt, client).await?;

    // Only a committed allow makes a permit: no record, no effect.
    let permit = Permit::from_receipt(&receipt).ok_or_else(|| refused(gateway, caller, call, &receipt))?;
    let report = Report::about(gateway, &permit);
    let expected = Expected::of(gateway, &permit, call.method);
    let (request, words) = prepare(gateway, caller, call, client, &permit, &report);
    let unknown = request.unknown.clone();
    if client.manner.wants_progress || words.logs() {
        client.waiting(permit.action()).await;
    }

    // The call leaves the house, once. The permit goes with it.
    let started = Instant::now();
    let sending = Sending { caller, client, permit, request: request.upstream, words: &words, life: &life };
    let reply = forward(gateway, sending).await;

    // What came back is looked at before anybody relies on it.
    let inspected = inspect(reply, &expected, words.into_kept(), unknown);

    // How it ended is recorded, for sensitive data before the answer is released.
    record_outcome(gateway, &report, inspected.outcome, inspected.content, started.elapsed()).await?;

    // What the server asks of the client in its answer is an action of its own.
    let mut answer = inspected.answer;
    if let Body::InputRequired(asks) = &mut answer.body {
        let asker = Asker { gateway, caller, client, connector: call.operation.connector() };
        asked::allow_all(&asker, &mut asks.requests)
            .await
            .map_err(|refusal| refuse::refused(&refusal, Some(report.action())))?;
    }
    Ok(answer)
}

/// What was decided, where it was no. A client that a person let in is told when a token for more would change it, so that it can ask that
/// person again: what it may do is less than what its agent was granted. Whatever else is refused, no token changes.
fn refused(gateway: &Gateway, caller: &Caller, call: &Call, receipt: &Receipt) -> Answer {
    let answer = match mcp::access::help(gateway, caller, call, receipt) {
        Some(help) => refuse::lacking(receipt, help),
        None => refuse::verdict(receipt),
    };
    let scope = call.operation.as_str();
    let beyond = matches!(Verdict::among(&receipt.events), Some(Verdict::Denied(denied)) if denied.refusal.code == "out_of_scope");
    let now = gateway.engine.now();
    let wider = beyond
        && call.method == Governed::CallTool
        && scope.bytes().all(is_scope_byte)
        && gateway.engine.read(|state| {
            state.task(caller.task).is_ok_and(|task| {
                task.client.is_some() && state.grants_in(task).any(|grant| grant.covers(&call.operation, now))
            })
        });
    if wider { refuse::step_up(answer, scope.to_owned()) } else { answer }
}

/// RFC 6749 section 3.3, `scope-token`.
fn is_scope_byte(byte: u8) -> bool {
    matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e)
}

/// What is sent upstream for a call.
struct Prepared {
    upstream: UpstreamRequest,
    /// What goes with it unread, to be recorded.
    unknown: Map<String, Value>,
}

fn prepare(
    gateway: &Gateway,
    caller: &Caller,
    call: &Call,
    client: &Client,
    permit: &Permit,
    report: &Report,
) -> (Prepared, Words) {
    // INVARIANT: a person approves exact bytes, so nothing that they were not shown goes with them.
    let unknown = if permit.approved() { Map::new() } else { call.unknown.clone() };
    let mut meta = call.trace.clone();
    meta.extend(unknown.clone());
    let connector = call.operation.connector();
    let now = gateway.engine.now();
    let state = gateway.engine.state();
    let may = |feature: Feature| available(&state, caller.task, connector, feature, now);
    let pass = !report.comes_first();
    let log_level = client.manner.log_level.clone();
    let listens = client.manner.can_be_asked && (log_level.is_some() || !client.manner.modern);
    let level = log_level.as_deref().unwrap_or("debug");
    let words = Words::new(pass, pass && listens && may_log(&state, caller, connector, level, now));
    let upstream = UpstreamRequest {
        method: call.method,
        params: Arc::clone(&call.params),
        meta,
        capabilities: declared(&client.manner, may),
        log_level: log_level.filter(|_| words.logs()),
    };
    (Prepared { upstream, unknown }, words)
}

/// What the upstream is told that it may ask of the client: what the client does and the policies could allow.
fn declared(manner: &Manner, may: impl Fn(Feature) -> bool) -> Map<String, Value> {
    let mut declared = Map::new();
    for (feature, name) in
        [(Feature::Sampling, "sampling"), (Feature::Elicitation, "elicitation"), (Feature::Roots, "roots")]
    {
        if manner.offers(feature)
            && may(feature)
            && let Some(capability) = manner.capabilities.get(name)
        {
            declared.insert(name.to_owned(), capability.clone());
        }
    }
    declared
}

/// Whether the policies allow this caller log messages of `connector` from `level` on. The messages themselves become part of the call's record.
pub(crate) fn may_log(state: &State, caller: &Caller, connector: &str, level: &str, now: Timestamp) -> bool {
    let operation = state.operations.get(&OperationName::new(connector, Feature::Logging.name()));
    let arguments = json!({"method": "logging/setLevel", "level": level});
    operation
        .filter(|operation| operation.withdrawn.is_none())
        .zip(state.task(caller.task).ok())
        .is_some_and(|(operation, task)| remit_domain::preview(state, task, operation, &arguments, now).0 == "allow")
}

/// Whether `feature` of `connector` is approved and some use of it could be allowed under `task`.
pub(crate) fn available(state: &State, task: TaskId, connector: &str, feature: Feature, now: Timestamp) -> bool {
    let name = OperationName::new(connector, feature.name());
    let operation = state.operations.get(&name).filter(|operation| operation.withdrawn.is_none());
    let task = state.task(task).ok();
    operation
        .zip(task)
        .is_some_and(|(operation, task)| remit_domain::reach(state, task, operation, now) != Reachable::Never)
}
