use super::*;

fn arguments(sentence: Option<&str>, invariant: Option<&Path>, policies: Option<&Path>) -> Prove {
    Prove {
        sentence: sentence.map(str::to_owned),
        invariant: invariant.map(Path::to_owned),
        policies: policies.map(Path::to_owned),
        change: None,
        given: None,
        parent: None,
        within: None,
        offline: true,
        solver: None,
        time_limit: Duration::from_secs(60),
    }
}

fn status(tally: &Tally) -> Option<u8> {
    match tally.end() {
        Ok(()) => Some(0),
        Err(Failure::Refused(_)) => Some(1),
        Err(Failure::Usage(_) | Failure::Configuration(_)) => Some(2),
        Err(Failure::Fault(_)) => Some(3),
    }
}

#[test]
fn a_sentence_is_the_one_invariant() {
    let sentence = "no agent of autonomy 4 ever reaches data D3";
    let found = invariants(&arguments(Some(sentence), None, None)).expect("it is understood");
    assert_eq!(found.iter().map(|one| one.sentence.as_str()).collect::<Vec<_>>(), [sentence]);
    let refused = invariants(&arguments(Some("all is well"), None, None)).expect_err("it is not understood");
    assert!(matches!(refused, Failure::Usage(sentence) if sentence.contains("these forms are understood")));
}

#[test]
fn invariants_are_kept_beside_the_policies() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = "[[invariant]]\nname = \"one\"\nsentence = \"no agent of autonomy 4 ever reaches data D3\"\n";
    fs::write(folder.path().join("mine.invariant.toml"), text).expect("a file");
    fs::write(folder.path().join("other.cases.toml"), "").expect("a file");
    let found = invariants(&arguments(None, None, Some(folder.path()))).expect("there is one");
    assert_eq!(found.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["one"]);
    assert_eq!(invariants(&arguments(None, Some(folder.path()), None)).expect("there is one"), found);
    let empty = tempfile::tempdir().expect("a folder");
    assert!(matches!(invariants(&arguments(None, None, Some(empty.path()))), Err(Failure::Usage(_))));
    assert!(matches!(invariants(&arguments(None, Some(empty.path()), None)), Err(Failure::Usage(_))));
}

#[test]
fn a_change_adds_replaces_and_removes_policies() {
    let active = json!({"sources": [{"name": "a", "text": "old"}, {"name": "b", "text": "gone"}, {"name": "c", "text": "kept"}]});
    let mut sources = sources_of(&active);
    let change = json!({"id": "chg_1", "edits": [
        {"artefact": "policy:a", "edit": {"artefact": "policy", "name": "a", "text": "new"}, "base": "sha256:0"},
        {"artefact": "policy:b", "edit": {"artefact": "policy", "name": "b", "text": null}, "base": "sha256:0"},
        {"artefact": "person:ana", "edit": {"artefact": "groups", "person": "prs_1", "groups": []}, "base": "sha256:0"},
    ]});
    apply(&mut sources, &mut Vec::new(), &change).expect("it edits policies");
    let left: Vec<(&str, &str)> = sources.iter().map(|source| (source.name.as_str(), source.text.as_str())).collect();
    assert_eq!(left, [("c", "kept"), ("a", "new")]);
    let other = json!({"id": "chg_2", "edits": [{"artefact": "person:ana", "edit": {"artefact": "groups"}}]});
    assert!(matches!(apply(&mut sources, &mut Vec::new(), &other), Err(Failure::Refused(_))));
}

#[test]
fn a_change_adds_and_replaces_operations() {
    let row = |name: &str, verb: &str| json!({"name": name, "verb": verb, "projections": [], "definition": {"name": "x"}, "risk": 1});
    let mut operations = listed(&json!({"items": [row("mail/read", "read"), row("mail/send", "read")]})).expect("rows");
    let edit = |tool: &str, verb: &str| {
        let definition = json!({"document": {"name": tool, "inputSchema": {"type": "object", "properties": {"to": {"type": "string"}}}}});
        let choice =
            json!({"tool": tool, "verb": verb, "risk": 0, "data": "D1", "definition": definition, "projections": []});
        json!({"artefact": format!("operation:mail/{tool}"), "edit": {"artefact": "operation", "connector": "con_1", "choice": choice}})
    };
    let change = json!({"id": "chg_1", "edits": [edit("send", "send"), edit("drop", "write")]});
    apply(&mut Vec::new(), &mut operations, &change).expect("it edits operations");
    let shapes = shapes(&operations).expect("shapes");
    let left: Vec<(&str, &str)> = shapes.iter().map(|shape| (shape.id.as_str(), shape.verb.as_str())).collect();
    assert_eq!(left, [("mail/read", "read"), ("mail/send", "send"), ("mail/drop", "write")]);
    assert_ne!(
        shapes[0].arguments, shapes[1].arguments,
        "the definition that is proposed is the one that is proved of"
    );
}

#[test]
fn an_operation_that_cannot_be_read_is_not_left_out() {
    assert!(listed(&json!({"items": [{"name": "mail/read", "verb": "peek", "definition": {}}]})).is_err());
    let row = json!({"name": "mail/read", "verb": "read", "definition": {"inputSchema": {"type": "string"}}});
    assert!(shapes(&listed(&json!({"items": [row]})).expect("a row")).is_err());
}

#[test]
fn the_exit_status_says_what_came_of_it() {
    assert_eq!(status(&Tally { proved: 3, ..Tally::default() }), Some(0));
    assert_eq!(status(&Tally { proved: 3, broken: 1, unconfirmed: 1, ..Tally::default() }), Some(1));
    assert_eq!(status(&Tally { not_proved: 1, unconfirmed: 1, ..Tally::default() }), Some(1));
    assert_eq!(status(&Tally { proved: 3, vacuous: 1, ..Tally::default() }), Some(1));
    assert_eq!(status(&Tally { proved: 3, unconfirmed: 1, ..Tally::default() }), Some(3));
}

#[test]
fn time_has_a_limit() {
    assert_eq!(time_limit("2m"), Ok(Duration::from_secs(120)));
    assert!(time_limit("2h").is_err() && time_limit("0s").is_err() && time_limit("soon").is_err());
}
