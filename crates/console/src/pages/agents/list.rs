//! All agents.

use std::sync::Arc;

use axum::extract::State;
use maud::{Markup, html};
use remit_domain::{Agent, State as Realm, Timestamp};

use crate::answers;
use crate::layout::{self, Frame, Place};
use crate::names::Names;
use crate::parts::pill;
use crate::parts::properties::none;
use crate::parts::text::shown;
use crate::parts::time::moment;
use crate::session::Viewer;
use crate::{Console, limits};

pub(crate) async fn list(State(console): State<Console>, viewer: Viewer) -> Markup {
    let state = console.engine.state();
    let now = console.engine.now();
    let waiting = answers::waiting_count(&state, &viewer.actor(), now);
    let frame = Frame { title: "Agents", place: Place::Agents, viewer: &viewer, waiting, refreshes: true };
    layout::page(&frame, &render(&state, now))
}

pub(super) fn render(state: &Realm, now: Timestamp) -> Markup {
    let mut agents: Vec<&Arc<Agent>> = state.agents.values().collect();
    agents.sort_by(|one, other| (one.is_gone(), &one.name).cmp(&(other.is_gone(), &other.name)));
    let beyond = agents.len().saturating_sub(limits::LIST_ROWS_MAX);
    html! {
        h1 { "Agents" }
        @if agents.is_empty() {
            p .quiet { "No agent is registered yet: " code { "remit agent register NAME" } }
        } @else {
            div .scroll {
                table .list {
                    thead { tr {
                        th { "Agent" } th { "Status" } th { "Owner" } th { "Class" } th { "Environment" }
                        th .number { "Live grants" } th .number { "Live tasks" } th { "Review" }
                    } }
                    tbody { @for agent in agents.iter().take(limits::LIST_ROWS_MAX) { (row(state, agent, now)) } }
                }
            }
            @if beyond > 0 { p .quiet { "and " (beyond) " more: " code { "remit agent list" } } }
        }
    }
}

fn row(state: &Realm, agent: &Agent, now: Timestamp) -> Markup {
    let profile = &agent.profile;
    let grants = state.grants_of(agent.id).filter(|grant| now < grant.expires_at).count();
    html! {
        tr {
            td { a href={ "/agents/" (agent.name) } { (shown(&agent.name)) } }
            td { (pill::agent(agent.status)) }
            td { (profile.owner.map_or_else(|| none("nobody"), |owner| Names(state).person(owner))) }
            td {
                (profile.class.map_or("none", |class| class.as_str()))
                @if let Some(autonomy) = profile.autonomy { " A" (autonomy) }
            }
            td { (profile.environment.map_or("none", |environment| environment.as_str())) }
            td .number { (grants) }
            td .number { (state.live_tasks_of(agent.id).count()) }
            td { @if let Some(review_at) = profile.review_at { (moment(review_at, now)) } @else { (none("none")) } }
        }
    }
}
