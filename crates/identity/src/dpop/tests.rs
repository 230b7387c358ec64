use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::jws::tests::forge;

const NOW: i64 = 1_800_000_000;
const ADDRESS: &str = "https://gate.example.org/mcp";
const TOKEN: &str = "an.access.token";

fn expect() -> Expect<'static> {
    Expect { htm: "POST", htu: ADDRESS, access_token: Some(TOKEN), jkt: None, now: NOW }
}

fn key() -> SigningKey {
    SigningKey::generate().unwrap().0
}

fn proof(key: &SigningKey) -> String {
    make_proof(key, "POST", ADDRESS, NOW, "j1", Some(TOKEN)).unwrap()
}

fn code(proof: &str, expect: &Expect<'_>) -> &'static str {
    verify_proof(proof, expect).unwrap_err().code()
}

/// The code of the refusal of a good proof but for what `change` does to its header and claims.
fn refused(change: impl FnOnce(&mut Value, &mut Value)) -> &'static str {
    let key = key();
    let mut header = json!({"alg": "ES256", "typ": "dpop+jwt", "jwk": key.public()});
    let mut claims = json!({"jti": "j1", "htm": "POST", "htu": ADDRESS, "iat": NOW, "ath": token_hash(TOKEN)});
    change(&mut header, &mut claims);
    code(&forge(&header.to_string(), &claims.to_string(), &key), &expect())
}

#[test]
fn what_is_made_verifies() {
    let key = key();
    let jkt = key.kid().to_owned();
    let bound = Expect { jkt: Some(&jkt), ..expect() };
    let held = verify_proof(&proof(&key), &bound).unwrap();
    assert_eq!(held, ProofId { jkt: jkt.clone(), jti: "j1".to_owned(), iat: NOW });
    let without = make_proof(&key, "POST", ADDRESS, NOW, "j2", None).unwrap();
    assert!(verify_proof(&without, &Expect { access_token: None, ..expect() }).is_ok());
}

#[test]
fn the_proofs_published_in_rfc_9449_verify() {
    let header = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOX\
        pDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMj\
        U2In19";
    let jkt = Some("0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
    // Section 4.1: a token request.
    let first = "eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2\
        VuIiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT\
        3Lg";
    let at_token =
        Expect { htm: "POST", htu: "https://server.example.com/token", access_token: None, jkt, now: 1_562_262_616 };
    assert_eq!(verify_proof(&format!("{header}.{first}"), &at_token).unwrap().jti, "-BwC3ESc6acc2lTc");
    // Section 7.1: a request for a protected resource.
    let second = "eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm\
        90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFby\
        J9.2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA";
    let at_resource = Expect {
        htm: "GET",
        htu: "https://resource.example.org/protectedresource",
        access_token: Some("Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"),
        jkt,
        now: 1_562_262_618,
    };
    assert_eq!(verify_proof(&format!("{header}.{second}"), &at_resource).unwrap().jti, "e1j3V_bKic8-LAEB");
    assert_eq!(code(&format!("{header}.{second}"), &Expect { access_token: Some("x"), ..at_resource }), "dpop_token");
}

#[test]
fn a_proof_is_for_one_request() {
    let proof = proof(&key());
    assert_eq!(code(&proof, &Expect { htm: "GET", ..expect() }), "dpop_method");
    assert_eq!(code(&proof, &Expect { htm: "post", ..expect() }), "dpop_method");
    assert_eq!(code(&proof, &Expect { htu: "https://gate.example.org/other", ..expect() }), "dpop_address");
    assert_eq!(code(&proof, &Expect { htu: "http://gate.example.org/mcp", ..expect() }), "dpop_address");
    assert_eq!(code(&proof, &Expect { htu: "nonsense", ..expect() }), "dpop_address");
    assert_eq!(code(&proof, &Expect { access_token: Some("another"), ..expect() }), "dpop_token");
    assert_eq!(code(&proof, &Expect { jkt: Some(key().kid()), ..expect() }), "dpop_binding");
    assert!(verify_proof(&proof, &Expect { htu: "HTTPS://Gate.example.org:443/mcp?q=1#f", ..expect() }).is_ok());
}

#[test]
fn a_proof_is_for_one_minute() {
    let proof = proof(&key());
    for now in [NOW - 60, NOW, NOW + 60] {
        assert!(verify_proof(&proof, &Expect { now, ..expect() }).is_ok(), "{now}");
    }
    for now in [NOW - 61, NOW + 61, i64::MIN, i64::MAX] {
        assert_eq!(code(&proof, &Expect { now, ..expect() }), "dpop_stale", "{now}");
    }
}

#[test]
fn headers_are_refused_by_code() {
    assert_eq!(refused(|header, _| header["alg"] = json!("none")), "dpop_algorithm");
    assert_eq!(refused(|header, _| header["alg"] = json!("HS256")), "dpop_algorithm");
    assert_eq!(refused(|header, _| header["typ"] = json!("JWT")), "dpop_type");
    assert_eq!(refused(|header, _| header["typ"] = json!("at+jwt")), "dpop_type");
    assert_eq!(refused(|header, _| header["jwk"]["d"] = json!("AAAA")), "dpop_key");
    assert_eq!(refused(|header, _| header["jwk"] = json!({"kty": "oct", "k": "AAAA"})), "dpop_key");
    assert_eq!(refused(|header, _| header["jwk"] = key().public().to_value()), "dpop_signature");
    assert_eq!(refused(|header, _| header["crit"] = json!(["x"])), "dpop_malformed");
    let missing = refused(|header, _| {
        header.as_object_mut().unwrap().remove("jwk");
    });
    assert_eq!(missing, "dpop_key");
}

#[test]
fn claims_are_refused_by_code() {
    assert_eq!(refused(|_, claims| claims["ath"] = json!(null)), "dpop_malformed");
    assert_eq!(refused(|_, claims| claims["htu"] = json!("https://user@gate.example.org/mcp")), "dpop_address");
    assert_eq!(refused(|_, claims| claims["iat"] = json!(1.5)), "dpop_malformed");
    assert_eq!(refused(|_, claims| claims["jti"] = json!("x".repeat(200))), "dpop_malformed");
    for name in ["jti", "htm", "htu", "iat"] {
        let missing = refused(|_, claims| {
            claims.as_object_mut().unwrap().remove(name);
        });
        assert_eq!(missing, "dpop_malformed", "{name}");
    }
    let unbound = refused(|_, claims| {
        claims.as_object_mut().unwrap().remove("ath");
    });
    assert_eq!(unbound, "dpop_token");
}

#[test]
fn a_proof_shown_twice_is_a_replay() {
    let mut cache = crate::ReplayCache::new(NOW);
    let held = verify_proof(&proof(&key()), &expect()).unwrap();
    assert!(cache.insert(&held.jkt, &held.jti, held.iat, NOW));
    assert!(!cache.insert(&held.jkt, &held.jti, held.iat, NOW + 60));
    assert_eq!(DpopError::Replay.code(), "dpop_replay");
}

#[test]
fn an_address_that_is_none_makes_no_proof() {
    let made = make_proof(&key(), "POST", "/mcp", NOW, "j", None);
    assert!(matches!(made, Err(MakeProofError::Address(_))));
}

proptest! {
    #[test]
    fn reading_never_panics(text in "\\PC{0,200}") {
        prop_assert!(verify_proof(&text, &expect()).is_err());
    }
}
