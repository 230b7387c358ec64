//! Proposed policies tried on calls that are on record: what would have been answered otherwise. Nothing is changed or recorded by it.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use maud::{Markup, html};
use remit_domain::{Answer, Decided, PersonId, PolicyEdit, Refusal, Right, Timestamp, Unsaid, may};
use remit_engine::{Group, Replay, ReplayReport};

use crate::parts::pill::{Tone, pill};
use crate::parts::properties::none;
use crate::parts::text::{shown, told};
use crate::{Console, limits};

/// What trying came to.
#[derive(Debug)]
pub(crate) enum Tried {
    Report(Box<ReplayReport>),
    /// Why it was not tried, or not to its end.
    Not(Refusal),
}

/// Ends a replay to which nobody listens any more: whoever asked has gone, or has waited long enough.
struct Listening(Arc<AtomicBool>);

impl Drop for Listening {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

/// Decides the calls that were recorded since `from`, or all, again under `edits`; waits `wait_ms` for it at most.
pub(crate) async fn try_on_calls(
    console: &Console,
    person: PersonId,
    edits: Vec<PolicyEdit>,
    from: Option<Timestamp>,
    wait_ms: u64,
) -> Tried {
    // What is decided again is what everybody's agents did.
    if let Err(refusal) = console.engine.read(|state| may(state, person, Right::ReadRecords)) {
        return Tried::Not(refusal);
    }
    let listening = Listening(Arc::new(AtomicBool::new(true)));
    let heard = Arc::clone(&listening.0);
    let replay = Replay { edits, from, to: None, every: false };
    let replaying = console.engine.replay(replay, move |_| match heard.load(Ordering::Relaxed) {
        true => ControlFlow::Continue(()),
        false => ControlFlow::Break(()),
    });
    match tokio::time::timeout(Duration::from_millis(wait_ms), replaying).await {
        Ok(Ok(report)) => Tried::Report(Box::new(report)),
        Ok(Err(error)) => Tried::Not(error.refusal()),
        Err(_) => Tried::Not(
            Refusal::new("replay_long", "deciding the recorded calls again takes longer than this page waits")
                .help("`remit policy replay` takes its time, and tells how far it is"),
        ),
    }
}

/// What came out, in words and grouped.
pub(crate) fn report(tried: &Tried) -> Markup {
    match tried {
        Tried::Report(report) => whole(report),
        Tried::Not(refusal) => html! {
            div .notice {
                p .sentence { (told(&refusal.sentence)) }
                @if let Some(help) = &refusal.help { p .help { (told(help)) } }
            }
        },
    }
}

fn whole(report: &ReplayReport) -> Markup {
    let newly = [
        (Answer::Deny, Tone::Bad, "would newly be denied"),
        (Answer::Ask, Tone::Waits, "would newly be asked about"),
        (Answer::Allow, Tone::Good, "would newly be allowed"),
    ];
    let alike: u64 = report.turns.iter().filter(|turn| turn.was == turn.now).map(|turn| turn.attempts).sum();
    html! {
        @if report.attempts == 0 {
            p .quiet { "No call was recorded in that time, so there was nothing to try it on." }
        } @else {
            p { "Of " (report.attempts) " recorded calls:" }
            ul .rules {
                @for (answer, tone, words) in newly {
                    @let count = report.newly(answer);
                    li { @if count == 0 { "0 " (words) } @else { (pill(tone, &count.to_string())) " " (words) } }
                }
                @if alike > 0 { li { (alike) " would be answered alike, by other rules" } }
                @for (code, count) in &report.kept { li { (count) " were refused before any policy was asked, and stay so: " code { (shown(code)) } } }
                @for unsaid in &report.unsaid { li { (unsaid.attempts) " cannot be said: " (why(&unsaid.why)) } }
                li { (report.same) " would be answered as they were" }
            }
            (groups(report))
        }
    }
}

fn why(unsaid: &Unsaid) -> Markup {
    match unsaid {
        Unsaid::ArgumentsGone => html! { "the answer depends on their arguments, which were erased or not kept" },
        Unsaid::PoliciesDoNotHold(detail) => {
            html! { "the proposed policies do not hold against the operations of then: " (told(detail)) }
        }
    }
}

fn groups(report: &ReplayReport) -> Markup {
    let beyond = report.groups.len().saturating_sub(limits::REPLAY_GROUPS_MAX);
    html! {
        @if !report.groups.is_empty() {
            div .scroll tabindex="0" role="region" aria-label="Calls that would be answered otherwise" {
                table .list {
                    thead { tr {
                        th { "Agent" } th { "Operation" } th { "Was" } th { "Would be" } th .number { "Calls" } th { "For example" }
                    } }
                    tbody { @for group in report.groups.iter().take(limits::REPLAY_GROUPS_MAX) { (row(group)) } }
                }
            }
            @if beyond > 0 || report.ungrouped > 0 {
                p .quiet { "and more, by other agents, operations or rules: " code { "remit policy replay" } " lists them all" }
            }
        }
    }
}

fn row(group: &Group) -> Markup {
    html! {
        tr {
            td {
                @if group.agent_name.is_empty() { (crate::parts::id::short(group.agent)) }
                @else { a .agent href={ "/agents/" (group.agent_name) } { (shown(&group.agent_name)) } }
            }
            td { code { (shown(group.operation.as_str())) } }
            td { (decided(&group.was)) }
            td { (decided(&group.now)) }
            td .number { (group.attempts) }
            td {
                @for (nth, link) in group.first.iter().take(limits::REPLAY_LINKS_MAX).enumerate() {
                    @if nth > 0 { ", " }
                    a href={ "/records/" (link.seq) } aria-label={ "record " (link.seq) } { "#" (link.seq) }
                }
            }
        }
    }
}

/// An answer, and the rules that made it so.
fn decided(decided: &Decided) -> Markup {
    let answer = match decided.answer {
        Answer::Allow => pill(Tone::Good, "allow"),
        Answer::Ask => pill(Tone::Waits, "ask"),
        Answer::Deny => pill(Tone::Bad, "deny"),
    };
    html! {
        (answer)
        @if decided.determining.is_empty() { " " (none("no rule")) }
        @for rule in &decided.determining { " " code { (shown(rule)) } }
    }
}
