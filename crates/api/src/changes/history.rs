//! The history of one artefact, from the ledger.

use axum::Json;
use axum::extract::State;
use remit_domain::{Actor, Event, Refusal, may_read_history};
use remit_engine::{Committed, change_of};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::auth::SignedIn;
use crate::input::Ask;
use crate::page::rows_wanted;
use crate::{Api, Problem, names};

/// Whose history.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HistoryQuery {
    /// `policy:NAME`, `operation:CONNECTOR/TOOL`, `connector:NAME`, `person:NAME`, `agent:NAME` or `change:ID`.
    artefact: String,
    limit: Option<String>,
    /// Where the page before ended: its `next`.
    after: Option<String>,
}

/// What happened to an artefact, newest first, with what was answered to the changes that edited it.
pub(crate) async fn history(
    State(api): State<Api>,
    by: SignedIn,
    Ask(query): Ask<HistoryQuery>,
) -> Result<Json<Value>, Problem> {
    api.engine.read(|state| may_read_history(state, by.person, &query.artefact))?;
    let limit = rows_wanted(query.limit.as_deref())?;
    let after = query.after.as_deref().map(|after| {
        let bad = || Refusal::new("bad_cursor", "this is not where a page ended").help("use `next` as it came");
        after.parse().map_err(|_| bad())
    });
    let history = api.engine.history(&query.artefact, limit, after.transpose()?).await?;
    let state = api.engine.state();
    let items: Vec<Value> = history.records.iter().map(|committed| row(&state, committed)).collect();
    Ok(Json(json!({"artefact": query.artefact, "items": items, "next": history.next.map(|seq| seq.to_string())})))
}

fn row(state: &remit_domain::State, committed: &Committed) -> Value {
    let by = match &committed.record.actor {
        Actor::Person { person, .. } => names::of_person(state, *person),
        Actor::Agent { agent, .. } => names::of_agent(state, *agent),
        Actor::Remit => json!({"id": null, "name": "remit"}),
    };
    let event = &committed.record.event;
    json!({
        "seq": committed.seq,
        "at": committed.at.to_string(),
        "by": by,
        "change": change_of(event),
        "what": told(event),
        "record": committed,
    })
}

/// What happened, in a few words.
fn told(event: &Event) -> String {
    let noted = |what: &str, note: &str| match note.is_empty() {
        true => what.to_owned(),
        false => format!("{what}: {note}"),
    };
    match event {
        Event::ChangeProposed(proposed) => format!("proposed: {}", proposed.reason),
        Event::PolicyProposed(proposed) => format!("proposed: {}", proposed.reason),
        Event::EditProposed(_) => "an edit of it was proposed".to_owned(),
        Event::ChangeApproved { .. } => "approved".to_owned(),
        Event::ChangeRejected { note, .. } | Event::PolicyRejected { note, .. } => noted("rejected", note),
        Event::ChangeReviewed { upheld: true, note, .. } => noted("reviewed and upheld", note),
        Event::ChangeReviewed { note, .. } => noted("reviewed and not upheld", note),
        Event::ChangeChecked { check, summary, .. } => format!("{check}: {summary}"),
        Event::PolicyActivated { .. } => "active".to_owned(),
        Event::ConnectorAdded(_) => "added, or reached in another way".to_owned(),
        Event::ConnectorRemoved { .. } | Event::PersonRemoved { .. } => "removed".to_owned(),
        Event::OperationApproved(approved) => {
            let (verb, risk, data) = (approved.verb.as_str(), approved.risk, approved.data);
            format!("pinned to {}: {verb}, risk {risk}, {data:?}", approved.digest)
        }
        Event::OperationWithdrawn { reason, .. } => format!("withdrawn: {reason}"),
        Event::PersonAdded(added) => format!("added, in the groups: {}", added.groups.join(", ")),
        Event::PersonGroupsSet { groups, .. } => format!("now in the groups: {}", groups.join(", ")),
        Event::PersonEntitled { .. } => "what they may reach directly was set".to_owned(),
        Event::AgentRegistered(_) => "registered".to_owned(),
        Event::AgentDescribed { .. } => "its record was changed".to_owned(),
        Event::ConfigurationApproved { configuration: Some(configuration), .. } => {
            format!("approved with the configuration {}", configuration.digest())
        }
        Event::ConfigurationApproved { .. } => "may run with any configuration".to_owned(),
        _ => "something else happened to it".to_owned(),
    }
}
