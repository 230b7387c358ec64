use std::path::PathBuf;

use super::check;
use crate::crates::{Dependency, Metadata, Package};

fn package(name: &str, uses: &[(&str, Option<&str>)]) -> Package {
    let edge = |(name, kind): &(&str, Option<&str>)| Dependency {
        name: (*name).to_owned(),
        kind: kind.map(str::to_owned),
        registry: None,
    };
    Package {
        name: name.to_owned(),
        version: "0.1.0".to_owned(),
        license: None,
        source: None,
        manifest_path: PathBuf::new(),
        dependencies: uses.iter().map(edge).collect(),
    }
}

/// What is found when `from` uses `to`.
fn found(from: &str, to: &str, kind: Option<&str>) -> Vec<String> {
    let packages = vec![package(from, &[(to, kind), ("serde", None)]), package(to, &[])];
    check(&Metadata { packages }).into_iter().map(|finding| finding.what).collect()
}

#[test]
fn arrows_point_down() {
    assert_eq!(found("remit-engine", "remit-ledger", None), Vec::<String>::new());
    assert_eq!(found("remit-ledger", "remit-engine", None), ["`remit-ledger` may not use `remit-engine`"]);
    assert_eq!(found("remit-domain", "remit-ledger", None), ["`remit-domain` may not use `remit-ledger`"]);
}

#[test]
fn no_door_knows_another_or_the_storage_below_the_engine() {
    assert_eq!(found("remit-console", "remit-api", None), ["`remit-console` may not use `remit-api`"]);
    assert_eq!(found("remit-gateway", "remit-ledger", None), ["`remit-gateway` may not use `remit-ledger`"]);
}

#[test]
fn the_test_world_is_for_tests() {
    assert!(found("remit-gateway", "remit-testkit", Some("dev")).is_empty());
    assert_eq!(found("remit", "remit-testkit", None), ["`remit` may not use `remit-testkit`"]);
    assert_eq!(found("remit", "remit-testkit", Some("build")), ["`remit` may not use `remit-testkit`"]);
}

#[test]
fn a_dev_dependency_is_an_arrow_too() {
    assert_eq!(found("remit-policy", "remit-domain", Some("dev")), ["`remit-policy` may not use `remit-domain`"]);
    assert_eq!(found("remit", "remit-xtask", Some("dev")), ["`remit` may not use `remit-xtask`"]);
}

#[test]
fn a_new_crate_is_put_into_the_table_first() {
    let found = found("remit-new", "remit-policy", None);
    assert_eq!(found, ["`remit-new` is not in the table of crates", "`remit-new` may not use `remit-policy`"]);
}
