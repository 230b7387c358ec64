//! What an upstream asks of the client: a governed action of its own, decided and recorded before the client hears of it.

use std::sync::Arc;
use std::time::Duration;

use remit_domain::{Feature, OperationName, Outcome, Refusal};
use serde_json::{Map, Value, json};

use crate::answer::{Answer, Body, RpcError};
use crate::attempt::{Asks, Attempt};
use crate::caller::Caller;
use crate::client::Client;
use crate::permit::Permit;
use crate::record::{Report, record_outcome};
use crate::upstream::AskedBack;
use crate::{Gateway, hold, refuse};

/// For whom something is asked, and by whom.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asker<'a> {
    pub gateway: &'a Gateway,
    pub caller: &'a Caller,
    pub client: &'a Client,
    /// The connector whose server asks.
    pub connector: &'a str,
}

/// Answers what a server asked in the middle of a call: by the client, if that is allowed.
pub(crate) async fn answer(asker: &Asker<'_>, back: AskedBack) {
    let AskedBack { method, params, answer } = back;
    // If the call has ended meanwhile, nobody waits for it.
    let _ = answer.send(put(asker, &method, params).await);
}

/// Puts a question to the client. That it is put is on record, with what it brings into the task, before the client hears of it; and what the
/// client says is an action of its own, since it leaves the house and was not there when the question was decided.
async fn put(asker: &Asker<'_>, method: &str, params: Map<String, Value>) -> Result<Value, RpcError> {
    let params = asked(params);
    let permit = allow(asker, method, &params, None).await?;
    record(asker, &permit, Outcome::Succeeded).await?;
    // The words of an error would leave undecided: that there is no answer is all that the server learns.
    let said = asker.client.ask(method, params.clone()).await;
    let said = said.map_err(|_| refuse::protocol(refuse::INTERNAL_ERROR, "the client did not answer"))?;
    let permit = allow(asker, method, &params, Some(&said)).await?;
    record(asker, &permit, Outcome::Succeeded).await?;
    Ok(said)
}

/// What of a server's params is asked: all but what belongs to the envelope, which nobody is shown.
fn asked(mut params: Map<String, Value>) -> Map<String, Value> {
    params.remove("_meta");
    params.remove("task");
    params
}

/// Decides whether the client may be asked this, or having `said` something, may have it sent.
async fn allow(
    asker: &Asker<'_>,
    method: &str,
    params: &Map<String, Value>,
    said: Option<&Value>,
) -> Result<Permit, RpcError> {
    let feature = Feature::of_method(method).filter(|feature| feature.is_asked_by_server());
    let feature = feature.ok_or_else(|| refuse::protocol(refuse::METHOD_NOT_FOUND, "Method not found"))?;
    if !asker.client.manner.answers(feature, params) {
        let sentence = format!("the client of this call does not answer `{method}`");
        return Err(refuse::protocol(refuse::METHOD_NOT_FOUND, sentence));
    }
    let mut arguments = params.clone();
    arguments.insert("method".to_owned(), method.into());
    let unwritable = |_| refuse::protocol(refuse::INVALID_PARAMS, "the params have no canonical form");
    let canonical = serde_json_canonicalizer::to_vec(&arguments).map_err(unwritable)?;
    let beside = said.map(|said| serde_json_canonicalizer::to_vec(&json!({"answer": said})));
    let beside = beside.transpose().map_err(unwritable)?;
    let asks = Asks {
        operation: OperationName::new(asker.connector, feature.name()),
        arguments: Arc::new(Value::Object(arguments)),
        canonical,
        beside,
    };
    let refused = |answer: Answer| as_error(&answer);
    let attempt = Attempt::at(&asker.gateway.engine, asker.caller, asks).await;
    let mut attempt = attempt.map_err(|error| refused(refuse::submit_error(error)))?;
    let receipt = hold::decide(asker.gateway, asker.caller, None, &mut attempt, asker.client).await.map_err(refused)?;
    Permit::from_receipt(&receipt).ok_or_else(|| refused(refuse::verdict(&receipt)))
}

/// Records what became of what `permit` allowed: durable when this returns, so that what it brings into the task is known before anybody acts on it.
async fn record(asker: &Asker<'_>, permit: &Permit, outcome: Outcome) -> Result<(), RpcError> {
    let report = Report::about(asker.gateway, permit).first();
    let recorded = record_outcome(asker.gateway, &report, outcome, None, Duration::ZERO).await;
    recorded.map_err(|answer| as_error(&answer))
}

/// Allows all the requests that an upstream's answer of 2026-07-28 puts to the client, or none. They are answered in a request of its own, which is
/// decided with the answers beside its arguments; so what is recorded here is that they were put.
pub(crate) async fn allow_all(asker: &Asker<'_>, requests: &mut Map<String, Value>) -> Result<(), Refusal> {
    let refused = |error: &RpcError| {
        Refusal::new("input_refused", format!("the server asked for input that it may not have: {}", error.message))
            .help("ask the connector's owner whether its server may ask for input")
    };
    let mut permits = Vec::with_capacity(requests.len());
    for request in requests.values_mut() {
        let method = request.get("method").and_then(Value::as_str).unwrap_or_default().to_owned();
        let params = asked(request.get("params").and_then(Value::as_object).cloned().unwrap_or_default());
        match allow(asker, &method, &params, None).await {
            Ok(permit) => permits.push(permit),
            Err(error) => {
                for permit in &permits {
                    let reason = "another question of the same answer was refused".to_owned();
                    record(asker, permit, Outcome::NotSent { reason }).await.map_err(|error| refused(&error))?;
                }
                return Err(refused(&error));
            }
        }
        *request = json!({"method": method, "params": params});
    }
    for permit in &permits {
        record(asker, permit, Outcome::Succeeded).await.map_err(|error| refused(&error))?;
    }
    Ok(())
}

/// A refusal as the error that the asking server gets: that it was refused, and nothing about whom or why.
fn as_error(answer: &Answer) -> RpcError {
    match &answer.body {
        Body::Unavailable(_) => refuse::protocol(refuse::INTERNAL_ERROR, "nothing can be decided now"),
        Body::Error(error) => error.clone(),
        Body::Result(_) | Body::StepUp { .. } | Body::InputRequired(_) => {
            refuse::protocol(refuse::INVALID_REQUEST, "the client may not be asked this")
        }
    }
}
