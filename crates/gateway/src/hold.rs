//! Steps four and five: has an attempt decided, and waits while a person is asked, in the way that the client can follow.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::{BoxFuture, OptionFuture};
use remit_domain::{ActionId, ApprovalId, Event, TaskId, Verdict};
use remit_engine::Receipt;
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use crate::answer::{Answer, InputRequired, RpcError};
use crate::attempt::Attempt;
use crate::call::Call;
use crate::caller::Caller;
use crate::client::Client;
use crate::request_state::Continues;
use crate::upstream::Governed;
use crate::{Gateway, limits, refuse};

/// Under what name a client of 2026-07-28 is asked to lead its person to an approval.
pub(crate) const APPROVAL_REQUEST: &str = "approval";

/// The question that a call waits for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Question {
    pub approval: ApprovalId,
    /// The decision that asked, or that found the question already asked.
    pub decision: ActionId,
}

/// How waiting for a person ended.
#[derive(Debug, PartialEq, Eq)]
enum Waited {
    /// There is an answer, or the task has ended: the attempt has to be decided again to know what that means.
    Answered,
    /// The person at the client does not want it.
    Declined,
    Expired,
    TimeUp,
    ClientGone,
    Stopping,
}

/// The client's answer to being led to the approval's page, while it is outstanding.
type Led<'a> = BoxFuture<'a, Result<Value, RpcError>>;

/// Has `attempt` decided; where a person has to be asked, again as soon as they have answered. `call` is the request that can be
/// continued later, if it is one.
///
/// The decision after the answer is a new one, under the policies and the state of that moment: it uses up the approval in
/// the same commit, and finds out if the task has ended or the operation was withdrawn meanwhile.
pub(crate) async fn decide(
    gateway: &Gateway,
    caller: &Caller,
    call: Option<&Call>,
    attempt: &mut Attempt,
    client: &Client,
) -> Result<Receipt, Answer> {
    let began = Instant::now();
    // The extension is for calls of tools; and there has to be a place before anybody is asked.
    let later = call.is_some_and(|call| call.method == Governed::CallTool)
        && client.manner.takes_handles()
        && gateway.handles.has_room(caller.task);
    let seconds = if later { limits::HANDLE_HOLD_SECONDS_MAX } else { gateway.settings.hold_seconds };
    let until = began + Duration::from_secs(seconds);
    let (mut told, mut led, mut leads) = (false, None, false);
    loop {
        let receipt = attempt.submit(&gateway.engine, caller).await.map_err(refuse::submit_error)?;
        let Some(question) = question(&receipt) else { return Ok(receipt) };
        if Instant::now() >= until {
            return Err(time_up(gateway, call.filter(|_| !later), client, question));
        }
        if !told {
            told = true;
            match call {
                Some(_) if later => client.held(question.decision, question.approval).await,
                // At once: the client has somebody to lead to the page, and nothing else to wait for.
                Some(call) if client.manner.modern && client.manner.opens_addresses() && call.round == 0 => {
                    return Err(lead(gateway, call, question));
                }
                _ => client.waiting(question.decision).await,
            }
            if !client.manner.modern && client.manner.opens_addresses() {
                let params = address_params(gateway, question, true);
                let asked: Led<'_> = Box::pin(client.ask("elicitation/create", params));
                led = Some(asked);
                leads = true;
            }
        }
        let waited = wait(gateway, caller.task, question, receipt.seq, until, client, &mut led).await;
        if leads && matches!(waited, Waited::Answered | Waited::Expired) {
            leads = false;
            let params = json!({"elicitationId": question.approval.to_string()});
            client.notice("notifications/elicitation/complete", &params);
        }
        match waited {
            Waited::Answered => {}
            Waited::Declined => return Err(refuse::declined(question)),
            Waited::Expired => return Err(refuse::expired(question)),
            Waited::TimeUp => return Err(time_up(gateway, call.filter(|_| !later), client, question)),
            Waited::ClientGone => return Err(refuse::still_waiting(&gateway.settings, question)),
            Waited::Stopping => return Err(refuse::stopping()),
        }
    }
}

