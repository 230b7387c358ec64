//! Finding records.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use maud::{Markup, html};
use remit_domain::{Refusal, Right, State as Realm, may};
use remit_engine::Filter;
use serde::Deserialize;

use crate::errors::PageError;
use crate::layout::{self, Frame, Place};
use crate::parts::line::lines;
use crate::parts::text::told;
use crate::parts::time::midnight;
use crate::session::Viewer;
use crate::{Console, answers, limits};

#[cfg(test)]
mod tests;

/// Kinds of records that people look for, as the ledger names them.
const KINDS: &[(&str, &str)] = &[
    ("ActionAllowed", "Allowed"),
    ("ActionDenied", "Denied"),
    ("ApprovalRequested", "Asked"),
    ("ApprovalVoted", "Said yes"),
    ("ApprovalDenied", "Said no"),
    ("OutcomeRecorded", "Outcomes"),
    ("TaskStarted", "Tasks begun"),
    ("TaskEnded", "Tasks ended"),
    ("GrantGiven", "Grants"),
    ("ChangeProposed", "Changes proposed"),
    ("PolicyActivated", "Policies activated"),
    ("SessionOpened", "Sign-ins"),
    ("ContentRead", "Content read"),
];

const DAY_SECONDS: u64 = 24 * 3600;

/// What is looked for; every part that is given must fit.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Search {
    text: String,
    agent: String,
    person: String,
    operation: String,
    kind: String,
    /// The first day, as a browser writes it.
    since: String,
    /// The last day, likewise.
    until: String,
    /// Only records before this one.
    before: String,
}

pub(crate) async fn list(
    State(console): State<Console>,
    viewer: Viewer,
    search: Result<Query<Search>, QueryRejection>,
) -> Result<Markup, PageError> {
    let Query(search) = search.map_err(|_| Refusal::new("bad_query", "this is not a search of this page"))?;
    let (state, now) = (console.engine.state(), console.engine.now());
    let waiting = answers::waiting_count(&state, &viewer.actor(), now);
    let frame = Frame { title: "Ledger", place: Place::Records, viewer: &viewer, waiting, refreshes: false };
    let found = match search.filter(&state, &viewer) {
        Ok(filter) => crate::pages::lines(&console, filter, &state).await?,
        // Where nothing was looked for yet, the page says how to begin.
        Err(refusal) => return Ok(layout::page(&frame, &page(&state, &search, &refused(&refusal)))),
    };
    let older = found.last().filter(|_| found.len() == limits::LIST_ROWS_MAX).map(|line| line.seq);
    let results = html! {
        section #found { (lines(&found, now)) }
        @if let Some(seq) = older { p { a rel="next" href=(search.address(seq)) { "Older" } } }
    };
    Ok(layout::page(&frame, &page(&state, &search, &results)))
}

impl Search {
    /// # Errors
    /// If it names what is not there, or what this person may not read.
    fn filter(&self, state: &Realm, viewer: &Viewer) -> Result<Filter, Refusal> {
        let part = |text: &String| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let agent = part(&self.agent).map(|name| state.agent_named(&name).map(|agent| agent.id)).transpose()?;
        may(state, viewer.person, agent.map_or(Right::ReadRecords, Right::ReadAgent))?;
        // Who has left is still found, by id.
        let person =
            part(&self.person).map(|name| state.person_named(&name).map_or(name, |person| person.id.to_string()));
        let before_seq = part(&self.before).map(|seq| {
            seq.parse().map_err(|_| {
                Refusal::new("bad_cursor", "this is not where a page ended").help("begin the search again")
            })
        });
        Ok(Filter {
            text: part(&self.text),
            agent: agent.map(|agent| agent.to_string()),
            person,
            operation: part(&self.operation),
            kind: part(&self.kind),
            since: part(&self.since).map(|day| from(&day, 0)).transpose()?,
            until: part(&self.until).map(|day| from(&day, DAY_SECONDS)).transpose()?,
            before_seq: before_seq.transpose()?,
            limit: limits::LIST_ROWS_MAX,
            ..Filter::default()
        })
    }

    /// The same search, from the record `before` on.
    fn address(&self, before: u64) -> String {
        let Self { text, agent, person, operation, kind, since, until, before: _ } = self;
        let who = [("text", text), ("agent", agent), ("person", person), ("operation", operation)];
        let parts = who.into_iter().chain([("kind", kind), ("since", since), ("until", until)]);
        let mut query = format!("/ledger?before={before}");
        for (name, value) in parts.filter(|(_, value)| !value.trim().is_empty()) {
            query.push_str(&format!("&{name}={}", encoded(value.trim())));
        }
        query
    }
}

/// The moment `seconds` after a day's beginning, as the index has it.
fn from(day: &str, seconds: u64) -> Result<i64, Refusal> {
    midnight(day).map(|midnight| midnight.plus_seconds(seconds).as_millis())
}

fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~');
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

fn refused(refusal: &Refusal) -> Markup {
    html! {
        div .notice role="status" {
            p .sentence { (told(&refusal.sentence)) }
            @if let Some(help) = &refusal.help { p .help { (told(help)) } }
        }
    }
}

fn page(state: &Realm, search: &Search, results: &Markup) -> Markup {
    let origin = state.realm.as_ref().map(|realm| realm.origin.clone()).unwrap_or_default();
    html! {
        h1 { "Ledger" }
        p .lead { "Everything that was decided and done, in order, each record provable without trusting this page." }
        (form(search))
        (results)
        p .quiet { "The log is " code { (origin) } ". Verify all of it: " code { "remit ledger verify" } }
    }
}

fn form(search: &Search) -> Markup {
    let field = |name: &str, label: &str, value: &str, hint: &str| {
        html! {
            div .field {
                label for=(name) { (label) }
                input id=(name) name=(name) value=(value) placeholder=(hint) maxlength="256" autocomplete="off" spellcheck="false";
            }
        }
    };
    html! {
        form .filters method="get" action="/ledger" role="search" {
            (field("text", "Words", &search.text, "refund O-5011"))
            (field("agent", "Agent", &search.agent, "name"))
            (field("person", "Person", &search.person, "name"))
            (field("operation", "Operation", &search.operation, "connector/tool"))
            div .field {
                label for="kind" { "What" }
                select #kind name="kind" {
                    option value="" { "everything" }
                    @for (kind, words) in KINDS { option value=(kind) selected[search.kind == *kind] { (words) } }
                }
            }
            @for (name, label, value) in [("since", "From (UTC)", &search.since), ("until", "To", &search.until)] {
                div .field { label for=(name) { (label) } input id=(name) name=(name) type="date" value=(value); }
            }
            button type="submit" { "Find" }
        }
    }
}
