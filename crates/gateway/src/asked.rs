//! What an upstream asks of the client: a governed action of its own, decided and recorded before the client hears of it.

use std::sync::Arc;
use std::time::Instant;

use remit_domain::{Feature, OperationName, Outcome, Refusal};
use serde_json::{Map, Value};

use crate::answer::{Answer, Body, RpcError};
use crate::attempt::Attempt;
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

/// The feature that a request of a server is about.
pub(crate) fn feature_of(method: &str) -> Option<Feature> {
    match method {
        "sampling/createMessage" => Some(Feature::Sampling),
        "elicitation/create" => Some(Feature::Elicitation),
        "roots/list" => Some(Feature::Roots),
        _ => None,
    }
}

/// Answers what a server asked in the middle of a call: by the client, if that is allowed.
pub(crate) async fn answer(asker: &Asker<'_>, back: AskedBack) {
    let AskedBack { method, params, answer } = back;
    let said = match allow(asker, &method, &params).await {
        Ok(permit) => put(asker, permit, &method, params).await,
        Err(refused) => Err(refused),
    };
    // If the call has ended meanwhile, nobody waits for it.
    let _ = answer.send(said);
}

/// Decides whether the client may be asked this.
pub(crate) async fn allow(asker: &Asker<'_>, method: &str, params: &Map<String, Value>) -> Result<Permit, RpcError> {
    let feature = feature_of(method).ok_or_else(|| refuse::protocol(refuse::METHOD_NOT_FOUND, "Method not found"))?;
    if !asker.client.manner.offers(feature) {
        let sentence = format!("the client of this call does not answer `{method}`");
        return Err(refuse::protocol(refuse::METHOD_NOT_FOUND, sentence));
    }
    let mut arguments = params.clone();
    // The envelope's part; what the client answers is tied to its own request.
    arguments.remove("_meta");
    arguments.remove("task");
    arguments.insert("method".to_owned(), method.into());
    let refused = |answer: Answer| as_error(&answer);
    let canonical = serde_json_canonicalizer::to_vec(&arguments)
        .map_err(|_| refuse::protocol(refuse::INVALID_PARAMS, "the params have no canonical form"))?;
    let operation = OperationName::new(asker.connector, feature.name());
    let (engine, arguments) = (&asker.gateway.engine, Arc::new(Value::Object(arguments)));
    let attempt = Attempt::about(engine, asker.caller, operation, arguments, canonical).await;
    let mut attempt = attempt.map_err(|error| refused(refuse::submit_error(error)))?;
    let receipt = hold::decide(asker.gateway, asker.caller, None, &mut attempt, asker.client).await.map_err(refused)?;
    Permit::from_receipt(&receipt).ok_or_else(|| refused(refuse::verdict(&receipt)))
}

/// Puts the question to the client and records what it said.
async fn put(asker: &Asker<'_>, permit: Permit, method: &str, params: Map<String, Value>) -> Result<Value, RpcError> {
    let report = Report::about(asker.gateway, &permit);
    let began = Instant::now();
    let said = asker.client.ask(method, params).await;
    let (outcome, content) = match &said {
        Ok(said) => (Outcome::Succeeded, serde_json_canonicalizer::to_vec(said).ok()),
        Err(error) => (Outcome::Failed { reason: format!("the client answered with error {}", error.code) }, None),
    };
    record_outcome(asker.gateway, &report, outcome, content, began.elapsed())
        .await
        .map_err(|answer| as_error(&answer))?;
    said
}

/// Allows each of the requests that an upstream's answer of 2026-07-28 puts to the client. They are answered in a request of its own,
/// so what is recorded here is that they were put.
pub(crate) async fn allow_all(asker: &Asker<'_>, requests: &Map<String, Value>) -> Result<(), Refusal> {
    for request in requests.values() {
        let method = request.get("method").and_then(Value::as_str).unwrap_or_default();
        let params = request.get("params").and_then(Value::as_object).cloned().unwrap_or_default();
        let permit = allow(asker, method, &params).await.map_err(|error| {
            Refusal::new("input_refused", format!("the server asked for input that it may not have: {}", error.message))
                .help("ask the connector's owner whether its server may ask for input")
        })?;
        let report = Report::about(asker.gateway, &permit);
        let recorded =
            record_outcome(asker.gateway, &report, Outcome::Succeeded, None, std::time::Duration::ZERO).await;
        recorded.map_err(|_| Refusal::new("outcome_not_recorded", "what was asked could not be recorded"))?;
    }
    Ok(())
}

/// A refusal as the error that the asking server gets: that it was refused, and nothing about whom or why.
fn as_error(answer: &Answer) -> RpcError {
    match &answer.body {
        Body::Unavailable(_) => refuse::protocol(refuse::INTERNAL_ERROR, "nothing can be decided now"),
        Body::Error(error) => error.clone(),
        Body::Result(_) | Body::InputRequired(_) => {
            refuse::protocol(refuse::INVALID_REQUEST, "the client may not be asked this")
        }
    }
}
