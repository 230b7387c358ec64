//! The path of every call, top to bottom.

use std::sync::Arc;
use std::time::Instant;

use crate::answer::Answer;
use crate::attempt::{Attempt, ToolCall};
use crate::caller::Caller;
use crate::client::Client;
use crate::forward::{UpstreamRequest, forward};
use crate::inspect::inspect;
use crate::permit::Permit;
use crate::record::{Report, record};
use crate::{Gateway, hold, refuse};

/// Takes one call of a known caller through the gate. Whatever happens, there is an answer, and from the decision on there
/// is a record of it.
pub(crate) async fn pass(gateway: &Arc<Gateway>, caller: &Caller, call: ToolCall, client: &Client) -> Answer {
    steps(gateway, caller, call, client).await.unwrap_or_else(|refused| refused)
}

async fn steps(gateway: &Arc<Gateway>, caller: &Caller, call: ToolCall, client: &Client) -> Result<Answer, Answer> {
    // A bounded number of calls: past it, saying so at once is better than answering all of them late.
    let _place = gateway.room.enter(caller.agent).ok_or_else(refuse::no_room)?;

    // Who and what are known. The arguments are committed to in one byte form, because the policies, the people asked, the
    // record and the upstream must all mean the same bytes.
    let mut attempt = Attempt::prepare(&gateway.engine, caller, &call).await.map_err(refuse::submit_error)?;

    // The engine decides and records; where a rule asks for a person, the call is held open until there is an answer.
    let receipt = hold::decide(gateway, caller, &mut attempt, client).await?;

    // Only a committed allow makes a permit: no record, no effect.
    let permit = Permit::from_receipt(&receipt).ok_or_else(|| refuse::verdict(&receipt))?;
    let report = Report::about(gateway, &permit);
    if client.wants_progress() {
        client.waiting(permit.action()).await;
    }

    // The call leaves the house, once. The permit goes with it.
    let started = Instant::now();
    let request = UpstreamRequest { arguments: call.arguments, meta: call.meta };
    let reply = forward(gateway, permit, request, client).await;

    // What came back is looked at before anybody relies on it.
    let inspected = inspect(reply, report.action());

    // How it ended is recorded, for sensitive data before the answer is released.
    record(gateway, &report, &inspected, started.elapsed()).await?;
    Ok(inspected.answer)
}
