use serde::Deserialize;

use super::{is_json, read};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Note {
    #[serde(default)]
    note: String,
}

#[test]
fn nothing_is_an_empty_object() {
    assert_eq!(read::<Note>(b"").unwrap().note, "");
}

#[test]
fn what_has_two_meanings_or_none_is_refused() {
    for bytes in
        [&br#"{"note":"a","note":"b"}"#[..], br#"{"note":1}"#, br#"{"other":1}"#, b"[]", b"{", b"\xff", b"{} {}"]
    {
        assert_eq!(read::<Note>(bytes).unwrap_err().code, "bad_request");
    }
}

#[test]
fn only_json_is_json() {
    assert!(is_json("application/json; charset=utf-8"));
    assert!(!is_json("text/plain"));
    assert!(!is_json("application/x-www-form-urlencoded"));
}
