//! Everybody in the realm, and the form that adds one.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use maud::{Markup, html};
use remit_domain::{AddPerson, Command, Person, State as Realm, Timestamp, may_read_records};
use serde::Deserialize;

use super::{About, groups_of};
use crate::layout::{self, Frame, Place};
use crate::names::Names;
use crate::pages::control;
use crate::parts::filters;
use crate::parts::pill::{Tone, pill};
use crate::parts::text::shown;
use crate::parts::time::moment;
use crate::session::Viewer;
use crate::{Console, answers, limits};

/// Which people.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Choice {
    text: String,
    group: String,
    /// The last name of the page before.
    after: String,
}

pub(crate) async fn list(
    State(console): State<Console>,
    viewer: Viewer,
    choice: Result<Query<Choice>, QueryRejection>,
) -> Markup {
    let choice = choice.map(|Query(choice)| choice).unwrap_or_default();
    let state = console.engine.state();
    let now = console.engine.now();
    let waiting = answers::waiting_count(&state, &viewer.actor(), now);
    let frame = Frame { title: "People", place: Place::People, viewer: &viewer, waiting, refreshes: false };
    layout::page(&frame, &render(&state, &viewer, &choice, now))
}

/// The people that fit, by name, and whether there are more than a page holds.
fn chosen<'a>(state: &'a Realm, choice: &Choice) -> (Vec<&'a Arc<Person>>, bool) {
    let (text, group, after) = (choice.text.trim().to_lowercase(), choice.group.trim(), choice.after.trim());
    let fits = |person: &&Arc<Person>| {
        (text.is_empty() || person.name.contains(&text))
            && (group.is_empty() || person.in_group(group))
            && person.name.as_str() > after
    };
    let mut people: Vec<_> = state.people.values().filter(fits).collect();
    people.sort_by(|one, other| one.name.cmp(&other.name));
    let more = people.len() > limits::LIST_ROWS_MAX;
    people.truncate(limits::LIST_ROWS_MAX);
    (people, more)
}

fn render(state: &Realm, viewer: &Viewer, choice: &Choice, now: Timestamp) -> Markup {
    let (people, more) = chosen(state, choice);
    html! {
        div .page-head {
            div {
                h1 { "People" }
                p { "Everybody who can answer for an agent, say yes to it, or look at what it did. Groups say who may." }
            }
            (add_form(state, viewer, now))
        }
        (filters::form("/people", "Which people", "Filter", &html! {
            (filters::text("text", "Name", &choice.text, "a part of it"))
            (filters::text("group", "Group", &choice.group, "administrators"))
        }))
        @if people.is_empty() {
            div .empty {
                p { "Nobody fits." }
                p { "A group is there as soon as somebody is in it. " a href="/people" { "Show everybody" } }
                pre { "remit person add NAME --group auditors" }
            }
        } @else { (table(state, viewer, &people, now)) }
        @if let (true, Some(last)) = (more, people.last()) {
            @let fields = [("text", choice.text.as_str()), ("group", &choice.group), ("after", &last.name)];
            (filters::next(&filters::address("/people", &fields), "More people"))
        }
    }
}

fn table(state: &Realm, viewer: &Viewer, people: &[&Arc<Person>], now: Timestamp) -> Markup {
    let sees_all = may_read_records(state, viewer.person).is_ok();
    html! {
        div .scroll {
            table .rows {
                thead { tr {
                    th { "Person" } th { "Groups" } th { "Away" }
                    @if sees_all { th { "Signs in by" } th .number { "Sessions" } th { "Added" } }
                } }
                tbody {
                    @for person in people {
                        tr {
                            td {
                                a .person href={ "/people/" (person.name) } { (shown(&person.name)) }
                                @if person.id == viewer.person { " " span .quiet { "you" } }
                            }
                            td { (groups_of(person)) }
                            td { (away(&About { state, viewer, person, now })) }
                            @if sees_all {
                                td { (method(state, person)) }
                                td .number data-label="sessions" { (sessions(state, person, now)) }
                                td data-label="added" { (moment(person.added_at, now)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn away(about: &About<'_>) -> Markup {
    let absence =
        about.person.absence.as_ref().filter(|absence| absence.from <= about.now && about.now < absence.until);
    let absence = absence.filter(|_| about.absence_is_open());
    html! {
        @if let Some(absence) = absence { (pill(Tone::Waits, "away")) " for them: " (Names(about.state).person(absence.deputy)) }
    }
}

fn method(state: &Realm, person: &Person) -> Markup {
    match state.passkeys_of(person.id).len() {
        0 => pill(Tone::Waits, "link only"),
        1 => pill(Tone::Good, "1 passkey"),
        count => pill(Tone::Good, &format!("{count} passkeys")),
    }
}

fn sessions(state: &Realm, person: &Person, now: Timestamp) -> usize {
    state.sessions.values().filter(|session| session.person == person.id && now < session.expires_at).count()
}

fn add_form(state: &Realm, viewer: &Viewer, now: Timestamp) -> Markup {
    let somebody = Command::AddPerson(AddPerson { name: "somebody".to_owned(), groups: Vec::new() });
    let usable = match control::may(state, viewer, &somebody, now) {
        // There is one of that name, which is no reason against another.
        Err(refusal) if refusal.code == "name_taken" => Ok(()),
        other => other,
    };
    html! {
        div .actions {
            details {
                summary { "Add a person" }
                form method="post" action="/people" {
                    (layout::token(viewer))
                    div .field {
                        label for="name" { "Name" }
                        input #name name="name" required maxlength=(remit_domain::limits::NAME_BYTES_MAX) autocomplete="off"
                            placeholder="ana" disabled[usable.is_err()];
                        p .help { "lower-case letters, digits, " code { "-" } ", " code { "_" } " and " code { "." } }
                    }
                    div .field {
                        label for="groups" { "Groups (optional)" }
                        input #groups name="groups" autocomplete="off" placeholder="auditors, support-leads" disabled[usable.is_err()];
                        p .help { "Another administrator agrees to groups, once there is one." }
                    }
                    button .primary type="submit" disabled[usable.is_err()] aria-describedby="add-why" { "Add" }
                    (control::why("add-why", &usable))
                }
            }
        }
    }
}
