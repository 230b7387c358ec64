//! Tests of what counts as a credential.

use remit_testkit::Authenticator;
use serde_json::{Value, json};

use super::{assertion, registration};
use crate::limits;

fn made() -> (Value, Value) {
    let mut authenticator = Authenticator::new("http://localhost", "localhost");
    let options = json!({"challenge": "AAAA"});
    (authenticator.create(&options), authenticator.get(&options))
}

#[test]
fn what_a_browser_writes_is_read() {
    let (mut new, mut shown) = made();
    // Members of level 3 that nothing is taken from.
    for credential in [&mut new, &mut shown] {
        credential["authenticatorAttachment"] = json!("platform");
        credential["response"]["userHandle"] = Value::Null;
    }
    new["response"]["transports"] = json!(["internal"]);
    assert_eq!(registration(&new.to_string()).unwrap().credential, new["id"]);
    assert_eq!(assertion(&shown.to_string()).unwrap().credential, shown["id"]);
    assert!(registration(&shown.to_string()).is_err(), "one is not the other");
    assert!(assertion(&new.to_string()).is_err());
}

#[test]
fn what_could_be_read_in_two_ways_is_refused() {
    let (_, shown) = made();
    let text = shown.to_string();
    let repeated = text.replacen('{', "{\"id\":\"AAAA\",", 1);
    assert!(assertion(&repeated).is_err(), "named twice");
    let inside = text.replacen("\"signature\":", "\"signature\":\"AAAA\",\"signature\":", 1);
    assert!(assertion(&inside).is_err(), "named twice inside");
    let mut two = shown.clone();
    two["rawId"] = json!("AAAA");
    assert!(assertion(&two.to_string()).is_err(), "two ids");
    assert!(assertion(&format!("{text} {text}")).is_err());
}

#[test]
fn what_is_missing_or_of_another_kind_is_refused() {
    let (_, shown) = made();
    for pointer in ["type", "id", "rawId", "response"] {
        for value in [None, Some(Value::Null), Some(json!(7)), Some(json!("?=")), Some(json!(""))] {
            let mut wrong = shown.clone();
            let members = wrong.as_object_mut().unwrap();
            match value {
                None => drop(members.remove(pointer)),
                Some(value) => drop(members.insert(pointer.to_owned(), value)),
            }
            assert!(assertion(&wrong.to_string()).is_err(), "{pointer} {wrong}");
        }
    }
    for pointer in ["clientDataJSON", "authenticatorData", "signature"] {
        for value in [Value::Null, json!(7), json!("a+b/"), json!("AA==")] {
            let mut wrong = shown.clone();
            wrong["response"][pointer] = value;
            assert!(assertion(&wrong.to_string()).is_err(), "{pointer}");
        }
    }
    for text in ["", "{}", "[]", "null", "7", "\"\""] {
        assert!(assertion(text).is_err(), "{text}");
    }
    assert!(assertion(&" ".repeat(limits::CREDENTIAL_JSON_BYTES_MAX + 1)).is_err());
}
