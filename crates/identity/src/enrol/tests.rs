use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::jws::tests::forge;

const NOW: i64 = 1_800_000_000;
const ISSUER: &str = "https://remit.example.org";

struct World {
    key: SigningKey,
    code: EnrolmentCode,
}

impl World {
    fn new() -> Self {
        Self { key: SigningKey::generate().unwrap().0, code: EnrolmentCode::generate().unwrap() }
    }

    fn claims(&self) -> EnrolmentClaims {
        EnrolmentClaims::new(ISSUER, &self.code, "triage", NOW, "j1")
    }

    fn expect(&self) -> Expect<'_> {
        Expect { issuer: ISSUER, code: &self.code, now: NOW }
    }

    fn refused(&self, change: impl FnOnce(&mut Value, &mut Value)) -> &'static str {
        let mut header = json!({"alg": "ES256", "typ": "remit-enrolment+jwt", "jwk": self.key.public()});
        let mut claims = serde_json::to_value(self.claims()).unwrap();
        change(&mut header, &mut claims);
        let proof = forge(&header.to_string(), &claims.to_string(), &self.key);
        verify(&proof, &self.expect()).unwrap_err().code()
    }
}

#[test]
fn who_holds_key_and_code_is_enrolled() {
    let world = World::new();
    let proof = make(&world.key, &world.claims()).unwrap();
    let (key, claims) = verify(&proof, &world.expect()).unwrap();
    assert_eq!(&key, world.key.public());
    assert_eq!(claims, world.claims());
}

#[test]
fn each_refusal_has_its_code() {
    let world = World::new();
    assert_eq!(world.refused(|header, _| header["typ"] = json!("JWT")), "enrolment_type");
    assert_eq!(world.refused(|header, _| header["alg"] = json!("none")), "enrolment_malformed");
    assert_eq!(world.refused(|header, _| header["jwk"]["d"] = json!("AAAA")), "enrolment_key");
    let stranger = SigningKey::generate().unwrap().0;
    assert_eq!(world.refused(|header, _| header["jwk"] = stranger.public().to_value()), "enrolment_signature");
    assert_eq!(world.refused(|_, claims| claims["aud"] = json!("https://other.example.org")), "enrolment_audience");
    assert_eq!(world.refused(|_, claims| claims["aud"] = json!([ISSUER])), "enrolment_malformed");
    assert_eq!(world.refused(|_, claims| claims["iat"] = json!(NOW - 301)), "enrolment_stale");
    assert_eq!(world.refused(|_, claims| claims["iat"] = json!(NOW + 301)), "enrolment_stale");
    assert_eq!(world.refused(|_, claims| claims["code_hash"] = json!("AAAA")), "enrolment_other_code");
    let missing = world.refused(|header, _| {
        header.as_object_mut().unwrap().remove("jwk");
    });
    assert_eq!(missing, "enrolment_key");
}

#[test]
fn a_proof_for_one_code_does_not_use_up_another() {
    let (world, other) = (World::new(), World::new());
    let proof = make(&world.key, &world.claims()).unwrap();
    assert_eq!(verify(&proof, &other.expect()).unwrap_err(), EnrolmentError::OtherCode);
}

#[test]
fn codes_come_back_from_text_and_are_never_shown() {
    let code = EnrolmentCode::generate().unwrap();
    assert_eq!(code.expose().len(), 68);
    assert_eq!(EnrolmentCode::parse(code.expose()).unwrap().digest(), code.digest());
    assert_ne!(EnrolmentCode::generate().unwrap().digest(), code.digest());
    assert_eq!(format!("{code:?}"), "EnrolmentCode(secret)");
    let digits = &code.expose()[4..];
    for text in
        ["", "enr_", digits, &format!("enr_{digits}0"), &format!("ENR_{digits}"), &format!("enr_{}", "G".repeat(64))]
    {
        assert_eq!(EnrolmentCode::parse(text).unwrap_err().code(), "enrolment_code", "{text}");
    }
}

proptest! {
    #[test]
    fn reading_never_panics(text in "\\PC{0,200}") {
        let world = World::new();
        prop_assert!(verify(&text, &world.expect()).is_err());
        prop_assert!(EnrolmentCode::parse(&text).is_err());
    }
}
