//! Calls over the last day: a bar for each hour, of what was allowed, what asked a person and what was refused.

use maud::{Markup, html};
use remit_domain::Timestamp;
use remit_engine::Calls;

#[cfg(test)]
mod tests;

/// How many hours are shown; the last one is under way.
pub(crate) const HOURS: usize = 24;

const HOUR_MILLISECONDS: i64 = 3_600_000;
/// The height of the picture in its own units, and of the tallest bar in it.
const HEIGHT: u64 = 1_000;
const BAR_HEIGHT: u64 = 960;
/// The least height of what is not nothing, so that one refusal among thousands is still seen.
const PART_HEIGHT_LEAST: u64 = 12;
/// How wide an hour is, and the bar in it.
const HOUR_WIDTH: usize = 10;
const BAR_WIDTH: usize = 7;
/// A moment is written below every so many hours.
const HOURS_BETWEEN_MARKS: usize = 6;

/// What the calls of one hour came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hour {
    pub(crate) at: Timestamp,
    pub(crate) calls: Calls,
}

impl Hour {
    /// As a clock shows it.
    fn clock(&self) -> String {
        format!("{:02}:00", self.at.as_seconds().div_euclid(3_600).rem_euclid(24))
    }
}

/// The beginning of the first hour that a picture made at `now` shows.
pub(crate) fn begins_at(now: Timestamp) -> Timestamp {
    let hours = i64::try_from(HOURS).unwrap_or_default() - 1;
    Timestamp::from_millis((now.as_millis().div_euclid(HOUR_MILLISECONDS) - hours) * HOUR_MILLISECONDS)
}

/// The hours up to `now`, from what each shorter step came to; the steps may be of several agents, in any order.
pub(crate) fn hours(steps: &[(Timestamp, Calls)], now: Timestamp) -> Vec<Hour> {
    let first = begins_at(now);
    let at = |nth: usize| first.plus_seconds(3_600 * nth as u64);
    let mut hours: Vec<Hour> = (0..HOURS).map(|nth| Hour { at: at(nth), calls: Calls::default() }).collect();
    for (at, calls) in steps.iter().filter(|(at, _)| *at >= first) {
        let nth = usize::try_from(at.millis_since(first) / HOUR_MILLISECONDS.unsigned_abs()).unwrap_or(HOURS);
        if let Some(hour) = hours.get_mut(nth) {
            hour.calls = hour.calls.and(*calls);
        }
    }
    hours
}

/// The picture.
pub(crate) fn picture(hours: &[Hour]) -> Markup {
    let most = hours.iter().map(|hour| hour.calls.total()).max().unwrap_or_default();
    let width = hours.len() * HOUR_WIDTH;
    html! {
        figure .picture {
            figcaption .legend {
                span .good { "allowed" } span .waits { "asked" } span .bad { "refused" }
                @if most > 0 { span .scale { "the tallest bar is " (counted(most, "call")) } }
            }
            svg .bars role="img" aria-label=(summary(hours)) viewBox={ "0 0 " (width) " " (HEIGHT) } preserveAspectRatio="none" {
                @for (nth, hour) in hours.iter().enumerate() { (bar(nth * HOUR_WIDTH, hour, most)) }
                line .axis x1="0" y1=(HEIGHT) x2=(width) y2=(HEIGHT) {}
            }
            div .marks aria-hidden="true" {
                @for hour in hours.iter().step_by(HOURS_BETWEEN_MARKS) { span { (hour.clock()) } }
                span { "now" }
            }
        }
    }
}

fn bar(left: usize, hour: &Hour, most: u64) -> Markup {
    let Calls { allowed, asked, denied } = hour.calls;
    let height = |calls: u64| match calls {
        0 => 0,
        _ => (calls.saturating_mul(BAR_HEIGHT) / most.max(1)).max(PART_HEIGHT_LEAST),
    };
    // From the ground up; what is refused lies on top.
    let parts = [("good", height(allowed)), ("waits", height(asked)), ("bad", height(denied))];
    let below = |place: usize| parts.iter().take(place + 1).map(|(_, height)| height).sum::<u64>();
    html! {
        g {
            title { (hour.clock()) ": " (in_words(hour.calls)) }
            rect .hour x=(left) y="0" width=(HOUR_WIDTH) height=(HEIGHT) {}
            @for (place, (class, height)) in parts.iter().enumerate() {
                @if *height > 0 {
                    rect .(class) x=(left + 1) y=(HEIGHT.saturating_sub(below(place))) width=(BAR_WIDTH) height=(height) {}
                }
            }
        }
    }
}

/// The same as the picture, as a table of the hours in which anything was called, the latest first.
pub(crate) fn table(hours: &[Hour]) -> Markup {
    let busy: Vec<&Hour> = hours.iter().rev().filter(|hour| hour.calls.total() > 0).collect();
    html! {
        details {
            summary { "The same as a table" }
            @if busy.is_empty() { p .quiet { "No hour has a call." } } @else {
                div .scroll {
                    table .list {
                        thead { tr { th { "Hour (UTC)" } th .number { "Allowed" } th .number { "Asked" } th .number { "Refused" } } }
                        tbody {
                            @for hour in busy {
                                tr {
                                    th scope="row" { time datetime=(hour.at) title=(hour.at) { (hour.clock()) } }
                                    td .number { (hour.calls.allowed) }
                                    td .number { (hour.calls.asked) }
                                    td .number { (hour.calls.denied) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// What the picture shows, in a sentence or two.
pub(crate) fn summary(hours: &[Hour]) -> String {
    let all = hours.iter().fold(Calls::default(), |all, hour| all.and(hour.calls));
    let busiest = hours.iter().filter(|hour| hour.calls.total() > 0).max_by_key(|hour| hour.calls.total());
    let Some(busiest) = busiest else { return format!("No calls in the last {} hours.", hours.len()) };
    let most = counted(busiest.calls.total(), "call");
    format!(
        "In the last {} hours: {}. The busiest hour began at {} UTC, with {most}.",
        hours.len(),
        in_words(all),
        busiest.clock()
    )
}

fn in_words(calls: Calls) -> String {
    match calls.total() {
        0 => "no calls".to_owned(),
        total => {
            let Calls { allowed, asked, denied } = calls;
            format!("{}, {allowed} allowed, {asked} asked, {denied} refused", counted(total, "call"))
        }
    }
}

fn counted(count: u64, of: &str) -> String {
    if count == 1 { format!("1 {of}") } else { format!("{count} {of}s") }
}
