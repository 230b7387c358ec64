use proptest::prelude::*;

use super::*;

#[test]
fn signs_what_its_public_part_verifies() {
    let (key, pkcs8) = SigningKey::generate().unwrap();
    let signature = key.sign(b"message").unwrap();
    assert!(key.public().verifies(b"message", &signature));
    assert!(!key.public().verifies(b"massage", &signature));
    let again = SigningKey::from_pkcs8(pkcs8.as_bytes()).unwrap();
    assert_eq!(again.public(), key.public());
    assert_eq!(again.kid(), key.public().thumbprint());
    assert!(!SigningKey::generate().unwrap().0.public().verifies(b"message", &signature));
}

#[test]
fn another_kind_of_key_is_refused() {
    let ed25519 = Pkcs8::generate_ed25519().unwrap();
    assert_eq!(SigningKey::from_pkcs8(ed25519.as_bytes()).unwrap_err(), KeyError::Malformed);
}

#[test]
fn nothing_private_is_shown() {
    let (key, pkcs8) = SigningKey::generate().unwrap();
    assert_eq!(format!("{pkcs8:?}"), "Pkcs8(secret)");
    assert_eq!(format!("{key:?}"), format!("SigningKey({})", key.kid()));
}

proptest! {
    #[test]
    fn reading_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(SigningKey::from_pkcs8(&bytes).is_err());
    }
}

#[test]
fn a_der_signature_is_the_same_two_numbers() {
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
    let (key, _) = SigningKey::generate().unwrap();
    // Many, so that some have numbers with leading zeros or a first bit that is set.
    for round in 0_u32..300 {
        let message = round.to_be_bytes();
        let signature = key.sign_der(&message).unwrap();
        assert!(
            UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, key.public().point()).verify(&message, &signature).is_ok()
        );
    }
    assert_eq!(der_integer(&[0, 0, 1]), [2, 1, 1]);
    assert_eq!(der_integer(&[0, 0x80]), [2, 2, 0, 0x80]);
    assert_eq!(der_integer(&[0, 0]), [2, 1, 0]);
}
