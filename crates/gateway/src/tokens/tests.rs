use remit_identity::token::TaskClaims as Claims;

use super::*;

const NOW: i64 = 1_800_000_000;
const ISSUER: &str = "https://remit.example.org";
const WHOLE: &str = "https://gate.example.org/mcp";
const DESK: &str = "https://gate.example.org/mcp/desk";

fn token(ring: &KeyRing, audience: &str) -> String {
    let subject = "spiffe://example.org/agent/triage/production".to_owned();
    let claims = Claims {
        iss: ISSUER.to_owned(),
        sub: subject.clone(),
        aud: audience.to_owned(),
        exp: NOW + 20,
        iat: NOW,
        jti: "j1".to_owned(),
        client_id: subject,
        task: "tsk_1".to_owned(),
        run: "run_1".to_owned(),
        agent: "agt_1".to_owned(),
        environment: "production".to_owned(),
        ..Claims::default()
    };
    remit_identity::token::mint(ring, &claims).unwrap()
}

#[test]
fn a_token_is_remembered_until_it_ends_or_the_keys_change() {
    let (tokens, ring) = (Tokens::default(), Arc::new(KeyRing::new(NOW).unwrap()));
    let token = token(&ring, WHOLE);
    let verify = |token: &str, ring, now| tokens.verify(token, ring, ISSUER, &[WHOLE], now);
    let first = verify(&token, &ring, NOW).unwrap();
    assert!(Arc::ptr_eq(&first.said, &verify(&token, &ring, NOW + 1).unwrap().said), "remembered");
    let other = Arc::new(KeyRing::new(NOW).unwrap());
    assert!(verify(&token, &other, NOW + 1).is_err(), "other keys have not signed it");
    assert!(verify(&token, &ring, NOW + 20).is_err(), "it has ended");
    let mut forged = token.clone();
    forged.replace_range(token.len() - 2.., "AA");
    assert!(verify(&forged, &ring, NOW).is_err());
}

#[test]
fn what_was_checked_for_one_address_is_refused_at_another() {
    let (tokens, ring) = (Tokens::default(), Arc::new(KeyRing::new(NOW).unwrap()));
    let token = token(&ring, DESK);
    let at = |audiences: &[&str]| tokens.verify(&token, &ring, ISSUER, audiences, NOW);
    assert_eq!(at(&[WHOLE]).unwrap_err(), TokenError::Audience);
    assert!(at(&[WHOLE, DESK]).is_ok());
    assert_eq!(at(&[WHOLE]).unwrap_err(), TokenError::Audience, "remembering it makes it no better");
    assert_eq!(at(&[WHOLE, "https://gate.example.org/mcp/crm"]).unwrap_err(), TokenError::Audience);
}
