//! Tests of what a ceremony's id is worth. What it is worth to the engine is in the crate's tests.

use remit_domain::{Moment, PersonId, Timestamp};

use super::{Ceremonies, Purpose};
use crate::limits;

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

fn person(nth: u128) -> PersonId {
    Moment::new(NOW, nth).fresh_id()
}

#[test]
fn it_is_known_for_its_purpose_and_time_alone() {
    let ceremonies = Ceremonies::generate(NOW).unwrap();
    let (ana, bob) = (person(1), person(2));
    let (id, _) = ceremonies.begin(Purpose::StepUp(ana), NOW).unwrap();
    assert!(ceremonies.find(&id, Purpose::StepUp(ana), NOW).is_ok());
    for purpose in [Purpose::SignIn, Purpose::Enrol(ana), Purpose::StepUp(bob)] {
        assert!(ceremonies.find(&id, purpose, NOW).is_err(), "{purpose:?}");
    }
    let last = NOW.plus_seconds(limits::CEREMONY_SECONDS - 1);
    assert!(ceremonies.find(&id, Purpose::StepUp(ana), last).is_ok());
    assert!(ceremonies.find(&id, Purpose::StepUp(ana), last.plus_seconds(1)).is_err());
}

#[test]
fn another_process_does_not_know_it() {
    let (one, other) = (Ceremonies::generate(NOW).unwrap(), Ceremonies::generate(NOW).unwrap());
    let (id, _) = one.begin(Purpose::SignIn, NOW).unwrap();
    assert!(other.find(&id, Purpose::SignIn, NOW).is_err());
}

#[test]
fn what_it_says_cannot_be_changed() {
    let ceremonies = Ceremonies::generate(NOW).unwrap();
    let (id, challenge) = ceremonies.begin(Purpose::SignIn, NOW).unwrap();
    let later = id.replacen("18", "19", 1);
    let another = id.replacen(&challenge, &challenge.replace(['a', 'b', 'c', 'd', 'e', 'f'], "A"), 1);
    for forged in [later.as_str(), &format!("{id}.x"), &format!("{id}x"), another.as_str()] {
        assert_eq!(ceremonies.find(forged, Purpose::SignIn, NOW).is_ok(), forged == id, "{forged}");
    }
}

#[test]
fn it_is_used_up_once() {
    let ceremonies = Ceremonies::generate(NOW).unwrap();
    let (id, _) = ceremonies.begin(Purpose::SignIn, NOW).unwrap();
    let begun = ceremonies.find(&id, Purpose::SignIn, NOW).unwrap();
    assert!(ceremonies.use_up(&begun, person(1), NOW).is_ok());
    assert!(ceremonies.use_up(&begun, person(1), NOW).is_err());
}
