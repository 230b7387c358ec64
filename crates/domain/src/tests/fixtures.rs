//! Events are for ever: one line of each kind as it was first written, which every later version must read.
//!
//! INVARIANT: a line of `fixtures/events.jsonl` is never edited or removed. What a newer version writes gets a line of its own.

use crate::{Event, State, Timestamp};

pub(crate) const LINES: &str = include_str!("fixtures/events.jsonl");

/// Names every kind of event once; a kind that is missing here does not compile.
macro_rules! variants {
    ($($name:ident)*) => {
        pub(crate) const VARIANTS: &[&str] = &[$(stringify!($name)),*];

        pub(crate) fn variant(event: &Event) -> &'static str {
            match event {
                $(Event::$name { .. } => stringify!($name),)*
            }
        }
    };
}

#[rustfmt::skip]
variants! {
    RealmCreated
    PersonAdded PersonGroupsSet PersonRemoved SignInOffered SessionOpened SessionEnded
    SessionRaised PasskeyEnrolled PasskeyRemoved AbsenceSet
    AgentRegistered AgentDescribed AgentActivated AgentSuspended AgentResumed AgentDecommissioned
    EnrolmentOffered AgentKeyEnrolled AgentKeyRevoked
    WorkloadBound WorkloadUnbound WorkloadArrived LaunchAttested SvidIssued
    LegacyAccountOpened LegacyAccountClosed FindingOpened FindingClosed PersonLinked SignalReceived Enforced
    ConnectorAdded ConnectorRemoved OperationApproved OperationWithdrawn
    GrantRequested GrantRequestDenied GrantGiven GrantRevoked GrantExpired
    TaskStarted TokenIssued TaskEnded RunRevoked TokenRevoked
    ClientRegistered ClientRemoved AuthorizationConsented AuthorizationRedeemed CodeReused RefreshRotated RefreshReused
    ActionAllowed ActionDenied OutcomeRecorded
    ApprovalRequested ApprovalShown ApprovalVoted ApprovalGranted ApprovalDenied ApprovalExpired
    PolicyProposed PolicyActivated PolicyRejected
    ChangeProposed EditProposed ChangeApproved ChangeRejected ChangeReviewed ChangeChecked PersonEntitled ConfigurationApproved
    KeyRotated RealmKeyStepped ContentRead ContentErased Recovered
}

pub(crate) fn events() -> impl Iterator<Item = (&'static str, Event)> {
    LINES.lines().map(|line| (line, serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in {line}"))))
}

#[test]
fn every_event_ever_written_reads_and_writes_as_it_was() {
    for (line, event) in events() {
        assert_eq!(serde_json::to_string(&event).unwrap(), line);
    }
}

#[test]
fn every_kind_of_event_has_a_line() {
    let written: Vec<&str> = events().map(|(_, event)| variant(&event)).collect();
    for kind in VARIANTS {
        assert!(written.contains(kind), "`{kind}` has no line in fixtures/events.jsonl: add one as it is written now");
    }
    assert!(LINES.lines().all(|line| line.starts_with("{\"type\":\"")), "the kind stands first in a line");
}

#[test]
fn what_was_approved_is_the_same_action_for_ever() {
    let digests = events().filter_map(|(_, event)| match event {
        Event::ActionAllowed(allowed) => Some((allowed.digest, allowed.facts.digest())),
        Event::ApprovalRequested(requested) => Some((requested.digest, requested.facts.digest())),
        _ => None,
    });
    for (written, now) in digests {
        assert_eq!(written, now);
    }
}

#[test]
fn the_lines_fold_into_a_state() {
    let mut state = State::default();
    for (at, (_, event)) in events().enumerate() {
        state.apply(&event, Timestamp::from_millis(1_800_000_000_000 + at as i64));
    }
    assert!(state.realm.is_some());
}
