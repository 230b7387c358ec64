//! What really is compiled into the program.
//!
//! `cargo metadata` also lists what a feature that nobody asks for could bring in; `cargo tree` does not.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};

use crate::crates::Workspace;

/// The crates behind the program and its build scripts: versions by name, features by name.
#[derive(Debug, Default)]
pub struct Build {
    versions: BTreeMap<String, BTreeSet<String>>,
    features: BTreeMap<String, BTreeSet<String>>,
}

impl Build {
    pub fn of_the_program(workspace: &Workspace, target: &str) -> Result<Build> {
        let edges = ["--edges", "normal,build", "--prefix", "none", "--format", "{p}|{f}"];
        let mut arguments = vec!["tree", "--locked", "--package", "remit", "--target", target];
        arguments.extend(edges);
        Build::read(&workspace.cargo(&arguments)?)
    }

    /// Reads lines like `serde v1.0.0 (proc-macro)|default,derive (*)`; the star marks one that was shown before.
    pub fn read(tree: &str) -> Result<Build> {
        let mut build = Build::default();
        for line in tree.lines().filter(|line| !line.is_empty()) {
            let line = line.trim_end_matches(" (*)");
            let (package, features) = line.split_once('|').with_context(|| unexpected(line))?;
            let mut words = package.split_whitespace();
            let name = words.next().with_context(|| unexpected(line))?;
            let version = words.next().and_then(|word| word.strip_prefix('v')).with_context(|| unexpected(line))?;
            build.versions.entry(name.to_owned()).or_default().insert(version.to_owned());
            let features = features.split(',').map(str::trim).filter(|feature| !feature.is_empty());
            build.features.entry(name.to_owned()).or_default().extend(features.map(str::to_owned));
        }
        Ok(build)
    }

    pub fn len(&self) -> usize {
        self.versions.values().map(BTreeSet::len).sum()
    }

    pub fn has(&self, name: &str) -> bool {
        self.versions.contains_key(name)
    }

    pub fn has_feature(&self, name: &str, feature: &str) -> bool {
        self.features.get(name).is_some_and(|features| features.contains(feature))
    }

    /// Every crate that is there in more than one version, with its versions.
    pub fn duplicates(&self) -> Vec<(&str, Vec<&str>)> {
        let twice = self.versions.iter().filter(|(_, versions)| versions.len() > 1);
        twice.map(|(name, versions)| (name.as_str(), versions.iter().map(String::as_str).collect())).collect()
    }
}

fn unexpected(line: &str) -> String {
    format!("`cargo tree` printed an unexpected line: `{line}`")
}
