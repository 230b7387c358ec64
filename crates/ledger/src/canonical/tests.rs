use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn text(value: &Value) -> String {
    String::from_utf8(to_canonical(value).unwrap()).unwrap()
}

#[test]
fn the_sample_of_the_standard_comes_out_byte_for_byte() {
    // RFC 8785 section 3.2.2 and 3.2.3.
    let value: Value = serde_json::from_str(
        r#"{"numbers":[333333333.33333329,1E15,4.50,2e-3,0.000000000000000000000000001],
            "string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}"#,
    )
    .unwrap();
    assert_eq!(
        text(&value),
        r#"{"literals":[null,true,false],"numbers":[333333333.3333333,1000000000000000,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}"#
    );
}

#[test]
fn members_are_sorted_whatever_order_they_were_given_in() {
    assert_eq!(text(&json!({"b": 1, "a": {"d": 2, "c": [3, "x"]}})), r#"{"a":{"c":[3,"x"],"d":2},"b":1}"#);
}

#[test]
fn numbers_that_others_would_round_are_refused() {
    let max = 9_007_199_254_740_991_i64;
    assert_eq!(text(&json!([max, -max])), "[9007199254740991,-9007199254740991]");
    for outside in [
        json!({"a": max + 1}),
        json!([-max - 1]),
        json!(max + 2),
        json!(u64::MAX),
        json!(i64::MIN),
        json!(1e300),
        json!([0, {"deep": [1, 2, 1e21]}]),
    ] {
        let error = to_canonical(&outside).unwrap_err();
        assert!(matches!(error, CanonicalError::NumberOutside { .. }), "{outside}");
        assert_eq!(error.help(), "carry the number as a string");
    }
    assert!(to_canonical(&u128::MAX).is_err());
}

#[test]
fn digits_in_text_are_not_numbers() {
    let value = json!({"90071992547409920": "99999999999999999999", "q\"": "\\\"99999999999999999999", "e": "\\"});
    assert!(to_canonical(&value).is_ok());
    assert!(to_canonical(&json!(["\\\\\"", 1e300])).is_err());
}

#[test]
fn what_is_not_json_is_refused() {
    assert!(matches!(to_canonical(&f64::NAN), Err(CanonicalError::Unwritable(_))));
    assert_eq!(to_canonical(&[f64::INFINITY]).unwrap(), b"[null]", "as in all JSON that is written here");
    assert!(to_canonical(&BTreeMap::from([(vec![1], 1)])).is_err());
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-9_007_199_254_740_991_i64..=9_007_199_254_740_991).prop_map(Value::from),
        (-1e9f64..1e9).prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(".{0,6}", inner, 0..6).prop_map(|map| json!(map)),
        ]
    })
}

proptest! {
    #[test]
    fn the_canonical_form_is_its_own_canonical_form(value in any_json()) {
        let once = to_canonical(&value).unwrap();
        let read: Value = serde_json::from_slice(&once).unwrap();
        prop_assert_eq!(to_canonical(&read).unwrap(), once);
    }
}

/// Documents as records are: no fractions, names of all kinds, so that the quick writer takes most of them.
fn any_record() -> impl Strategy<Value = Value> {
    let names = prop_oneof!["[a-c]{0,3}", "[a-c\u{e9}\u{fb33}\u{1f600}\u{1}\"\\\\]{0,3}"];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(|number| Value::from(number >> 11)),
        any::<u64>().prop_map(Value::from),
        "[\u{0}-\u{20}a\"\\\\/\u{7f}\u{2028}\u{1f600}]{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(names.clone(), inner, 0..6).prop_map(|map| json!(map)),
        ]
    })
}

proptest! {
    #[test]
    fn both_writers_write_the_same(value in any_record()) {
        if let Some(bytes) = writer::write(&value) {
            prop_assert_eq!(bytes, slowly(&value).unwrap());
        }
    }
}

#[test]
fn records_are_written_quickly_and_the_rest_is_left_to_the_other_writer() {
    #[derive(Serialize)]
    struct Flat {
        z: u64,
        #[serde(flatten)]
        more: BTreeMap<&'static str, i8>,
    }
    let flat = Flat { z: 9_007_199_254_740_991, more: BTreeMap::from([("b", -7), ("a", 0)]) };
    assert_eq!(writer::write(&[&flat]).unwrap(), br#"[{"a":0,"b":-7,"z":9007199254740991}]"#);
    assert_eq!(writer::write(&json!({"ab": {}, "a": []})).unwrap(), br#"{"a":[],"ab":{}}"#);
    let twice = Flat { z: 0, more: BTreeMap::from([("z", 1)]) };
    assert!(writer::write(&twice).is_none());
    for strange in [json!([1.5]), json!([u64::MAX]), json!("text"), json!(1)] {
        assert!(writer::write(&strange).is_none(), "{strange}");
    }
}
