use std::path::Path;

use super::build::Build;
use super::rules::Rules;
use super::{compiled_bans, direct_bans, duplicates, licences, sources};
use crate::crates::{Dependency, Metadata, Package, Workspace};
use crate::finding::Finding;

const REGISTRY: Option<&str> = Some("registry+an-index");

fn rules() -> Rules {
    toml::from_str(include_str!("../../deps.toml")).unwrap()
}

fn package(license: Option<&str>, source: Option<&str>, uses: &[&str]) -> Metadata {
    let edge = |name: &&str| Dependency { name: (*name).to_owned(), kind: None, registry: None };
    Metadata {
        packages: vec![Package {
            name: "thing".to_owned(),
            version: "1.0.0".to_owned(),
            license: license.map(str::to_owned),
            source: source.map(str::to_owned),
            manifest_path: "/house/crates/thing/Cargo.toml".into(),
            dependencies: uses.iter().map(edge).collect(),
        }],
    }
}

fn said(findings: Vec<Finding>) -> Vec<String> {
    findings.into_iter().map(|finding| format!("{} {}", finding.place, finding.what)).collect()
}

#[test]
fn a_licence_is_stated_and_accepted() {
    let found = |license| said(licences(&rules(), &package(license, REGISTRY, &[])));
    assert!(found(Some("GPL-3.0-only OR Apache-2.0 WITH LLVM-exception")).is_empty());
    assert_eq!(found(None), ["thing 1.0.0 states no licence"]);
    assert_eq!(
        found(Some("AGPL-3.0-only")),
        ["thing 1.0.0 states `AGPL-3.0-only`, which is more than what is accepted"]
    );
    assert_eq!(found(Some("MIT AND")), ["thing 1.0.0 states `MIT AND`: the licence expression ends too early"]);
}

#[test]
fn a_package_comes_from_the_default_registry_or_this_workspace() {
    let found = |root: &str, source| said(sources(&Workspace::at(Path::new(root)), &package(None, source, &["a"])));
    assert!(found("/house", REGISTRY).is_empty());
    assert!(found("/house", None).is_empty());
    assert_eq!(found("/elsewhere", None), ["thing 1.0.0 comes from `/house/crates/thing/Cargo.toml`"]);
    assert_eq!(found("/house", Some("git+https://example.org")), ["thing 1.0.0 comes from `git+https://example.org`"]);

    let mut other = package(None, REGISTRY, &["a"]);
    other.packages[0].dependencies[0].registry = Some("https://example.org".to_owned());
    let found = said(sources(&Workspace::at(Path::new("/house")), &other));
    assert_eq!(found, ["thing 1.0.0 takes `a` from a registry of its own"]);
}

#[test]
fn what_is_banned_directly_may_be_used_by_others() {
    assert_eq!(direct_bans(&rules(), &package(None, None, &["rand"])).len(), 1);
    assert_eq!(direct_bans(&rules(), &package(None, None, &["ring"])).len(), 1);
    assert!(direct_bans(&rules(), &package(None, REGISTRY, &["rand"])).is_empty());
    assert!(compiled_bans(&rules(), &Build::read("rand v0.9.0|default").unwrap()).is_empty());
}

#[test]
fn what_is_banned_from_the_program_is_found_in_its_tree() {
    let tree = "remit v0.1.0 (/house/crates/remit)|\nring v0.17.0|alloc,std (*)\n\nserde_json v1.0.0|arbitrary_precision,std (*)\n";
    let found = said(compiled_bans(&rules(), &Build::read(tree).unwrap()));
    assert_eq!(found.len(), 2);
    assert!(found[0].starts_with("ring is compiled in"));
    assert!(found[1].starts_with("serde_json has the feature `arbitrary_precision`"));
}

#[test]
fn duplicates_are_listed_and_counted() {
    let tree = "a v1.0.0|\na v2.0.0 (proc-macro)|x\nb v1.0.0|\na v1.0.0| (*)\n";
    let build = Build::read(tree).unwrap();
    assert_eq!(build.len(), 3);
    let mut rules = rules();
    rules.duplicates_max = 1;
    let (findings, notes) = duplicates(&rules, &build);
    assert_eq!((findings.len(), notes), (0, vec!["`a` is compiled in as 1.0.0 and 2.0.0".to_owned()]));
    rules.duplicates_max = 0;
    assert_eq!(duplicates(&rules, &build).0.len(), 1);
}

#[test]
fn a_tree_that_is_not_understood_is_an_error() {
    for tree in ["serde", "serde|default", "|x", "serde 1.0|x"] {
        assert!(Build::read(tree).is_err(), "{tree}");
    }
}
