//! Policy texts, compiled: parsed, named, checked against the schema, and ready to decide.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, OnceLock};

use aws_lc_rs::digest::{Context, SHA256};
use cedar_policy::PolicyId;

use crate::annotations::Asks;
use crate::index::Index;
use crate::reads::Reads;
use crate::text::{Clause, Text, place};
use crate::validation::{Contexts, Validation, Verdict};
use crate::{Problem, Schema, Severity, limits};

#[cfg(test)]
mod tests;

/// One text of policies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicySource {
    /// Its name: the stem of its file's name.
    pub name: String,
    /// Cedar policies.
    pub text: String,
}

/// What a policy does where it applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Allows, unless another forbids.
    Permit,
    /// Denies, or asks.
    Forbid,
}

/// One policy of a set.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Its `@id`.
    pub id: String,
    /// The source that it stands in.
    pub source: String,
    /// The line that it begins at, from 1.
    pub line: Option<usize>,
    /// What it does where it applies.
    pub effect: Effect,
    /// Its `@reason`.
    pub reason: Option<String>,
    /// Its own text, with annotations.
    pub text: String,
    pub(crate) asks: Option<Asks>,
}

/// Policies that were compiled against a schema. Cheap to clone.
#[derive(Debug, Clone)]
pub struct PolicySet {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    texts: Vec<Arc<Text>>,
    sources: Vec<PolicySource>,
    clauses: Vec<Arc<Clause>>,
    rules: Vec<Arc<Rule>>,
    positions: HashMap<String, usize>,
    index: Index,
    reads: Reads,
    /// The whole set in Cedar's own form, for those who want all of it; no decision does.
    cedar: OnceLock<cedar_policy::PolicySet>,
    /// What it was validated against.
    contexts: Arc<Contexts>,
    /// The policies that something was found about.
    noted: HashSet<usize>,
    warnings: Vec<Problem>,
    digest: [u8; 32],
}

impl PolicySet {
    /// Parses `sources`, names each policy by its `@id`, and validates all of them strictly against `schema`.
    ///
    /// # Errors
    /// All problems (at most [`limits::PROBLEMS_MAX`]) if one of them is an error. A policy that can never apply is one.
    pub fn compile(sources: &[PolicySource], schema: &Schema) -> Result<Self, Vec<Problem>> {
        Compilation::of(None, sources, schema).finish(sources, schema)
    }

    /// As [`PolicySet::compile`], with the same result, where this set was compiled before: texts that it has are not read again, and
    /// of their policies only those are validated again for which the schema has changed.
    ///
    /// # Errors
    /// As for [`PolicySet::compile`].
    pub fn recompile(&self, sources: &[PolicySource], schema: &Schema) -> Result<Self, Vec<Problem>> {
        Compilation::of(Some(self), sources, schema).finish(sources, schema)
    }

    /// SHA-256 over the names and texts of the sources, whatever their order.
    pub fn digest(&self) -> [u8; 32] {
        self.inner.digest
    }

    /// The sources as they were given.
    pub fn sources(&self) -> &[PolicySource] {
        &self.inner.sources
    }

    /// What somebody should look at, though it is no error.
    pub fn warnings(&self) -> &[Problem] {
        &self.inner.warnings
    }

    /// The policies, in the order of the sources.
    pub fn rules(&self) -> &[Arc<Rule>] {
        &self.inner.rules
    }

    /// The policy with this `@id`.
    pub fn rule(&self, id: &str) -> Option<&Rule> {
        self.inner.positions.get(id).and_then(|position| self.inner.rules.get(*position)).map(AsRef::as_ref)
    }

