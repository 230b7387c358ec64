use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P384_SHA384_FIXED_SIGNING, ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256,
    RSA_PSS_SHA512,
};

use super::*;
use crate::SigningKey;

fn read(jwk: &Value) -> Result<Option<VerifyingKey>, VerifyingKeyError> {
    VerifyingKey::from_jwk(jwk.as_object().unwrap())
}

#[test]
fn each_curve_verifies_with_its_own_algorithm_only() {
    let message = b"message";
    let sign = |algorithm| {
        let key = EcdsaKeyPair::generate(algorithm).unwrap();
        let signature = key.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec();
        (key.public_key().as_ref().to_vec(), signature)
    };
    let (own, _) = SigningKey::generate().unwrap();
    let (p384, p384_signature) = sign(&ECDSA_P384_SHA384_FIXED_SIGNING);
    let (p521, p521_signature) = sign(&ECDSA_P521_SHA512_FIXED_SIGNING);
    let cases = [
        (own.public().into(), own.sign(message).unwrap().to_vec(), Algorithm::Es256),
        (VerifyingKey::from_point(Curve::P384, p384).unwrap(), p384_signature, Algorithm::Es384),
        (VerifyingKey::from_point(Curve::P521, p521).unwrap(), p521_signature, Algorithm::Es512),
    ];
    let all = ["ES256", "ES384", "ES512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512"];
    for (key, signature, own) in cases {
        assert_eq!(read(&key.to_value()), Ok(Some(key.clone())));
        for algorithm in all.map(|name| Algorithm::parse(name).unwrap()) {
            assert_eq!(key.verifies(algorithm, message, &signature), algorithm == own);
        }
        assert!(!key.verifies(own, b"another", &signature));
    }
}

#[test]
fn rsa_keys_verify_and_weak_ones_are_refused() {
    let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let public = pair.public_key();
    let (n, e) =
        (public.modulus().big_endian_without_leading_zero(), public.exponent().big_endian_without_leading_zero());
    let jwk = json!({"kty": "RSA", "n": base64url::encode(n), "e": base64url::encode(e)});
    let key = read(&jwk).unwrap().unwrap();
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), b"m", &mut signature).unwrap();
    assert!(key.verifies(Algorithm::Rs256, b"m", &signature));
    assert!(!key.verifies(Algorithm::Ps256, b"m", &signature));
    pair.sign(&RSA_PSS_SHA512, &SystemRandom::new(), b"m", &mut signature).unwrap();
    assert!(key.verifies(Algorithm::Ps512, b"m", &signature));
    assert!(!key.verifies(Algorithm::Es256, b"m", &signature));
    let weak = |n: &[u8], e: &[u8]| VerifyingKey::from_rsa(n.to_vec(), e.to_vec());
    assert_eq!(weak(&n[1..], e), Err(VerifyingKeyError::Rsa));
    assert_eq!(weak(&[&[0], n].concat(), e), Err(VerifyingKeyError::Rsa));
    for exponent in [&[][..], &[1], &[2], &[0, 3], &[1, 0, 0, 0, 1]] {
        assert_eq!(weak(n, exponent), Err(VerifyingKeyError::Rsa));
    }
}

#[test]
fn what_is_no_public_key_is_refused_and_what_is_of_no_use_passed_over() {
    let good = json!({
        "kty": "EC", "crv": "P-256",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    });
    let with = |name: &str, value: Value| {
        let mut jwk = good.clone();
        jwk[name] = value;
        read(&jwk)
    };
    assert!(read(&good).unwrap().is_some());
    assert_eq!(with("d", json!("x")), Err(VerifyingKeyError::Private));
    assert_eq!(with("kty", json!(null)), Err(VerifyingKeyError::Kind));
    assert_eq!(with("x", json!("AAAA")), Err(VerifyingKeyError::Point));
    assert_eq!(with("y", good["x"].clone()), Err(VerifyingKeyError::Point));
    assert_eq!(with("kty", json!("OKP")), Ok(None));
    assert_eq!(with("crv", json!("secp256k1")), Ok(None));
    for name in ["none", "HS256", "EdDSA", "ES256K", "es256", ""] {
        assert_eq!(Algorithm::parse(name), None);
    }
}
