use aws_lc_rs::hkdf;
use proptest::prelude::*;

use super::*;

#[test]
fn opens_only_with_the_same_key_and_purpose() {
    let kek = Kek::generate().unwrap();
    let sealed = kek.seal(b"purpose", b"secret text").unwrap();
    assert_eq!(sealed.len(), NONCE_LEN + 11 + TAG_BYTES);
    assert_eq!(kek.open(b"purpose", &sealed).unwrap().as_slice(), b"secret text");
    assert_eq!(kek.open(b"another", &sealed), Err(SealError::Unopenable));
    assert_eq!(Kek::generate().unwrap().open(b"purpose", &sealed), Err(SealError::Unopenable));
    assert_eq!(kek.derive("other").open(b"purpose", &sealed), Err(SealError::Unopenable));
}

#[test]
fn any_changed_byte_is_noticed() {
    let kek = Kek::generate().unwrap();
    let sealed = kek.seal(b"", b"text").unwrap();
    for at in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[at] ^= 1;
        assert_eq!(kek.open(b"", &changed), Err(SealError::Unopenable), "byte {at}");
        assert_eq!(kek.open(b"", &sealed[..at]), Err(SealError::Unopenable), "length {at}");
    }
}

#[test]
fn sealing_twice_gives_two_texts() {
    let kek = Kek::generate().unwrap();
    assert_ne!(kek.seal(b"", b"text").unwrap(), kek.seal(b"", b"text").unwrap());
}

#[test]
fn derived_keys_depend_on_the_label_and_on_nothing_else() {
    let kek = Kek::from_bytes(&[7; 32]);
    assert_eq!(kek.derive("a").expose(), Kek::from_bytes(&[7; 32]).derive("a").expose());
    assert_ne!(kek.derive("a").expose(), kek.derive("b").expose());
    assert_ne!(kek.derive("a").expose(), kek.expose());
    assert_ne!(kek.mac(b"m"), kek.derive("a").mac(b"m"));
    assert_ne!(kek.mac(b"m"), kek.mac(b"n"));
}

#[test]
fn expansion_is_the_hkdf_of_rfc_5869() {
    let secret = Secret::from_bytes(&[9; 32]);
    let extracted = hkdf::Salt::new(hkdf::HKDF_SHA256, b"remit").extract(&[9; 32]);
    let mut block = [0_u8; 32];
    extracted.expand(&[b"remit derive\0label"], hkdf::HKDF_SHA256).unwrap().fill(&mut block).unwrap();
    assert_eq!(*secret.expand("derive", "label"), block);
}

#[test]
fn a_passphrase_gives_the_same_key_for_the_same_salt_only() {
    // Known answer for 600,000 rounds, from an independent implementation.
    let kek = Kek::from_passphrase("correct horse", b"0123456789abcdef");
    let hex: String = kek.expose().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, "91828083f760ed60bb550e24f3e89aa29bbcb27c4219d034c4c4f03c2e6db9d9");
    assert_ne!(kek.expose(), Kek::from_passphrase("correct horse", b"0123456789abcdeF").expose());
}

#[test]
fn nothing_secret_is_shown() {
    assert_eq!(format!("{:?}", Kek::from_bytes(&[7; 32])), "Kek(secret)");
}

proptest! {
    #[test]
    fn opening_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
        prop_assert!(Kek::from_bytes(&[7; 32]).open(b"", &bytes).is_err());
    }

    #[test]
    fn everything_comes_back(plain in proptest::collection::vec(any::<u8>(), 0..100), aad in any::<[u8; 5]>()) {
        let kek = Kek::from_bytes(&[7; 32]);
        prop_assert_eq!(&*kek.open(&aad, &kek.seal(&aad, &plain).unwrap()).unwrap(), &plain);
    }
}
