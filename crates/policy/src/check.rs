//! What is suspicious about policies that compile: rules that can never match or that others cover, questions that nobody can answer, and
//! names of what does not exist.
//!
//! INVARIANT: only what is certain is told. A rule that is too involved to be understood here is passed over.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::{Policy, PolicyId};
use serde_json::Value;

use crate::set::{PolicySet, Rule};
use crate::{Problem, Schema, Severity, limits};

mod asks;
mod cover;
mod names;
mod normal;
mod range;
mod read;
#[cfg(test)]
mod soundness;
#[cfg(test)]
mod tests;

/// What there is that policies may name, beyond the operations. Where a set is empty, nothing is known and nothing is said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// The names of the agents.
    pub agents: BTreeSet<String>,
    /// The ids of the people.
    pub people: BTreeSet<String>,
    /// The groups with at least one person in them, and how many these are.
    pub groups: BTreeMap<String, u32>,
    /// The environments that an agent can run in, as in `production`.
    pub environments: BTreeSet<String>,
    /// The classes of agents, as in `read`.
    pub classes: BTreeSet<String>,
    /// The labels that a task can have, as in `untrusted`.
    pub labels: BTreeSet<String>,
}

/// One rule, with its text read once more for its parts.
struct Part<'a> {
    rule: &'a Rule,
    /// Cedar's JSON form of it.
    document: Value,
    text: &'a str,
    /// Where it begins in `text`, in bytes.
    offset: usize,
}

/// All that can be said about the policies of `set`, beyond what compiling them says: at most [`limits::PROBLEMS_MAX`] problems, errors
/// first. Policies with an error must not become active.
pub fn check(set: &PolicySet, schema: &Schema, known: &Known) -> Vec<Problem> {
    let parts = parts(set);
    let mut problems = Vec::new();
    let mut rows = Vec::new();
    for part in &parts {
        let mut found = names::unknown(part, known);
        found.extend(asks::unanswerable(part, known));
        let wrong = found.iter().any(|problem| problem.severity == Severity::Error);
        problems.append(&mut found);
        if part.document.get("conditions").is_none_or(read::can_fail) {
            continue;
        }
        let Some(row) = read::normal(&part.document, schema, known) else { continue };
        match row.impossible(schema) {
            // A name that does not exist explains why nothing ever has it.
            Some(_) if wrong => {}
            Some(why) => problems.push(part.warning(format!("the policy can never match: {why}"), NEVER, None)),
            None => {
                problems.extend(asks::never_lifted(part, &row, schema));
                rows.push((part, row));
            }
        }
    }
    problems.extend(cover::covered(&rows, schema));
    problems.sort_by_key(|problem| problem.severity);
    problems.truncate(limits::PROBLEMS_MAX);
    problems
}

const NEVER: &str = "change its condition, or remove it";

fn parts(set: &PolicySet) -> Vec<Part<'_>> {
    let texts: BTreeMap<&str, &str> =
        set.sources().iter().map(|source| (source.name.as_str(), source.text.as_str())).collect();
    let parts = set.rules().iter().filter_map(|rule| {
        let document = Policy::parse(Some(PolicyId::new(&rule.id)), &rule.text).ok()?.to_json().ok()?;
        let text = texts.get(rule.source.as_str()).copied()?;
        let line = rule.line.unwrap_or(1).saturating_sub(1);
        let from: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
        let offset = text.get(from..).and_then(|rest| rest.find(&rule.text)).map_or(from, |found| from + found);
        Some(Part { rule, document, text, offset })
    });
    parts.collect()
}

impl Part<'_> {
    /// A problem at `needle` in the rule, or where the rule begins.
    fn error(&self, sentence: String, help: impl Into<String>, needle: Option<&str>) -> Problem {
        let inside = needle.and_then(|needle| self.rule.text.find(needle)).unwrap_or_default();
        Problem::error(&self.rule.source, sentence)
            .of(&self.rule.id)
            .help(Some(help.into()))
            .at(self.text, Some(self.offset + inside))
    }

    fn warning(&self, sentence: String, help: impl Into<String>, needle: Option<&str>) -> Problem {
        self.error(sentence, help, needle).warning()
    }
}
