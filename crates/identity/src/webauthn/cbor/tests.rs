use super::*;

fn bytes(hex: &str) -> Vec<u8> {
    let hex: String = hex.split_whitespace().collect();
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

fn read(hex: &str) -> Option<Cbor> {
    parse(&bytes(hex))
}

#[test]
fn the_examples_of_rfc_8949_appendix_a_that_authenticators_write_are_read() {
    for (hex, value) in [
        ("00", Cbor::Integer(0)),
        ("17", Cbor::Integer(23)),
        ("1818", Cbor::Integer(24)),
        ("1903e8", Cbor::Integer(1_000)),
        ("1a000f4240", Cbor::Integer(1_000_000)),
        ("1b000000e8d4a51000", Cbor::Integer(1_000_000_000_000)),
        ("20", Cbor::Integer(-1)),
        ("3903e7", Cbor::Integer(-1_000)),
        ("f4", Cbor::Bool(false)),
        ("f5", Cbor::Bool(true)),
        ("f6", Cbor::Null),
        ("40", Cbor::Bytes(Vec::new())),
        ("4401020304", Cbor::Bytes(vec![1, 2, 3, 4])),
        ("6161", Cbor::Text("a".to_owned())),
        ("62c3bc", Cbor::Text("ü".to_owned())),
        ("80", Cbor::Array(Vec::new())),
        ("83010203", Cbor::Array(vec![Cbor::Integer(1), Cbor::Integer(2), Cbor::Integer(3)])),
        ("a0", Cbor::Map(Vec::new())),
        ("a201020304", Cbor::Map(vec![(Cbor::Integer(1), Cbor::Integer(2)), (Cbor::Integer(3), Cbor::Integer(4))])),
    ] {
        assert_eq!(read(hex), Some(value), "{hex}");
    }
}

#[test]
fn what_could_be_read_in_two_ways_is_refused() {
    for (hex, why) in [
        ("", "nothing"),
        ("0000", "something after it"),
        ("1817", "a number that could be shorter"),
        ("190017", "a number that could be shorter"),
        ("1a0000ffff", "a number that could be shorter"),
        ("1b00000000ffffffff", "a number that could be shorter"),
        ("5801ff", "a length that could be shorter"),
        ("1bffffffffffffffff", "a number beyond what is counted with"),
        ("3bffffffffffffffff", "a number beyond what is counted with"),
        ("a201020103", "a key twice"),
        ("a2616101616102", "a key twice"),
        ("a2810100810101", "a key twice"),
        ("61ff", "no text"),
        ("c000", "a tag"),
        ("f90000", "a floating point number"),
        ("fb3ff199999999999a", "a floating point number"),
        ("f7", "undefined"),
        ("f818", "a simple value"),
        ("f814", "`false`, written at length"),
        ("1c", "a reserved length"),
        ("5f4101ff", "bytes of indefinite length"),
        ("7f6161ff", "text of indefinite length"),
        ("9f01ff", "a list of indefinite length"),
        ("bf0102ff", "a map of indefinite length"),
        ("ff", "an end without a beginning"),
    ] {
        assert_eq!(read(hex), None, "{why}: {hex}");
    }
}

#[test]
fn lengths_that_nothing_follows_cost_nothing() {
    for hex in ["5bffffffffffffffff", "7b7fffffffffffffff", "9bffffffffffffffff", "bbffffffffffffffff", "5affffffff00"]
    {
        assert_eq!(read(hex), None, "{hex}");
    }
}

#[test]
fn depth_and_number_are_limited() {
    let nested = |depth: usize| [vec![0x81; depth], vec![0x00]].concat();
    assert!(parse(&nested(limits::CBOR_DEPTH_MAX)).is_some());
    assert!(parse(&nested(limits::CBOR_DEPTH_MAX + 1)).is_none());
    assert!(parse(&nested(100_000)).is_none());
    let list =
        |count: usize| [[0x99].as_slice(), &u16::try_from(count).unwrap().to_be_bytes(), &vec![0; count]].concat();
    assert!(parse(&list(limits::CBOR_VALUES_MAX - 1)).is_some());
    assert!(parse(&list(limits::CBOR_VALUES_MAX)).is_none());
}

#[test]
fn every_truncation_is_refused() {
    let whole = bytes("a3 63666d74 646e6f6e65 6761747453746d74 a0 686175746844617461 4401020304");
    assert!(parse(&whole).is_some());
    for length in 0..whole.len() {
        assert_eq!(parse(&whole[..length]), None, "{length}");
    }
}

#[test]
fn a_value_is_found_by_its_key_and_by_its_kind_only() {
    let map = read("a3 01 02 20 6161 6161 4101").unwrap();
    assert_eq!(map.at(1).and_then(Cbor::integer), Some(2));
    assert_eq!(map.at(-1).and_then(Cbor::text), Some("a"));
    assert_eq!(map.named("a").and_then(Cbor::bytes), Some([1].as_slice()));
    assert_eq!(map.at(2), None);
    assert_eq!(map.named("b"), None);
    assert_eq!(map.at(1).and_then(Cbor::text), None);
    assert_eq!(map.at(1).and_then(|value| value.at(1)), None);
    assert_eq!(map.at(1).and_then(Cbor::bytes), None);
    assert_eq!(map.at(-1).and_then(Cbor::integer), None);
    assert_eq!(map.at(-1).and_then(|value| value.named("a")), None);
}
