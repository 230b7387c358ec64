//! `/access/v1/evaluation`: one question, one recorded decision (section 6).

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::HeaderValue;
use remit_domain::Verdict;
use remit_engine::SubmitError;

use super::answer::Answer;
use super::attempt::Attempt;
use super::caller::Enforcer;
use super::question::{Asked, Parts, Question};
use super::{approvals, meaning};
use crate::{Api, Problem};

/// Names the decision in an answer, as at the gateway.
const DECISION: &str = "remit-decision";

pub(crate) async fn evaluation(
    State(api): State<Api>,
    enforcer: Enforcer,
    Asked(members): Asked,
) -> Result<Response, Problem> {
    let _place = api.enforcers.room.enter(enforcer.agent, 1)?;
    answered(&api, &enforcer, &Parts::of(&members).question()?).await
}

/// The answer to one question, as a response.
pub(super) async fn answered(api: &Api, enforcer: &Enforcer, question: &Question) -> Result<Response, Problem> {
    let answer = decide(api, enforcer, question).await?;
    let mut response = Json(answer.body).into_response();
    let action = answer.action.and_then(|action| HeaderValue::from_str(&action.to_string()).ok());
    if let Some(action) = action {
        response.headers_mut().insert(DECISION, action);
    }
    Ok(response)
}

/// Has a question decided and recorded.
///
/// # Errors
/// If nothing can be recorded now: then there is no decision either, and whoever asks must not go on.
pub(super) async fn decide(api: &Api, enforcer: &Enforcer, question: &Question) -> Result<Answer, Problem> {
    let presented = approvals::presented(api, enforcer, question);
    let (meaning, approval) = match presented {
        Ok(approval) => (api.engine.read(|state| meaning::of(state, &api.settings, question)), approval),
        Err(refusal) => (meaning::nothing(question, refusal), None),
    };
    let receipt = match Attempt::of(api, enforcer, &meaning).await {
        Ok(attempt) => attempt.approved_by(approval).submit(api, enforcer).await,
        Err(error) => Err(error),
    };
    match receipt {
        Ok(receipt) => match Verdict::among(&receipt.events) {
            Some(Verdict::Allowed(allowed)) => Ok(Answer::allowed(api, allowed)),
            Some(Verdict::Denied(denied)) => Ok(Answer::denied(api, enforcer, question, &meaning, denied)),
            Some(Verdict::Asked(_)) | None => Err(Problem::fault("tell what was decided")),
        },
        Err(SubmitError::Refused(refusal)) => Ok(Answer::refused(&refusal)),
        Err(error @ SubmitError::Unavailable(_)) => Err(error.into()),
    }
}
