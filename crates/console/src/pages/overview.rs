//! What needs the person looking, what happens now, and what happened last; in a realm without a call, how to come to the first.

mod first_run;
mod needs;
mod now;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::extract::State;
use maud::{Markup, html};
use remit_domain::{Agent, AgentId, State as Realm, Timestamp, may_read_records};
use remit_engine::{Calls, Filter};

use self::needs::Needs;
use crate::errors::PageError;
use crate::layout::{self, Frame, Place};
use crate::parts::chart::activity;
use crate::parts::line::{Line, lines};
use crate::session::Viewer;
use crate::{Console, limits};

/// All that the page is made from.
struct Page<'a> {
    state: &'a Realm,
    viewer: &'a Viewer,
    needs: Needs<'a>,
    /// Calls of the whole realm, or of the agents of whoever looks; nothing for who may know of none.
    activity: Option<Activity>,
    /// Of the whole realm, for who reads all of it; others find those of their agents on the agents' pages.
    latest: Option<Vec<Line>>,
    /// Whether any call was ever decided.
    has_calls: bool,
    now: Timestamp,
}

/// What was called over the last day.
struct Activity {
    steps: Vec<(Timestamp, Calls)>,
    whose: Whose,
}

/// Whose calls are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whose {
    Everybodys,
    /// Those of agents that whoever looks answers or approves for; so many more are left out.
    Own {
        left_out: usize,
    },
}

pub(crate) async fn overview(State(console): State<Console>, viewer: Viewer) -> Result<Markup, PageError> {
    let state = console.engine.state();
    let now = console.engine.now();
    let filter = Filter { limit: limits::OVERVIEW_RECORDS_MAX, ..Filter::default() };
    let latest = match may_read_records(&state, viewer.person) {
        Ok(()) => Some(super::lines(&console, filter, &state).await?),
        Err(_) => None,
    };
    let activity = activity_for(&console, &state, &viewer, latest.is_some(), now).await?;
    let has_calls = console.engine.has_activity().await?;
    let needs = Needs::of(&state, &viewer, now);
    let waiting = needs.approvals.len();
    let frame = Frame { title: "Overview", place: Place::Overview, viewer: &viewer, waiting, refreshes: true };
    let page = Page { state: &state, viewer: &viewer, needs, activity, latest, has_calls, now };
    Ok(layout::page(&frame, &page.render()))
}

/// Counts what `viewer` may know of.
async fn activity_for(
    console: &Console,
    state: &Realm,
    viewer: &Viewer,
    is_reader: bool,
    now: Timestamp,
) -> Result<Option<Activity>, PageError> {
    let since = activity::begins_at(now);
    if is_reader {
        let steps = console.engine.activity(None, since, now).await?;
        return Ok(Some(Activity { steps, whose: Whose::Everybodys }));
    }
    let is_own = |agent: &&Arc<Agent>| agent.grants_approved_by(viewer.person);
    let mut own: Vec<AgentId> = state.agents.values().filter(is_own).map(|agent| agent.id).collect();
    if own.is_empty() {
        return Ok(None);
    }
    own.sort_unstable();
    let left_out = own.len().saturating_sub(limits::ACTIVITY_AGENTS_MAX);
    let mut steps = Vec::new();
    for agent in own.into_iter().take(limits::ACTIVITY_AGENTS_MAX) {
        steps.extend(console.engine.activity(Some(agent), since, now).await?);
    }
    Ok(Some(Activity { steps, whose: Whose::Own { left_out } }))
}

impl Page<'_> {
    fn render(&self) -> Markup {
        html! {
            h1 { "Overview" }
            // What begins and ends on the page has a place of its own there, so that an open page sees it come and go.
            div #first-run data-live { (first_run::guide(self.state, self.viewer, self.has_calls)) }
            section #needs-you data-live aria-labelledby="mine" {
                h2 #mine { "Needs you" }
                (self.needs.mine(self.state, self.now))
            }
            section #happening data-live aria-labelledby="happening-head" {
                h2 #happening-head { "Happening now" }
                (now::tiles(self))
            }
            // Before the first call there is nothing to draw; an open page has the picture once it is opened anew.
            @if let Some(activity) = self.activity.as_ref().filter(|_| self.has_calls) { (now::picture(activity, self.now)) }
            div #others data-live { (self.needs.others(self.state, self.now)) }
            @if let Some(latest) = &self.latest {
                section #latest data-live aria-labelledby="latest-head" {
                    h2 #latest-head { "Latest records" }
                    (lines(latest, self.now))
                    p .quiet { a href="/ledger" { "Search the whole ledger" } }
                }
            }
        }
    }
}
