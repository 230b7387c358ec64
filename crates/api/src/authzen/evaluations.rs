//! `/access/v1/evaluations`: many questions at once (section 7).

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::{Map, Value, json};

use super::answer::Answer;
use super::caller::Enforcer;
use super::evaluation::{answered, decide};
use super::question::{Asked, BadRequest, Parts, Question, bad_request};
use crate::{Api, Problem, limits};

/// How far a batch is answered (section 7.1.2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Semantic {
    All,
    UntilDenied,
    UntilPermitted,
}

impl Semantic {
    fn of(members: &Map<String, Value>) -> Result<Self, BadRequest> {
        let options = match members.get("options") {
            None => return Ok(Self::All),
            Some(Value::Object(options)) => options,
            Some(_) => return Err(bad_request("the member `options` is not an object")),
        };
        match options.get("evaluations_semantic").map(Value::as_str) {
            None | Some(Some("execute_all")) => Ok(Self::All),
            Some(Some("deny_on_first_deny")) => Ok(Self::UntilDenied),
            Some(Some("permit_on_first_permit")) => Ok(Self::UntilPermitted),
            Some(_) => Err(bad_request(
                "the option `evaluations_semantic` is none of `execute_all`, `deny_on_first_deny` and `permit_on_first_permit`",
            )),
        }
    }

    /// Whether nothing more is asked after an answer.
    fn ends_with(self, allowed: bool) -> bool {
        match self {
            Self::All => false,
            Self::UntilDenied => !allowed,
            Self::UntilPermitted => allowed,
        }
    }
}

pub(crate) async fn evaluations(
    State(api): State<Api>,
    enforcer: Enforcer,
    Asked(members): Asked,
) -> Result<Response, Problem> {
    let semantic = Semantic::of(&members)?;
    let items = match members.get("evaluations") {
        None => return single(&api, &enforcer, &members).await,
        Some(Value::Array(items)) if items.is_empty() => return single(&api, &enforcer, &members).await,
        Some(Value::Array(items)) if items.len() <= limits::EVALUATIONS_MAX => items,
        Some(Value::Array(_)) => {
            let sentence = format!("there are more than {} evaluations", limits::EVALUATIONS_MAX);
            return Err(bad_request(&sentence).into());
        }
        Some(_) => return Err(bad_request("the member `evaluations` is not a list").into()),
    };
    let _place = api.enforcers.room.enter(enforcer.agent, items.len().min(limits::EVALUATIONS_AT_A_TIME))?;
    let questions: Vec<Result<Question, BadRequest>> = items.iter().map(|item| question(item, &members)).collect();
    let answers = match semantic {
        // Together, so that one commit carries many; their places stay.
        Semantic::All => {
            let asked: Vec<_> = questions.iter().map(|question| one(&api, &enforcer, question)).collect();
            stream::iter(asked).buffered(limits::EVALUATIONS_AT_A_TIME).try_collect::<Vec<_>>().await?
        }
        Semantic::UntilDenied | Semantic::UntilPermitted => in_turn(&api, &enforcer, &questions, semantic).await?,
    };
    let answers: Vec<Value> = answers.into_iter().map(|answer| answer.body).collect();
    Ok(Json(json!({"evaluations": answers})).into_response())
}

/// A request that leaves the batch out is the one question beside it.
async fn single(api: &Api, enforcer: &Enforcer, members: &Map<String, Value>) -> Result<Response, Problem> {
    let _place = api.enforcers.room.enter(enforcer.agent, 1)?;
    answered(api, enforcer, &Parts::of(members).question()?).await
}

/// One item of a batch, with what it leaves out taken from beside the batch.
fn question(item: &Value, defaults: &Map<String, Value>) -> Result<Question, BadRequest> {
    let item = item.as_object().ok_or_else(|| bad_request("an item of `evaluations` is not an object"))?;
    Parts::with_defaults(item, defaults).question()
}

/// The answer to one item. One that cannot be read is a no of its own, and no fault of the others (section 7.2.1).
async fn one(api: &Api, enforcer: &Enforcer, question: &Result<Question, BadRequest>) -> Result<Answer, Problem> {
    match question {
        Ok(question) => decide(api, enforcer, question).await,
        Err(BadRequest(refusal)) => Ok(Answer::refused(refusal)),
    }
}

/// One after the other, so that nothing is recorded as decided that nobody asked any more.
async fn in_turn(
    api: &Api,
    enforcer: &Enforcer,
    questions: &[Result<Question, BadRequest>],
    semantic: Semantic,
) -> Result<Vec<Answer>, Problem> {
    let mut answers = Vec::new();
    for question in questions {
        let answer = one(api, enforcer, question).await?;
        let ends = semantic.ends_with(answer.allowed);
        answers.push(answer);
        if ends {
            break;
        }
    }
    Ok(answers)
}
