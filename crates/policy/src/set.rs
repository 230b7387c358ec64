//! Policy texts, compiled: parsed, named, checked against the schema, and ready to decide.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use aws_lc_rs::digest::{Context, SHA256};
use cedar_policy::{Policy, PolicyId, ValidationMode};

use crate::annotations::{self, Asks};
use crate::diagnosis::{self, Finding};
use crate::index::Index;
use crate::nearest::nearest;
use crate::reads::Reads;
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
    cedar: cedar_policy::PolicySet,
    index: Index,
    reads: Reads,
    rules: Vec<Rule>,
    positions: HashMap<String, usize>,
    sources: Vec<PolicySource>,
    warnings: Vec<Problem>,
    digest: [u8; 32],
}

impl PolicySet {
    /// Parses `sources`, names each policy by its `@id`, and validates all of them strictly against `schema`.
    ///
    /// # Errors
    /// All problems (at most [`limits::PROBLEMS_MAX`]) if one of them is an error. A policy that can never apply is one.
    pub fn compile(sources: &[PolicySource], schema: &Schema) -> Result<Self, Vec<Problem>> {
        let mut reading = Reading::default();
        reading.check_bounds(sources);
        if reading.problems.is_empty() {
            for source in sources {
                reading.read(source, schema);
            }
            reading.validate(sources, schema);
        }
        let Reading { cedar, index, rules, positions, mut problems } = reading;
        problems
            .sort_by(|a, b| (&a.source, a.line, a.column, &a.policy).cmp(&(&b.source, b.line, b.column, &b.policy)));
        if problems.iter().any(|problem| problem.severity == Severity::Error) {
            // Errors first, so that the cut takes warnings.
            problems.sort_by_key(|problem| problem.severity);
            problems.truncate(limits::PROBLEMS_MAX);
            return Err(problems);
        }
        let digest = digest(sources);
        let sources = sources.to_vec();
        let reads = Reads::of(cedar.policies());
        Ok(Self {
            inner: Arc::new(Inner { cedar, index, reads, rules, positions, sources, warnings: problems, digest }),
        })
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
    pub fn rules(&self) -> &[Rule] {
        &self.inner.rules
    }

    /// The policy with this `@id`.
    pub fn rule(&self, id: &str) -> Option<&Rule> {
        self.inner.positions.get(id).and_then(|position| self.inner.rules.get(*position))
    }

    /// The `@id`s of the policies, in the order of the sources.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.inner.rules.iter().map(|rule| rule.id.as_str())
    }

    pub(crate) fn cedar(&self) -> &cedar_policy::PolicySet {
        &self.inner.cedar
    }

    pub(crate) fn reads(&self) -> &Reads {
        &self.inner.reads
    }

    pub(crate) fn index(&self) -> &Index {
        &self.inner.index
    }

    /// The positions of the policies with these ids, in the order of the sources.
    pub(crate) fn positions<'a>(&self, ids: impl Iterator<Item = &'a PolicyId>) -> Vec<usize> {
        let mut positions: Vec<usize> =
            ids.filter_map(|id| self.inner.positions.get(AsRef::<str>::as_ref(id)).copied()).collect();
        positions.sort_unstable();
        positions
    }

    /// The policies at `positions` alone.
    pub(crate) fn part(&self, positions: &[usize]) -> cedar_policy::PolicySet {
        let policies = positions.iter().filter_map(|position| self.rules().get(*position));
        let policies = policies.filter_map(|rule| self.cedar().policy(&PolicyId::new(&rule.id)));
        // Their ids differ, as they do in the whole set.
        cedar_policy::PolicySet::from_policies(policies.cloned()).unwrap_or_else(|_| self.cedar().clone())
    }
}

#[derive(Default)]
struct Reading {
    cedar: cedar_policy::PolicySet,
    index: Index,
    rules: Vec<Rule>,
    positions: HashMap<String, usize>,
    problems: Vec<Problem>,
}

impl Reading {
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

    fn read(&mut self, source: &PolicySource, schema: &Schema) {
        let parsed = match source.text.parse::<cedar_policy::PolicySet>() {
            Ok(parsed) => parsed,
            Err(errors) => {
                let findings = diagnosis::of_parsing(&errors);
                self.problems.extend(findings.into_iter().map(|finding| place(source, finding)));
                return;
            }
        };
        for template in parsed.templates() {
            let offset = source.text.find(&template.to_cedar());
            let problem = Problem::error(&source.name, "a policy cannot have slots such as `?principal`");
            let help = "write the policy for all, and tell them apart by attributes";
            self.problems.push(problem.help(Some(help.to_owned())).at(&source.text, offset));
        }
        // Cedar names policies by their place in the text: policy0, policy1, …
        let mut policies: Vec<&Policy> = parsed.policies().collect();
        policies.sort_by_key(|policy| {
            AsRef::<str>::as_ref(policy.id()).trim_start_matches("policy").parse::<usize>().unwrap_or(usize::MAX)
        });
        let mut from = 0;
        for policy in policies {
            let text = policy.to_cedar().unwrap_or_default();
            let offset = source.text.get(from..).and_then(|rest| rest.find(&text)).map(|found| from + found);
            from = offset.map_or(from, |offset| offset + text.len());
            if let Err(problem) = self.take(source, policy, text, offset, schema) {
                self.problems.push(problem.at(&source.text, offset));
            }
        }
    }

