//! `/v1/changes`: what decides about agents is changed by proposals that somebody else approves.

mod answer;
mod edit;
pub(crate) mod history;
pub(crate) mod propose;
mod view;

use axum::Json;
use axum::extract::{Path, State};
use remit_domain::{ChangeId, Command, Refusal};
use remit_engine::KnownChange;
use serde::Deserialize;
use serde_json::{Value, json};

pub(crate) use self::answer::{Settled, settled};
use crate::auth::SignedIn;
use crate::input::{Ask, Body};
use crate::page::{PageQuery, page};
use crate::receipts::recorded;
use crate::{Api, Problem, names};

type Answer = Result<Json<Value>, Problem>;

/// What waits for an answer, and emergency changes that nobody has reviewed yet.
pub(crate) async fn list(State(api): State<Api>, by: SignedIn, Ask(query): Ask<PageQuery>) -> Answer {
    let (state, now) = (api.engine.state(), api.engine.now());
    let rows = state.changes.values().map(|change| (change.id.to_string(), change.clone())).collect();
    page(rows, &query, |change| {
        let mut row = view::row(&state, change, now);
        if let Some(members) = row.as_object_mut() {
            let waits = change.may_be_approved_by(&state, by.person);
            members.insert("waits_for_you".to_owned(), waits.into());
        }
        row
    })
}

/// A change as it waits, or as the ledger has it once it is settled.
pub(crate) async fn show(State(api): State<Api>, _: SignedIn, Path(change): Path<String>) -> Answer {
    let known = find(&api, &change).await?;
    let (state, now) = (api.engine.state(), api.engine.now());
    let mut view = view::whole(&state, &known.change, now);
    if let Some(end) = &known.end {
        view::end(&state, &mut view, end);
    }
    Ok(Json(view))
}

async fn find(api: &Api, change: &str) -> Result<KnownChange, Problem> {
    let id: ChangeId = names::id("change", change)?;
    api.engine.change(id).await?.ok_or_else(|| Refusal::unknown("change", id).into())
}

/// What a change does to each artefact: to what it is now while it waits, else to what it was when the change came about.
pub(crate) async fn diff(State(api): State<Api>, _: SignedIn, Path(change): Path<String>) -> Answer {
    let known = find(&api, &change).await?;
    let before = api.engine.before_change(&known).await.map_err(|error| error.refusal())?;
    let edits = &known.change.edits;
    let items: Vec<Value> = edits.iter().map(|one| json!(remit_review::compare_edit(&before, &one.edit))).collect();
    Ok(Json(json!({"id": known.change.id, "items": items})))
}

/// Approves and activates: felt by the very next decision.
pub(crate) async fn approve(State(api): State<Api>, by: SignedIn, Path(change): Path<String>) -> Answer {
    let change: ChangeId = names::id("change", &change)?;
    let receipt = api.submit(by.actor(), Command::ApproveChange { change }).await?;
    let version = api.engine.read(|state| state.policies.digest());
    Ok(recorded(json!({"id": change, "status": "active", "version": version}), &receipt))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Note {
    #[serde(default)]
    note: String,
}

pub(crate) async fn reject(
    State(api): State<Api>,
    by: SignedIn,
    Path(change): Path<String>,
    Body(Note { note }): Body<Note>,
) -> Answer {
    let change: ChangeId = names::id("change", &change)?;
    let receipt = api.submit(by.actor(), Command::RejectChange { change, note }).await?;
    Ok(recorded(json!({"id": change, "status": "rejected"}), &receipt))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Review {
    /// Whether it was right to make it.
    upheld: bool,
    #[serde(default)]
    note: String,
}

/// Says afterwards whether an emergency change was right.
pub(crate) async fn review(
    State(api): State<Api>,
    by: SignedIn,
    Path(change): Path<String>,
    Body(Review { upheld, note }): Body<Review>,
) -> Answer {
    let change: ChangeId = names::id("change", &change)?;
    let receipt = api.submit(by.actor(), Command::ReviewChange { change, upheld, note }).await?;
    let waits = api.engine.read(|state| state.changes.contains_key(&change));
    let status = if waits { "unreviewed" } else { "reviewed" };
    Ok(recorded(json!({"id": change, "status": status, "upheld": upheld}), &receipt))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Revert {
    /// Why; that of the change is named if nothing is said.
    reason: Option<String>,
}

/// Proposes that everything which a change edited becomes what it was before.
pub(crate) async fn revert(
    State(api): State<Api>,
    by: SignedIn,
    Path(change): Path<String>,
    Body(Revert { reason }): Body<Revert>,
) -> Settled {
    let known = find(&api, &change).await?;
    let id = known.change.id;
    if known.active_seq.is_none() {
        let refusal =
            Refusal::new("change_not_active", "this change never became active, so there is nothing to revert");
        return Err(refusal.help("a proposal that waits is taken back with `remit change reject`").into());
    }
    let before = api.engine.before_change(&known).await.map_err(|error| error.refusal())?;
    let undoing = remit_review::undo(&known.change, &before, &api.engine.state());
    if undoing.edits.is_empty() {
        return Err(nothing_to_revert(id, &undoing.added).into());
    }
    let reason = reason.unwrap_or_else(|| format!("revert: {}", known.change.reason));
    let mut answer = propose::submit(&api, by, undoing.edits, reason, Some(id)).await?;
    if let Some(members) = answer.1.0.as_object_mut().filter(|_| !undoing.added.is_empty()) {
        // What was not there before has nothing to become: it is removed, which needs nobody's yes.
        members.insert("to_remove".to_owned(), json!(undoing.added));
    }
    Ok(answer)
}

fn nothing_to_revert(id: ChangeId, added: &[String]) -> Refusal {
    let refusal = Refusal::new("nothing_changes", format!("everything that `{id}` edited is as it was before"));
    match added.first() {
        None => refusal,
        Some(first) => {
            let sentence =
                format!("`{first}` was not there before `{id}`, so there is nothing that it could become again");
            Refusal::new("nothing_changes", sentence)
                .help("remove it: `remit connector remove`, or end the grants that name the operation")
        }
    }
}
