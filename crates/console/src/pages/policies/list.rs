//! The active texts, and what each asks, permits and forbids.

use axum::extract::State;
use maud::{Markup, html};
use remit_domain::{Explained, State as Realm, rules};

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
            div .actions { a .button href="/preview" { "Preview for an agent" } }
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
                p { "The starter set covers the usual cases: " code { "remit policy propose policies/" } }
            }
        } @else {
            div .scroll {
                table .list .rows {
                    thead { tr { th { "Text" } th { "Rule" } th { "Does" } th { "Because" } } }
                    @for name in state.policies.sources.keys() {
                        tbody {
                            @for (nth, rule) in of(name).into_iter().enumerate() {
                                tr {
                                    td { @if nth == 0 { a href={ "/policies/" (name) } { (shown(name)) } } }
                                    td {
                                        a href={ "/policies/" (name) "#line-" (rule.line.unwrap_or(1)) } { code { (shown(&rule.id)) } }
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

fn does(rule: &Explained) -> &'static str {
    match rule.effect {
        "permit" => "permits",
        // A forbid that names approvers is a question.
        _ if rule.text.contains("@approvers") => "asks",
        _ => "forbids",
    }
}
