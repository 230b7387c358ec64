//! The shape of the house: everything that a reader can rely on without reading it all.

use anyhow::Result;

use crate::crates::Workspace;
use crate::finding::Report;
use crate::{documents, edges, manifest, names, root, size};

/// Sizes, names, first lines, arrows, reasons and paths, in one report.
pub fn check(workspace: &Workspace) -> Result<Report> {
    let files = workspace.rust_files()?;
    let (mut findings, notes) = size::check(&files);
    findings.extend(names::check(&files));
    findings.extend(root::check(workspace, &files));
    findings.extend(edges::check(&workspace.metadata(&["--no-deps"])?));
    findings.extend(manifest::check(workspace)?);
    findings.extend(documents::check(workspace)?);
    Ok(Report::new("shape", findings, notes, format!("{} files of code", files.len())))
}
