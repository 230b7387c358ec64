//! Answers of authenticators and browsers: whatever comes ends in an answer, and is taken only if a key signed it.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use remit_identity::webauthn::{Assertion, Expect, PasskeyKey, Registration, check, check_signature, register};
use serde_json::json;

const CHALLENGE: [u8; 32] = [7; 32];

static ORIGINS: LazyLock<Vec<String>> = LazyLock::new(|| vec!["https://example.org".to_owned()]);
/// A key that signed nothing (RFC 8037 appendix A.2).
static KEY: LazyLock<PasskeyKey> = LazyLock::new(|| {
    let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
    PasskeyKey::parse(&jwk).expect("the key is sound")
});

fn said(kind: &str) -> Vec<u8> {
    let challenge = remit_identity::base64url::encode(CHALLENGE);
    json!({"type": kind, "challenge": challenge, "origin": ORIGINS[0]}).to_string().into_bytes()
}

/// An attestation object around `data`, which then is what is tried.
fn around(data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(data.len()).unwrap_or(u16::MAX).to_be_bytes();
    [b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x59".as_slice(), &length, data].concat()
}

fuzz_target!(|bytes: &[u8]| {
    let expect = Expect { challenge: &CHALLENGE, origins: &ORIGINS, rp_id: "example.org" };
    let head = [remit_identity::digest::sha256(b"example.org").as_slice(), &[0x45, 0, 0, 0, 0]].concat();
    for attestation_object in [bytes.to_vec(), around(bytes), around(&[head.as_slice(), bytes].concat())] {
        let credential = bytes.get(18..).and_then(|id| id.get(..1)).map(remit_identity::base64url::encode);
        let credential = credential.unwrap_or_default();
        let registration = Registration { credential, client_data: said("webauthn.create"), attestation_object };
        if let Ok(enrolled) = register(&registration, &expect) {
            let kept = PasskeyKey::parse(&enrolled.key.to_jwk());
            assert_eq!(kept.as_ref(), Ok(&enrolled.key), "what is enrolled is read back from the record");
        }
    }
    let (data, signature) = bytes.split_at(bytes.len().min(37));
    let shown = Assertion {
        credential: String::new(),
        client_data: said("webauthn.get"),
        authenticator_data: data.to_vec(),
        signature: signature.to_vec(),
    };
    assert!(check(&KEY, &shown, &expect).is_err(), "nobody signed this");
    assert!(check_signature(&KEY, data, bytes, signature).is_err(), "nobody signed this");
});