/// The open question, if the verdict is one: asked just now, or by an earlier and identical call.
fn question(receipt: &Receipt) -> Option<Question> {
    match Verdict::among(&receipt.events)? {
        Verdict::Asked(requested) => Some(Question { approval: requested.approval, decision: requested.action }),
        Verdict::Denied(denied) if denied.refusal.code == "approval_pending" => {
            denied.approval.map(|approval| Question { approval, decision: denied.action })
        }
        Verdict::Denied(_) | Verdict::Allowed(_) => None,
    }
}

/// Leads the client's person to the page of the approval; the request continues when the client repeats it.
fn lead(gateway: &Gateway, call: &Call, question: Question) -> Answer {
    let mut requests = Map::new();
    let params = address_params(gateway, question, false);
    requests.insert(APPROVAL_REQUEST.to_owned(), json!({"method": "elicitation/create", "params": params}));
    Answer::ask(InputRequired { requests, continues: Some(continues(call, question)) }, Some(question.decision))
}

/// The time to hold the call is over. A client of 2026-07-28 repeats it by itself, some rounds long; every other is told to.
fn time_up(gateway: &Gateway, call: Option<&Call>, client: &Client, question: Question) -> Answer {
    match call {
        Some(call) if client.manner.modern && call.round < limits::APPROVAL_ROUNDS_MAX => {
            let continues = Some(continues(call, question));
            Answer::ask(InputRequired { requests: Map::new(), continues }, Some(question.decision))
        }
        _ => refuse::still_waiting(&gateway.settings, question),
    }
}

fn continues(call: &Call, question: Question) -> Continues {
    Continues::Approval { approval: question.approval, round: call.round.saturating_add(1), carried: call.carried() }
}

/// The params that lead a person to the page of an approval. Before 2026-07-28 they carry a name for it too.
pub(crate) fn address_params(gateway: &Gateway, question: Question, named: bool) -> Map<String, Value> {
    let approval = question.approval.to_string();
    let mut params = Map::new();
    params.insert("mode".to_owned(), "url".into());
    params.insert("url".to_owned(), format!("{}/approvals/{approval}", gateway.settings.console_url).into());
    params
        .insert("message".to_owned(), "A person has to approve this action first. Open the page to look at it.".into());
    if named {
        params.insert("elicitationId".to_owned(), approval.into());
    }
    params
}

/// Waits for an answer to `question`. Watching begins at the record that found it open, so no answer is missed.
async fn wait(
    gateway: &Gateway,
    task: TaskId,
    question: Question,
    from: u64,
    until: Instant,
    client: &Client,
    led: &mut Option<Led<'_>>,
) -> Waited {
    let approval = question.approval;
    let mut records = gateway.engine.watch(from);
    let mut beat = tokio::time::interval(Duration::from_secs(limits::KEEPALIVE_SECONDS));
    let mut beats = 0_u64;
    loop {
        let answered: OptionFuture<_> = led.as_mut().into();
        tokio::select! {
            record = records.next() => match record {
                Some(committed) => match &committed.record.event {
                    Event::ApprovalGranted { approval: answered, .. } | Event::ApprovalDenied { approval: answered, .. }
                        if *answered == approval => return Waited::Answered,
                    Event::ApprovalExpired { approval: ended, .. } if *ended == approval => return Waited::Expired,
                    Event::TaskEnded { task: ended, .. } if *ended == task => return Waited::Answered,
                    _ => {}
                },
                None => return Waited::Stopping,
            },
            Some(said) = answered => {
                *led = None;
                if said.is_ok_and(|said| declines(&said)) {
                    return Waited::Declined;
                }
            }
            _ = beat.tick() => {
                beats += 1;
                let message = format!("waiting for a person to approve `{approval}`");
                // Small steps, so that what the upstream reports later still goes up.
                let params = json!({"progress": beats as f64 / 1_000.0, "message": message});
                client.progress(params.as_object().cloned().unwrap_or_default());
            }
            () = tokio::time::sleep_until(until) => return Waited::TimeUp,
            () = client.gone() => return Waited::ClientGone,
            () = gateway.stopping.cancelled() => return Waited::Stopping,
        }
    }
}

/// Whether an elicitation's answer is a no.
pub(crate) fn declines(said: &Value) -> bool {
    said.get("action").is_some_and(|action| action == "decline" || action == "cancel")
}