    /// The `@id`s of the policies, in the order of the sources.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.inner.rules.iter().map(|rule| rule.id.as_str())
    }

    /// All policies in Cedar's own form. Made when it is first asked for: it is as large as the set.
    pub(crate) fn cedar(&self) -> &cedar_policy::PolicySet {
        self.inner.cedar.get_or_init(|| {
            let policies = self.inner.clauses.iter().map(|clause| clause.policy.clone());
            // Their ids differ, so each can be added.
            cedar_policy::PolicySet::from_policies(policies).unwrap_or_default()
        })
    }

    pub(crate) fn reads(&self) -> &Reads {
        &self.inner.reads
    }

    pub(crate) fn index(&self) -> &Index {
        &self.inner.index
    }

    pub(crate) fn clauses(&self) -> &[Arc<Clause>] {
        &self.inner.clauses
    }

    /// The positions of the policies with these ids, in the order of the sources.
    pub(crate) fn positions<'a>(&self, ids: impl Iterator<Item = &'a PolicyId>) -> Vec<usize> {
        let mut positions: Vec<usize> =
            ids.filter_map(|id| self.inner.positions.get(AsRef::<str>::as_ref(id)).copied()).collect();
        positions.sort_unstable();
        positions
    }

    /// The policies at `positions` alone, in Cedar's own form; nothing if Cedar does not take them together.
    pub(crate) fn part(&self, positions: &[usize]) -> Option<cedar_policy::PolicySet> {
        let clauses = positions.iter().filter_map(|position| self.inner.clauses.get(*position));
        cedar_policy::PolicySet::from_policies(clauses.map(|clause| clause.policy.clone())).ok()
    }

    /// The text of this set that is `source`, word for word.
    fn text(&self, source: &PolicySource, at: usize) -> Option<&Arc<Text>> {
        let is = |text: &&Arc<Text>| text.source == *source;
        // Most often, one text in its place has changed, or one was put in or taken out.
        let near = at.saturating_sub(1)..=at.saturating_add(1);
        let near = near.filter_map(|place| self.inner.texts.get(place)).find(is);
        near.or_else(|| self.inner.texts.iter().find(is))
    }
}

/// A set that is being put together.
struct Compilation<'a> {
    before: Option<&'a PolicySet>,
    texts: Vec<Arc<Text>>,
    clauses: Vec<Arc<Clause>>,
    positions: HashMap<String, usize>,
    noted: HashSet<usize>,
    problems: Vec<Problem>,
}

impl<'a> Compilation<'a> {
    fn of(before: Option<&'a PolicySet>, sources: &[PolicySource], schema: &Schema) -> Self {
        let (texts, clauses, positions) = (Vec::new(), Vec::new(), HashMap::new());
        let mut set = Self { before, texts, clauses, positions, noted: HashSet::new(), problems: Vec::new() };
        set.check_bounds(sources);
        if !set.problems.is_empty() {
            return set;
        }
        for (at, source) in sources.iter().enumerate() {
            let known = before.and_then(|before| before.text(source, at));
            let text = known.cloned().unwrap_or_else(|| Arc::new(Text::read(source, &schema.kinds)));
            set.take(&text);
            set.texts.push(text);
        }
        set.validate(schema);
        set
    }

    fn check_bounds(&mut self, sources: &[PolicySource]) {
        let mut names = HashSet::new();
        for source in sources {
            if !names.insert(source.name.as_str()) {
                self.problems.push(Problem::error(&source.name, "two policy texts have this name"));
            }
            if source.text.len() > limits::POLICY_TEXT_BYTES_MAX {
                let sentence = format!("the text has more than {} bytes", limits::POLICY_TEXT_BYTES_MAX);
                self.problems.push(Problem::error(&source.name, sentence));
            }
        }
        if sources.iter().map(|source| source.text.len()).sum::<usize>() > limits::POLICY_SET_BYTES_MAX {
            let sentence = format!("all policy texts together have more than {} bytes", limits::POLICY_SET_BYTES_MAX);
            self.problems.push(Problem::error("", sentence));
        }
    }

