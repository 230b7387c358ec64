use super::*;

/// One line of every kind of event that was ever written.
const EVENTS: &str = include_str!("../../../domain/src/tests/fixtures/events.jsonl");

#[test]
fn both_ways_of_reading_read_the_same() {
    for (index, line) in (0_u64..).zip(EVENTS.lines()) {
        let actor = r#"{"kind":"remit"}"#;
        let entry = format!(r#"{{"actor":{actor},"at":1800000000000,"event":{line},"seq":{index},"v":1}}"#);
        let read = Committed::parse_many(index, entry.as_bytes()).unwrap();
        assert_eq!(read, Committed::parse(index, entry.as_bytes()).unwrap(), "{line}");
        assert!(Committed::parse_many(index + 1, entry.as_bytes()).is_err());
    }
    assert!(Committed::parse_many(0, b"{}").is_err());
}
