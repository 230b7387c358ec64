use proptest::prelude::*;
use serde_json::json;

use super::*;

const NOW: i64 = 1_800_000_000;

fn request() -> ConsentRequest {
    let details = json!([{
        "type": "mission_resource_access", "resource": "https://gate.example.org/mcp/files", "actions": ["read"],
        "constraints": {"max_size": 10},
    }]);
    ConsentRequest {
        client_id: "https://client.example/oauth.json".to_owned(),
        client_name: "Desk".to_owned(),
        redirect_uri: "http://127.0.0.1:4711/callback".to_owned(),
        state: Some("s".to_owned()),
        scope: vec!["files.read".to_owned()],
        authorization_details: crate::mission::entries_of(&details).unwrap(),
        authority: serde_json::Value::Null,
        resource: "https://gate.example.org/mcp".to_owned(),
        code_challenge: "c".repeat(43),
        purpose: None,
        goal: Some("Reconcile Q3 invoices".to_owned()),
        ends_at: None,
        intent_hash: None,
        jkt: None,
        configuration: None,
        agent_hint: None,
        issued_at: NOW,
        expires_at: NOW + 600,
    }
}

#[test]
fn what_is_sealed_opens_unchanged() {
    let kek = Kek::generate().unwrap();
    let text = request().seal(&kek).unwrap();
    assert_eq!(ConsentRequest::open(&kek, &text, NOW), Ok(request()));
    assert_ne!(text, request().seal(&kek).unwrap(), "never the same text twice");
    let bare =
        ConsentRequest { state: None, scope: Vec::new(), authorization_details: Vec::new(), goal: None, ..request() };
    assert_eq!(ConsentRequest::open(&kek, &bare.seal(&kek).unwrap(), NOW), Ok(bare));
}

#[test]
fn a_request_ends() {
    let kek = Kek::generate().unwrap();
    let text = request().seal(&kek).unwrap();
    assert!(ConsentRequest::open(&kek, &text, NOW + 599).is_ok());
    assert_eq!(ConsentRequest::open(&kek, &text, NOW + 600), Err(ConsentError::Expired));
    assert_eq!(ConsentRequest::open(&kek, &text, NOW - 31), Err(ConsentError::Expired));
}

#[test]
fn only_our_own_text_opens() {
    let kek = Kek::generate().unwrap();
    let text = request().seal(&kek).unwrap();
    let refused =
        |kek: &Kek, text: &str| assert_eq!(ConsentRequest::open(kek, text, NOW), Err(ConsentError::Unopenable));
    refused(&Kek::generate().unwrap(), &text);
    refused(&kek, "");
    refused(&kek, "AAAA");
    refused(&kek, &format!("{text}="));
    refused(&kek, &text[..text.len() - 4]);
    let mut bytes = base64url::decode(&text).unwrap();
    bytes[40] ^= 1;
    refused(&kek, &base64url::encode(&bytes));
    // Sealed by the same key for something else, or for this but of another shape.
    let plain = serde_json::to_value(request()).unwrap();
    refused(&kek, &base64url::encode(kek.seal(b"another purpose", plain.to_string().as_bytes()).unwrap()));
    let mut more = plain.clone();
    more["more"] = json!(1);
    refused(&kek, &base64url::encode(kek.seal(AAD, more.to_string().as_bytes()).unwrap()));
    let mut details = plain;
    details["authorization_details"][0]["type"] = json!("payment");
    refused(&kek, &base64url::encode(kek.seal(AAD, details.to_string().as_bytes()).unwrap()));
}

#[test]
fn a_request_is_bounded() {
    let kek = Kek::generate().unwrap();
    let sealed = |change: &dyn Fn(&mut ConsentRequest)| {
        let mut request = request();
        change(&mut request);
        request.seal(&kek).err()
    };
    assert_eq!(
        sealed(&|request| request.state = Some("s".repeat(limits::CONSENT_BYTES_MAX))),
        Some(ConsentError::TooLong)
    );
    assert_eq!(sealed(&|request| request.expires_at = NOW), Some(ConsentError::Terms));
    assert_eq!(
        sealed(&|request| request.expires_at = NOW + limits::CONSENT_SECONDS_MAX + 1),
        Some(ConsentError::Terms)
    );
    assert_eq!(sealed(&|request| request.code_challenge.clear()), Some(ConsentError::Terms));
    assert_eq!(sealed(&|request| request.client_id.clear()), Some(ConsentError::Terms));
    let long = "A".repeat(limits::CONSENT_BYTES_MAX + 1);
    assert_eq!(ConsentRequest::open(&kek, &long, NOW), Err(ConsentError::TooLong));
}

proptest! {
    #[test]
    fn opening_never_panics(text in "\\PC{0,200}") {
        prop_assert!(ConsentRequest::open(&Kek::from_bytes(&[7; 32]), &text, NOW).is_err());
    }
}
