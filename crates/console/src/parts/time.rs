//! Times as people say them, exact when pointed at.

use maud::{Markup, html};
use remit_domain::{Refusal, Timestamp};

#[cfg(test)]
mod tests;

/// Bytes of a day as a browser writes it: `2026-03-01`.
const DAY_BYTES: usize = 10;

/// The day of a moment, in UTC, as a browser writes it.
pub(crate) fn day(at: Timestamp) -> String {
    at.to_string().chars().take(DAY_BYTES).collect()
}

/// The first moment of a day, in UTC.
///
/// # Errors
/// If it is not a day as a browser writes it.
pub(crate) fn midnight(day: &str) -> Result<Timestamp, Refusal> {
    let day = day.trim();
    let bad = || {
        let shown: String = day.chars().take(DAY_BYTES).collect();
        Refusal::new("bad_date", format!("`{shown}` is not a day")).help("write it like `2026-03-01`")
    };
    if day.len() != DAY_BYTES {
        return Err(bad());
    }
    let time: jiff::Timestamp = format!("{day}T00:00:00Z").parse().map_err(|_| bad())?;
    Ok(Timestamp::from_millis(time.as_millisecond()))
}

/// When something was or will be, seen from `now`.
pub(crate) fn moment(at: Timestamp, now: Timestamp) -> Markup {
    stamp(at, &relative(at, now))
}

/// How long something still lives, or that it is over.
pub(crate) fn remaining(until: Timestamp, now: Timestamp) -> Markup {
    match until > now {
        true => stamp(until, &format!("{} left", span(until.millis_since(now)))),
        false => stamp(until, &format!("over since {}", span(now.millis_since(until)))),
    }
}

fn stamp(at: Timestamp, words: &str) -> Markup {
    html! { time datetime=(at) title=(at) { (words) } }
}

fn relative(at: Timestamp, now: Timestamp) -> String {
    let (past, future) = (now.millis_since(at), at.millis_since(now));
    match (past, future) {
        (0..2_000, 0) => "just now".to_owned(),
        (_, 0) => format!("{} ago", span(past)),
        _ => format!("in {}", span(future)),
    }
}

/// A length of time in its largest sensible unit, rounded down so that nothing seems to live longer than it does.
pub(crate) fn span(millis: u64) -> String {
    let seconds = millis / 1000;
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}
