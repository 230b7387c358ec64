//! What is compiled in: its licences, its sources, what is banned, and what is there twice.

mod build;
mod rules;
#[cfg(test)]
mod tests;

use anyhow::{Context, Result};

use self::build::Build;
use self::rules::{Rules, Scope};
use crate::crates::{Metadata, Package, Workspace};
use crate::finding::{Finding, Report};
use crate::licence::Expression;

/// The rules, as data with reasons.
const RULES: &str = "crates/xtask/deps.toml";

/// Checks every package against the rules.
pub fn check(workspace: &Workspace) -> Result<Report> {
    let rules: Rules =
        toml::from_str(&workspace.read(RULES)?).with_context(|| format!("`{RULES}` is not as expected"))?;
    let metadata = workspace.metadata(&["--locked", "--filter-platform", &rules.target])?;
    let build = Build::of_the_program(workspace, &rules.target)?;
    let mut findings = licences(&rules, &metadata);
    findings.extend(sources(workspace, &metadata));
    findings.extend(direct_bans(&rules, &metadata));
    findings.extend(compiled_bans(&rules, &build));
    let (more, notes) = duplicates(&rules, &build);
    findings.extend(more);
    let summary = format!("{} packages, {} of them compiled into the program", metadata.packages.len(), build.len());
    Ok(Report::new("deps", findings, notes, summary))
}

/// Each package states a licence, and what it states can be met by those that are accepted.
fn licences(rules: &Rules, metadata: &Metadata) -> Vec<Finding> {
    let accepts = |id: &str, exception: Option<&str>| rules.accepts(id, exception);
    let mut findings = Vec::new();
    for package in &metadata.packages {
        let what = match package.license.as_deref().map(|text| (text, text.parse::<Expression>())) {
            None => "states no licence".to_owned(),
            Some((text, Err(error))) => format!("states `{text}`: {error}"),
            Some((_, Ok(expression))) if expression.is_met(&accepts) => continue,
            Some((text, Ok(_))) => format!("states `{text}`, which is more than what is accepted"),
        };
        findings.push(Finding::new(
            place(package),
            what,
            format!("do without it, or accept it with a reason in {RULES}"),
        ));
    }
    findings
}

/// Packages come from the default registry or are folders of this workspace, never from a branch or another registry.
fn sources(workspace: &Workspace, metadata: &Metadata) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in &metadata.packages {
        let is_fine = match &package.source {
            None => workspace.contains(&package.manifest_path),
            Some(source) => source.starts_with("registry+"),
        };
        if !is_fine {
            let from = package.source.clone().unwrap_or_else(|| package.manifest_path.display().to_string());
            let what = format!("comes from `{from}`");
            findings.push(Finding::new(place(package), what, "use a released version from the default registry"));
        }
        for edge in package.dependencies.iter().filter(|edge| edge.registry.is_some()) {
            let what = format!("takes `{}` from a registry of its own", edge.name);
            findings.push(Finding::new(place(package), what, "use a released version from the default registry"));
        }
    }
    findings
}

fn direct_bans(rules: &Rules, metadata: &Metadata) -> Vec<Finding> {
    let ours = metadata.packages.iter().filter(|package| package.source.is_none());
    let edges = ours.flat_map(|package| package.dependencies.iter().map(move |edge| (package, edge)));
    let banned = edges.filter_map(|(package, edge)| Some((package, edge, rules.ban(&edge.name)?)));
    banned
        .map(|(package, edge, ban)| {
            let what = format!("uses `{}`, which is banned: {}", edge.name, ban.why);
            Finding::new(place(package), what, "take it out of its Cargo.toml")
        })
        .collect()
}

fn compiled_bans(rules: &Rules, build: &Build) -> Vec<Finding> {
    let mut findings = Vec::new();
    for ban in rules.bans().filter(|ban| ban.scope == Scope::Compiled && build.has(&ban.name)) {
        let remedy = format!("`cargo tree --package remit --invert {}` shows who brings it in", ban.name);
        findings.push(Finding::new(&ban.name, format!("is compiled in, but banned: {}", ban.why), remedy));
    }
    for ban in rules.feature_bans().filter(|ban| build.has_feature(&ban.name, &ban.feature)) {
        let what = format!("has the feature `{}`, which is banned: {}", ban.feature, ban.why);
        let remedy =
            format!("`cargo tree --package remit --edges features --invert {}` shows who asks for it", ban.name);
        findings.push(Finding::new(&ban.name, what, remedy));
    }
    findings
}

/// The list of what is compiled in more than one version, and a finding once it is longer than the rules permit.
fn duplicates(rules: &Rules, build: &Build) -> (Vec<Finding>, Vec<String>) {
    let twice = build.duplicates();
    let notes = twice.iter().map(|(name, versions)| format!("`{name}` is compiled in as {}", versions.join(" and ")));
    let mut findings = Vec::new();
    if twice.len() > rules.duplicates_max {
        let what =
            format!("{} crates are compiled in more than once; {} are permitted", twice.len(), rules.duplicates_max);
        findings.push(Finding::new(RULES, what, "bring versions together, or raise `duplicates_max` with a reason"));
    }
    (findings, notes.collect())
}

fn place(package: &Package) -> String {
    format!("{} {}", package.name, package.version)
}
