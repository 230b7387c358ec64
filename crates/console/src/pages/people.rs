//! People: who is in the realm, in which groups, signed in how; and what administrators change about that.

pub(crate) mod absence;
pub(crate) mod add;
pub(crate) mod entitlements;
pub(crate) mod groups;
pub(crate) mod links;
pub(crate) mod list;
pub(crate) mod remove;
pub(crate) mod sessions;
pub(crate) mod show;
pub(crate) mod sign_in_link;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::response::Redirect;
use maud::{Markup, html};
use remit_domain::{ADMINISTRATORS, Event, Person, PersonId, Refusal, State, Timestamp, may_read_records};
use remit_engine::Receipt;

use crate::parts::pill::{Tone, pill};
use crate::session::Viewer;

/// What the sections of one person's page are made from.
struct About<'a> {
    state: &'a State,
    viewer: &'a Viewer,
    person: &'a Person,
    now: Timestamp,
}

impl About<'_> {
    fn is_self(&self) -> bool {
        self.viewer.person == self.person.id
    }

    fn viewer_administers(&self) -> bool {
        self.state.person(self.viewer.person).is_ok_and(|viewer| viewer.is_administrator())
    }

    /// Whether the viewer sees more of them than their name and groups.
    fn is_open(&self) -> bool {
        self.is_self() || may_read_records(self.state, self.viewer.person).is_ok()
    }

    /// Whether the viewer sees when they are away: also whoever answers in their place.
    fn absence_is_open(&self) -> bool {
        self.is_open() || self.person.absence.as_ref().is_some_and(|absence| absence.deputy == self.viewer.person)
    }

    /// The address of a form about them.
    fn address(&self, verb: &str) -> String {
        format!("/people/{}/{verb}", self.person.name)
    }
}

/// The person by their name, or by their id.
fn find<'a>(state: &'a State, name: &str) -> Result<&'a Arc<Person>, Refusal> {
    match name.parse::<PersonId>() {
        Ok(id) => state.person(id),
        Err(_) if name.len() > remit_domain::limits::NAME_BYTES_MAX => {
            Err(Refusal::unknown("person", "of such a long name"))
        }
        Err(_) => state.person_named(name),
    }
}

/// On to what was proposed where somebody else has to agree, and else to `page`.
pub(super) fn onwards(receipt: &Receipt, page: &str) -> Redirect {
    let proposed = receipt.events.iter().find_map(|event| match event {
        Event::ChangeProposed(proposed) => Some(proposed.change),
        _ => None,
    });
    Redirect::to(&proposed.map_or_else(|| page.to_owned(), |change| format!("/changes/{change}")))
}

/// Words with spaces, commas or line ends between them, each once.
fn words(text: &str) -> Vec<String> {
    let words: BTreeSet<&str> = text.split([',', ' ', '\n', '\r', '\t']).filter(|word| !word.is_empty()).collect();
    words.into_iter().map(str::to_owned).collect()
}

fn group(name: &str) -> Markup {
    let tone = if name == ADMINISTRATORS { Tone::Waits } else { Tone::Quiet };
    html! { a href={ "/people?group=" (name) } { (pill(tone, name)) } }
}

fn groups_of(person: &Person) -> Markup {
    html! {
        @if person.groups.is_empty() { span .quiet { "none" } }
        @for name in &person.groups { (group(name)) " " }
    }
}
