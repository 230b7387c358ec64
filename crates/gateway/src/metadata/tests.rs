use super::*;

#[test]
fn only_what_could_be_a_connector_stands_in_a_header() {
    assert!(is_plain("desk-2"));
    for odd in ["", "a b", "a\"b", "a\r\nb", "a/b", "ä", &"x".repeat(limits::NAME_BYTES_MAX + 1)] {
        assert!(!is_plain(odd), "{odd:?}");
    }
}

#[test]
fn a_challenge_asks_for_what_is_behind_its_own_address() {
    assert_eq!(scope(&Door::One("desk".to_owned())).as_deref(), Some("desk/*"));
    assert_eq!(scope(&Door::All), None);
}
