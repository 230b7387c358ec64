//! Questions that run the other way: who can call an operation or see a class of data, what an agent or a person reaches.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use maud::{Markup, html};
use remit_domain::{
    ASSUMPTION, Caller, DataClass, OperationName, PersonId, RULE, Reachable, Reached, Refusal, Right, State as Realm,
    Timestamp, Walk, may, people_through, what_agent_reaches, what_person_reaches, who_can_call, who_can_see,
};
use serde::Deserialize;

use crate::errors::PageError;
use crate::layout::{self, Frame, Place};
use crate::names::Names;
use crate::parts::pill::{Tone, pill};
use crate::parts::text::{shown, told};
use crate::session::Viewer;
use crate::{Console, answers, limits};

#[cfg(test)]
mod tests;

/// What may be asked, with the words that stand before it.
const QUESTIONS: &[(&str, &str)] = &[
    ("call", "Who can call the operation"),
    ("see", "Who can see data of the class"),
    ("agent", "What is reached by the agent"),
    ("person", "What is reached only through agents by the person"),
];

#[derive(Debug, Default, Deserialize)]
pub(crate) struct Question {
    #[serde(default)]
    ask: String,
    #[serde(default)]
    about: String,
}

pub(crate) async fn who(
    State(console): State<Console>,
    viewer: Viewer,
    question: Result<Query<Question>, QueryRejection>,
) -> Result<Markup, PageError> {
    let Query(question) = question.map_err(|_| Refusal::new("bad_query", "this is not a question of this page"))?;
    let state = console.engine.state();
    let now = console.engine.now();
    let waiting = answers::waiting_count(&state, &viewer.actor(), now);
    let frame = Frame { title: "Who can", place: Place::Who, viewer: &viewer, waiting, refreshes: false };
    may_ask(&state, viewer.person, &question)?;
    let answer = if question.about.is_empty() { Ok(html! {}) } else { answer(&state, &question, now) };
    let answer = answer.unwrap_or_else(|refusal| {
        html! {
            p .notice { (told(&refusal.sentence)) }
            @if let Some(help) = &refusal.help { p .quiet { (told(help)) } }
        }
    });
    Ok(layout::page(&frame, &html! { h1 { "Who can" } (form(&question)) (answer) }))
}

/// Refuses who may not know the answer: of an agent of theirs, and of themselves, everybody may.
fn may_ask(state: &Realm, person: PersonId, question: &Question) -> Result<(), Refusal> {
    let about = question.about.trim();
    match question.ask.as_str() {
        _ if about.is_empty() => Ok(()),
        "agent" => {
            let agent = state.agent_named(about).map(|agent| agent.id);
            may(state, person, agent.map_or(Right::ReadRecords, Right::ReadAgent))
        }
        "person" if state.person_named(about).is_ok_and(|named| named.id == person) => Ok(()),
        _ => may(state, person, Right::ReadRecords),
    }
}

fn form(question: &Question) -> Markup {
    html! {
        form .filters method="get" action="/who" {
            div .field {
                label for="ask" { "Question" }
                select #ask name="ask" {
                    @for (word, words) in QUESTIONS { option value=(word) selected[question.ask == *word] { (words) } }
                }
            }
            div .field {
                label for="about" { "Name" }
                input #about name="about" value=(question.about) maxlength="256" required
                    placeholder="connector/tool, D2, or a name";
            }
            button type="submit" { "Ask" }
        }
    }
}

