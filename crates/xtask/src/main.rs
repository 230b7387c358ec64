//! Chores that keep the house in order: its shape, its dependencies and its generated schemas.
//!
//! Architecture invariant: nothing here is part of the product; no crate depends on this one, and a check only reads.

mod crates;
mod deps;
mod documents;
mod edges;
mod finding;
mod licence;
mod manifest;
mod names;
mod root;
mod schema;
mod shape;
mod size;
mod source;

use std::process::ExitCode;

use crates::Workspace;

const USAGE: &str = "usage: cargo xtask shape | deps | schema [--check]

  shape            sizes, edges between crates, names, first lines, reasons of dependencies, paths in documents
  deps             licences, sources, bans and duplicates of everything that is compiled in
  schema [--check] writes the generated documents of schema/, or compares them with what is checked in";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let workspace = Workspace::here();
    let outcome = match words.as_slice() {
        ["shape"] => shape::check(&workspace),
        ["deps"] => deps::check(&workspace),
        ["schema"] => schema::write(&workspace),
        ["schema", "--check"] => schema::check(&workspace),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(report) => report.print(),
        Err(fault) => {
            eprintln!("error: {fault:#}");
            ExitCode::from(3)
        }
    }
}
