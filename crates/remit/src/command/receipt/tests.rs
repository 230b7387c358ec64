use std::fs;

use remit_identity::{SigningKey, receipt};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{NewFile, key_in, key_of, verify};
use crate::command::{Failure, Global, Output};

fn nowhere(directory: &TempDir) -> Global {
    Global { data: directory.path().join("no-data"), url: None, json: true }
}

fn refused(outcome: Result<(), Failure>) -> String {
    match outcome {
        Err(Failure::Refused(refusal)) => refusal.code,
        other => panic!("it was not refused: {other:?}"),
    }
}

#[tokio::test]
async fn a_receipt_verifies_without_a_server_by_the_right_keys_alone() {
    let (directory, output) = (TempDir::new().unwrap(), Output::new(true));
    let (own, other) = (SigningKey::generate().unwrap().0, SigningKey::generate().unwrap().0);
    let write = |name: &str, text: String| {
        let file = directory.path().join(name);
        fs::write(&file, text).unwrap();
        file
    };
    let set = |key: &SigningKey, kid: &str| {
        let mut jwk = key.public().to_value();
        jwk["kid"] = kid.into();
        json!({"keys": [jwk]}).to_string()
    };
    let signed = receipt::sign(&json!({"cause": {"seq": 3}}), &own).unwrap();
    let file = write("receipt", format!("{signed}\n"));
    let right = write("right", set(&own, own.kid()));
    verify(&file, Some(&right), &nowhere(&directory), &output).await.unwrap();
    for (name, keys) in [("stranger", set(&other, other.kid())), ("impostor", set(&other, own.kid()))] {
        let wrong = write(name, keys);
        let outcome = verify(&file, Some(&wrong), &nowhere(&directory), &output).await;
        assert_eq!(refused(outcome), "not_a_receipt", "{name}");
    }
    let changed = write("changed", signed.replace('.', ".e"));
    assert_eq!(refused(verify(&changed, Some(&right), &nowhere(&directory), &output).await), "not_a_receipt");
}

#[test]
fn a_revoked_key_verifies_nothing() {
    let keys = json!({"all": [
        {"key": "one", "step": "retired", "public": {"kty": "EC"}},
        {"key": "two", "step": "revoked", "public": {"kty": "EC"}},
    ]});
    assert_eq!(key_of(&keys, "one").unwrap(), Some(json!({"kty": "EC"})));
    assert_eq!(refused(key_of(&keys, "two").map(|_| ())), "key_revoked");
    assert_eq!(key_of(&keys, "three").unwrap(), None::<Value>);
}

#[test]
fn a_set_of_keys_is_read_strictly() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("keys");
    fs::write(&file, r#"{"keys":[],"keys":[{"kid":"a"}]}"#).unwrap();
    assert!(key_in(&file, "a").is_err(), "members that are named twice may mean anything");
}

#[test]
fn a_file_is_never_overwritten_and_an_empty_one_goes_away() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("receipt");
    drop(NewFile::make(path.clone()).unwrap());
    assert!(!path.exists());
    NewFile::make(path.clone()).unwrap().write("signed").unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "signed\n");
    assert!(NewFile::make(path).is_err());
}
