use aws_lc_rs::hmac;
use proptest::prelude::*;
use serde_json::Value;

use super::*;

/// Signs any header and any claims, well-formed or not, as an attacker with a key could.
pub(crate) fn forge(header: &str, claims: &str, key: &SigningKey) -> String {
    let signed = format!("{}.{}", base64url::encode(header), base64url::encode(claims));
    let signature = key.sign(signed.as_bytes()).unwrap();
    format!("{signed}.{}", base64url::encode(signature))
}

fn key() -> SigningKey {
    SigningKey::generate().unwrap().0
}

fn refusal(document: &str) -> JwsError {
    UnverifiedJws::parse(document).unwrap_err()
}

#[test]
fn what_is_signed_verifies() {
    let key = key();
    let header = Header { typ: "test+jwt", kid: Some(key.kid()), jwk: Some(key.public()) };
    let document = sign(&header, &json!({"sub": "somebody"}), &key).unwrap();
    let read = UnverifiedJws::parse(&document).unwrap();
    assert!(read.is_type("test+jwt"));
    assert!(!read.is_type("at+jwt"));
    assert_eq!(read.kid(), Some(key.kid()));
    assert_eq!(read.jwk(), Some(key.public()));
    assert_eq!(read.verify(key.public()).unwrap().text("sub"), Ok("somebody"));
}

#[test]
fn the_example_of_rfc_7515_appendix_a_3_verifies() {
    let key = PublicJwk::parse(&json!({
        "kty": "EC", "crv": "P-256",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    }))
    .unwrap();
    let document = "eyJhbGciOiJFUzI1NiJ9.\
        eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.\
        DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
    let claims = UnverifiedJws::parse(document).unwrap().verify(&key).unwrap();
    assert_eq!(claims.text("iss"), Ok("joe"));
    assert_eq!(claims.seconds("exp"), Ok(1_300_819_380));
}

#[test]
fn another_key_and_any_changed_part_are_refused() {
    let key = key();
    let document = sign(&Header { typ: "t", ..Header::default() }, &json!({"sub": "a"}), &key).unwrap();
    let read = UnverifiedJws::parse(&document).unwrap();
    assert_eq!(read.verify(self::key().public()), Err(JwsError::Signature));
    let changed = sign(&Header { typ: "t", ..Header::default() }, &json!({"sub": "b"}), &key).unwrap();
    let parts: Vec<&str> = document.split('.').collect();
    let others: Vec<&str> = changed.split('.').collect();
    let mixed = format!("{}.{}.{}", parts[0], others[1], parts[2]);
    assert_eq!(UnverifiedJws::parse(&mixed).unwrap().verify(key.public()), Err(JwsError::Signature));
}

