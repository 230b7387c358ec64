//! `/v1/stream`: committed records as they happen, as server-sent events.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::{Stream, StreamExt, future};
use http::HeaderMap;
use remit_domain::{Refusal, Right};
use serde::Deserialize;

use crate::auth::SignedIn;
use crate::input::Ask;
use crate::{Api, Problem, limits, names, records};

#[derive(Debug, Deserialize)]
pub(crate) struct StreamQuery {
    /// The first record, by its number; what comes after this moment if left out.
    from: Option<String>,
    /// Only what is about this agent: id or name.
    agent: Option<String>,
}

pub(crate) async fn stream(
    State(api): State<Api>,
    by: SignedIn,
    headers: HeaderMap,
    Ask(query): Ask<StreamQuery>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let agent = api.engine.read(|state| {
        let agent = query.agent.as_deref().map(|agent| names::agent(state, agent).map(|agent| agent.id)).transpose()?;
        match agent {
            Some(agent) => by.must(state, Right::ReadAgent(agent))?,
            // Who answers for some agents sees those; who answers for none would wait for nothing.
            None if state.agents.keys().any(|agent| by.has(state, Right::ReadAgent(*agent))) => {}
            None => by.must(state, Right::ReadRecords)?,
        }
        Ok::<_, Refusal>(agent)
    })?;
    // A browser that lost the connection says which record it saw last.
    let seen = headers.get("last-event-id").and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    let from = match (seen, query.from) {
        (Some(seen), _) => seen.saturating_add(1),
        (None, Some(from)) => from.parse().map_err(|_| Refusal::new("bad_from", "`from` is the number of a record"))?,
        (None, None) => api.engine.head(),
    };
    let wanted = move |about: Option<remit_domain::AgentId>| agent.is_none() || about == agent;
    let records = api.engine.watch(from);
    let readable = api.engine.clone();
    // Asked anew for each record: whoever is no longer an owner, or an auditor, sees nothing more.
    let may_read = move |about: Option<remit_domain::AgentId>| {
        readable.read(|state| by.has(state, about.map_or(Right::ReadRecords, Right::ReadAgent)))
    };
    let events = records
        // Who signs out, or is removed, sees nothing more.
        .take_while(move |_| future::ready(by.still_holds(&api)))
        .filter(move |committed| {
            let about = committed.record.event.agent();
            future::ready(wanted(about) && may_read(about))
        })
        .map(|committed| {
            let id = committed.seq.to_string();
            Ok(Event::default().id(id).event("record").data(records::view(&committed).to_string()))
        });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(Duration::from_secs(limits::STREAM_QUIET_SECONDS))))
}