fn answer(state: &Realm, question: &Question, now: Timestamp) -> Result<Markup, Refusal> {
    let about = question.about.trim();
    match question.ask.as_str() {
        "see" => {
            let data = match about {
                "D0" => DataClass::D0,
                "D1" => DataClass::D1,
                "D2" => DataClass::D2,
                "D3" => DataClass::D3,
                _ => return Err(Refusal::new("bad_data_class", "a class of data is one of `D0` to `D3`")),
            };
            Ok(callers(state, who_can_see(state, data, None, now)?, &format!("remit who can see {about}")))
        }
        "agent" => {
            let agent = state.agent_named(about)?;
            let walk = what_agent_reaches(state, agent.id, None, now)?;
            let row = |reached: &Reached| html! { tr { (cells(reached)) } };
            Ok(rows(
                walk,
                &["Operation", "Reach", "If", "Grant", "By policy"],
                row,
                &format!("remit what agent {about}"),
            ))
        }
        "person" => {
            let person = state.person_named(about)?;
            let walk = what_person_reaches(state, person.id, None, now)?;
            let note = match walk.entitlements() {
                Some(_) => "What their own entitlements cover is left out.",
                None => "No entitlements are on record, so everything below is beyond them.",
            };
            let row = |beyond: &remit_domain::Beyond| {
                html! {
                    @for (agent, reached) in beyond.through.iter().take(1) {
                        tr {
                            (cells(reached))
                            td { (Names(state).agent(*agent)) @if beyond.agents > 1 { " and " (beyond.agents - 1) " more" } }
                        }
                    }
                }
            };
            let heads = ["Operation", "Reach", "If", "Grant", "By policy", "Through"];
            let table = rows(walk, &heads, row, &format!("remit what person {about}"));
            Ok(html! { p .notice { (note) } (table) })
        }
        _ => {
            let named = about.split_once('/').filter(|(connector, tool)| !connector.is_empty() && !tool.is_empty());
            let (connector, tool) = named.ok_or_else(|| {
                Refusal::new("bad_operation", "that is not an operation").help("write `connector/tool`")
            })?;
            let operation = OperationName::new(connector, tool);
            Ok(callers(state, who_can_call(state, &operation, None, now)?, &format!("remit who can call {about}")))
        }
    }
}

fn callers(state: &Realm, walk: remit_domain::Callers<'_>, command: &str) -> Markup {
    let direct = walk.entitled();
    let heads = ["Agent", "Owner", "Operation", "Reach", "If", "Grant", "By policy", "People through it"];
    let row = |caller: &Caller| {
        let (people, more) = people_through(state, &caller.agent);
        html! {
            @if let Some(reached) = caller.reaches.first() {
                tr {
                    td { (Names(state).agent(caller.agent.id)) }
                    td { @if let Some(owner) = caller.agent.profile.owner { (Names(state).person(owner)) } }
                    (cells(reached))
                    td {
                        @for (place, through) in people.iter().enumerate() {
                            @if place > 0 { ", " } (Names(state).person(through.person))
                        }
                        @if more { " …" }
                    }
                }
            }
        }
    };
    let table = rows(walk, &heads, row, command);
    html! {
        @if !direct.is_empty() {
            section aria-labelledby="direct" {
                h2 #direct { "People, directly" }
                p {
                    @for (place, person) in direct.iter().take(limits::LIST_ROWS_MAX).enumerate() {
                        @if place > 0 { ", " } (shown(&person.name))
                    }
                    @if direct.len() > limits::LIST_ROWS_MAX { " …" }
                }
            }
        }
        (table)
        p .quiet { "People: " (RULE) "." }
    }
}

/// What stands in a row about one operation.
fn cells(reached: &Reached) -> Markup {
    let prospect = &reached.prospect;
    html! {
        td {
            code { (shown(reached.operation.as_str())) }
            @if reached.enforced_elsewhere { " " span .quiet { "enforced elsewhere" } }
        }
        td {
            @match prospect.reachable {
                Reachable::Always => (pill(Tone::Good, "always")),
                Reachable::Depends => (pill(Tone::Waits, "it depends")),
                Reachable::Never => (pill(Tone::Bad, "never")),
            }
        }
        td {
            @if let Some(condition) = &prospect.condition { code { (shown(condition)) } }
            @for ask in &prospect.asks { " asks " (told(&ask.in_words())) }
        }
        td { @if let Some(grant) = reached.grant { code { (grant) } } }
        td { (shown(&prospect.policies.join(", "))) }
    }
}

/// A table of what `walk` finds, as far as a page holds. A page has no time of its own to wait: it stops early, and says so.
fn rows<W: Walk>(mut walk: W, heads: &[&str], row: impl Fn(&W::Found) -> Markup, command: &str) -> Markup {
    let (mut found, mut asked) = (Vec::new(), 0);
    let total = walk.total();
    while found.len() < limits::LIST_ROWS_MAX && asked < limits::WHO_STEPS_MAX {
        let Some(step) = walk.step() else { break };
        asked += 1;
        found.extend(step);
    }
    html! {
        @if found.is_empty() {
            p .quiet { "Nobody and nothing, of " (asked) " that were asked." }
        } @else {
            div .scroll {
                table .list {
                    thead { tr { @for head in heads { th { (head) } } } }
                    tbody { @for one in &found { (row(one)) } }
                }
            }
        }
        @if asked < total { p .quiet { (asked) " of " (total) " were asked; the rest: " code { (shown(command)) } } }
        p .quiet { "Assumed: " (ASSUMPTION) "." }
    }
}
