use remit_domain::Timestamp;
use serde_json::{Value, json};

use super::{ended, points, sentences};

const COMMITTED: i64 = 1_767_225_600_000;

fn receipt() -> Value {
    json!({
        "cause": {"seq": 17, "at": COMMITTED, "event": {"type": "AgentSuspended"}},
        "ended": {"tasks": 3, "task_ids": [], "agents": ["agt_1"], "sessions": 1, "grants": 0, "keys": 0},
        "took_effect": [
            {"point": "decisions", "at": COMMITTED, "ended": 3},
            {"point": "gateway-streams", "at": COMMITTED + 7, "ended": 2},
            {"point": "workload-api", "ended": 0},
        ],
        "pending": ["caep"],
        "last_accepted": {"seq": 15, "at": COMMITTED - 23, "action": "act_1", "operation": "billing/refund"},
        "accepted_after": 0,
        "not_revoked": ["upstream-grants: the session of `billing` answered nothing"],
    })
}

#[test]
fn it_says_what_ended_where_and_when() {
    assert_eq!(ended(&receipt()), "3 tasks, 1 session, 1 agent concerned");
    let points = points(&receipt(), Timestamp::from_millis(COMMITTED));
    let row = |at: usize| points["items"][at].clone();
    let streams = json!({"where": "gateway-streams", "when": "00:00:00.007Z", "after": "7 ms", "ended": 2});
    assert_eq!(row(1), streams);
    assert_eq!(row(2)["when"], "nothing was open there");
    assert_eq!(row(2)["after"], Value::Null);
}

#[test]
fn it_says_what_it_could_not_do_and_what_is_not_known_yet() {
    let said = sentences(&receipt(), Timestamp::from_millis(COMMITTED));
    let expected = [
        "the last call that was accepted: `billing/refund` at 2025-12-31T23:59:59.977Z, 23 ms before (record 15)",
        "calls that were accepted after it: none",
        "could not be called back: upstream-grants: the session of `billing` answered nothing",
        "not reported yet: caep; `remit receipt show 17` asks again",
    ];
    assert_eq!(said, expected);
}

#[test]
fn a_receipt_without_anything_is_told_as_that() {
    let said = sentences(&json!({"accepted_after": 0}), Timestamp::default());
    let expected = [
        "no call of what ended had been accepted before",
        "calls that were accepted after it: none",
        "nothing is left that could not be called back",
    ];
    assert_eq!(said, expected);
    assert_eq!(ended(&Value::Null), "nothing was live below it");
}

#[test]
fn what_is_not_counted_is_said_not_to_be() {
    let said = sentences(&json!({"last_accepted": null, "accepted_after": null}), Timestamp::default());
    let expected = [
        "calls that were accepted after it: not counted, since they cannot be told from others",
        "nothing is left that could not be called back",
    ];
    assert_eq!(said, expected);
}
