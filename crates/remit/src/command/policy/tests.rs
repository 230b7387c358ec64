use std::path::Path;

use serde_json::json;

use super::{alone, in_words, shapes};
use crate::command::policy_files::{changed, read, run_tables};

fn starter() -> crate::command::policy_files::Files {
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies")).unwrap()
}

#[test]
fn the_starter_policies_hold_and_their_cases_pass() {
    let files = starter();
    let errors: Vec<_> = alone(&files).into_iter().filter(|problem| problem["severity"] == "error").collect();
    assert!(errors.is_empty(), "{errors:?}");
    let results = run_tables(&files, &[]).unwrap();
    assert!(!results.is_empty() && results.iter().all(|(_, result)| result.passed));
}

#[test]
fn a_problem_is_told_with_its_place() {
    let mut files = starter();
    files.sources[0].text.push_str("\npermit (principal, action, resource) when { principal.shoe_size == 1 };");
    let problems = alone(&files);
    let words = problems.iter().map(in_words).collect::<Vec<_>>().join("\n");
    assert!(words.contains(&format!("{}:", files.sources[0].name)) && words.contains("error"), "{words}");
}

#[test]
fn only_what_differs_is_proposed() {
    let files = starter();
    let mut sources: Vec<_> =
        files.sources.iter().map(|source| json!({"name": source.name, "text": source.text})).collect();
    assert!(changed(&files, &json!({"sources": sources})).is_empty());
    sources[1]["text"] = json!("other");
    let edits = changed(&files, &json!({"sources": sources}));
    assert_eq!(edits.len(), 1);
    assert_eq!(edits[0]["name"], json!(files.sources[1].name));
}

#[test]
fn shapes_come_from_approved_operations() {
    let schema = json!({"type": "object", "properties": {"id": {"type": "string"}}});
    let operations = json!({"items": [
        {"name": "helpdesk/read", "verb": "read", "definition": {"inputSchema": schema}, "projections": ["id = lower(id)"]},
        {"name": "broken", "verb": "read", "definition": {}},
    ]});
    let shapes = shapes(&operations);
    assert_eq!((shapes.len(), shapes[0].connector.as_str()), (1, "helpdesk"));
}