    /// Takes the policies of `text` in, each under a name of its own.
    fn take(&mut self, text: &Text) {
        self.problems.extend(text.problems.iter().cloned());
        for clause in &text.clauses {
            let id = &clause.rule.id;
            if let Some(earlier) = self.positions.get(id).and_then(|position| self.clauses.get(*position)) {
                let sentence = format!("another policy in `{}` is also named `{id}`", earlier.rule.source);
                let help = "an `@id` is unique among all policies".to_owned();
                self.problems.push(clause.problem(&text.source, sentence, Some(help)));
            } else if self.clauses.len() == limits::POLICIES_MAX {
                let sentence = format!("there are more than {} policies", limits::POLICIES_MAX);
                self.problems.push(clause.problem(&text.source, sentence, None));
                return;
            } else {
                self.positions.insert(id.clone(), self.clauses.len());
                self.clauses.push(Arc::clone(clause));
            }
        }
    }

    fn validate(&mut self, schema: &Schema) {
        let validation = Validation::new(schema, self.before.map(|before| &*before.inner.contexts));
        for (position, clause) in self.clauses.iter().enumerate() {
            let verdict = validation.look(clause, self.fitted(clause));
            if matches!(verdict, Verdict::Fits) {
                continue;
            }
            self.noted.insert(position);
            let Some(text) = self.texts.iter().find(|text| text.source.name == clause.rule.source) else { continue };
            if let Verdict::Unknown(sentence, help) = verdict {
                self.problems.push(clause.problem(&text.source, sentence, help));
            } else {
                let findings = validation.tell(clause).into_iter();
                self.problems.extend(findings.map(|finding| place(&text.source, finding).of(&clause.rule.id)));
            }
        }
    }

    /// Whether `clause` itself, not only one of its name, was part of the set before, and nothing was found about it.
    fn fitted(&self, clause: &Arc<Clause>) -> bool {
        let Some(PolicySet { inner }) = self.before else { return false };
        let position = inner.positions.get(&clause.rule.id).filter(|position| !inner.noted.contains(position));
        position.and_then(|position| inner.clauses.get(*position)).is_some_and(|known| Arc::ptr_eq(known, clause))
    }

    fn finish(self, sources: &[PolicySource], schema: &Schema) -> Result<PolicySet, Vec<Problem>> {
        let Self { before: _, texts, clauses, positions, noted, mut problems } = self;
        problems
            .sort_by(|a, b| (&a.source, a.line, a.column, &a.policy).cmp(&(&b.source, b.line, b.column, &b.policy)));
        if problems.iter().any(|problem| problem.severity == Severity::Error) {
            // Errors first, so that the cut takes warnings.
            problems.sort_by_key(|problem| problem.severity);
            problems.truncate(limits::PROBLEMS_MAX);
            return Err(problems);
        }
        let mut reads = Reads::default();
        texts.iter().for_each(|text| reads.add(&text.reads));
        let inner = Inner {
            sources: sources.to_vec(),
            rules: clauses.iter().map(|clause| Arc::clone(&clause.rule)).collect(),
            index: Index::of(clauses.iter().map(|clause| &clause.scope)),
            reads,
            cedar: OnceLock::new(),
            contexts: Arc::clone(&schema.contexts),
            warnings: problems,
            digest: digest(sources),
            texts,
            clauses,
            positions,
            noted,
        };
        Ok(PolicySet { inner: Arc::new(inner) })
    }
}

/// Names and lengths stand before each text, so that no two different sets have the same bytes.
fn digest(sources: &[PolicySource]) -> [u8; 32] {
    let mut sorted: Vec<&PolicySource> = sources.iter().collect();
    sorted.sort_by(|a, b| a.name.cmp(&b.name));
    let mut context = Context::new(&SHA256);
    context.update(b"remit policy set 1\n");
    for part in sorted.iter().flat_map(|source| [&source.name, &source.text]) {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part.as_bytes());
    }
    let mut digest = [0; 32];
    digest.copy_from_slice(context.finish().as_ref());
    digest
}
