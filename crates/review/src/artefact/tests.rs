use std::sync::Arc;

use remit_domain::{
    DataClass, Definition, Edit, Moment, OperationChoice, OperationEdit, PersonId, PolicyEdit, State, Timestamp, Verb,
};
use serde_json::json;

use super::*;

fn choice(risk: u8, description: &str) -> OperationChoice {
    OperationChoice {
        tool: "pay".to_owned(),
        verb: Verb::Write,
        risk,
        data: DataClass::D1,
        external: false,
        irreversible: false,
        definition: Definition { document: json!({"name": "pay", "description": description, "risk": 0}) },
        projections: Vec::new(),
    }
}

#[test]
fn policies_are_compared_line_by_line() {
    let mut state = State::default();
    let edit = |text: Option<&str>| Edit::Policy(PolicyEdit { name: "base".to_owned(), text: text.map(str::to_owned) });
    let added = compare_edit(&state, &edit(Some("one\ntwo\n")));
    assert_eq!((added.artefact.as_str(), added.change), ("policy:base", Some(Change::Added)));
    assert_eq!(added.text.unwrap(), "@@ -0,0 +1,2 @@\n+one\n+two\n");
    state.policies.sources = Arc::new([("base".to_owned(), "one\ntwo\n".to_owned())].into());
    let changed = compare_edit(&state, &edit(Some("one\nthree\n")));
    assert_eq!(changed.text.unwrap(), "@@ -1,2 +1,2 @@\n one\n-two\n+three\n");
    assert_eq!(compare_edit(&state, &edit(None)).change, Some(Change::Removed));
    assert_eq!(compare_edit(&state, &edit(Some("one\ntwo\n"))).change, None);
}

#[test]
fn a_definition_cannot_pass_for_what_a_person_decided() {
    let connector = Moment::new(Timestamp::default(), 1).fresh_id();
    let edit = Edit::Operation(Box::new(OperationEdit { connector, choice: choice(3, "pays") }));
    let added = compare_edit(&State::default(), &edit);
    let risks: Vec<_> =
        added.differences.iter().filter(|one| one.place == "/risk").map(|one| one.after.clone()).collect();
    assert_eq!(risks, [Some(json!(3)), Some(json!(0))]);
    assert_eq!(added.change, Some(Change::Added));
}

#[test]
fn groups_are_named_as_they_come_and_go() {
    let mut state = State::default();
    let person: PersonId = Moment::new(Timestamp::default(), 2).fresh_id();
    let bob = remit_domain::Person {
        id: person,
        name: "bob".to_owned(),
        groups: vec!["support".to_owned()],
        uid: None,
        added_at: Timestamp::default(),
        entitlements: None,
        absence: None,
    };
    state.people.insert(person, Arc::new(bob));
    let compared = compare_edit(&state, &Edit::Groups { person, groups: vec!["leads".to_owned()] });
    let said: Vec<&str> = compared.differences.iter().map(|one| one.sentence.as_str()).collect();
    assert_eq!(compared.artefact, "person:bob");
    assert_eq!(said, ["`groups` no longer has `support`", "`groups` now has `leads`"]);
}
