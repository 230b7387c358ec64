//! What ended with an agent, when each place knew it, and what could not be called back.

use axum::extract::{Path, State};
use maud::{Markup, html};
use remit_domain::{Agent, ApprovalStatus, Refusal, State as Realm, Timestamp, limits};
use remit_engine::Filter;

use super::{About, Tab};
use crate::Console;
use crate::errors::PageError;
use crate::parts::receipt::{Signed, render};
use crate::session::Viewer;

/// The receipt of the latest end of the agent: for good, or until it is resumed.
pub(crate) async fn show(
    State(console): State<Console>,
    viewer: Viewer,
    Path(name): Path<String>,
) -> Result<Markup, PageError> {
    let (state, now) = (console.engine.state(), console.engine.now());
    let about = About::new(&state, &viewer, &name, now)?;
    about.may_read()?;
    let ends = ["AgentDecommissioned", "AgentSuspended"].map(str::to_owned).to_vec();
    let filter = Filter { agent: Some(about.agent.id.to_string()), kinds: ends, limit: 1, ..Filter::default() };
    let found = console.engine.query(filter).await?;
    let cause = found.first().ok_or_else(|| {
        Refusal::new("not_found", format!("the agent `{}` was never ended, so there is no receipt", about.agent.name))
    })?;
    let receipt = console.engine.revocation_receipt(cause.seq).await?;
    let compact = console.engine.sign_receipt(&receipt)?;
    let questions = questions_ended(&state, about.agent, cause.at, now);
    let signed = Signed { receipt, compact };
    Ok(about.page(Tab::RECEIPT, &html! { (render(&state, &signed, questions, now)) }))
}

/// How many questions to people ended with the agent at `at`; nothing where that is so long ago that nobody remembers them.
fn questions_ended(state: &Realm, agent: &Agent, at: Timestamp, now: Timestamp) -> Option<usize> {
    let ended_then = |task| {
        let task = state.tasks.get(task);
        task.is_some_and(|task| task.ended.as_ref().is_some_and(|(ended_at, _)| *ended_at == at))
    };
    let of_it = state.approvals.values().filter(|approval| {
        approval.facts.agent == agent.id
            && matches!(approval.status, ApprovalStatus::Void { .. })
            && ended_then(&approval.facts.task)
    });
    (now.millis_since(at) / 1000 < limits::ENDED_SECONDS_KEPT).then(|| of_it.count())
}
