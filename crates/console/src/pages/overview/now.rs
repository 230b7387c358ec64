//! What happens now, in numbers and over the last day.

use maud::{Markup, html};
use remit_domain::{AgentStatus, Timestamp, may_read_task};
use remit_engine::Calls;

use super::{Activity, Page, Whose};
use crate::limits;
use crate::parts::chart::activity;

/// How long ago "lately" is, in the numbers about calls.
const LATELY_SECONDS: u64 = 3_600;

pub(super) fn tiles(page: &Page<'_>) -> Markup {
    let (state, person) = (page.state, page.viewer.person);
    let active = state.agents.values().filter(|agent| agent.status == AgentStatus::Active).count();
    let tasks = match page.latest {
        Some(_) => state.live_tasks().count(),
        None => state.live_tasks().filter(|task| may_read_task(state, person, task).is_ok()).count(),
    };
    let waiting = page.needs.approvals.len() + page.needs.others.len();
    html! {
        div .tiles {
            a .tile href="/agents" { strong { (active) } (noun(active, "active agent", "active agents")) }
            a .tile href="/tasks" { strong { (tasks) } (noun(tasks, "live task", "live tasks")) }
            @if let Some(activity) = &page.activity {
                @let calls = lately(activity, page.now);
                a .tile href="/ledger" { strong { (calls.total()) } (noun_of(calls.total(), "call", "calls")) " in the last hour" }
                a .tile .bad[calls.denied > 0] href="/ledger?kind=ActionDenied" { strong { (calls.denied) } "refused in the last hour" }
            }
            a .tile .waits[waiting > 0] href="/approvals" { strong { (waiting) } (noun(waiting, "question waits", "questions wait")) }
        }
    }
}

/// What the calls of the last hour came to, as exactly as steps of five minutes tell.
fn lately(activity: &Activity, now: Timestamp) -> Calls {
    let since = now.minus_seconds(LATELY_SECONDS);
    let late = activity.steps.iter().filter(|(at, _)| *at > since);
    late.fold(Calls::default(), |all, (_, calls)| all.and(*calls))
}

pub(super) fn picture(activity: &Activity, now: Timestamp) -> Markup {
    let hours = activity::hours(&activity.steps, now);
    html! {
        section aria-labelledby="activity-head" {
            h2 #activity-head {
                @match activity.whose { Whose::Everybodys => "Calls of the last day", Whose::Own { .. } => "Calls of your agents, the last day" }
            }
            // The table beside it stays as it is while somebody has it open.
            div #activity data-live { (activity::picture(&hours)) }
            (activity::table(&hours))
            @if let Whose::Own { left_out: left_out @ 1.. } = activity.whose {
                p .quiet { "Counted for " (limits::ACTIVITY_AGENTS_MAX) " of your agents; " (left_out) " more are not in it." }
            }
        }
    }
}

fn noun(count: usize, one: &'static str, several: &'static str) -> &'static str {
    if count == 1 { one } else { several }
}

fn noun_of(count: u64, one: &'static str, several: &'static str) -> &'static str {
    if count == 1 { one } else { several }
}
