use remit_identity::token::TaskClaims as Claims;

use super::*;

const NOW: i64 = 1_800_000_000;
const EXPECTED: Expected<'static> =
    Expected { issuer: "https://remit.example.org", audience: "https://gate.example.org", environment: None };

fn token(ring: &KeyRing) -> String {
    let subject = "spiffe://example.org/agent/triage/production".to_owned();
    let claims = Claims {
        iss: EXPECTED.issuer.to_owned(),
        sub: subject.clone(),
        aud: EXPECTED.audience.to_owned(),
        exp: NOW + 20,
        iat: NOW,
        jti: "j1".to_owned(),
        client_id: subject,
        task: "tsk_1".to_owned(),
        run: "run_1".to_owned(),
        agent: "agt_1".to_owned(),
        acting_for: None,
        environment: "production".to_owned(),
        cnf: None,
    };
    remit_identity::token::mint(ring, &claims).unwrap()
}

#[test]
fn a_token_is_remembered_until_it_ends_or_the_keys_change() {
    let (tokens, ring) = (Tokens::default(), Arc::new(KeyRing::new(NOW).unwrap()));
    let token = token(&ring);
    let first = tokens.verify(&token, &ring, &EXPECTED, NOW).unwrap();
    assert!(Arc::ptr_eq(&first, &tokens.verify(&token, &ring, &EXPECTED, NOW + 1).unwrap()), "remembered");
    let other = Arc::new(KeyRing::new(NOW).unwrap());
    assert!(tokens.verify(&token, &other, &EXPECTED, NOW + 1).is_err(), "other keys have not signed it");
    assert!(tokens.verify(&token, &ring, &EXPECTED, NOW + 20).is_err(), "it has ended");
    let mut forged = token.clone();
    forged.replace_range(token.len() - 2.., "AA");
    assert!(tokens.verify(&forged, &ring, &EXPECTED, NOW).is_err());
}
