use std::collections::BTreeSet;

use serde_json::Value;

use super::{openapi, operation_id};
use crate::router::ENDPOINTS;

fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            found.extend(members.get("$ref").and_then(Value::as_str).map(str::to_owned));
            members.values().for_each(|member| references(member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

#[test]
fn every_endpoint_is_in_the_document() {
    let document = openapi();
    for endpoint in ENDPOINTS {
        let path = endpoint.path.replace("{*", "{");
        assert!(document["paths"][&path][endpoint.method].is_object(), "{} {path}", endpoint.method);
    }
}

#[test]
fn every_reference_leads_somewhere() {
    let document = openapi();
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    assert!(!found.is_empty());
    for reference in found {
        let pointer = reference.trim_start_matches('#');
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
}

#[test]
fn operations_have_names_of_their_own() {
    let names: BTreeSet<String> = ENDPOINTS.iter().map(operation_id).collect();
    assert_eq!(names.len(), ENDPOINTS.len());
}
