//! Ends and keys while much is going on: what has ended stays ended whatever happens to the process, and keys change without a
//! call being lost.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Control, Echo, Estate, Load, Place, Random, text, turn};

/// How often the process is killed around the commit of an end.
const ROUNDS: u64 = 12;
/// Tasks that end at once.
const TASKS: usize = 12;
/// When it is killed after the end was asked for, in milliseconds.
const KILL_MS: std::ops::Range<u64> = 0..25;

async fn start(operator: &Control, purpose: &str) -> String {
    let task = json!({"agent": "support", "purpose": purpose, "ttl_seconds": 3600, "token_ttl_seconds": 3600});
    text(&operator.post("/v1/tasks", task).await, "token")
}

/// The record of the agent's last suspension, if there is one after `seq`.
async fn suspended_after(operator: &Control, seq: Option<u64>) -> Option<u64> {
    let found = operator.read("/v1/records?kind=AgentSuspended&limit=1").await;
    let newest = found.pointer("/items/0/record/seq").or_else(|| found.pointer("/items/0/seq")).and_then(Value::as_u64);
    newest.filter(|newest| seq.is_none_or(|seq| *newest > seq))
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_during_a_cascade_it_completes_it_and_the_receipt_says_so() {
    let _turn = turn().await;
    let (place, echo, mut random) = (Place::new(""), Echo::start(), Random::new());
    let mut server = place.up().await;
    let estate = Estate::build(&place, &echo).await;
    let (mut last, mut completed_later) = (None, 0);
    for round in 1..=ROUNDS {
        let operator = place.control();
        let mut tokens = Vec::new();
        for _ in 0..TASKS {
            tokens.push(start(&operator, "work until it is ended").await);
        }
        let loads: Vec<Load> = tokens.iter().map(|token| Load::start(&estate.with(token), 2, u64::MAX)).collect();
        tokio::time::sleep(Duration::from_millis(100)).await;
        let asking = operator.clone();
        let asked = tokio::spawn(async move {
            asking.post("/v1/agents/support/suspend", json!({"reason": "look at what it does"})).await
        });
        tokio::time::sleep(Duration::from_millis(random.within(KILL_MS))).await;
        server.kill().await;
        for load in loads {
            load.finish().await;
        }
        let answered = asked.await.is_ok();

        server = place.up().await;
        let mut cause = suspended_after(&operator, last).await;
        assert!(cause.is_some() || !answered, "round {round}: an end that was acknowledged is lost");
        let before_the_kill = cause.is_some();
        if cause.is_none() {
            // It was killed before the commit; then nothing at all has happened.
            operator.post("/v1/agents/support/suspend", json!({"reason": "once more"})).await;
            cause = suspended_after(&operator, last).await;
        }
        let seq = cause.expect("it is suspended");
        for token in &tokens {
            let reply = estate.with(token).caller().call("after the end").await.expect("an answer");
            assert!(!reply.is_result(), "round {round}: a call after the end: {reply:?}");
        }
        let answer = operator.read(&format!("/v1/receipts/{seq}?wait_seconds=10")).await;
        let receipt = &answer["receipt"];
        assert_eq!(receipt["pending"], json!([]), "round {round}: {receipt}");
        assert_eq!(receipt["accepted_after"], 0, "round {round}: {receipt}");
        assert!(receipt["ended"]["tasks"].as_u64().expect("a number") >= TASKS as u64, "round {round}: {receipt}");
        let says_so = receipt["not_revoked"].to_string().contains("restarted");
        assert!(
            says_so || !before_the_kill || answered,
            "round {round}: it does not say that it went on later: {receipt}"
        );
        completed_later += u64::from(says_so);
        last = Some(seq);
        operator.post("/v1/agents/support/resume", json!({})).await;
    }
    server.stop().await;
    eprintln!("{ROUNDS} rounds: {completed_later} completed after a restart");
    assert!(completed_later > 0, "it was never killed between the commit and its effects");
}

/// The name of the key that signed a token.
fn key_of(token: &str) -> String {
    use base64::Engine as _;
    let (head, _) = token.split_once('.').expect("a token has parts");
    let head = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(head).expect("a header");
    text(&serde_json::from_slice(&head).expect("a header is JSON"), "kid")
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_change_under_load_without_losing_a_call_and_a_revoked_one_verifies_nothing() {
    let _turn = turn().await;
    let (place, echo) = (Place::new(""), Echo::start());
    let server = place.up().await;
    let estate = Estate::build(&place, &echo).await;
    let operator = place.control();
    let load = Load::start(&estate, 8, u64::MAX);
    let mut tokens = vec![estate.token.clone()];
    for _ in 0..5 {
        operator.post("/v1/keys/rotate", json!({})).await;
        operator.post("/v1/keys/rotate?purpose=ca", json!({})).await;
        tokens.push(start(&operator, "a token of the next key").await);
    }
    for token in &tokens {
        assert!(estate.with(token).caller().call("under its own key").await.expect("an answer").is_result());
    }
    let replies = load.stop().await;
    assert!(replies.len() > 20 && replies.iter().all(|reply| reply.is_result()), "a call was lost: {replies:?}");

    // From the answer on, nothing that the key signed is accepted, at any connection, while others go on undisturbed.
    let (old, new) = (&tokens[1], &tokens[4]);
    let undisturbed = Load::start(&estate.with(new), 4, u64::MAX);
    let mut callers: Vec<_> = (0..4).map(|_| estate.with(old).caller()).collect();
    for caller in &mut callers {
        assert!(caller.call("before").await.expect("an answer").is_result());
    }
    let revoked = operator.post(&format!("/v1/keys/{}/revoke", key_of(old)), json!({})).await;
    for caller in &mut callers {
        let reply = caller.call("after").await.expect("an answer");
        assert!(!reply.is_result(), "{reply:?}");
    }
    let replies = undisturbed.stop().await;
    assert!(!replies.is_empty() && replies.iter().all(|reply| reply.is_result()), "{replies:?}");
    let keys = operator.read("/oauth/jwks").await.to_string();
    assert!(!keys.contains(&key_of(old)) && keys.contains(&key_of(new)), "{keys}");
    let receipt = operator.read(&format!("/v1/receipts/{}?wait_seconds=10", revoked["seq"])).await;
    assert_eq!(receipt["receipt"]["pending"], json!([]), "{receipt}");

    // The one that signs, too: another takes its place at once.
    let current = key_of(&tokens[5]);
    operator.post(&format!("/v1/keys/{current}/revoke"), json!({})).await;
    assert!(!estate.with(&tokens[5]).caller().call("after").await.expect("an answer").is_result());
    let fresh = start(&operator, "a token of the key that came after").await;
    assert_ne!(key_of(&fresh), current);
    assert!(estate.with(&fresh).caller().call("with it").await.expect("an answer").is_result());
    server.stop().await;
}
