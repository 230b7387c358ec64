//! Tests of who waits, and who never does.

use std::net::IpAddr;

use remit_domain::Timestamp;
use remit_identity::webauthn::WebauthnError;

use super::{Origin, Pace};
use crate::{PeopleError, limits};

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

fn origin(address: &str) -> Option<Origin> {
    Origin::of(Some(address.parse::<IpAddr>().unwrap()))
}

fn failure() -> Result<(), PeopleError> {
    Err(PeopleError::Passkey(WebauthnError::Signature))
}

/// Fails so often, each time after the wait.
fn fail(pace: &Pace, origin: Option<Origin>, times: u32) {
    for _ in 0..times {
        let known = origin.and_then(|origin| pace.0.lock().unwrap().get(&origin).copied());
        let at = NOW.max(known.map_or(NOW, |failures| failures.last.plus_seconds(failures.wait_seconds())));
        assert!(matches!(pace.count(origin, failure(), at), Err(PeopleError::Passkey(_))));
    }
}

/// For how long whoever fails there now waits.
fn waits(pace: &Pace, origin: Option<Origin>, now: Timestamp) -> Option<u64> {
    let known = origin.and_then(|origin| pace.0.lock().unwrap().get(&origin).copied());
    known.map(|failures| failures.left_seconds(now)).filter(|seconds| *seconds > 0)
}

#[test]
fn one_network_counts_as_one() {
    assert_eq!(origin("2001:db8:1:2::1"), origin("2001:db8:1:2:ffff::9"));
    assert_ne!(origin("2001:db8:1:2::1"), origin("2001:db8:1:3::1"));
    assert_eq!(origin("::ffff:192.0.2.7"), origin("192.0.2.7"), "one address in two forms");
}

#[test]
fn this_machine_never_waits() {
    let pace = Pace::default();
    for address in ["127.0.0.1", "::1", "::ffff:127.0.0.1"] {
        fail(&pace, origin(address), 1_000);
        assert_eq!(waits(&pace, origin(address), NOW), None, "{address}");
    }
    assert_eq!(waits(&pace, Origin::of(None), NOW), None);
}

#[test]
fn the_wait_grows_to_its_bound_and_ends() {
    let pace = Pace::default();
    let far = origin("192.0.2.7");
    fail(&pace, far, limits::FAILURES_FREE - 1);
    assert_eq!(waits(&pace, far, NOW), None);
    fail(&pace, far, 1);
    assert!(matches!(pace.count(far, failure(), NOW), Err(PeopleError::Wait { seconds: 1 })));
    assert_eq!(waits(&pace, far, NOW.plus_seconds(1)), None, "a failure during the wait makes it no longer");
    fail(&pace, far, 20);
    let last = pace.0.lock().unwrap()[&far.unwrap()].last;
    assert_eq!(waits(&pace, far, last), Some(limits::WAIT_SECONDS_MAX));
    assert_eq!(waits(&pace, far, last.plus_seconds(limits::WAIT_SECONDS_MAX)), None);
    assert_eq!(waits(&pace, origin("192.0.2.8"), last), None, "nobody else waits");
}

#[test]
fn what_is_right_counts_at_once_and_begins_anew() {
    let pace = Pace::default();
    let far = origin("192.0.2.7");
    fail(&pace, far, limits::FAILURES_FREE + 3);
    let last = pace.0.lock().unwrap()[&far.unwrap()].last;
    assert!(waits(&pace, far, last).is_some());
    assert!(pace.count(far, Ok(()), last).is_ok(), "whoever proves who they are does not wait");
    assert_eq!(waits(&pace, far, last), None);
}

#[test]
fn what_the_realm_refuses_is_no_failure() {
    let pace = Pace::default();
    let far = origin("192.0.2.7");
    for _ in 0..100 {
        let refused: Result<(), PeopleError> = Err(remit_domain::Refusal::new("step_up_needed", "no").into());
        assert!(pace.count(far, refused, NOW).is_err());
    }
    assert_eq!(waits(&pace, far, NOW), None);
}

#[test]
fn many_origins_take_bounded_memory() {
    let pace = Pace::default();
    for nth in 0..=u32::try_from(limits::FAILURES_KEPT_MAX).unwrap() {
        fail(&pace, Origin::of(Some(IpAddr::V4((0x0a00_0000 + nth).into()))), 1);
    }
    assert_eq!(pace.0.lock().unwrap().len(), limits::FAILURES_KEPT_MAX);
}
