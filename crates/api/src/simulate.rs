//! `/v1/simulate`: what would be said to a call, without making it, and why.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use remit_domain::{AttemptAction, ContentRef, Digest, Explanation, PolicyEdit, TaskId, explain, may_read_task};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::as_of::AsOf;
use crate::auth::SignedIn;
use crate::input::Body;
use crate::replay::Proposed;
use crate::{Api, Problem, names};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Simulate {
    task: String,
    /// `connector/tool`
    operation: String,
    #[serde(default)]
    arguments: serde_json::Map<String, Value>,
    /// A proposed change: what would be said once it is active.
    change: Option<String>,
    /// Edits of the active policies, where nothing is proposed yet.
    edits: Option<Vec<PolicyEdit>>,
    /// RFC 3339: as everything was at that moment.
    as_of: Option<String>,
}

/// The decision with its whole account; with a change or edits also what would be said under them.
pub(crate) async fn simulate(
    State(api): State<Api>,
    by: SignedIn,
    Body(body): Body<Simulate>,
) -> Result<Json<Value>, Problem> {
    let proposed = Proposed::of(&api.engine.state(), body.change.as_deref(), body.edits)?;
    let AsOf { state, now, today } = AsOf::at(&api, body.as_of.as_deref()).await?;
    let id: TaskId = names::id("task", &body.task)?;
    may_read_task(&today, by.person, state.task(id)?)?;
    let name = names::operation(&body.operation)?;
    let arguments = Value::Object(body.arguments);
    let content = ContentRef { commitment: Digest::of_document(&arguments), bytes: arguments.to_string().len() as u64 };
    let attempt = AttemptAction {
        // As a call would come with a token that was just given out.
        credential_issued_at: Some(now),
        ..AttemptAction::new(id, name.clone(), Arc::new(arguments), content)
    };
    // Compiling thousands of policies takes a while, and other requests must not wait for it.
    let explained = tokio::task::spawn_blocking(move || {
        let explanation = explain(&state, state.compiled(), &attempt, now)?;
        let under = proposed.map(|proposed| {
            let compiled = state.compile_with(&proposed.edits);
            let under = explain(&state, &compiled, &attempt, now)?;
            Ok::<_, remit_domain::Refusal>((proposed.change, compiled.broken, under))
        });
        Ok::<_, remit_domain::Refusal>((state.policies.digest(), explanation, under.transpose()?))
    });
    let (policies, explanation, under) = explained.await.map_err(|_| Problem::fault("simulate"))??;
    let under = under.map(|(change, broken, under)| {
        let differs = under.decision != explanation.decision || determining(&under) != determining(&explanation);
        json!({"change": change, "broken": broken, "differs": differs, "explanation": under})
    });
    let mut answer = json!(explanation);
    if let Some(members) = answer.as_object_mut() {
        members.extend([
            ("task".to_owned(), json!(id)),
            ("operation".to_owned(), json!(name)),
            ("policies".to_owned(), json!(policies)),
            ("as_of".to_owned(), json!(now.to_string())),
        ]);
        members.extend(under.map(|under| ("proposed".to_owned(), under)));
    }
    Ok(Json(answer))
}

fn determining(explanation: &Explanation) -> Vec<&[String]> {
    explanation.legs.iter().map(|leg| leg.determining.as_slice()).collect()
}
