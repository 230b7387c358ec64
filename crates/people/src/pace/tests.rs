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

fn fail(pace: &Pace, origin: Option<Origin>, times: u32) {
    for _ in 0..times {
        let failure: Result<(), _> = Err(PeopleError::Passkey(WebauthnError::Signature));
        assert!(pace.count(origin, failure, NOW).is_err());
    }
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
        assert!(pace.must_not_wait(origin(address), NOW).is_ok(), "{address}");
    }
    assert!(pace.must_not_wait(Origin::of(None), NOW).is_ok());
}

#[test]
fn the_wait_grows_to_its_bound_and_ends() {
    let pace = Pace::default();
    let far = origin("192.0.2.7");
    fail(&pace, far, limits::FAILURES_FREE - 1);
    assert!(pace.must_not_wait(far, NOW).is_ok());
    fail(&pace, far, 1);
    assert!(matches!(pace.must_not_wait(far, NOW), Err(PeopleError::Wait { seconds: 1 })));
    fail(&pace, far, 1_000);
    let waits = pace.must_not_wait(far, NOW);
    assert!(matches!(waits, Err(PeopleError::Wait { seconds: limits::WAIT_SECONDS_MAX })), "{waits:?}");
    assert!(pace.must_not_wait(far, NOW.plus_seconds(limits::WAIT_SECONDS_MAX)).is_ok());
    assert!(pace.must_not_wait(origin("192.0.2.8"), NOW).is_ok(), "nobody else waits");
    assert!(pace.count(far, Ok(()), NOW).is_ok());
    assert!(pace.must_not_wait(far, NOW).is_ok(), "whoever proved who they are begins anew");
}

#[test]
fn what_the_realm_refuses_is_no_failure() {
    let pace = Pace::default();
    let far = origin("192.0.2.7");
    for _ in 0..100 {
        let refused: Result<(), PeopleError> = Err(remit_domain::Refusal::new("step_up_needed", "no").into());
        assert!(pace.count(far, refused, NOW).is_err());
    }
    assert!(pace.must_not_wait(far, NOW).is_ok());
}

#[test]
fn many_origins_take_bounded_memory() {
    let pace = Pace::default();
    for nth in 0..=u32::try_from(limits::FAILURES_KEPT_MAX).unwrap() {
        fail(&pace, Origin::of(Some(IpAddr::V4((0x0a00_0000 + nth).into()))), 1);
    }
    assert_eq!(pace.0.lock().unwrap().len(), limits::FAILURES_KEPT_MAX);
}
