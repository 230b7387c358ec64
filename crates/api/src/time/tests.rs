use super::parse;

#[test]
fn a_time_is_read_as_people_write_it() {
    let time = parse("2026-03-01T12:00:00+01:00").unwrap();
    assert_eq!(time.to_string(), "2026-03-01T11:00:00.000Z");
}

#[test]
fn what_is_no_time_is_refused_with_an_example() {
    for text in ["", "tomorrow", "2026-03-01", "1700000000", "2026-13-01T00:00:00Z"] {
        let refusal = parse(text).unwrap_err();
        assert_eq!(refusal.code, "bad_time", "{text}");
        assert!(refusal.help.unwrap().contains("2026-03-01T12:00:00Z"));
    }
}
