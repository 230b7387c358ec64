//! Who answers for an agent, who answers in their place, and what each of them may.

use std::sync::Arc;

use axum::extract::{Path, State};
use maud::{Markup, html};
use remit_domain::{ADMINISTRATORS, Absence, Person, PersonId, Right, may, may_read_records};

use super::{About, Tab};
use crate::errors::PageError;
use crate::parts::pill::{Tone, pill};
use crate::parts::properties::none;
use crate::parts::text::shown;
use crate::session::Viewer;
use crate::{Console, limits};

pub(crate) async fn show(
    State(console): State<Console>,
    viewer: Viewer,
    Path(name): Path<String>,
) -> Result<Markup, PageError> {
    let (state, now) = (console.engine.state(), console.engine.now());
    let about = About::new(&state, &viewer, &name, now)?;
    Ok(about.page(Tab::People, &render(&about)))
}

/// Somebody with a part in the agent's life, and which.
struct Part<'a> {
    person: &'a Arc<Person>,
    part: &'static str,
    /// In whose place they answer, where it is not their own.
    in_place_of: Option<&'a Arc<Person>>,
}

fn render(about: &About<'_>) -> Markup {
    let named = named(about);
    html! {
        section {
            h2 { "Who answers for it" }
            @if named.is_empty() {
                div .empty {
                    p { "Nobody answers for it." }
                    p { "An agent without an owner is never active. " a href=(about.address("describe")) { "Name one" } }
                }
            } @else { (table(about, &named)) }
        }
        section { h2 { "Who else may do what" } (groups(about)) }
        p .quiet { "Which rules ask whom, operation by operation, is on its " a href={ "/preview?agent=" (about.agent.name) } { "preview" } "." }
    }
}

/// Its owner, its approvers, and whoever answers in their place now.
fn named<'a>(about: &About<'a>) -> Vec<Part<'a>> {
    let (state, profile) = (about.state, &about.agent.profile);
    let known = |id: &PersonId| state.person(*id).ok();
    let own = profile.owner.iter().filter_map(known).map(|person| (person, "owner"));
    let own = own.chain(profile.approvers.iter().filter_map(known).map(|person| (person, "approver")));
    let mut named = Vec::new();
    for (person, part) in own {
        named.push(Part { person, part, in_place_of: None });
        if let Some(deputy) = absence(about, person).and_then(|absence| known(&absence.deputy)) {
            named.push(Part { person: deputy, part, in_place_of: Some(person) });
        }
    }
    named
}

fn table(about: &About<'_>, named: &[Part<'_>]) -> Markup {
    html! {
        div .scroll tabindex="0" role="region" aria-label="Who answers for it" {
            table .rows {
                thead { tr { th { "Person" } th { "As" } th { "Ends it" } th { "Approves grants" } th { "Reads what it did" } } }
                tbody { @for part in named { (person_row(about, part)) } }
            }
        }
    }
}

fn person_row(about: &About<'_>, part: &Part<'_>) -> Markup {
    let (agent, person) = (about.agent, part.person);
    // Whoever answers for it, and administrators: asking `decide` would make the ends of all its tasks for each of these rows.
    let ends = !agent.is_gone() && (agent.profile.owner == Some(person.id) || person.in_group(ADMINISTRATORS));
    let reads = may(about.state, person.id, Right::ReadAgent(agent.id)).is_ok();
    html! {
        tr {
            td { a .person href={ "/people/" (person.name) } { (shown(&person.name)) } }
            td {
                (part.part)
                @if part.in_place_of.is_none() && absence(about, person).is_some() { " " (pill(Tone::Waits, "away")) }
                @if let Some(absent) = part.in_place_of { " in place of " a .person href={ "/people/" (absent.name) } { (shown(&absent.name)) } }
            }
            td { (yes(ends)) }
            td { (yes(agent.grants_approved_by(person.id))) }
            td { (yes(reads)) }
        }
    }
}

/// The absence that holds now, for whoever may know of it: themself, their deputy, and who reads all records.
fn absence<'a>(about: &About<'_>, person: &'a Person) -> Option<&'a Absence> {
    let viewer = about.viewer.person;
    let absence = person.absence.as_ref().filter(|absence| absence.from <= about.now && about.now < absence.until)?;
    let is_open = person.id == viewer || absence.deputy == viewer || may_read_records(about.state, viewer).is_ok();
    is_open.then_some(absence)
}

fn yes(is_so: bool) -> Markup {
    if is_so { pill(Tone::Good, "yes") } else { none("no") }
}

/// What the realm's groups may, whatever the agent's own record says.
fn groups(about: &About<'_>) -> Markup {
    let groups = [
        (remit_domain::ADMINISTRATORS, "activate, suspend, resume and end it, change its record, and read what it did"),
        (remit_domain::AUDITORS, "read what it did"),
        (remit_domain::REVIEWERS, "read what it did"),
        (remit_domain::CONTENT_READERS, "read what it sent and was answered, each time for a reason that is recorded"),
    ];
    html! {
        div .scroll tabindex="0" role="region" aria-label="Who else may do what" {
            table .rows {
                thead { tr { th { "Group" } th { "May" } th { "Who" } } }
                tbody {
                    @for (group, means) in groups {
                        tr {
                            td { a href={ "/people?group=" (group) } { (group) } }
                            td { (means) }
                            td { (members(about, group)) }
                        }
                    }
                }
            }
        }
    }
}

fn members(about: &About<'_>, group: &str) -> Markup {
    let mut members: Vec<&Arc<Person>> = about.state.people.values().filter(|person| person.in_group(group)).collect();
    members.sort_by(|one, other| one.name.cmp(&other.name));
    let beyond = members.len().saturating_sub(limits::MEMBERS_SHOWN_MAX);
    html! {
        @if members.is_empty() { (none("nobody")) }
        @for (place, person) in members.iter().take(limits::MEMBERS_SHOWN_MAX).enumerate() {
            @if place > 0 { ", " }
            a .person href={ "/people/" (person.name) } { (shown(&person.name)) }
        }
        @if beyond > 0 { " and " (beyond) " more" }
    }
}
