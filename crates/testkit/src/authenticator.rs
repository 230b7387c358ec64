//! An authenticator in software: what a person's passkey does, for tests that have no browser.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use remit_identity::{base64url, digest};
use serde_json::{Value, json};

const PRESENT_AND_VERIFIED: u8 = 0x05;
const ATTESTED: u8 = 0x40;

/// One passkey on one authenticator, which a browser at `origin` uses.
#[derive(Debug)]
pub struct Authenticator {
    pub origin: String,
    pub rp_id: String,
    /// The credential's id.
    pub id: Vec<u8>,
    key: EcdsaKeyPair,
    /// Counts as security keys do; stays at zero where it is none.
    pub sign_count: u32,
    pub counts: bool,
    /// What it says of who is there.
    pub flags: u8,
}

impl Authenticator {
    /// # Panics
    /// If there is no randomness.
    pub fn new(origin: &str, rp_id: &str) -> Self {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        let mut id = vec![0; 32];
        aws_lc_rs::rand::fill(&mut id).unwrap();
        Self {
            origin: origin.to_owned(),
            rp_id: rp_id.to_owned(),
            id,
            key,
            sign_count: 0,
            counts: false,
            flags: PRESENT_AND_VERIFIED,
        }
    }

    /// `navigator.credentials.create()`: answers options in their JSON form with a registration in its.
    pub fn create(&mut self, options: &Value) -> Value {
        let client_data = self.client_data("webauthn.create", options);
        let mut data = self.head(ATTESTED);
        data.extend([0; 16]);
        data.extend(u16::try_from(self.id.len()).unwrap().to_be_bytes());
        data.extend(&self.id);
        data.extend(self.cose());
        let mut object = vec![0xa3];
        object.extend(text("fmt"));
        object.extend(text("none"));
        object.extend(text("attStmt"));
        object.push(0xa0);
        object.extend(text("authData"));
        object.extend(bytes(&data));
        let id = base64url::encode(&self.id);
        json!({
            "id": id,
            "rawId": id,
            "type": "public-key",
            "response": {
                "clientDataJSON": base64url::encode(client_data),
                "attestationObject": base64url::encode(object),
            },
            "clientExtensionResults": {},
        })
    }

    /// `navigator.credentials.get()`: answers options in their JSON form with an assertion in its.
    pub fn get(&mut self, options: &Value) -> Value {
        let client_data = self.client_data("webauthn.get", options);
        if self.counts {
            self.sign_count += 1;
        }
        let data = self.head(0);
        let message = [data.as_slice(), &digest::sha256(&client_data)].concat();
        let signature = self.key.sign(&SystemRandom::new(), &message).unwrap();
        let id = base64url::encode(&self.id);
        json!({
            "id": id,
            "rawId": id,
            "type": "public-key",
            "response": {
                "clientDataJSON": base64url::encode(client_data),
                "authenticatorData": base64url::encode(data),
                "signature": base64url::encode(signature.as_ref()),
            },
            "clientExtensionResults": {},
        })
    }

    fn client_data(&self, kind: &str, options: &Value) -> Vec<u8> {
        let challenge = &options["challenge"];
        json!({"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": false})
            .to_string()
            .into_bytes()
    }

    fn head(&self, further: u8) -> Vec<u8> {
        let mut data = digest::sha256(self.rp_id.as_bytes()).to_vec();
        data.push(self.flags | further);
        data.extend(self.sign_count.to_be_bytes());
        data
    }

    /// The public key as COSE has it: kind EC2, ES256, P-256.
    fn cose(&self) -> Vec<u8> {
        let point = self.key.public_key().as_ref();
        let (x, y) = (point.get(1..33).unwrap(), point.get(33..65).unwrap());
        let mut key = vec![0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21];
        key.extend(bytes(x));
        key.push(0x22);
        key.extend(bytes(y));
        key
    }
}

fn text(text: &str) -> Vec<u8> {
    let mut written = vec![0x60 | u8::try_from(text.len()).unwrap()];
    written.extend(text.as_bytes());
    written
}

fn bytes(bytes: &[u8]) -> Vec<u8> {
    let mut written = match u8::try_from(bytes.len()) {
        Ok(length @ 0..=23) => vec![0x40 | length],
        Ok(length) => vec![0x58, length],
        Err(_) => {
            let [high, low] = u16::try_from(bytes.len()).unwrap().to_be_bytes();
            vec![0x59, high, low]
        }
    };
    written.extend(bytes);
    written
}
