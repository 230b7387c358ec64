use std::collections::BTreeSet;
use std::path::Path;

use super::*;
use crate::cases::{CaseResult, Table};
use crate::{Effect, PolicySet, Schema};

fn run_all(sources: &[PolicySource]) -> Vec<CaseResult> {
    let tables =
        STARTER_CASES.iter().map(|(name, text)| Table::parse(text).unwrap_or_else(|error| panic!("{name}: {error}")));
    tables.flat_map(|table| table.run(sources, &[]).unwrap_or_else(|error| panic!("{error}"))).collect()
}

fn compiled() -> PolicySet {
    let schema = Schema::generate(std::iter::empty()).expect("a schema");
    PolicySet::compile(&starter(), &schema).expect("the starter policies compile")
}

#[test]
fn every_file_in_policies_is_a_starter() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies");
    let files: BTreeSet<String> = std::fs::read_dir(folder)
        .expect("the folder is there")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .filter(|name| name.ends_with(".cedar") || name.ends_with(".toml"))
        // Invariants are proved, not decided by.
        .filter(|name| !name.ends_with(".invariant.toml"))
        .collect();
    let known = STARTER.iter().map(|(name, _)| format!("{name}.cedar"));
    let tables = STARTER_CASES.iter().map(|(name, _)| format!("{name}.cases.toml"));
    assert_eq!(files, known.chain(tables).chain(["access-patterns.toml".to_owned()]).collect());
}

#[test]
fn all_cases_pass_with_the_whole_starter_set() {
    let failed: Vec<CaseResult> = run_all(&starter()).into_iter().filter(|result| !result.passed).collect();
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
fn every_starter_policy_is_needed_by_a_case() {
    let set = compiled();
    for removed in set.rules() {
        let mut sources = starter();
        for source in &mut sources {
            source.text = source.text.replace(&removed.text, "");
        }
        // Its own table is the likeliest to notice.
        let mut tables: Vec<_> = STARTER_CASES.iter().collect();
        tables.sort_by_key(|(name, _)| *name != removed.source);
        let notices = tables.into_iter().any(|(name, text)| {
            let table = Table::parse(text).unwrap_or_else(|error| panic!("{name}: {error}"));
            let results = table.run(&sources, &[]).unwrap_or_else(|error| panic!("{error}"));
            results.iter().any(|result| !result.passed)
        });
        assert!(notices, "no case notices that `{}` is gone", removed.id);
    }
}

#[test]
fn every_starter_forbid_says_what_to_do() {
    let set = compiled();
    assert!(set.rules().iter().filter(|rule| rule.effect == Effect::Forbid).all(|rule| rule.reason.is_some()));
    let permits = set.rules().iter().filter(|rule| rule.effect == Effect::Permit);
    assert_eq!(
        permits.map(|rule| rule.id.as_str()).collect::<Vec<_>>(),
        ["a-live-grant-permits", "sandbox-permits-sandbox"]
    );
}
