use std::collections::BTreeMap;

use remit_domain::{Moment, Timestamp};
use remit_engine::{ReplayReport, ShadowReport};

use super::verdict::{Reach, Verdict};
use crate::limits;

/// So many actions, all answered as they were.
fn alike(actions: u64) -> ReplayReport {
    ReplayReport { records: actions, attempts: actions, same: actions, ..ReplayReport::default() }
}

fn shadow(seconds: u64, report: ReplayReport, other_edits: usize) -> ShadowReport {
    let since = Timestamp::from_millis(1_800_000_000_000);
    ShadowReport {
        change: Moment::new(since, 0).fresh_id(),
        since,
        until: since.plus_seconds(seconds),
        running: false,
        ended: Some("it was ended".to_owned()),
        other_edits,
        report,
        last: Vec::new(),
    }
}

#[test]
fn a_replay_of_a_chosen_time_is_recorded_apart_and_never_passes() {
    let whole = Verdict::of_replay(&alike(7), Reach::Everything, 0);
    assert_eq!((whole.check, whole.passed, whole.sentence), ("replay", true, alike(7).sentence()));
    let part = Verdict::of_replay(&alike(7), Reach::Chosen, 0);
    assert_eq!((part.check, part.passed), ("replay-part", false));
    assert!(part.sentence.ends_with("; only the chosen time was tried"), "{}", part.sentence);
}

#[test]
fn what_is_no_policy_was_not_tried() {
    for (other_edits, words) in [(1, "; 1 other edit was not tried"), (3, "; 3 other edits were not tried")] {
        let long = shadow(limits::SHADOW_SECONDS_MIN, alike(7), other_edits);
        for verdict in [Verdict::of_replay(&alike(7), Reach::Everything, other_edits), Verdict::of_shadow(&long)] {
            assert!(!verdict.passed && verdict.sentence.ends_with(words), "{verdict:?}");
        }
    }
}

#[test]
fn a_shadow_says_its_time_and_passes_only_after_enough_of_it() {
    let (hour, many) = (limits::SHADOW_SECONDS_MIN, limits::SHADOW_ACTIONS_MIN);
    for (seconds, actions, passes) in
        [(hour, 1, true), (1, many, true), (hour - 1, many - 1, false), (0, 0, false), (hour, 0, false)]
    {
        let verdict = Verdict::of_shadow(&shadow(seconds, alike(actions), 0));
        assert_eq!((verdict.check, verdict.passed), ("shadow", passes), "{seconds} s, {actions} actions");
        let is_short = seconds < hour && actions < many;
        assert_eq!(verdict.sentence.contains(", too short to say: of "), is_short, "{}", verdict.sentence);
        assert!(verdict.sentence.starts_with("ran from 2027-01-15T08:00:00.000Z to 2027-01-15T0"), "{verdict:?}");
    }
    let refused = ReplayReport {
        attempts: many,
        kept: BTreeMap::from([("task_ended".to_owned(), many)]),
        ..ReplayReport::default()
    };
    assert!(
        Verdict::of_shadow(&shadow(1, refused, 0)).sentence.contains("too short"),
        "no policy was asked about these"
    );
}
