//! The process may be killed at any moment: nothing that was acknowledged is lost, and nothing has happened unrecorded.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::faults::verified;
use crate::support::{Echo, Estate, Load, Place, Random, Witness, turn};

/// Variable that sets the number of rounds.
const ROUNDS: &str = "REMIT_CRASH_ROUNDS";
const ROUNDS_DEFAULT: u64 = 100;
const CALLERS: usize = 32;
/// How long the server runs under load before it is killed, in milliseconds.
const LIFE_MS: std::ops::Range<u64> = 10..300;
/// Rounds between two verifications of every byte.
const VERIFY_ROUNDS: u64 = 20;
/// Small segments and frequent snapshots, so that it is killed in the middle of making those as well.
const SETTINGS: &str = "ledger.segment_bytes = 1048576\nledger.snapshot_entries = 2000\n";

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_moment_it_loses_nothing_that_was_acknowledged() {
    let _turn = turn().await;
    let rounds =
        std::env::var(ROUNDS).map_or(ROUNDS_DEFAULT, |text| text.parse().expect("REMIT_CRASH_ROUNDS is not a number"));
    let (place, echo, mut random) = (Place::new(SETTINGS), Echo::start(), Random::new());
    let mut server = place.up().await;
    let estate = Estate::build(&place, &echo).await;
    let mut witness = Witness::of(&place);
    let (mut acknowledged, mut seen) = (BTreeSet::new(), BTreeSet::new());

    for round in 1..=rounds {
        let load = Load::start(&estate, CALLERS, u64::MAX);
        tokio::time::sleep(Duration::from_millis(random.within(LIFE_MS))).await;
        server.kill().await;
        // Without a server every caller comes to its end.
        for reply in load.finish().await {
            assert!(reply.is_result(), "round {round}: a call was refused: {reply:?}");
            acknowledged.insert(reply.decision.expect("an answer names no decision"));
        }
        seen.extend(echo.take_calls());

        server = place.up().await;
        witness.look_again();
        check(round, &witness, &acknowledged, &seen);
        if round % VERIFY_ROUNDS == 0 {
            // At rest: a running server publishes while it is looked at.
            server.stop().await;
            verified(&place);
            server = place.up().await;
        }
    }
    server.stop().await;

    // Not only as it was read on the way: once more, all of it.
    let all = Witness::of_all(&place);
    check(rounds, &all, &acknowledged, &seen);
    assert_eq!(all.allowed, witness.allowed, "the ledger does not say what it said before");
    verified(&place);
    let unknown = all.outcomes.values().filter(|outcome| *outcome == "unknown").count();
    eprintln!(
        "{rounds} rounds: {} acknowledged, {unknown} with unknown outcome, {} entries",
        acknowledged.len(),
        all.entries()
    );
    assert!(acknowledged.len() as u64 >= rounds, "hardly anything was called: {}", acknowledged.len());
}

fn check(round: u64, ledger: &Witness, acknowledged: &BTreeSet<String>, seen: &BTreeSet<String>) {
    let lost: Vec<_> = acknowledged.difference(&ledger.allowed).collect();
    assert!(lost.is_empty(), "round {round}: acknowledged and lost: {lost:?}");
    let unrecorded: Vec<_> = seen.difference(&ledger.allowed).collect();
    assert!(unrecorded.is_empty(), "round {round}: the upstream was called without a decision: {unrecorded:?}");
    for action in acknowledged {
        // The answer carried confidential data, so it was released only after its outcome was durable.
        let outcome = ledger.outcomes.get(action).map(String::as_str);
        assert_eq!(outcome, Some("succeeded"), "round {round}: `{action}` was answered");
    }
    assert_eq!(
        ledger.without_outcome(),
        Vec::<&String>::new(),
        "round {round}: calls of before the crash are left open"
    );
}
