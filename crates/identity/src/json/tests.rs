use proptest::prelude::*;
use serde_json::json;

use super::*;

#[test]
fn reads_every_kind_of_value() {
    let text = br#"{"a":null,"b":true,"c":-1,"d":18446744073709551615,"e":1.5,"f":"x","g":[1,{"h":2}]}"#;
    let members = Members::parse(text).unwrap();
    assert_eq!(members.value("g"), Some(&json!([1, {"h": 2}])));
    assert_eq!(members.value("d"), Some(&json!(u64::MAX)));
    assert_eq!(members.seconds("c"), Ok(-1));
    assert_eq!(members.text("f"), Ok("x"));
}

#[test]
fn refuses_repeated_members_at_any_depth() {
    for text in [r#"{"a":1,"a":1}"#, r#"{"a":{"b":1,"b":2}}"#, r#"{"a":[{"b":1,"b":2}]}"#, r#"{"a":1,"\u0061":2}"#] {
        assert_eq!(Members::parse(text.as_bytes()), Err(JsonError::NotJson), "{text}");
    }
}

#[test]
fn refuses_what_is_not_one_object() {
    assert_eq!(Members::parse(b"[]"), Err(JsonError::NotAnObject));
    for text in ["", "{", "{} {}", "{}x", "\u{feff}{}", r#"{"a":1e999}"#] {
        assert_eq!(Members::parse(text.as_bytes()), Err(JsonError::NotJson), "{text}");
    }
    let deep = format!("{}1{}", r#"{"a":"#.repeat(200), "}".repeat(200));
    assert_eq!(Members::parse(deep.as_bytes()), Err(JsonError::NotJson));
}

#[test]
fn members_have_types_and_lengths() {
    let long = "x".repeat(limits::MEMBER_BYTES_MAX + 1);
    let jti = "x".repeat(limits::JTI_BYTES_MAX + 1);
    let text = json!({"empty": "", "long": long, "number": 1.5, "list": ["a"], "jti": jti}).to_string();
    let members = Members::parse(text.as_bytes()).unwrap();
    assert_eq!(members.text("empty"), Err(JsonError::Length("empty")));
    assert_eq!(members.text("long"), Err(JsonError::Length("long")));
    assert_eq!(members.text("list"), Err(JsonError::NotText("list")));
    assert_eq!(members.text("none"), Err(JsonError::Missing("none")));
    assert_eq!(members.optional_text("none"), Ok(None));
    assert_eq!(members.seconds("number"), Err(JsonError::NotSeconds("number")));
    assert_eq!(members.jti(), Err(JsonError::Length("jti")));
    assert_eq!(members.optional_object("list"), Err(JsonError::NotObject("list")));
}

#[test]
fn lists_numbers_and_unknown_members_are_judged() {
    let members = Members::parse(br#"{"list":["a"],"none":[],"mixed":["a",1],"empty":[""],"n":3,"minus":-1}"#).unwrap();
    assert_eq!(members.optional_texts("list", 1), Ok(Some(vec!["a".to_owned()])));
    assert_eq!(members.optional_texts("absent", 1), Ok(None));
    assert_eq!(members.optional_texts("none", 1), Err(JsonError::Count("none")));
    assert_eq!(members.optional_texts("mixed", 1), Err(JsonError::Count("mixed")));
    assert_eq!(members.optional_texts("mixed", 2), Err(JsonError::NotList("mixed")));
    assert_eq!(members.optional_texts("empty", 2), Err(JsonError::NotList("empty")));
    assert_eq!(members.optional_texts("n", 2), Err(JsonError::NotList("n")));
    assert_eq!(members.optional_whole("n"), Ok(Some(3)));
    assert_eq!(members.optional_whole("minus"), Err(JsonError::NotWhole("minus")));
    assert_eq!(members.optional_seconds("absent"), Ok(None));
    assert_eq!(members.object("absent"), Err(JsonError::Missing("absent")));
    assert_eq!(members.only(&["list", "none", "mixed", "empty", "n"]), Err(JsonError::Unknown("minus".to_owned())));
    assert_eq!(Members::of(&json!([])), Err(JsonError::NotAnObject));
    assert_eq!(parse(b"[1]"), Ok(json!([1])));
    assert_eq!(parse(b"[1] 2"), Err(JsonError::NotJson));
    assert_eq!(parse(br#"[{"a":1,"a":1}]"#), Err(JsonError::NotJson));
}

proptest! {
    #[test]
    fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Members::parse(&bytes);
    }

    #[test]
    fn agrees_with_the_plain_reader(text in r#"[\[\]{}:,"a-c0-9. ]{0,24}"#) {
        if let Ok(Members(members)) = Members::parse(text.as_bytes()) {
            prop_assert_eq!(Value::Object(members), serde_json::from_str::<Value>(&text).unwrap());
        }
    }
}
