use remit_domain::{DataClass, Feature, Verb};
use serde_json::{Value, json};

use super::propose;

fn takes(names: &[&str]) -> Value {
    let properties: serde_json::Map<String, Value> =
        names.iter().map(|name| ((*name).to_owned(), json!({"type": "string"}))).collect();
    json!({"type": "object", "properties": properties})
}

#[test]
fn a_proposal_follows_names_schemas_and_annotations() {
    let table = [
        (json!({"name": "lookup_customer", "annotations": {"readOnlyHint": true}}), Verb::Read, 0),
        (json!({"name": "listOrders"}), Verb::Read, 0),
        (json!({"name": "git_status"}), Verb::Read, 0),
        (json!({"name": "list_refunds"}), Verb::Read, 0),
        (json!({"name": "get_message"}), Verb::Read, 0),
        (json!({"name": "update_ticket"}), Verb::Write, 2),
        (json!({"name": "add_note"}), Verb::Write, 1),
        (json!({"name": "issue_refund"}), Verb::Write, 3),
        (json!({"name": "send_email"}), Verb::Send, 2),
        (json!({"name": "run-command"}), Verb::Execute, 3),
        (json!({"name": "query", "inputSchema": takes(&["sql"])}), Verb::Execute, 3),
        (json!({"name": "ticket", "inputSchema": takes(&["to", "body"])}), Verb::Send, 2),
        (json!({"name": "get_ticket", "annotations": {"readOnlyHint": false}}), Verb::Write, 1),
        (json!({"name": "get_ticket", "annotations": {"destructiveHint": true}}), Verb::Write, 3),
        (json!({"name": "weather", "annotations": {"readOnlyHint": true}}), Verb::Read, 1),
        (json!({"name": "weather"}), Verb::Write, 2),
        (json!({}), Verb::Write, 2),
    ];
    for (definition, verb, risk) in table {
        let proposal = propose(&definition);
        assert_eq!((proposal.verb, proposal.risk), (verb, risk), "{definition}");
        assert!(!proposal.reasons.is_empty(), "{definition}");
    }
}

#[test]
fn a_server_cannot_talk_a_dangerous_name_or_schema_down() {
    let kind = json!({"readOnlyHint": true, "destructiveHint": false, "openWorldHint": false, "idempotentHint": true});
    let definitions = [
        json!({"name": "delete_all"}),
        json!({"name": "send_email"}),
        json!({"name": "update_ticket"}),
        json!({"name": "run"}),
        json!({"name": "query", "inputSchema": takes(&["sql"])}),
        json!({"name": "download", "inputSchema": takes(&["url"])}),
        json!({"name": "get_payroll"}),
    ];
    for plain in definitions {
        let mut lying = plain.clone();
        lying["annotations"] = kind.clone();
        let (honest, lied) = (propose(&plain), propose(&lying));
        // Where the name says nothing, the server's word is all there is.
        if honest.reasons.iter().any(|reason| reason == "nothing says what it does") {
            continue;
        }
        assert!(lied.verb >= honest.verb && lied.risk >= honest.risk, "{plain}: {lied:?}");
        assert!(lied.external >= honest.external && lied.data >= honest.data, "{plain}: {lied:?}");
    }
}

#[test]
fn what_is_about_people_or_reaches_outside_is_proposed_so() {
    assert_eq!(propose(&json!({"name": "get_customer"})).data, DataClass::D2);
    assert_eq!(propose(&json!({"name": "read_payroll"})).data, DataClass::D3);
    assert_eq!(propose(&json!({"name": "get_sum"})).data, DataClass::D1);
    assert!(propose(&json!({"name": "get", "inputSchema": takes(&["url"])})).external);
    assert!(propose(&json!({"name": "get", "annotations": {"openWorldHint": true}})).external);
    assert!(!propose(&json!({"name": "get_sum", "inputSchema": takes(&["a"])})).external);
}

#[test]
fn every_feature_has_a_proposal_of_its_own() {
    for feature in Feature::all() {
        let proposal = propose(&feature.definition().document);
        assert_eq!(proposal.reasons.len(), 1, "{}", feature.name());
    }
    assert_eq!(propose(&Feature::Elicitation.definition().document).verb, Verb::Send);
}

#[test]
fn hostile_definitions_are_read_without_harm() {
    for definition in [
        json!(null),
        json!([]),
        json!({"name": 7, "annotations": "no", "inputSchema": {"properties": []}}),
        json!({"name": "ÄÖ__x--", "annotations": {"readOnlyHint": "yes"}}),
    ] {
        assert_eq!(propose(&definition).risk, 2, "{definition}");
    }
}
