//! Every check of Web Authentication level 3, sections 7.1 and 7.2, with a case that fails it.

use aws_lc_rs::rsa::KeySize;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::{base64url, digest, limits};

mod browser;
mod published;

use browser::{Browser, CHALLENGE, KEYS, Key, NO_STATEMENT, ORIGINS, RP_ID, ec2, expect, okp, rsa};

fn each() -> impl Iterator<Item = Browser<'static>> {
    KEYS.iter().map(Browser::with)
}

fn changed(browser: &Browser<'static>, change: impl Fn(&mut Browser<'static>)) -> Browser<'static> {
    let mut browser = browser.clone();
    change(&mut browser);
    browser
}

#[test]
fn a_passkey_of_each_kind_is_enrolled_and_then_shown() {
    for browser in each() {
        let enrolled = register(&browser.registration(), &expect()).unwrap();
        assert_eq!(enrolled.credential, base64url::encode(b"credential-of-her"));
        assert_eq!((enrolled.sign_count, enrolled.backed_up), (0, false));
        let kept = PasskeyKey::parse(&enrolled.key.to_jwk()).unwrap();
        assert_eq!(kept, enrolled.key);
        let shown = changed(&browser, |browser| (browser.sign_count, browser.flags) = (41, 0x1d)).assertion();
        let used = Used { sign_count: 41, backed_up: true, rp_id_hash: digest::sha256(RP_ID.as_bytes()) };
        assert_eq!(check(&kept, &shown, &expect()), Ok(used));
        let (said, again) =
            check_signature(&kept, &shown.authenticator_data, &shown.client_data, &shown.signature).unwrap();
        assert_eq!(again, used);
        assert!(used.is_for(RP_ID) && !used.is_for("example.org"));
        assert_eq!((said.challenge.as_slice(), &said.origin), (CHALLENGE.as_slice(), &ORIGINS[0]));
    }
}

#[test]
fn each_origin_of_the_console_counts_and_no_other_does() {
    let browser = Browser::with(&KEYS[0]);
    let at = |origin: &str| changed(&browser, |browser| browser.said["origin"] = json!(origin));
    assert!(register(&at("https://remit.example.org:8443").registration(), &expect()).is_ok());
    for origin in [
        "http://remit.example.org",
        "https://remit.example.org/",
        "https://REMIT.example.org",
        "https://remit.example.org:443",
        "https://sub.remit.example.org",
        "https://remit.example.org.evil.example",
        "null",
    ] {
        let refused = WebauthnError::Origin(origin.to_owned());
        assert_eq!(at(origin).refused_registration(), refused);
        assert_eq!(at(origin).refused_assertion().0, refused);
    }
}

