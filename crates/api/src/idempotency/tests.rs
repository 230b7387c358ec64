use http::StatusCode;
use remit_domain::{Digest, Id, PersonId, Timestamp};

use super::{Answered, Kept, Slot, Turn};
use crate::limits;

fn slot(key: &str) -> Slot {
    let person: PersonId =
        "prs_00000000000000000000000001".parse().unwrap_or_else(|_| Id::from_uuid(Default::default()));
    (person, key.to_owned())
}

fn kept() -> Kept {
    Kept { status: StatusCode::OK, content_type: None, body: "{}".into() }
}

fn at(seconds: u64) -> Timestamp {
    Timestamp::default().plus_seconds(seconds)
}

#[test]
fn the_same_request_happens_once() {
    let (mut answered, request) = (Answered::default(), Digest::of_bytes(b"one"));
    assert!(matches!(answered.begin(&slot("k"), request, at(0)), Turn::First));
    assert!(matches!(answered.begin(&slot("k"), request, at(1)), Turn::Running));
    answered.finish(&slot("k"), Some(kept()));
    assert!(matches!(answered.begin(&slot("k"), request, at(2)), Turn::Again(_)));
    assert!(matches!(answered.begin(&slot("k"), Digest::of_bytes(b"two"), at(3)), Turn::Misused));
    assert!(matches!(answered.begin(&slot("k"), request, at(limits::IDEMPOTENCY_SECONDS)), Turn::First));
}

#[test]
fn what_failed_may_be_tried_again() {
    let (mut answered, request) = (Answered::default(), Digest::of_bytes(b"one"));
    assert!(matches!(answered.begin(&slot("k"), request, at(0)), Turn::First));
    answered.finish(&slot("k"), None);
    assert!(matches!(answered.begin(&slot("k"), request, at(1)), Turn::First));
}

#[test]
fn memory_is_bounded() {
    let mut answered = Answered::default();
    for key in 0..limits::IDEMPOTENCY_ENTRIES_MAX * 2 {
        assert!(matches!(answered.begin(&slot(&key.to_string()), Digest::of_bytes(b"one"), at(0)), Turn::First));
    }
    assert!(answered.entries.len() <= limits::IDEMPOTENCY_ENTRIES_MAX);
    assert_eq!(answered.entries.len(), answered.order.len());
}
