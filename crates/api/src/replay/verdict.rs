//! What trying a proposal came to: the check that it is recorded as, whether that passed, and the sentence about it.

use remit_engine::{ReplayReport, ShadowReport};

use crate::limits;

/// A replay of everything that is on record.
const REPLAY: &str = "replay";
/// A replay of a time that somebody chose. It has a name of its own, so that it never stands in the place of one of everything.
const REPLAY_PART: &str = "replay-part";
const SHADOW: &str = "shadow";

/// Which time a replay was about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    Everything,
    /// From a moment on, up to one, or both, as somebody chose.
    Chosen,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Verdict {
    pub check: &'static str,
    pub passed: bool,
    pub sentence: String,
}

impl Verdict {
    /// Whoever chooses the time may choose a quiet one: what is tried on that passes nothing.
    pub fn of_replay(report: &ReplayReport, reach: Reach, other_edits: usize) -> Self {
        let (check, of_time) = match reach {
            Reach::Everything => (REPLAY, ""),
            Reach::Chosen => (REPLAY_PART, "; only the chosen time was tried"),
        };
        Self {
            check,
            passed: reach == Reach::Everything && other_edits == 0 && report.passed(),
            sentence: format!("{}{of_time}{}", report.sentence(), untried(other_edits)),
        }
    }

    /// Whoever ends a shadow chooses its time as well: it passes nothing before it has seen enough.
    pub fn of_shadow(shadow: &ShadowReport) -> Self {
        let ShadowReport { since, until, report, other_edits, .. } = shadow;
        let is_long = until.millis_since(*since) >= limits::SHADOW_SECONDS_MIN * 1_000;
        let has_seen_enough = is_long || report.same + report.different >= limits::SHADOW_ACTIONS_MIN;
        let short = if has_seen_enough { "" } else { ", too short to say" };
        Self {
            check: SHADOW,
            passed: has_seen_enough && *other_edits == 0 && report.passed(),
            sentence: format!("ran from {since} to {until}{short}: {}{}", report.sentence(), untried(*other_edits)),
        }
    }
}

/// Only policies can be tried on calls.
fn untried(other_edits: usize) -> String {
    match other_edits {
        0 => String::new(),
        1 => "; 1 other edit was not tried".to_owned(),
        count => format!("; {count} other edits were not tried"),
    }
}
