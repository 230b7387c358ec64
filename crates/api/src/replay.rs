//! `/v1/replay` and shadows: what proposed policies would have said to recorded calls, and what they would say to live ones.

use std::convert::Infallible;
use std::ops::ControlFlow;

use axum::Json;
use axum::body::Body as Stream;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{HeaderValue, header};
use remit_domain::{Actor, ChangeId, Command, PolicyEdit, Refusal, Right};
use remit_engine::{Replay, ReplayError, ReplayReport, ShadowReport, Told};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::auth::SignedIn;
use crate::input::Body;
use crate::{Api, Problem, limits, names, time};

#[cfg(test)]
mod tests;
mod verdict;

use verdict::{Reach, Verdict};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReplayRequest {
    /// A proposed change; its edits of policies are tried.
    change: Option<String>,
    /// Edits of the active policies, where nothing is proposed yet.
    edits: Option<Vec<PolicyEdit>>,
    /// RFC 3339: attempts from this moment on; all if left out.
    from: Option<String>,
    /// RFC 3339: attempts up to this moment; all if left out.
    to: Option<String>,
    /// Whether each difference is a line of its own, and not only counted.
    #[serde(default)]
    every: bool,
}

/// Policies to try: those of a change that waits, or edits that were sent along.
pub(crate) struct Proposed {
    pub change: Option<ChangeId>,
    pub edits: Vec<PolicyEdit>,
    /// Edits of the change that are no policies, and so are not tried.
    pub other_edits: usize,
}

impl Proposed {
    /// What `change` or `edits` name; nothing if both are left out.
    pub fn of(
        state: &remit_domain::State,
        change: Option<&str>,
        edits: Option<Vec<PolicyEdit>>,
    ) -> Result<Option<Self>, Refusal> {
        match (change, edits) {
            (None, None) => Ok(None),
            (None, Some(edits)) => Ok(Some(Self { change: None, edits, other_edits: 0 })),
            (Some(_), Some(_)) => {
                Err(Refusal::new("bad_request", "a change or edits can be tried, not both")
                    .help("leave out one of them"))
            }
            (Some(change), None) => {
                let id: ChangeId = names::id("change", change)?;
                let known = state.changes.get(&id).ok_or_else(|| Refusal::unknown("change", id))?;
                let edits = known.policy_edits();
                if edits.is_empty() {
                    return Err(Refusal::new("no_policies", format!("the change `{id}` edits no policy"))
                        .help("only policies can be tried on calls"));
                }
                let other_edits = known.edits.len() - edits.len();
                Ok(Some(Self { change: Some(id), edits, other_edits }))
            }
        }
    }
}

/// Decides recorded attempts again. Answers with lines of JSON: `progress` and `difference` on the way, `report` or `problem` at the end.
pub(crate) async fn replay(
    State(api): State<Api>,
    by: SignedIn,
    Body(request): Body<ReplayRequest>,
) -> Result<Response, Problem> {
    let ReplayRequest { change, edits, from, to, every } = request;
    let state = api.engine.state();
    // What is replayed is what everybody's agents did.
    by.must(&state, Right::ReadRecords)?;
    let proposed = Proposed::of(&state, change.as_deref(), edits)?;
    let proposed = proposed.ok_or_else(|| {
        Refusal::new("bad_request", "nothing is said about which policies to try").help("give `change` or `edits`")
    })?;
    if let Some(change) = proposed.change {
        must_have_part(&state, by, change)?;
    }
    let (from, to) = (time::parse_optional(from.as_deref())?, time::parse_optional(to.as_deref())?);
    let (lines, mut told) = mpsc::channel::<Result<Value, ReplayError>>(limits::REPLAY_LINES_WAITING_MAX);
    let reach = if from.is_none() && to.is_none() { Reach::Everything } else { Reach::Chosen };
    let replay = Replay { edits: proposed.edits.clone(), from, to, every };
    tokio::spawn(run(api, by, (proposed, reach), replay, lines));
    // What cannot be begun is refused as everything else is; what has begun has its answer in lines.
    let first = match told.recv().await {
        Some(Ok(first)) => first,
        Some(Err(error)) => return Err(problem_of(&error)),
        None => return Err(Problem::fault("replay")),
    };
    let rest = stream::unfold(told, |mut told| async move { told.recv().await.map(|line| (line, told)) });
    let rest = rest.map(|line| line.unwrap_or_else(|error| json!({"problem": error.refusal()})));
    let lines = stream::once(async move { first }).chain(rest);
    let body = Stream::from_stream(lines.map(|line| Ok::<_, Infallible>(Bytes::from(format!("{line}\n")))));
    Ok(([(header::CONTENT_TYPE, HeaderValue::from_static("application/jsonl"))], body).into_response())
}

/// Refuses whoever has no part in a change that waits: what is tried with it is recorded with it.
fn must_have_part(state: &remit_domain::State, by: SignedIn, id: ChangeId) -> Result<(), Refusal> {
    let Some(change) = state.changes.get(&id) else { return Err(Refusal::unknown("change", id)) };
    let is_administrator = state.person(by.person)?.is_administrator();
    if is_administrator || change.author == by.person || change.may_be_approved_by(state, by.person) {
        return Ok(());
    }
    Err(Refusal::new(
        "not_permitted",
        "only who proposed a change, or may answer it, tries it on calls and records that",
    )
    .help("try the same edits without the change"))
}

