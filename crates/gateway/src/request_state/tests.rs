use remit_domain::{Moment, Timestamp};
use serde_json::json;

use super::*;

fn states() -> RequestStates {
    RequestStates { key: Kek::generate().unwrap(), used: Mutex::default() }
}

fn id<K: remit_domain::Kind>(seed: u128) -> remit_domain::Id<K> {
    Moment::new(Timestamp::from_millis(1), seed).fresh_id()
}

fn binding() -> Binding {
    Binding {
        agent: id(1),
        run: id(2),
        task: id(3),
        acting_for: Some(id(4)),
        operation: OperationName::new("desk", "refund"),
        definition: Some(Digest::of_bytes(b"definition")),
        arguments: Digest::of_bytes(b"arguments"),
        policies: Digest::of_bytes(b"policies"),
    }
}

fn continues() -> Continues {
    Continues::Upstream { state: "theirs".to_owned() }
}

#[test]
fn a_state_continues_its_own_request_once() {
    let states = states();
    let state = states.seal(binding(), continues(), 100).unwrap();
    assert_eq!(states.open(&state, &binding(), 101), Ok(continues()));
    assert_eq!(states.open(&state, &binding(), 101).unwrap_err().code, "state_used");
}

#[test]
fn each_difference_has_a_code_of_its_own() {
    let states = states();
    let state = states.seal(binding(), continues(), 100).unwrap();
    type Differ = fn(&mut Binding);
    let differing: [(&str, Differ); 8] = [
        ("state_other_agent", |binding| binding.agent = id(9)),
        ("state_other_run", |binding| binding.run = id(9)),
        ("state_other_task", |binding| binding.task = id(9)),
        ("state_other_person", |binding| binding.acting_for = None),
        ("state_other_operation", |binding| binding.operation = OperationName::new("desk", "pay")),
        ("state_other_definition", |binding| binding.definition = Some(Digest::of_bytes(b"rug pull"))),
        ("state_other_arguments", |binding| binding.arguments = Digest::of_bytes(b"more")),
        ("state_other_policies", |binding| binding.policies = Digest::of_bytes(b"later")),
    ];
    for (code, differ) in differing {
        let mut other = binding();
        differ(&mut other);
        assert_eq!(states.open(&state, &other, 101).unwrap_err().code, code);
    }
    let late = 100 + limits::REQUEST_STATE_SECONDS;
    assert_eq!(states.open(&state, &binding(), late).unwrap_err().code, "state_expired");
    // None of these has used it up.
    states.open(&state, &binding(), 101).unwrap();
}

#[test]
fn what_was_not_sealed_here_is_refused() {
    let states = states();
    let state = states.seal(binding(), continues(), 100).unwrap();
    let mut bytes = URL_SAFE_NO_PAD.decode(&state).unwrap();
    for place in 0..bytes.len() {
        bytes[place] ^= 1;
        let forged = URL_SAFE_NO_PAD.encode(&bytes);
        assert_eq!(states.open(&forged, &binding(), 101).unwrap_err().code, "state_forged");
        bytes[place] ^= 1;
    }
    for forged in ["", "=", "AAAA", &json!({"a": 1}).to_string()] {
        assert_eq!(states.open(forged, &binding(), 101).unwrap_err().code, "state_forged");
    }
    let elsewhere = RequestStates { key: Kek::generate().unwrap(), used: Mutex::default() };
    assert_eq!(elsewhere.open(&state, &binding(), 101).unwrap_err().code, "state_forged");
}
