use serde_json::json;

use super::line;

#[test]
fn a_record_is_one_line_whatever_it_holds() {
    let record = json!({"seq": 17, "at": "2026-03-01T12:00:00.000Z", "record": {
        "actor": {"kind": "agent", "agent": "agt_1", "task": "tsk_1"},
        "event": {"type": "ActionDenied", "operation": "helpdesk/refund", "task": "tsk_1", "refusal": {"sentence": "no\ngrant\u{1b}[2J"}},
    }});
    let line = line(&record);
    assert!(line.starts_with("    17  2026-03-01T12:00:00Z  agt_1  action denied  helpdesk/refund"), "{line}");
    assert!(line.contains("(no grant") && !line.contains(['\n', '\u{1b}']), "{line}");
}

#[test]
fn what_is_not_a_record_does_no_harm() {
    for value in [json!(null), json!([]), json!({"record": {"event": 7, "actor": []}})] {
        assert!(!line(&value).is_empty());
    }
}