/// A change of what is answered, what refuses it, and whether the record alone shows it too.
type Wrong = (fn(&mut Browser<'static>), WebauthnError, bool);

const WRONG: &[Wrong] = &[
    (|browser| browser.said["challenge"] = json!(base64url::encode([8; 32])), WebauthnError::Challenge, false),
    (|browser| browser.said["challenge"] = json!(base64url::encode([7; 31])), WebauthnError::Challenge, false),
    (|browser| browser.said["challenge"] = json!("not base64url!"), WebauthnError::ClientData, true),
    (|browser| browser.said["challenge"] = json!([7]), WebauthnError::ClientData, true),
    (|browser| browser.said["crossOrigin"] = json!(true), WebauthnError::CrossOrigin, true),
    (|browser| browser.said["crossOrigin"] = json!("false"), WebauthnError::ClientData, true),
    (|browser| browser.said["topOrigin"] = json!("https://evil.example"), WebauthnError::CrossOrigin, true),
    (|browser| browser.kind = Some("payment.get"), WebauthnError::Ceremony, true),
    (|browser| browser.rp_id = "example.org", WebauthnError::RelyingParty, false),
    (|browser| browser.flags = 0x04, WebauthnError::NotPresent, true),
    (|browser| browser.flags = 0x01, WebauthnError::NotVerified, true),
    (|browser| browser.flags = 0x00, WebauthnError::NotPresent, true),
    (|browser| browser.flags = 0x15, WebauthnError::AuthenticatorData, true),
    (|browser| browser.after_data = vec![0], WebauthnError::AuthenticatorData, true),
    (|browser| browser.flags = 0x85, WebauthnError::AuthenticatorData, true),
    (|browser| browser.extensions = vec![0xa0], WebauthnError::AuthenticatorData, true),
    (|browser| (browser.flags, browser.extensions) = (0x85, vec![0x80]), WebauthnError::AuthenticatorData, true),
];

#[test]
fn every_wrong_part_is_refused_and_named() {
    for (change, refused, shows_on_record) in WRONG {
        for browser in each() {
            let browser = changed(&browser, change);
            assert_eq!(browser.refused_registration(), *refused);
            let (now, on_record) = browser.refused_assertion();
            assert_eq!(now, *refused);
            assert_eq!(on_record, if *shows_on_record { Err(refused.clone()) } else { Ok(()) }, "{refused}");
        }
    }
}

#[test]
fn one_ceremony_does_not_answer_the_other() {
    for browser in each() {
        assert_eq!(
            changed(&browser, |browser| browser.kind = Some("webauthn.get")).refused_registration(),
            WebauthnError::Ceremony
        );
        let (now, on_record) = changed(&browser, |browser| browser.kind = Some("webauthn.create")).refused_assertion();
        assert_eq!((now, on_record), (WebauthnError::Ceremony, Err(WebauthnError::Ceremony)));
    }
}

#[test]
fn extensions_are_read_past() {
    let browser = changed(&Browser::with(&KEYS[0]), |browser| {
        (browser.flags, browser.extensions) = (0x85, b"\xa1\x6bcredProtect\x02".to_vec());
    });
    assert!(register(&browser.registration(), &expect()).is_ok());
    assert!(check(&browser.enrolled(), &browser.assertion(), &expect()).is_ok());
}

#[test]
fn the_browsers_account_is_read_strictly() {
    let key = Browser::with(&KEYS[0]).enrolled();
    let shown = Browser::with(&KEYS[0]).assertion();
    let text = String::from_utf8(shown.client_data.clone()).unwrap();
    for account in [
        String::new(),
        "[]".to_owned(),
        "{}".to_owned(),
        format!("{text} {{}}"),
        format!("\u{feff}{text}"),
        text.replacen('{', r#"{"type":"webauthn.get","#, 1),
        text.replacen('{', r#"{"origin":"https://evil.example","#, 1),
        text.replacen('{', &format!(r#"{{"more":"{}","#, "x".repeat(limits::CLIENT_DATA_BYTES_MAX)), 1),
    ] {
        let shown = Assertion { client_data: account.clone().into_bytes(), ..shown.clone() };
        assert_eq!(check(&key, &shown, &expect()), Err(WebauthnError::ClientData), "{account}");
    }
    let unknown =
        changed(&Browser::with(&KEYS[0]), |browser| browser.said["other_keys_can_be_added_here"] = json!("1"));
    assert!(check(&key, &unknown.assertion(), &expect()).is_ok());
}

#[test]
fn who_signed_counts() {
    for browser in each() {
        let others = [Key::es256(), Key::ed25519(), Key::rs256(KeySize::Rsa2048)];
        for other in &others {
            let shown = Browser::with(other).assertion();
            assert_eq!(check(&browser.enrolled(), &shown, &expect()), Err(WebauthnError::Signature));
        }
        let mut shown = browser.assertion();
        shown.signature.push(0);
        assert_eq!(check(&browser.enrolled(), &shown, &expect()), Err(WebauthnError::Signature));
        shown.signature = vec![0; limits::PASSKEY_SIGNATURE_BYTES_MAX + 1];
        assert_eq!(check(&browser.enrolled(), &shown, &expect()), Err(WebauthnError::Signature));
    }
}

#[test]
fn what_attestations_state_is_read_past_and_never_trusted() {
    let browser = Browser::with(&KEYS[0]);
    let packed: &[u8] = b"\x63fmt\x66packed\x67attStmt\xa2\x63alg\x26\x63sig\x43bad";
    let registered =
        register(&changed(&browser, |browser| browser.statement = packed.to_vec()).registration(), &expect());
    assert_eq!(registered, register(&browser.registration(), &expect()), "a statement that is wrong changes nothing");
    for statement in [
        b"\x63fmt\x64none\x67attStmt\xa1\x63alg\x26".as_slice(),
        b"\x63fmt\x01\x67attStmt\xa0",
        b"\x63fmt\x64none\x67attStmt\x80",
        b"\x63fmt\x64none\x67anyStmt\xa0",
        b"\x63fmt\x64none\x63fmt\x64none",
    ] {
        let browser = changed(&browser, |browser| browser.statement = statement.to_vec());
        assert_eq!(browser.refused_registration(), WebauthnError::Attestation);
    }
    let after = changed(&browser, |browser| browser.after_object = vec![0xf6]);
    assert_eq!(after.refused_registration(), WebauthnError::Attestation);
    let long = changed(&browser, |browser| browser.after_object = vec![0; limits::ATTESTATION_BYTES_MAX]);
    assert_eq!(long.refused_registration(), WebauthnError::Attestation);
}

#[test]
fn a_registration_brings_its_credential() {
    let browser = Browser::with(&KEYS[0]);
    let registration = Registration { credential: base64url::encode(b"another"), ..browser.registration() };
    assert_eq!(register(&registration, &expect()), Err(WebauthnError::Credential));
    let without = [[0xa3].as_slice(), NO_STATEMENT, b"\x68authData", &browser::bytes(&browser.data(false))].concat();
    let registration = Registration { attestation_object: without, ..browser.registration() };
    assert_eq!(register(&registration, &expect()), Err(WebauthnError::Attestation));
    let with_id = |length: usize| changed(&browser, |browser| browser.id = vec![1; length]);
    assert!(register(&with_id(limits::CREDENTIAL_ID_BYTES_MAX).registration(), &expect()).is_ok());
    for length in [0, limits::CREDENTIAL_ID_BYTES_MAX + 1] {
        assert_eq!(with_id(length).refused_registration(), WebauthnError::AuthenticatorData);
    }
}

#[test]
fn keys_that_are_not_sound_are_refused() {
    let with = |cose: Vec<u8>| changed(&Browser::with(&KEYS[0]), |browser| browser.cose = Some(cose.clone()));
    let good = KEYS[0].cose();
    let altered = |at: usize, byte: u8| {
        let mut cose = good.clone();
        cose[at] = byte;
        cose
    };
    for (cose, why) in [
        (ec2(&[1; 32], &[1; 32]), "no point on the curve"),
        (ec2(&[0; 32], &[0; 32]), "no point on the curve"),
        (ec2(&good[10..42], &[]), "half a point"),
        (ec2(&good[10..43], &good[46..77]), "a long half and a short one"),
        (altered(2, 0x01), "another kind of key than its algorithm"),
        (altered(4, 0x27), "another algorithm than its kind of key"),
        (altered(6, 0x02), "another curve"),
        (okp(&[1; 31]), "too short"),
        (okp(&[1; 33]), "too long"),
        (rsa(&[0xff; 255], &[1, 0, 1]), "too small a modulus"),
        (rsa(&[0xff; 1_025], &[1, 0, 1]), "too large a modulus"),
        (rsa(&[[0].as_slice(), &[0xff; 256]].concat(), &[1, 0, 1]), "a modulus with a zero before it"),
        (rsa(&[0xff; 256], &[1]), "an exponent of one"),
        (rsa(&[0xff; 256], &[1, 0, 0]), "an even exponent"),
        (vec![0xa0], "nothing"),
        (vec![0x80], "no map"),
    ] {
        assert_eq!(with(cose).refused_registration(), WebauthnError::Key, "{why}");
    }
    assert_eq!(with(vec![0xbf, 0xff]).refused_registration(), WebauthnError::AuthenticatorData);
}

#[test]
fn a_key_that_anybody_can_sign_for_is_refused() {
    let order_eight = |last: u8| {
        let mut point = base64url::decode("JuiVj8KyJ7BFw_SJ8u-Y8NXfrAXTxjM5sTgCiG1T_AU").unwrap();
        point[31] |= last;
        point
    };
    let near_prime = |first: u8, last: u8| [[first].as_slice(), &[0xff; 30], &[last]].concat();
    let small = |first: u8, last: u8| [[first].as_slice(), &[0; 30], &[last]].concat();
    // The neutral element: this signature is right for every message.
    let everything = [small(1, 0), vec![0; 32]].concat();
    let neutral = aws_lc_rs::signature::UnparsedPublicKey::new(&aws_lc_rs::signature::ED25519, small(1, 0));
    assert!(neutral.verify(b"whatever", &everything).is_ok(), "which is why it is refused");
    for point in [
        small(0, 0),
        small(0, 0x80),
        small(1, 0),
        small(1, 0x80),
        near_prime(0xec, 0x7f),
        near_prime(0xed, 0xff),
        near_prime(0xee, 0x7f),
        order_eight(0),
        order_eight(0x80),
    ] {
        let cose = okp(&point);
        let browser = changed(&Browser::with(&KEYS[1]), |browser| browser.cose = Some(cose.clone()));
        assert_eq!(browser.refused_registration(), WebauthnError::Key);
        let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": base64url::encode(&point)});
        assert_eq!(PasskeyKey::parse(&jwk), Err(WebauthnError::Key));
    }
}

#[test]
fn keys_are_kept_as_public_jwks() {
    assert_eq!(PasskeyKey::algorithms(), [-7, -8, -257]);
    for browser in each() {
        let jwk = browser.enrolled().to_jwk();
        for private in ["d", "p", "k"] {
            let mut jwk = jwk.clone();
            jwk[private] = json!("AQAB");
            assert_eq!(PasskeyKey::parse(&jwk), Err(WebauthnError::Key), "{private}");
        }
        let members: Vec<String> = jwk.as_object().unwrap().keys().cloned().collect();
        for name in members {
            for wrong in [Value::Null, json!(""), json!("A"), json!(1)] {
                let mut jwk = jwk.clone();
                jwk[&name] = wrong;
                assert_eq!(PasskeyKey::parse(&jwk), Err(WebauthnError::Key), "{name}");
            }
        }
    }
    for jwk in
        [json!(null), json!({}), json!({"kty": "oct", "x": "AQAB"}), json!({"kty": "OKP", "crv": "Ed448", "x": "AQ"})]
    {
        assert_eq!(PasskeyKey::parse(&jwk), Err(WebauthnError::Key), "{jwk}");
    }
}

#[test]
fn every_flipped_byte_of_an_assertion_is_refused() {
    for browser in each() {
        let (key, shown) = (browser.enrolled(), browser.assertion());
        let refused = |shown: &Assertion| check(&key, shown, &expect()).is_err();
        let on_record = |shown: &Assertion| {
            check_signature(&key, &shown.authenticator_data, &shown.client_data, &shown.signature).is_err()
        };
        for bit in [0x01, 0x80] {
            for at in 0..shown.client_data.len() {
                let mut shown = shown.clone();
                shown.client_data[at] ^= bit;
                assert!(refused(&shown) && on_record(&shown), "client data, byte {at}");
            }
            for at in 0..shown.authenticator_data.len() {
                let mut shown = shown.clone();
                shown.authenticator_data[at] ^= bit;
                assert!(refused(&shown) && on_record(&shown), "authenticator data, byte {at}");
            }
            for at in 0..shown.signature.len() {
                let mut shown = shown.clone();
                shown.signature[at] ^= bit;
                assert!(refused(&shown) && on_record(&shown), "signature, byte {at}");
            }
        }
    }
}

#[test]
fn every_truncation_is_refused() {
    for browser in each() {
        let (key, shown, registration) = (browser.enrolled(), browser.assertion(), browser.registration());
        for length in 0..registration.attestation_object.len() {
            let attestation_object = registration.attestation_object[..length].to_vec();
            assert!(register(&Registration { attestation_object, ..registration.clone() }, &expect()).is_err());
        }
        for length in 0..shown.authenticator_data.len() {
            let authenticator_data = shown.authenticator_data[..length].to_vec();
            let shown = Assertion { authenticator_data, ..shown.clone() };
            assert_eq!(check(&key, &shown, &expect()), Err(WebauthnError::AuthenticatorData));
        }
    }
}

#[test]
fn errors_say_what_to_do() {
    for (_, error, _) in WRONG {
        assert!(!error.help().is_empty() && !error.to_string().ends_with('.'));
    }
    assert!(WebauthnError::Key.help().contains("ES256"));
    let long = changed(&Browser::with(&KEYS[0]), |browser| browser.said["origin"] = json!("é".repeat(900)));
    assert_eq!(long.refused_registration(), WebauthnError::Origin("é".repeat(100)), "what others say is told in short");
    assert_eq!(RP_ID, expect().rp_id);
}

proptest! {
    /// Whatever comes, it ends in an answer, and never in a yes.
    #[test]
    fn no_bytes_are_accepted(object: Vec<u8>, data: Vec<u8>, client: Vec<u8>, signature: Vec<u8>) {
        let browser = Browser::with(&KEYS[0]);
        let (key, good, shown) = (browser.enrolled(), browser.registration(), browser.assertion());
        let attested = Registration { attestation_object: object, ..good.clone() };
        let said = Registration { client_data: client.clone(), ..good };
        prop_assert!(register(&attested, &expect()).is_err() && register(&said, &expect()).is_err());
        prop_assert!(check_signature(&key, &data, &client, &signature).is_err());
        let other = Assertion { authenticator_data: data, ..shown.clone() };
        prop_assert!(check(&key, &other, &expect()).is_err());
        let other = Assertion { signature, ..shown };
        prop_assert!(check(&key, &other, &expect()).is_err());
    }

    /// A registration that was changed anywhere is refused, or enrols a key that the right signature does not fit; what is not
    /// signed is the statement, the authenticator's make, its count and its copies, of which nothing is decided.
    #[test]
    fn a_changed_registration_never_enrols_another_key_that_works(at in 0_usize..400, bit in 0_u8..8) {
        for browser in each() {
            let mut registration = browser.registration();
            let at = at % registration.attestation_object.len();
            registration.attestation_object[at] ^= 1 << bit;
            if let Ok(enrolled) = register(&registration, &expect()) {
                let same = enrolled.key == browser.enrolled();
                prop_assert_eq!(check(&enrolled.key, &browser.assertion(), &expect()).is_ok(), same);
                prop_assert_eq!(&enrolled.credential, &registration.credential);
            }
        }
    }
}
