use super::{check, code_paths};
use crate::crates::Workspace;

#[test]
fn paths_are_read_from_between_backticks() {
    let text = "The gate is `crates/gateway/src/gate.rs`, see\n`crates/a/src/b.rs:12` and `crates/a/src/b.rs::decide`;\nnot crates/a/src/c.rs.";
    let expected = [(1, "crates/gateway/src/gate.rs"), (2, "crates/a/src/b.rs"), (2, "crates/a/src/b.rs")];
    assert_eq!(code_paths(text), expected.map(|(line, path)| (line, path.to_owned())));
}

#[test]
fn a_pattern_names_no_file() {
    assert!(code_paths("`crates/domain/src/NOUN.rs`, `crates/*/src/lib.rs`, `crates/{a,b}/src/lib.rs`").is_empty());
}

#[test]
fn a_house_without_a_map_is_told_so() {
    let empty = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let findings = check(&Workspace::at(&empty)).unwrap();
    assert_eq!(
        findings.iter().map(|finding| finding.what.as_str()).collect::<Vec<_>>(),
        ["the map of the house is missing"]
    );
}
