//! The arrows between our own crates: they point down only.

#[cfg(test)]
mod tests;

use crate::crates::{Dependency, Metadata, Package};
use crate::finding::Finding;

/// Which of our crates each one may use (ARCHITECTURE.md draws it). A crate that is not here may use none.
const ALLOWED: [(&str, &[&str]); 15] = [
    ("remit-policy", &[]),
    ("remit-ledger", &[]),
    ("remit-identity", &[]),
    ("remit-domain", &["remit-policy"]),
    ("remit-prove", &["remit-policy"]),
    ("remit-review", &["remit-policy", "remit-domain"]),
    ("remit-engine", &["remit-domain", "remit-ledger", "remit-identity"]),
    ("remit-people", &["remit-engine", "remit-domain", "remit-identity"]),
    ("remit-gateway", DOOR),
    ("remit-workload", DOOR),
    ("remit-api", DOOR_FOR_PEOPLE),
    ("remit-console", DOOR_FOR_PEOPLE),
    (
        "remit",
        &[
            "remit-policy",
            "remit-prove",
            "remit-domain",
            "remit-review",
            "remit-ledger",
            "remit-identity",
            "remit-engine",
            "remit-people",
            "remit-gateway",
            "remit-api",
            "remit-console",
            "remit-workload",
        ],
    ),
    (TESTKIT, &["remit-policy", "remit-domain", "remit-ledger", "remit-identity", "remit-engine"]),
    ("remit-xtask", &[]),
];

/// A door uses the engine and plain types; no door knows another.
const DOOR: &[&str] = &["remit-engine", "remit-domain", "remit-identity"];

/// People also decide there what is pinned, and prove who they are.
const DOOR_FOR_PEOPLE: &[&str] = &["remit-engine", "remit-domain", "remit-identity", "remit-review", "remit-people"];

/// The one crate that every test may use and no product code may.
const TESTKIT: &str = "remit-testkit";

/// Findings for every edge that is not in the table.
pub fn check(metadata: &Metadata) -> Vec<Finding> {
    let ours: Vec<&str> = metadata.packages.iter().map(|package| package.name.as_str()).collect();
    let mut findings = Vec::new();
    for package in &metadata.packages {
        if !ALLOWED.iter().any(|(name, _)| *name == package.name) {
            let what = format!("`{}` is not in the table of crates", package.name);
            findings.push(Finding::new(place(package), what, "say in crates/xtask/src/edges.rs what it may use"));
        }
        let edges = package.dependencies.iter().filter(|edge| ours.contains(&edge.name.as_str()));
        findings.extend(edges.filter(|edge| !is_allowed(&package.name, edge)).map(|edge| finding(package, edge)));
    }
    findings
}

fn is_allowed(from: &str, edge: &Dependency) -> bool {
    let for_tests = edge.kind.as_deref() == Some("dev") && edge.name == TESTKIT;
    let listed = ALLOWED.iter().find(|(name, _)| *name == from).is_some_and(|(_, to)| to.contains(&edge.name.as_str()));
    for_tests || listed
}

fn finding(package: &Package, edge: &Dependency) -> Finding {
    let what = format!("`{}` may not use `{}`", package.name, edge.name);
    let remedy = if edge.name == TESTKIT {
        "move it to [dev-dependencies]: no product code uses the test world"
    } else {
        "hand plain values over from above, or record in docs/decisions why the arrow must exist"
    };
    Finding::new(place(package), what, remedy)
}

fn place(package: &Package) -> String {
    format!("crates/{}/Cargo.toml", package.name.strip_prefix("remit-").unwrap_or(&package.name))
}
