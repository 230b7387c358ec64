use std::sync::LazyLock;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair,
    EcdsaSigningAlgorithm, KeyPair as _, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256,
    RSA_PSS_SHA384, RSA_PSS_SHA512, RsaSignatureEncoding,
};
use proptest::prelude::*;
use serde_json::json;

use super::*;

const NOW: i64 = 1_800_000_000;
const EXPECT: Expect<'static> =
    Expect { issuer: "https://idp.example", audience: "https://remit.example.org", now: NOW };

/// Keys of a foreign issuer, one of each kind, made once.
pub(crate) struct Issuer {
    rsa: RsaKeyPair,
    p256: EcdsaKeyPair,
    p384: EcdsaKeyPair,
    p521: EcdsaKeyPair,
}

pub(crate) static ISSUER: LazyLock<Issuer> = LazyLock::new(|| Issuer {
    rsa: RsaKeyPair::generate(KeySize::Rsa2048).unwrap(),
    p256: ec_key(&ECDSA_P256_SHA256_FIXED_SIGNING),
    p384: ec_key(&ECDSA_P384_SHA384_FIXED_SIGNING),
    p521: ec_key(&ECDSA_P521_SHA512_FIXED_SIGNING),
});

fn ec_key(algorithm: &'static EcdsaSigningAlgorithm) -> EcdsaKeyPair {
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &SystemRandom::new()).unwrap();
    EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref()).unwrap()
}

fn ec_jwk(kid: &str, curve: &str, key: &EcdsaKeyPair) -> Value {
    let point = &key.public_key().as_ref()[1..];
    let (x, y) = point.split_at(point.len() / 2);
    json!({"kty": "EC", "kid": kid, "crv": curve, "x": base64url::encode(x), "y": base64url::encode(y)})
}

impl Issuer {
    fn rsa_jwk(&self) -> Value {
        let public = self.rsa.public_key();
        let number = |bytes: &[u8]| base64url::encode(bytes);
        let (n, e) = (public.modulus(), public.exponent());
        json!({
            "kty": "RSA", "kid": "rsa", "use": "sig", "n": number(n.big_endian_without_leading_zero()),
            "e": number(e.big_endian_without_leading_zero()),
        })
    }

    pub(crate) fn jwks(&self) -> Value {
        json!({"keys": [
            self.rsa_jwk(), ec_jwk("p256", "P-256", &self.p256), ec_jwk("p384", "P-384", &self.p384),
            ec_jwk("p521", "P-521", &self.p521),
        ]})
    }

    pub(crate) fn keys(&self) -> KeySet {
        KeySet::of(&self.jwks()).unwrap()
    }

    /// Signs any header and claims with the key and the method of `alg`, whatever the header says.
    fn sign_as(&self, alg: &str, header: &Value, claims: &Value) -> String {
        let signed = format!("{}.{}", base64url::encode(header.to_string()), base64url::encode(claims.to_string()));
        let rsa = |encoding: &'static RsaSignatureEncoding| {
            let mut signature = vec![0; self.rsa.public_modulus_len()];
            self.rsa.sign(encoding, &SystemRandom::new(), signed.as_bytes(), &mut signature).unwrap();
            signature
        };
        let ec = |key: &EcdsaKeyPair| key.sign(&SystemRandom::new(), signed.as_bytes()).unwrap().as_ref().to_vec();
        let signature = match alg {
            "RS256" => rsa(&RSA_PKCS1_SHA256),
            "RS384" => rsa(&RSA_PKCS1_SHA384),
            "RS512" => rsa(&RSA_PKCS1_SHA512),
            "PS256" => rsa(&RSA_PSS_SHA256),
            "PS384" => rsa(&RSA_PSS_SHA384),
            "PS512" => rsa(&RSA_PSS_SHA512),
            "ES256" => ec(&self.p256),
            "ES384" => ec(&self.p384),
            "ES512" => ec(&self.p521),
            other => panic!("{other}"),
        };
        format!("{signed}.{}", base64url::encode(signature))
    }

    /// A token with the header's own algorithm.
    pub(crate) fn sign(&self, header: &Value, claims: &Value) -> String {
        self.sign_as(header["alg"].as_str().unwrap(), header, claims)
    }
}

fn claims() -> Value {
    json!({
        "iss": EXPECT.issuer, "aud": EXPECT.audience, "sub": "system:serviceaccount:prod:triage",
        "exp": NOW + 600, "iat": NOW, "nbf": NOW,
    })
}

fn verify(token: &str) -> Result<Members, ForeignError> {
    ForeignJwt::parse(token)?.verify(&ISSUER.keys(), &EXPECT)
}

