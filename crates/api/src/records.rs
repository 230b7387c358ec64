//! `/v1/records`: what happened, and the proof that the ledger holds it.

use axum::Json;
use axum::extract::{Path, State};
use remit_domain::{Actor, Refusal, Right};
use remit_engine::{Committed, Filter, artefact_terms};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::auth::SignedIn;
use crate::input::Ask;
use crate::page::rows_wanted;
use crate::{Api, Problem, names, time};

type Answer = Result<Json<Value>, Problem>;

/// A record with its place. `record` is exactly the ledger's entry.
pub(crate) fn view(committed: &Committed) -> Value {
    json!({
        "seq": committed.seq,
        "at": committed.at.to_string(),
        "record": committed,
    })
}

/// Which records; every part that is given must fit.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RecordsQuery {
    /// The event's type, such as `ActionDenied`.
    kind: Option<String>,
    /// Id or name of an agent.
    agent: Option<String>,
    task: Option<String>,
    /// Id or name of a person.
    person: Option<String>,
    operation: Option<String>,
    action: Option<String>,
    approval: Option<String>,
    outcome: Option<String>,
    /// What is under change control, such as `policy:refunds`.
    artefact: Option<String>,
    /// Words that all occur.
    text: Option<String>,
    /// RFC 3339: not before.
    since: Option<String>,
    /// RFC 3339: before.
    until: Option<String>,
    limit: Option<String>,
    /// Where the page before ended: its `next`.
    after: Option<String>,
}

impl RecordsQuery {
    fn filter(self, state: &remit_domain::State) -> Result<Filter, Refusal> {
        let agent = self.agent.as_deref().map(|agent| names::agent(state, agent).map(|agent| agent.id.to_string()));
        // Who has left is still found in the ledger, by id.
        let person = self.person.map(|text| names::person(state, &text).map_or(text, |person| person.id.to_string()));
        let after = self.after.as_deref().map(|after| {
            after
                .parse()
                .map_err(|_| Refusal::new("bad_cursor", "this is not where a page ended").help("use `next` as it came"))
        });
        let artefacts = self.artefact.as_deref().map(|artefact| artefact_terms(state, artefact)).transpose()?;
        Ok(Filter {
            kind: self.kind,
            kinds: Vec::new(),
            agent: agent.transpose()?,
            task: self.task,
            person,
            operation: self.operation,
            action: self.action,
            approval: self.approval,
            outcome: self.outcome,
            text: self.text,
            artefacts: artefacts.unwrap_or_default(),
            since: time::parse_optional(self.since.as_deref())?.map(|at| at.as_millis()),
            until: time::parse_optional(self.until.as_deref())?.map(|at| at.as_millis()),
            before_seq: after.transpose()?,
            limit: rows_wanted(self.limit.as_deref())?,
        })
    }
}

/// Records, newest first.
pub(crate) async fn list(State(api): State<Api>, by: SignedIn, Ask(query): Ask<RecordsQuery>) -> Answer {
    let state = api.engine.state();
    let agent = query.agent.as_deref().map(|agent| names::agent(&state, agent).map(|agent| agent.id)).transpose()?;
    by.must(&state, agent.map_or(Right::ReadRecords, Right::ReadAgent))?;
    let filter = query.filter(&state)?;
    let limit = filter.limit;
    let found = api.engine.query(filter).await?;
    // A short page is the last one.
    let next = found.iter().map(|committed| committed.seq).min().filter(|_| found.len() == limit);
    let items: Vec<Value> = found.iter().map(view).collect();
    Ok(Json(json!({"items": items, "next": next.map(|seq| seq.to_string())})))
}

fn number(seq: &str) -> Result<u64, Refusal> {
    seq.parse().map_err(|_| Refusal::unknown("record", seq.chars().take(20).collect::<String>()))
}

pub(crate) async fn show(State(api): State<Api>, by: SignedIn, Path(seq): Path<String>) -> Answer {
    let seq = number(&seq)?;
    Ok(Json(view(&readable(&api, by, seq).await?)))
}

/// The record at `seq`, if the caller may read it: it is about an agent of theirs, they did it themselves, or they read all.
pub(crate) async fn readable(api: &Api, by: SignedIn, seq: u64) -> Result<Committed, Problem> {
    let found = api.engine.record(seq).await?;
    let state = api.engine.state();
    let Some(found) = found else {
        // Whoever may not read records is not told either how many there are.
        by.must(&state, Right::ReadRecords)?;
        return Err(unknown(seq));
    };
    let is_theirs = matches!(&found.record.actor, Actor::Person { person, .. } if *person == by.person);
    if !is_theirs {
        by.must(&state, found.record.event.agent().map_or(Right::ReadRecords, Right::ReadAgent))?;
    }
    Ok(found)
}

/// The proof that this entry is in the ledger whose checkpoint comes with it.
pub(crate) async fn prove(State(api): State<Api>, by: SignedIn, Path(seq): Path<String>) -> Answer {
    let seq = number(&seq)?;
    readable(&api, by, seq).await?;
    Ok(Json(json!(api.engine.prove(seq).await?)))
}

fn unknown(seq: u64) -> Problem {
    Refusal::new("not_found", format!("there is no record `{seq}`")).help("`remit ledger query` finds records").into()
}
