//! The realm itself: people, sign-ins, policies, keys.

use maud::{Markup, html};
use remit_domain::{Event, PolicyEdit, SignInMethod};

use super::saying;
use crate::names::Names;
use crate::parts::id::short;
use crate::parts::text::shown;

pub(super) fn sentence(event: &Event, names: Names<'_>, who: &Markup) -> Option<Markup> {
    people(event, names, who).or_else(|| policies(event, names)).or_else(|| keys(event, who))
}

fn people(event: &Event, names: Names<'_>, who: &Markup) -> Option<Markup> {
    Some(match event {
        Event::PersonAdded(added) => html! { (who) " added the person " (names.person(added.person)) },
        Event::PersonGroupsSet { person, groups } => html! {
            (who) " put " (names.person(*person)) " into "
            @if groups.is_empty() { "no group" } @else { code { (shown(&groups.join(", "))) } }
        },
        Event::PersonRemoved { person } => html! { (who) " removed the person " (names.person(*person)) },
        Event::SignInOffered(offered) if offered.recovery => html! {
            (who) " made a way back in for " (names.person(offered.person)) ", who has passkeys"
        },
        Event::SignInOffered(offered) => html! { (who) " made a sign-in code for " (names.person(offered.person)) },
        Event::SessionOpened(opened) => html! {
            (names.person(opened.person)) " signed in"
            @match opened.method {
                SignInMethod::Passkey | SignInMethod::FreshPasskey => " with a passkey",
                SignInMethod::OpenIdConnect => { " by the word of " code { (shown(opened.issuer.as_deref().unwrap_or_default())) } }
                SignInMethod::OneTimeLink | SignInMethod::LocalSocket => "",
            }
        },
        Event::SessionRaised { person, .. } => html! { (names.person(*person)) " showed a passkey" },
        Event::PasskeyEnrolled(enrolled) => html! {
            (names.person(enrolled.person)) " enrolled the passkey “" (shown(&enrolled.label)) "”"
        },
        Event::PasskeyRemoved { person, by, reason, .. } => html! {
            (names.person(*by)) " removed a passkey of " (names.person(*person)) (saying(reason))
        },
        Event::AbsenceSet { person, absence: Some(absence), .. } => html! {
            (names.person(absence.deputy)) " answers for " (names.person(*person)) " until " (shown(&absence.until.to_string()))
        },
        Event::AbsenceSet { person, absence: None, .. } => {
            html! { "nobody answers for " (names.person(*person)) " any more" }
        }
        Event::SessionEnded { session } => html! { "the session " (short(session)) " ended" },
        _ => return None,
    })
}

fn policies(event: &Event, names: Names<'_>) -> Option<Markup> {
    Some(match event {
        Event::PolicyProposed(proposed) => html! {
            (names.person(proposed.author)) " proposed a change of " (edited(&proposed.edits)) (saying(&proposed.reason))
        },
        Event::PolicyActivated { by, edits, .. } => html! { (names.person(*by)) " activated " (edited(edits)) },
        Event::PolicyRejected { change, by, note } => html! {
            (names.person(*by)) " rejected the change " (short(change)) (saying(note))
        },
        _ => return None,
    })
}

fn keys(event: &Event, who: &Markup) -> Option<Markup> {
    Some(match event {
        Event::RealmCreated(created) => html! { "the realm " code { (shown(&created.trust_domain)) } " began" },
        Event::KeyRotated { key, step } => {
            html! { (who) " rotated a realm key, " (shown(step)) " " code .id { (shown(key)) } }
        }
        _ => return None,
    })
}

fn edited(edits: &[PolicyEdit]) -> Markup {
    match edits {
        [only] => html! { "the policy " code { (shown(&only.name)) } },
        several => html! { (several.len()) " policies" },
    }
}
