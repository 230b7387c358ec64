use serde_json::json;

use super::{ReceiptError, UnverifiedReceipt, sign};
use crate::jws::{self, Header, JwsError};
use crate::{SigningKey, limits};

fn key() -> SigningKey {
    SigningKey::generate().unwrap().0
}

#[test]
fn a_receipt_is_read_back_by_the_key_that_signed_it() {
    let (own, other) = (key(), key());
    // Longer than any token may be.
    let claims = json!({"iss": "https://remit.test", "ended": vec!["tsk_01jd0000000000000000000000"; 1_000]});
    let signed = sign(&claims, &own).unwrap();
    assert!(signed.len() > limits::JWS_BYTES_MAX);
    let read = UnverifiedReceipt::parse(&signed).unwrap();
    assert_eq!(read.kid(), Some(own.kid()));
    assert_eq!(read.clone().verify(other.public()).unwrap_err(), ReceiptError::Malformed(JwsError::Signature));
    assert_eq!(read.verify(own.public()).unwrap().text("iss").unwrap(), "https://remit.test");
}

#[test]
fn another_kind_of_document_is_no_receipt() {
    let key = key();
    for typ in ["at+jwt", "JWT", "secevent+jwt"] {
        let header = Header { typ, kid: Some(key.kid()), jwk: None };
        let signed = jws::sign(&header, &json!({"iss": "https://remit.test"}), &key).unwrap();
        assert_eq!(UnverifiedReceipt::parse(&signed).unwrap_err(), ReceiptError::Kind, "{typ}");
    }
}

#[test]
fn one_that_is_too_long_is_not_signed() {
    let long = json!({"text": "x".repeat(limits::RECEIPT_BYTES_MAX)});
    assert_eq!(sign(&long, &key()).unwrap_err(), JwsError::TooLong);
}