    fn take(
        &mut self,
        source: &PolicySource,
        policy: &Policy,
        text: String,
        offset: Option<usize>,
        schema: &Schema,
    ) -> Result<(), Box<Problem>> {
        let unnamed = |(sentence, help)| Box::new(Problem::error(&source.name, sentence).help(help));
        let id = annotations::id(policy).map_err(unnamed)?;
        let mistaken = |mistake| Box::new(unnamed(mistake).of(&id));
        if let Some(earlier) = self.positions.get(&id).and_then(|position| self.rules.get(*position)) {
            let sentence = format!("another policy in `{}` is also named `{id}`", earlier.source);
            return Err(mistaken((sentence, Some("an `@id` is unique among all policies".to_owned()))));
        }
        if self.rules.len() == limits::POLICIES_MAX {
            return Err(mistaken((format!("there are more than {} policies", limits::POLICIES_MAX), None)));
        }
        if let Some(mistake) = annotations::mistyped(policy).or_else(|| unknown_name(policy, schema)) {
            return Err(mistaken(mistake));
        }
        let asks = annotations::asks(policy).map_err(mistaken)?;
        let reason = annotations::reason(policy).map_err(mistaken)?;
        if asks.is_some() && !text.contains("context.approval") {
            let sentence = "the policy says whom to ask, but no approval ever lifts it";
            let help = "add `unless { context has approval && context.approval.roles.contains(\"role\") }`";
            let problem = Problem::error(&source.name, sentence).of(&id).help(Some(help.to_owned()));
            self.problems.push(problem.warning().at(&source.text, offset));
        }
        let named = policy.new_id(PolicyId::new(&id));
        self.index.add(&named, &schema.kinds);
        self.cedar.add(named).map_err(|error| mistaken((error.to_string(), None)))?;
        let effect = match policy.effect() {
            cedar_policy::Effect::Permit => Effect::Permit,
            cedar_policy::Effect::Forbid => Effect::Forbid,
        };
        let line = Problem::error("", "").at(&source.text, offset).line;
        self.positions.insert(id.clone(), self.rules.len());
        self.rules.push(Rule { id, source: source.name.clone(), line, effect, reason, text, asks });
        Ok(())
    }

    fn validate(&mut self, sources: &[PolicySource], schema: &Schema) {
        let result = schema.validator.validate(&self.cedar, ValidationMode::Strict);
        let errors = result.validation_errors().map(|error| (error.policy_id(), diagnosis::of_error(error, schema)));
        // Where a policy has errors, a warning is only their echo: what names nothing also applies to nothing.
        let wrong: HashSet<&PolicyId> = result.validation_errors().map(|error| error.policy_id()).collect();
        let warnings = result.validation_warnings().filter(|warning| !wrong.contains(warning.policy_id()));
        let text = |id: &PolicyId| {
            let position = self.positions.get(AsRef::<str>::as_ref(id));
            position.and_then(|position| self.rules.get(*position)).map_or("", |rule| rule.text.as_str())
        };
        let warnings = warnings.map(|warning| {
            let id = warning.policy_id();
            (id, diagnosis::of_warning(warning, text(id), schema))
        });
        let mut findings: Vec<(&PolicyId, Finding)> = errors.chain(warnings).collect();
        // One place in a policy gives one finding per operation. One is told; the unscoped one, which explains the others.
        findings.sort_by(|(a, x), (b, y)| {
            (a, x.offset, !x.unscoped, &x.sentence).cmp(&(b, y.offset, !y.unscoped, &y.sentence))
        });
        findings.dedup_by(|(a, x), (b, y)| a == b && x.offset == y.offset && x.severity == y.severity);
        for (id, finding) in findings {
            let id: &str = id.as_ref();
            let Some(rule) = self.positions.get(id).and_then(|position| self.rules.get(*position)) else { continue };
            let Some(source) = sources.iter().find(|source| source.name == rule.source) else { continue };
            self.problems.push(place(source, finding).of(id));
        }
    }
}

fn place(source: &PolicySource, finding: Finding) -> Problem {
    let problem = Problem::error(&source.name, finding.sentence).help(finding.help).at(&source.text, finding.offset);
    if finding.severity == Severity::Warning { problem.warning() } else { problem }
}

/// An operation or connector that the policy names and that does not exist. Cedar checks actions only; a resource that is not
/// there would make a rule that silently never applies.
fn unknown_name(policy: &Policy, schema: &Schema) -> Option<annotations::Mistake> {
    let unknown = |what: &str, id: &str, meant: Option<&str>| {
        let help = meant.map(|name| format!("did you mean `{name}`?"));
        Some((format!("there is no {what} `{id}`"), help))
    };
    policy.entity_literals().into_iter().find_map(|literal| {
        let id = literal.id().unescaped();
        if *literal.type_name() == schema.kinds.operation && schema.operation(id).is_none() {
            return unknown("operation", id, nearest(id, schema.operations()));
        }
        if *literal.type_name() == schema.kinds.connector && !schema.connectors().any(|known| known == id) {
            return unknown("connector", id, nearest(id, schema.connectors()));
        }
        None
    })
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
