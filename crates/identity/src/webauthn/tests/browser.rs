//! A browser and an authenticator in one, each part of whose answers can be made wrong.

use std::sync::LazyLock;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
};
use serde_json::{Value, json};

use super::super::{Assertion, Expect, PasskeyKey, Registration, WebauthnError, check, check_signature, register};
use crate::{base64url, digest};

pub(super) const RP_ID: &str = "remit.example.org";
pub(super) const CHALLENGE: [u8; 32] = [7; 32];
pub(super) static ORIGINS: LazyLock<Vec<String>> =
    LazyLock::new(|| vec!["https://remit.example.org".to_owned(), "https://remit.example.org:8443".to_owned()]);
pub(super) static KEYS: LazyLock<[Key; 3]> =
    LazyLock::new(|| [Key::es256(), Key::ed25519(), Key::rs256(KeySize::Rsa2048)]);

pub(super) fn expect() -> Expect<'static> {
    Expect { challenge: &CHALLENGE, origins: &ORIGINS, rp_id: RP_ID }
}

/// The private key of a passkey.
#[derive(Debug)]
pub(super) enum Key {
    Es256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rs256(RsaKeyPair),
}

impl Key {
    pub(super) fn es256() -> Self {
        Self::Es256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap())
    }

    pub(super) fn ed25519() -> Self {
        let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        Self::Ed25519(Ed25519KeyPair::from_pkcs8(document.as_ref()).unwrap())
    }

    pub(super) fn rs256(size: KeySize) -> Self {
        Self::Rs256(RsaKeyPair::generate(size).unwrap())
    }

    /// The public key as COSE has it (RFC 9053 section 7).
    pub(super) fn cose(&self) -> Vec<u8> {
        match self {
            Self::Es256(key) => {
                let point = key.public_key().as_ref();
                ec2(&point[1..33], &point[33..65])
            }
            Self::Ed25519(key) => okp(key.public_key().as_ref()),
            Self::Rs256(key) => {
                let (n, e) = (key.public_key().modulus(), key.public_key().exponent());
                rsa(n.big_endian_without_leading_zero(), e.big_endian_without_leading_zero())
            }
        }
    }

    pub(super) fn sign(&self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Es256(key) => key.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec(),
            Self::Ed25519(key) => key.sign(message).as_ref().to_vec(),
            Self::Rs256(key) => {
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature).unwrap();
                signature
            }
        }
    }
}

pub(super) fn ec2(x: &[u8], y: &[u8]) -> Vec<u8> {
    [[0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21].as_slice(), &bytes(x), &[0x22], &bytes(y)].concat()
}

pub(super) fn okp(x: &[u8]) -> Vec<u8> {
    [[0xa4, 0x01, 0x01, 0x03, 0x27, 0x20, 0x06, 0x21].as_slice(), &bytes(x)].concat()
}

pub(super) fn rsa(n: &[u8], e: &[u8]) -> Vec<u8> {
    [[0xa4, 0x01, 0x03, 0x03, 0x39, 0x01, 0x00, 0x20].as_slice(), &bytes(n), &[0x21], &bytes(e)].concat()
}

/// A byte string, its length in the shortest form.
pub(super) fn bytes(bytes: &[u8]) -> Vec<u8> {
    let length = bytes.len();
    let head = match length {
        0..=23 => vec![0x40 | u8::try_from(length).unwrap()],
        24..=255 => vec![0x58, u8::try_from(length).unwrap()],
        _ => [[0x59].as_slice(), &u16::try_from(length).unwrap().to_be_bytes()].concat(),
    };
    [head, bytes.to_vec()].concat()
}

/// What is answered.
#[derive(Debug, Clone)]
pub(super) struct Browser<'a> {
    pub key: &'a Key,
    pub id: Vec<u8>,
    /// The account of the ceremony, its `type` left out.
    pub said: Value,
    pub kind: Option<&'a str>,
    pub rp_id: &'a str,
    pub flags: u8,
    pub sign_count: u32,
    pub extensions: Vec<u8>,
    /// `"fmt": …, "attStmt": …`, encoded.
    pub statement: Vec<u8>,
    pub cose: Option<Vec<u8>>,
    pub after_data: Vec<u8>,
    pub after_object: Vec<u8>,
}

pub(super) const NO_STATEMENT: &[u8] = b"\x63fmt\x64none\x67attStmt\xa0";

impl<'a> Browser<'a> {
    pub(super) fn with(key: &'a Key) -> Self {
        Self {
            key,
            id: b"credential-of-her".to_vec(),
            said: json!({"challenge": base64url::encode(CHALLENGE), "origin": ORIGINS[0], "crossOrigin": false}),
            kind: None,
            rp_id: RP_ID,
            flags: 0x05,
            sign_count: 0,
            extensions: Vec::new(),
            statement: NO_STATEMENT.to_vec(),
            cose: None,
            after_data: Vec::new(),
            after_object: Vec::new(),
        }
    }

    pub(super) fn client_data(&self, kind: &str) -> Vec<u8> {
        let mut said = self.said.clone();
        said["type"] = json!(self.kind.unwrap_or(kind));
        said.to_string().into_bytes()
    }

    pub(super) fn data(&self, is_new: bool) -> Vec<u8> {
        let mut data = digest::sha256(self.rp_id.as_bytes()).to_vec();
        data.push(self.flags | if is_new { 0x40 } else { 0 });
        data.extend(self.sign_count.to_be_bytes());
        if is_new {
            data.extend([0xaa; 16]);
            data.extend(u16::try_from(self.id.len()).unwrap().to_be_bytes());
            data.extend(&self.id);
            data.extend(self.cose.clone().unwrap_or_else(|| self.key.cose()));
        }
        [data, self.extensions.clone(), self.after_data.clone()].concat()
    }

    pub(super) fn registration(&self) -> Registration {
        let data = bytes(&self.data(true));
        Registration {
            credential: base64url::encode(&self.id),
            client_data: self.client_data("webauthn.create"),
            attestation_object: [
                [0xa3].as_slice(),
                &self.statement,
                b"\x68authData",
                data.as_slice(),
                self.after_object.as_slice(),
            ]
            .concat(),
        }
    }

    pub(super) fn assertion(&self) -> Assertion {
        let (client_data, authenticator_data) = (self.client_data("webauthn.get"), self.data(false));
        let message = [authenticator_data.as_slice(), &digest::sha256(&client_data)].concat();
        Assertion {
            credential: base64url::encode(&self.id),
            client_data,
            authenticator_data,
            signature: self.key.sign(&message),
        }
    }

    /// The public key, as enrolment finds it.
    pub(super) fn enrolled(&self) -> PasskeyKey {
        register(&Browser::with(self.key).registration(), &expect()).unwrap().key
    }

    /// What comes of registering.
    pub(super) fn refused_registration(&self) -> WebauthnError {
        register(&self.registration(), &expect()).unwrap_err()
    }

    /// What comes of showing it, now and when it is read again from the record.
    pub(super) fn refused_assertion(&self) -> (WebauthnError, Result<(), WebauthnError>) {
        let (key, shown) = (self.enrolled(), self.assertion());
        let again = check_signature(&key, &shown.authenticator_data, &shown.client_data, &shown.signature);
        (check(&key, &shown, &expect()).unwrap_err(), again.map(|_| ()))
    }
}
