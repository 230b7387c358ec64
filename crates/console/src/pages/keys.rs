//! The realm's keys: what verifies what, and where each is in its life.

use axum::extract::State;
use maud::{Markup, html};
use remit_domain::{KeyPurpose, KeyStep, RealmKey, State as Realm, Timestamp};

use crate::layout::{self, Frame, Place};
use crate::names::Names;
use crate::parts::pill::{Tone, pill};
use crate::parts::properties::{properties, row};
use crate::parts::text::shown;
use crate::parts::time::moment;
use crate::parts::value;
use crate::session::Viewer;
use crate::{Console, answers};

#[cfg(test)]
mod tests;

pub(crate) async fn list(State(console): State<Console>, viewer: Viewer) -> Markup {
    let (state, now) = (console.engine.state(), console.engine.now());
    let waiting = answers::waiting_count(&state, &viewer.actor(), now);
    let frame = Frame { title: "Keys", place: Place::Keys, viewer: &viewer, waiting, refreshes: false };
    layout::page(&frame, &render(&state, now))
}

fn render(state: &Realm, now: Timestamp) -> Markup {
    // Those that sign first, and within a step the newest.
    let mut keys: Vec<(&String, &RealmKey)> = state.realm_keys.iter().collect();
    let order = |step: KeyStep| match step {
        KeyStep::Active => 0,
        KeyStep::Prepared => 1,
        KeyStep::Retired => 2,
        KeyStep::Revoked => 3,
    };
    keys.sort_by_key(|(_, key)| (order(key.step), std::cmp::Reverse(key.since)));
    html! {
        h1 { "Keys" }
        p .lead { "What tokens, certificates and the ledger are signed with. The private parts are sealed in the keys file and are never shown." }
        div .scroll {
            table .list .rows {
                thead { tr { th { "Key" } th { "Signs" } th { "Step" } th { "Since" } th { "Answers for it" } } }
                tbody {
                    @for (id, key) in keys {
                        tr {
                            td { code .id { (shown(id)) } }
                            td { (signs(key.purpose)) }
                            td { (step(key.step)) }
                            td { (moment(key.since, now)) }
                            td { (Names(state).person(key.accountable)) }
                        }
                    }
                }
            }
        }
        p .quiet { "Rotate: " code { "remit key rotate" } ". End what a lost key signed: " code { "remit key revoke KEY" } "." }
        @if let Some(realm) = &state.realm {
            section {
                h2 { "The ledger's key" }
                p .quiet { "Give it to whoever shall verify the ledger or an evidence pack: with it they need to trust nobody here." }
                (properties(&html! {
                    (row("Log", &html! { code { (shown(&realm.origin)) } }))
                    (row("Public key", &value::exact(&realm.log_key)))
                    (row("Issuer of tokens", &html! { code { (shown(&realm.issuer)) } }))
                }))
            }
        }
    }
}

fn signs(purpose: KeyPurpose) -> &'static str {
    match purpose {
        KeyPurpose::Token => "tokens, receipts and status lists",
        KeyPurpose::Ca => "certificates of workloads",
    }
}

fn step(step: KeyStep) -> Markup {
    match step {
        KeyStep::Prepared => pill(Tone::Waits, "prepared"),
        KeyStep::Active => pill(Tone::Good, "active"),
        KeyStep::Retired => pill(Tone::Quiet, "retired"),
        KeyStep::Revoked => pill(Tone::Bad, "revoked"),
    }
}