fn changed(change: impl FnOnce(&mut Value, &mut Value)) -> Result<Members, &'static str> {
    let (mut header, mut claims) = (json!({"alg": "ES256", "kid": "p256", "typ": "JWT"}), claims());
    change(&mut header, &mut claims);
    verify(&ISSUER.sign_as("ES256", &header, &claims)).map_err(|error| error.code())
}

#[test]
fn every_algorithm_verifies() {
    for alg in Algorithm::NAMES {
        let kid = match &alg[..2] {
            "ES" => {
                ["p256", "p384", "p521"][["256", "384", "512"].iter().position(|bits| alg.ends_with(bits)).unwrap()]
            }
            _ => "rsa",
        };
        let token = ISSUER.sign(&json!({"alg": alg, "kid": kid}), &claims());
        assert_eq!(verify(&token).unwrap().text("sub"), Ok("system:serviceaccount:prod:triage"), "{alg}");
        let (rest, _) = token.rsplit_once('.').unwrap();
        assert_eq!(verify(&format!("{rest}.AAAA")), Err(ForeignError::Signature), "{alg}");
        assert_eq!(verify(&format!("{rest}.")), Err(ForeignError::Signature), "{alg}");
    }
}

#[test]
fn no_symmetric_or_missing_algorithm_has_a_way_in() {
    for alg in ["none", "None", "HS256", "HS512", "EdDSA", "ES256K", "es256", "RSA-OAEP", "RS1"] {
        assert_eq!(changed(|header, _| header["alg"] = json!(alg)), Err("foreign_algorithm"), "{alg}");
    }
    assert_eq!(changed(|header, _| header["alg"] = json!(["ES256"])), Err("foreign_malformed"));
    assert_eq!(changed(|header, _| _ = header.as_object_mut().unwrap().remove("alg")), Err("foreign_malformed"));
}

#[test]
fn an_algorithm_must_fit_its_key() {
    // A key of another kind or curve than the algorithm says.
    assert_eq!(changed(|header, _| header["alg"] = json!("RS256")), Err("foreign_key_use"));
    assert_eq!(changed(|header, _| header["alg"] = json!("ES384")), Err("foreign_key_use"));
    assert_eq!(changed(|header, _| header["kid"] = json!("rsa")), Err("foreign_key_use"));
    assert_eq!(changed(|header, _| header["kid"] = json!("p384")), Err("foreign_key_use"));
    // A key whose owner names its one algorithm.
    let mut jwk = ISSUER.rsa_jwk();
    jwk["alg"] = json!("PS256");
    let keys = KeySet::of(&json!({"keys": [jwk]})).unwrap();
    for (alg, good) in [("PS256", true), ("RS256", false), ("PS512", false)] {
        let token = ISSUER.sign(&json!({"alg": alg, "kid": "rsa"}), &claims());
        let read = ForeignJwt::parse(&token).unwrap().verify(&keys, &EXPECT);
        assert_eq!(read.err(), (!good).then_some(ForeignError::KeyUse), "{alg}");
    }
}

#[test]
fn keys_are_found_by_name_and_nothing_else() {
    assert_eq!(changed(|header, _| header["kid"] = json!("other")), Err("foreign_key_unknown"));
    // Without a name there must be no choice.
    assert_eq!(changed(|header, _| _ = header.as_object_mut().unwrap().remove("kid")), Err("foreign_key_unknown"));
    let only = KeySet::of(&json!({"keys": [ec_jwk("p256", "P-256", &ISSUER.p256)]})).unwrap();
    let token = ISSUER.sign(&json!({"alg": "ES256"}), &claims());
    assert!(ForeignJwt::parse(&token).unwrap().verify(&only, &EXPECT).is_ok());
    // A key that the document brings along is not looked at.
    let stranger = ec_key(&ECDSA_P256_SHA256_FIXED_SIGNING);
    let token = {
        let header = json!({"alg": "ES256", "jwk": ec_jwk("p256", "P-256", &stranger), "jku": "https://evil.example"});
        let signed = format!("{}.{}", base64url::encode(header.to_string()), base64url::encode(claims().to_string()));
        let signature = stranger.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
        format!("{signed}.{}", base64url::encode(signature))
    };
    assert_eq!(ForeignJwt::parse(&token).unwrap().verify(&only, &EXPECT), Err(ForeignError::Signature));
}