#[test]
fn no_other_algorithm_has_a_way_in() {
    let key = key();
    for header in
        [r#"{"alg":"none"}"#, r#"{"alg":"None"}"#, r#"{"alg":"HS256"}"#, r#"{"alg":"es256"}"#, r#"{"alg":"ES384"}"#]
    {
        assert_eq!(refusal(&forge(header, "{}", &key)), JwsError::Algorithm, "{header}");
    }
    assert_eq!(refusal(&forge("{}", "{}", &key)), JwsError::Header(JsonError::Missing("alg")));
    assert_eq!(refusal(&forge(r#"{"alg":["ES256"]}"#, "{}", &key)), JwsError::Header(JsonError::NotText("alg")));
    // Unsigned, with an empty third part.
    let unsigned = format!("{}.{}.", base64url::encode(r#"{"alg":"none"}"#), base64url::encode("{}"));
    assert_eq!(refusal(&unsigned), JwsError::Algorithm);
}

#[test]
fn an_hmac_keyed_with_the_public_key_is_refused() {
    let key = key();
    let signed = format!("{}.{}", base64url::encode(r#"{"alg":"HS256"}"#), base64url::encode("{}"));
    let secret = hmac::Key::new(hmac::HMAC_SHA256, key.public().to_value().to_string().as_bytes());
    let mut tag = hmac::sign(&secret, signed.as_bytes()).as_ref().to_vec();
    tag.resize(64, 0);
    assert_eq!(refusal(&format!("{signed}.{}", base64url::encode(tag))), JwsError::Algorithm);
}

#[test]
fn headers_are_read_strictly() {
    let key = key();
    assert_eq!(refusal(&forge(r#"{"alg":"ES256","crit":["b64"]}"#, "{}", &key)), JwsError::Critical);
    assert_eq!(refusal(&forge(r#"{"alg":"ES256","crit":null}"#, "{}", &key)), JwsError::Critical);
    let twice = forge(r#"{"alg":"none","alg":"ES256"}"#, "{}", &key);
    assert_eq!(refusal(&twice), JwsError::Header(JsonError::NotJson));
    let kid = forge(r#"{"alg":"ES256","kid":7}"#, "{}", &key);
    assert_eq!(refusal(&kid), JwsError::Header(JsonError::NotText("kid")));
    let private = forge(r#"{"alg":"ES256","jwk":{"kty":"EC","d":"AAAA"}}"#, "{}", &key);
    assert_eq!(refusal(&private), JwsError::Key(JwkError::Private));
}

#[test]
fn parts_and_claims_are_read_strictly() {
    let key = key();
    let good = forge(r#"{"alg":"ES256"}"#, "{}", &key);
    for document in ["", "a", "a.b", &format!("{good}.e30"), &format!(".{good}")] {
        assert_eq!(refusal(document), JwsError::Parts, "{document}");
    }
    assert_eq!(refusal(".."), JwsError::Header(JsonError::NotJson));
    assert_eq!(refusal(&format!("{good}=")), JwsError::Encoding);
    assert_eq!(refusal(&format!("{good}A")), JwsError::Encoding);
    assert_eq!(refusal(&format!(" {good}")), JwsError::Encoding);
    assert_eq!(refusal(&format!("{good}\n")), JwsError::Encoding);
    assert_eq!(refusal(&forge(r#"{"alg":"ES256"}"#, "[]", &key)), JwsError::Claims(JsonError::NotAnObject));
    let twice = forge(r#"{"alg":"ES256"}"#, r#"{"sub":"a","sub":"b"}"#, &key);
    assert_eq!(refusal(&twice), JwsError::Claims(JsonError::NotJson));
}

#[test]
fn oversized_documents_are_neither_read_nor_made() {
    let key = key();
    let large = json!({"text": "x".repeat(limits::JWS_BYTES_MAX)});
    assert_eq!(sign(&Header::default(), &large, &key), Err(JwsError::TooLong));
    assert_eq!(refusal(&forge(r#"{"alg":"ES256"}"#, &large.to_string(), &key)), JwsError::TooLong);
}

proptest! {
    #[test]
    fn any_text_is_read_without_panic(text in "\\PC{0,300}") {
        prop_assert!(UnverifiedJws::parse(&text).is_err());
    }

    #[test]
    fn any_header_and_claims_are_read_without_panic(
        header in r#"\{("[a-z]{1,4}":("[a-zE0-9]{0,6}"|[0-9]{1,3}|\{\}|\[\]|null),){0,3}"alg":"ES256"\}"#,
        claims in proptest::collection::vec(any::<u8>(), 0..60),
    ) {
        let document =
            format!("{}.{}.{}", base64url::encode(header), base64url::encode(claims), base64url::encode([7_u8; 64]));
        if let Ok(read) = UnverifiedJws::parse(&document) {
            let _: (Option<&str>, Option<&str>) = (read.typ(), read.kid());
        }
    }
}

#[test]
fn the_header_says_what_it_was_given() {
    let key = key();
    let document = sign(&Header { typ: "t", ..Header::default() }, &json!({}), &key).unwrap();
    let header = base64url::decode(document.split('.').next().unwrap()).unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&header).unwrap(), json!({"alg": "ES256", "typ": "t"}));
}
