//! What a browser is asked for, in the JSON form that `PublicKeyCredential.parse…OptionsFromJSON()` reads (level 3, section 5.1).

use remit_domain::{Passkey, Person};
use remit_identity::base64url;
use remit_identity::webauthn::PasskeyKey;
use serde_json::{Value, json};

use crate::{PeopleSettings, limits};

/// Options for `navigator.credentials.create()`. The key is kept on the authenticator with who it is for, so that nobody has to say their
/// name to sign in; no attestation is asked for, since none would be believed.
pub(crate) fn creation(settings: &PeopleSettings, person: &Person, known: &[&Passkey], challenge: &str) -> Value {
    let algorithms = PasskeyKey::algorithms();
    json!({
        "rp": {"id": settings.rp_id, "name": "Remit"},
        "user": {
            "id": base64url::encode(person.id.to_string()),
            "name": person.name,
            "displayName": person.name,
        },
        "challenge": challenge,
        "pubKeyCredParams": algorithms.map(|algorithm| json!({"type": "public-key", "alg": algorithm})),
        "timeout": limits::CEREMONY_MILLISECONDS,
        "excludeCredentials": descriptors(known),
        "authenticatorSelection": {
            "residentKey": "required",
            "requireResidentKey": true,
            "userVerification": "required",
        },
        "attestation": "none",
    })
}

/// Options for `navigator.credentials.get()`, by any of `known`; by any passkey for this site if that is empty.
pub(crate) fn request(settings: &PeopleSettings, known: &[&Passkey], challenge: &str) -> Value {
    json!({
        "challenge": challenge,
        "rpId": settings.rp_id,
        "timeout": limits::CEREMONY_MILLISECONDS,
        "allowCredentials": descriptors(known),
        "userVerification": "required",
    })
}

fn descriptors(known: &[&Passkey]) -> Vec<Value> {
    known.iter().map(|passkey| json!({"type": "public-key", "id": passkey.credential})).collect()
}