async fn run(
    api: Api,
    by: SignedIn,
    tried: (Proposed, Reach),
    replay: Replay,
    lines: mpsc::Sender<Result<Value, ReplayError>>,
) {
    let (listening, telling) = (api.clone(), lines.clone());
    let replayed = api.engine.replay(replay, move |told| {
        let line = match told {
            Told::Folding(folding) => json!({"progress": {"folded": folding.done, "of": folding.of}}),
            Told::Deciding { records, attempts, different } => {
                let (done, of) = (records.done, records.of);
                json!({"progress": {"records": done, "of": of, "attempts": attempts, "different": different}})
            }
            Told::Difference(difference) => json!({"difference": difference}),
        };
        // Who signs out, or is removed, sees nothing more; nor is anything done for who has gone away.
        let is_heard = by.still_holds(&listening) && telling.blocking_send(Ok(line)).is_ok();
        if is_heard { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    let last = match replayed.await {
        Ok(report) => Ok(reported(&api, tried, &report).await),
        Err(error) => Err(error),
    };
    // Who has gone away does not need the answer.
    drop(lines.send(last).await);
}

/// The last line. What was tried for a change is recorded with it, so that whoever approves it sees what it would have done.
async fn reported(api: &Api, (proposed, reach): (Proposed, Reach), report: &ReplayReport) -> Value {
    let verdict = Verdict::of_replay(report, reach, proposed.other_edits);
    let mut line = json!({"report": report, "passed": verdict.passed, "sentence": verdict.sentence});
    if let (Some(change), Some(members)) = (proposed.change, line.as_object_mut()) {
        let (seq, unrecorded) = match record(api, change, verdict).await {
            Ok(seq) => (Some(seq), None),
            Err(problem) => (None, Some(json!(problem.refusal()))),
        };
        members.extend([("change".to_owned(), json!(change)), ("recorded".to_owned(), json!(seq))]);
        members.extend(unrecorded.map(|refusal| ("not_recorded".to_owned(), refusal)));
    }
    line
}

/// Records with `change` what trying it came to; the number of the record. Remit itself says it: it is the one that tried.
async fn record(api: &Api, change: ChangeId, verdict: Verdict) -> Result<u64, Problem> {
    let Verdict { check, passed, sentence: summary } = verdict;
    let command = Command::RecordCheck { change, check: check.to_owned(), passed, summary };
    Ok(api.submit(Actor::Remit, command).await?.seq)
}

fn problem_of(error: &ReplayError) -> Problem {
    match error {
        ReplayError::AsOf(error) => error.clone().into(),
        error => error.refusal().into(),
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Shadow {
    /// Whether the change is to run in the shadow from now on, or no longer.
    #[serde(default = "on")]
    on: bool,
}

const fn on() -> bool {
    true
}

fn view(report: &ShadowReport) -> Value {
    let (mut view, verdict) = (json!(report), Verdict::of_shadow(report));
    if let Some(members) = view.as_object_mut() {
        members.insert("passed".to_owned(), verdict.passed.into());
        members.insert("sentence".to_owned(), verdict.sentence.into());
    }
    view
}

/// Lets a proposed change run beside the active policies on live calls, or ends that; what it saw is then recorded with the change.
pub(crate) async fn set_shadow(
    State(api): State<Api>,
    by: SignedIn,
    Path(change): Path<String>,
    Body(Shadow { on }): Body<Shadow>,
) -> Result<Json<Value>, Problem> {
    let change: ChangeId = names::id("change", &change)?;
    if on || api.engine.read(|state| state.changes.contains_key(&change)) {
        api.engine.read(|state| must_have_part(state, by, change))?;
    } else {
        api.engine.read(|state| by.must(state, Right::ReadRecords))?;
    }
    if on {
        return Ok(Json(view(&api.engine.begin_shadow(change).await.map_err(|error| problem_of(&error))?)));
    }
    let was_running = api.engine.shadow(change).await.is_ok_and(|report| report.running);
    let report = api.engine.end_shadow(change).await.map_err(|error| problem_of(&error))?;
    if was_running {
        // A change that was answered meanwhile has no checks any more.
        drop(record(&api, change, Verdict::of_shadow(&report)).await);
    }
    Ok(Json(view(&report)))
}

/// What the shadow of a change has seen so far.
pub(crate) async fn shadow(
    State(api): State<Api>,
    by: SignedIn,
    Path(change): Path<String>,
) -> Result<Json<Value>, Problem> {
    let change: ChangeId = names::id("change", &change)?;
    api.engine.read(|state| {
        let has_part = || must_have_part(state, by, change);
        by.must(state, Right::ReadRecords).or_else(|refusal| has_part().map_err(|_| refusal))
    })?;
    Ok(Json(view(&api.engine.shadow(change).await.map_err(|error| problem_of(&error))?)))
}