#[test]
fn other_documents_of_the_issuer_are_no_identities() {
    for typ in
        ["secevent+jwt", "logout+jwt", "dpop+jwt", "client-authentication+jwt", "oauth-id-jag+jwt", "txntoken+jwt"]
    {
        assert_eq!(changed(|header, _| header["typ"] = json!(typ)), Err("foreign_type"), "{typ}");
    }
    assert!(changed(|header, _| header["typ"] = json!("at+jwt")).is_ok());
    assert!(changed(|header, _| _ = header.as_object_mut().unwrap().remove("typ")).is_ok());
    assert_eq!(changed(|header, _| header["crit"] = json!(["b64"])), Err("foreign_malformed"));
}

#[test]
fn issuer_audience_and_times_are_held_to() {
    assert_eq!(changed(|_, claims| claims["iss"] = json!("https://idp.example/")), Err("foreign_issuer"));
    assert_eq!(changed(|_, claims| claims["aud"] = json!("https://other.example")), Err("foreign_audience"));
    assert!(changed(|_, claims| claims["aud"] = json!([EXPECT.audience])).is_ok());
    for audience in [json!([]), json!([EXPECT.audience, "https://other.example"]), json!(null), json!([1])] {
        assert_eq!(changed(|_, claims| claims["aud"] = audience.clone()), Err("foreign_audience"), "{audience}");
    }
    let skew = limits::FOREIGN_SKEW_SECONDS;
    assert!(changed(|_, claims| claims["exp"] = json!(NOW - skew + 1)).is_ok());
    assert_eq!(changed(|_, claims| claims["exp"] = json!(NOW - skew)), Err("foreign_expired"));
    for name in ["iat", "nbf"] {
        assert!(changed(|_, claims| claims[name] = json!(NOW + skew)).is_ok());
        assert_eq!(changed(|_, claims| claims[name] = json!(NOW + skew + 1)), Err("foreign_not_yet_valid"), "{name}");
        assert_eq!(changed(|_, claims| claims[name] = json!("now")), Err("foreign_malformed"), "{name}");
    }
    assert_eq!(changed(|_, claims| _ = claims.as_object_mut().unwrap().remove("exp")), Err("foreign_malformed"));
}

