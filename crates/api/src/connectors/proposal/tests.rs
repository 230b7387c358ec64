use remit_domain::Verb;
use serde_json::json;

use super::{propose, words};

#[test]
fn a_proposal_follows_annotations_and_names() {
    let table = [
        (json!({"name": "lookup_customer", "annotations": {"readOnlyHint": true}}), Verb::Read, 0),
        (json!({"name": "listOrders"}), Verb::Read, 0),
        (json!({"name": "update_ticket"}), Verb::Write, 2),
        (json!({"name": "add_note", "annotations": {"destructiveHint": false}}), Verb::Write, 1),
        (json!({"name": "issue_refund"}), Verb::Write, 3),
        (json!({"name": "send_email"}), Verb::Send, 2),
        (json!({"name": "run-command"}), Verb::Execute, 3),
        (json!({"name": "get_message"}), Verb::Read, 0),
        (json!({}), Verb::Write, 2),
    ];
    for (definition, verb, risk) in table {
        let proposal = propose(&definition);
        assert_eq!((proposal.verb, proposal.risk), (verb, risk), "{definition}");
    }
}

#[test]
fn a_server_cannot_talk_a_dangerous_name_down() {
    let lie = json!({"name": "delete_all", "annotations": {"readOnlyHint": true, "destructiveHint": false}});
    assert_eq!((propose(&lie).verb, propose(&lie).risk), (Verb::Write, 3));
    let lie = json!({"name": "send_email", "annotations": {"readOnlyHint": true}});
    assert_eq!(propose(&lie).verb, Verb::Send);
    assert!(propose(&lie).external);
}

#[test]
fn hostile_definitions_are_read_without_harm() {
    for definition in [
        json!(null),
        json!([]),
        json!({"name": 7, "annotations": "no"}),
        json!({"name": "ÄÖ__x--", "annotations": {"readOnlyHint": "yes"}}),
    ] {
        let _ = propose(&definition);
    }
    assert_eq!(words("getHTTPUrl_now"), ["get", "httpurl", "now"]);
}
