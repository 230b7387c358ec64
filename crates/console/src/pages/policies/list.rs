//! The active texts, and what each asks, permits and forbids.

use axum::extract::State;
use maud::{Markup, html};
use remit_domain::{State as Realm, rules};

use super::{does, place};
use crate::layout::{self, Frame, Place};
use crate::parts::id;
use crate::parts::text::shown;
use crate::parts::time::moment;
use crate::session::Viewer;
use crate::{Console, answers};

pub(crate) async fn list(State(console): State<Console>, viewer: Viewer) -> Markup {
    let (state, now) = (console.engine.state(), console.engine.now());
    let waiting = answers::waiting_count(&state, &viewer.actor(), now);
    let frame = Frame { title: "Policies", place: Place::Policies, viewer: &viewer, waiting, refreshes: false };
    let policies = &state.policies;
    let page = html! {
        div .page-head {
            h1 { "Policies" }
            div .actions {
                a .button href="/preview" { "Preview for an agent" }
                a .button href="/policies/new" { "New policy" }
            }
        }
        p .lead { "Every call is decided by these texts, at the moment at which it is made. They change only with somebody else's yes." }
        @if let Some(broken) = &state.compiled().broken {
            p .notice .bad role="alert" { "Nothing is allowed: " (shown(broken)) }
        }
        p .quiet { "Version " (id::digest(&policies.digest())) ", active since " (moment(policies.activated_at, now)) }
        (table(&state))
    };
    layout::page(&frame, &page)
}

fn table(state: &Realm) -> Markup {
    let all = rules(state);
    let of = |source: &str| all.iter().filter(|rule| rule.source == source).collect::<Vec<_>>();
    html! {
        @if state.policies.sources.is_empty() {
            div .empty {
                p { "There is no policy, so everything is denied." }
                p { a href="/policies/new" { "Write one" } ", or begin with the starter set: " code { "remit policy propose policies" } }
            }
        } @else {
            div .scroll tabindex="0" role="region" aria-label="Rules" {
                table .list .rows {
                    thead { tr { th { "Text" } th { "Rule" } th { "Does" } th { "Because" } } }
                    @for name in state.policies.sources.keys() {
                        tbody {
                            @if of(name).is_empty() {
                                tr { td { a href={ "/policies/" (name) } { (shown(name)) } } td colspan="3" .quiet { "no rule of it can be used" } }
                            }
                            @for (nth, rule) in of(name).into_iter().enumerate() {
                                tr {
                                    td { @if nth == 0 { a href={ "/policies/" (name) } { (shown(name)) } } }
                                    td {
                                        a href=(place(name, rule.line)) { code { (shown(&rule.id)) } }
                                    }
                                    td { (does(rule)) }
                                    td { (shown(rule.reason.as_deref().unwrap_or_default())) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