#[test]
fn texts_that_are_no_tokens_are_refused() {
    for text in ["", ".", "..", "a.b", "a.b.c.d", "e30.e30.", "!.!.!"] {
        assert!(ForeignJwt::parse(text).is_err(), "{text}");
    }
    assert_eq!(ForeignJwt::parse(&"a".repeat(limits::FOREIGN_JWT_BYTES_MAX + 1)).unwrap_err(), ForeignError::TooLong);
    let twice = base64url::encode(r#"{"iss":"a","iss":"b"}"#);
    let header = base64url::encode(r#"{"alg":"ES256"}"#);
    assert_eq!(ForeignJwt::parse(&format!("{header}.{twice}.AA")).unwrap_err().code(), "foreign_malformed");
}

fn key_set(change: impl FnOnce(&mut Value)) -> Result<KeySet, KeySetError> {
    let mut set = ISSUER.jwks();
    change(&mut set);
    KeySet::parse(set.to_string().as_bytes())
}

#[test]
fn keys_for_other_ends_are_passed_over() {
    let set = key_set(|set| {
        let keys = set["keys"].as_array_mut().unwrap();
        keys.push(json!({"kty": "OKP", "crv": "Ed25519", "x": "AA", "kid": "ed"}));
        keys.push(json!({"kty": "oct", "kid": "rsa"}));
        let mut encryption = ISSUER.rsa_jwk();
        encryption["use"] = json!("enc");
        keys.push(encryption);
        let mut wrapping = ISSUER.rsa_jwk();
        wrapping["alg"] = json!("RSA-OAEP");
        keys.push(wrapping);
        let mut signing_only = ISSUER.rsa_jwk();
        signing_only["key_ops"] = json!(["sign"]);
        keys.push(signing_only);
        let mut bitcoin = ec_jwk("k", "P-256", &ISSUER.p256);
        bitcoin["crv"] = json!("secp256k1");
        keys.push(bitcoin);
    });
    assert_eq!(
        set.unwrap().keys().iter().map(|key| key.kid().unwrap()).collect::<Vec<_>>(),
        ["rsa", "p256", "p384", "p521"]
    );
}

#[test]
fn what_is_wrong_with_a_key_refuses_the_set() {
    for name in ["d", "p", "k"] {
        assert_eq!(key_set(|set| set["keys"][1][name] = json!("AA")), Err(KeySetError::Private), "{name}");
    }
    assert_eq!(key_set(|set| set["keys"][2]["kid"] = json!("p256")), Err(KeySetError::Repeated));
    assert_eq!(key_set(|set| set["keys"][1]["y"] = set["keys"][1]["x"].clone()), Err(KeySetError::Ec));
    assert_eq!(key_set(|set| set["keys"][1]["crv"] = json!("P-384")), Err(KeySetError::Ec));
    assert_eq!(key_set(|set| set["keys"] = json!([])), Err(KeySetError::Malformed(JsonError::Count("keys"))));
    assert_eq!(key_set(|set| set["keys"] = json!([{"kty": "oct"}])), Err(KeySetError::Empty));
    assert_eq!(key_set(|set| *set = json!({})), Err(KeySetError::Malformed(JsonError::Missing("keys"))));
    assert!(key_set(|set| set["keys"] = json!(vec![json!({"kty": "oct"}); limits::FOREIGN_KEYS_MAX + 1])).is_err());
    assert_eq!(KeySet::parse(&vec![b' '; limits::FOREIGN_KEYS_BYTES_MAX + 1]), Err(KeySetError::TooLong));
    assert!(KeySet::parse(br#"{"keys":[{"kty":"oct","kty":"RSA"}]}"#).is_err());
}

#[test]
fn weak_and_impossible_rsa_keys_are_refused() {
    let modulus = |bytes: Vec<u8>| key_set(|set| set["keys"][0]["n"] = json!(base64url::encode(bytes)));
    let odd = |length: usize| [vec![0xc1; length - 1], vec![0x01]].concat();
    assert!(modulus(odd(256)).is_ok());
    assert_eq!(modulus(odd(128)), Err(KeySetError::Rsa), "1024 bits");
    assert_eq!(modulus([vec![0x7f], odd(255)].concat()), Err(KeySetError::Rsa), "2047 bits");
    assert_eq!(modulus(odd(1025)), Err(KeySetError::Rsa), "8200 bits");
    assert_eq!(modulus([vec![0], odd(256)].concat()), Err(KeySetError::Rsa), "a needless zero");
    assert_eq!(modulus([odd(255), vec![2]].concat()), Err(KeySetError::Rsa), "even");
    for exponent in [vec![], vec![1], vec![2], vec![1, 0, 0, 0, 1], vec![0, 3]] {
        let set = key_set(|set| set["keys"][0]["e"] = json!(base64url::encode(&exponent)));
        assert_eq!(set, Err(KeySetError::Rsa), "{exponent:?}");
    }
}

fn rules(rules: &[(&str, &[&str])]) -> Result<ClaimRules, RuleError> {
    let owned = |(name, values): &(&str, &[&str])| {
        ((*name).to_owned(), values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>())
    };
    ClaimRules::new(&rules.iter().map(owned).collect())
}

#[test]
fn all_rules_must_hold() {
    let claims = json!({
        "sub": "repo:our-org/app:ref:refs/heads/main", "repository": "our-org/app", "env": "prod", "id": 7,
        "protected": true, "groups": ["dev", "ops"], "nested": {"a": "b"},
    });
    let claims = Members::of(&claims).unwrap();
    let holds = |asked: &[(&str, &[&str])]| rules(asked).unwrap().hold(&claims);
    assert_eq!(holds(&[("repository", &["our-org/app"])]), Ok(()));
    assert_eq!(holds(&[("sub", &["repo:our-org/*"]), ("env", &["test", "prod"])]), Ok(()));
    assert_eq!(holds(&[("id", &["7"]), ("protected", &["true"]), ("groups", &["ops"])]), Ok(()));
    let broken = |name: &str| Err(ForeignError::Rule(name.to_owned()));
    assert_eq!(holds(&[("sub", &["repo:our-org/*"]), ("env", &["test"])]), broken("env"));
    assert_eq!(holds(&[("sub", &["repo:our-organisation/*"])]), broken("sub"));
    assert_eq!(holds(&[("repository", &["our-org/ap"])]), broken("repository"));
    assert_eq!(holds(&[("absent", &["a"])]), broken("absent"));
    assert_eq!(holds(&[("groups", &["d"])]), broken("groups"));
    assert_eq!(holds(&[("nested", &["b"])]), broken("nested"));
}

#[test]
fn rules_that_say_nothing_are_refused() {
    assert_eq!(rules(&[]), Err(RuleError::Count));
    assert_eq!(rules(&[("sub", &[])]), Err(RuleError::Nothing("sub".to_owned())));
    for value in ["*", "", "a*b", "*a", "a**"] {
        assert_eq!(rules(&[("sub", &[value])]), Err(RuleError::Star("sub".to_owned())), "{value}");
    }
}

proptest! {
    #[test]
    fn reading_never_panics(text in "\\PC{0,200}", bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = ForeignJwt::parse(&text);
        prop_assert!(KeySet::parse(&bytes).is_err());
    }
}
