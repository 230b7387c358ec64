//! The workspace as a check sees it: its crates, its files, and what cargo says about both.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

/// The checked-out workspace.
#[derive(Debug)]
pub struct Workspace {
    root: PathBuf,
}

/// A file of Rust code, read once.
#[derive(Debug)]
pub struct RustFile {
    /// From the workspace's root, with forward slashes.
    pub path: String,
    pub text: String,
}

impl RustFile {
    /// Whether this is test code: a `tests.rs`, or anything inside a folder named `tests`.
    pub fn is_test(&self) -> bool {
        self.path.ends_with("/tests.rs") || self.path.split('/').any(|folder| folder == "tests")
    }

    /// The folder of `crates/` that this file belongs to.
    pub fn crate_folder(&self) -> &str {
        self.path.split('/').nth(1).unwrap_or_default()
    }
}

/// The part of `cargo metadata` that the checks use.
#[derive(Debug, Deserialize)]
pub struct Metadata {
    pub packages: Vec<Package>,
}

#[derive(Debug, Deserialize)]
pub struct Package {
    pub name: String,
    pub version: String,
    pub license: Option<String>,
    /// None for a package that is a folder on this machine.
    pub source: Option<String>,
    pub manifest_path: PathBuf,
    pub dependencies: Vec<Dependency>,
}

#[derive(Debug, Deserialize)]
pub struct Dependency {
    pub name: String,
    /// None for an ordinary dependency, else `dev` or `build`.
    pub kind: Option<String>,
    /// The registry's address, where it is not the default one.
    pub registry: Option<String>,
}

impl Workspace {
    /// The workspace that this program was built from.
    pub fn here() -> Workspace {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        Workspace { root: root.canonicalize().unwrap_or(root) }
    }

    #[cfg(test)]
    pub fn at(root: &Path) -> Workspace {
        Workspace { root: root.to_path_buf() }
    }

    pub fn path(&self, inside: &str) -> PathBuf {
        self.root.join(inside)
    }

    pub fn exists(&self, inside: &str) -> bool {
        self.path(inside).exists()
    }

    pub fn contains(&self, path: &Path) -> bool {
        path.starts_with(&self.root)
    }

    pub fn read(&self, inside: &str) -> Result<String> {
        fs::read_to_string(self.path(inside)).with_context(|| format!("`{inside}` cannot be read"))
    }

    /// Every Rust file below `crates/`, sorted by path.
    pub fn rust_files(&self) -> Result<Vec<RustFile>> {
        self.files("crates", "rs")?.into_iter().map(|path| Ok(RustFile { text: self.read(&path)?, path })).collect()
    }

    /// The paths, from the root and sorted, of every file below `folder` with this ending.
    pub fn files(&self, folder: &str, ending: &str) -> Result<Vec<String>> {
        let mut found = Vec::new();
        let mut folders = vec![self.path(folder)];
        while let Some(folder) = folders.pop() {
            let entries = fs::read_dir(&folder).with_context(|| format!("`{}` cannot be listed", folder.display()))?;
            for entry in entries {
                let path = entry?.path();
                // A link could lead out of the workspace, or round in a circle.
                if path.is_symlink() {
                    continue;
                }
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|found| found == ending) {
                    found.push(self.inside(&path)?);
                }
            }
        }
        found.sort();
        Ok(found)
    }

    /// `cargo metadata` of this workspace, with `arguments` added.
    pub fn metadata(&self, arguments: &[&str]) -> Result<Metadata> {
        let mut all = vec!["metadata", "--format-version", "1"];
        all.extend(arguments);
        serde_json::from_str(&self.cargo(&all)?).context("`cargo metadata` answered with something unexpected")
    }

    /// Runs cargo and returns what it printed.
    pub fn cargo(&self, arguments: &[&str]) -> Result<String> {
        self.run(std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")), arguments)
    }

    /// Runs the program and returns what it printed: the one that `REMIT_BIN` names, or else the one that cargo builds.
    pub fn remit(&self, arguments: &[&str]) -> Result<String> {
        match std::env::var_os("REMIT_BIN") {
            Some(program) => self.run(program, arguments),
            None => self.cargo(&[&["run", "--quiet", "--locked", "--package", "remit", "--"], arguments].concat()),
        }
    }

    fn run(&self, program: OsString, arguments: &[&str]) -> Result<String> {
        let name = program.to_string_lossy().into_owned();
        let output = Command::new(program).args(arguments).current_dir(&self.root).output();
        let output = output.with_context(|| format!("`{name}` cannot be started"))?;
        if !output.status.success() {
            bail!("`{name} {}` failed: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr).trim());
        }
        String::from_utf8(output.stdout).with_context(|| format!("`{name}` printed something that is not UTF-8"))
    }

    fn inside(&self, path: &Path) -> Result<String> {
        let inside = path.strip_prefix(&self.root).context("a file outside the workspace")?;
        Ok(inside.to_str().context("a path that is not UTF-8")?.replace('\\', "/"))
    }
}
