//! No event, no effect: what an upstream sees has been recorded before it sees it.

use std::collections::BTreeSet;

use crate::support::{Echo, Estate, Load, Place, Reply, Witness, turn};

const CALLS: u64 = 10_000;
/// Callers that keep calling.
const CALLERS: usize = 320;
/// Calls that are in the upstream's hands all at the same moment.
const AT_ONCE: usize = 2_000;

#[tokio::test(flavor = "multi_thread")]
async fn every_decision_stands_in_the_ledger_while_its_call_is_handled() {
    let _turn = turn().await;
    let (place, echo) = (Place::new(""), Echo::start());
    let server = place.up().await;
    let estate = Estate::build(&place, &echo).await;
    echo.watch(&place);

    let replies = Load::start(&estate, CALLERS, CALLS).finish().await;
    check(&echo, &replies, usize::try_from(CALLS).expect("a count"));

    // Now none is answered before all are there: the gateway holds every one of them open at once.
    echo.gather(AT_ONCE);
    let replies = Load::start(&estate, AT_ONCE, AT_ONCE as u64).finish().await;
    check(&echo, &replies, AT_ONCE);

    server.stop().await;
    let ledger = Witness::of_all(&place);
    assert_eq!(ledger.allowed.len() as u64, CALLS + AT_ONCE as u64, "the ledger allows more than was called");
    assert_eq!(ledger.without_outcome(), Vec::<&String>::new(), "an outcome is missing after a clean stop");
}

fn check(echo: &Echo, replies: &[Reply], calls: usize) {
    let refused = replies.iter().find(|reply| !reply.is_result());
    assert!(refused.is_none(), "a call was refused: {refused:?}");
    assert_eq!(replies.len(), calls, "calls were left without an answer");
    let seen = echo.take_calls();
    assert_eq!(seen.len(), calls, "the upstream was not called once for each call");
    let seen: BTreeSet<&String> = seen.iter().collect();
    assert_eq!(seen.len(), calls, "a decision was used twice");
    let answered: BTreeSet<&String> = replies.iter().filter_map(|reply| reply.decision.as_ref()).collect();
    assert_eq!(answered, seen, "answers name other decisions than the upstream saw");
    assert_eq!(echo.unrecorded(), Vec::<String>::new(), "calls arrived before their decisions were recorded");
}
