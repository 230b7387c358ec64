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

/// What is looked for; every part that is given must fit.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Search {
    text: String,
    agent: String,
    person: String,
    operation: String,
    kind: String,
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
            before_seq: before_seq.transpose()?,
            limit: limits::LIST_ROWS_MAX,
            ..Filter::default()
        })
    }

    /// The same search, from the record `before` on.
    fn address(&self, before: u64) -> String {
        let Self { text, agent, person, operation, kind, .. } = self;
        let parts = [("text", text), ("agent", agent), ("person", person), ("operation", operation), ("kind", kind)];
        let mut query = format!("/ledger?before={before}");
        for (name, value) in parts.into_iter().filter(|(_, value)| !value.trim().is_empty()) {
            query.push_str(&format!("&{name}={}", encoded(value.trim())));
        }
        query
    }
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
            button type="submit" { "Find" }
        }
    }
}
