use proptest::prelude::*;

use super::*;
use crate::SigningKey;

/// The key of RFC 9449 section 4.2.
fn published() -> Value {
    json!({
        "kty": "EC",
        "x": "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs",
        "y": "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA",
        "crv": "P-256"
    })
}

#[test]
fn thumbprint_is_that_of_rfc_9449_section_6_1() {
    let key = PublicJwk::parse(&published()).unwrap();
    assert_eq!(key.thumbprint(), "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
}

#[test]
fn goes_to_json_and_back() {
    let key = SigningKey::generate().unwrap().0.public().clone();
    assert_eq!(PublicJwk::parse(&key.to_value()), Ok(key.clone()));
    let text = serde_json::to_string(&key).unwrap();
    assert_eq!(serde_json::from_str::<PublicJwk>(&text).unwrap(), key);
    assert!(format!("{key:?}").contains(&key.thumbprint()));
}

#[test]
fn ignores_unknown_members_and_accepts_fitting_ones() {
    let mut value = published();
    value["kid"] = json!("any");
    value["alg"] = json!("ES256");
    value["use"] = json!("sig");
    value["future"] = json!({"a": 1});
    assert!(PublicJwk::parse(&value).is_ok());
}

#[test]
fn refuses_private_parts() {
    for name in PRIVATE_MEMBERS {
        let mut value = published();
        value[name] = json!("AAAA");
        assert_eq!(PublicJwk::parse(&value), Err(JwkError::Private), "{name}");
    }
}

#[test]
fn refuses_other_kinds_and_bad_coordinates() {
    let with = |name: &str, new: Value| {
        let mut value = published();
        value[name] = new;
        PublicJwk::parse(&value)
    };
    assert_eq!(PublicJwk::parse(&json!("text")), Err(JwkError::NotAnObject));
    assert_eq!(with("kty", json!("RSA")), Err(JwkError::Kind));
    assert_eq!(with("kty", json!("oct")), Err(JwkError::Kind));
    assert_eq!(with("crv", json!("P-384")), Err(JwkError::Kind));
    assert_eq!(with("crv", json!(null)), Err(JwkError::Kind));
    assert_eq!(with("alg", json!("HS256")), Err(JwkError::Kind));
    assert_eq!(with("use", json!("enc")), Err(JwkError::Kind));
    assert_eq!(with("x", json!("AAAA")), Err(JwkError::Coordinates));
    assert_eq!(with("x", json!(1)), Err(JwkError::Coordinates));
    assert_eq!(with("y", json!(format!("{}=", base64url::encode([1; 32])))), Err(JwkError::Coordinates));
    assert_eq!(with("y", json!(base64url::encode([1; 32]))), Err(JwkError::NotOnCurve));
    assert_eq!(with("x", json!(base64url::encode([0xff; 32]))), Err(JwkError::NotOnCurve));
}

#[test]
fn serde_refuses_a_repeated_member() {
    let text = published().to_string().replacen('{', r#"{"kty":"EC","#, 1);
    assert!(serde_json::from_str::<PublicJwk>(&text).is_err());
}

proptest! {
    #[test]
    fn points_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
        let _ = PublicJwk::from_point(&bytes);
    }

    #[test]
    fn coordinates_never_panic(x in any::<[u8; 32]>(), y in "\\PC{0,50}") {
        let _ = PublicJwk::parse(&json!({"kty": "EC", "crv": "P-256", "x": base64url::encode(x), "y": y}));
    }
}
