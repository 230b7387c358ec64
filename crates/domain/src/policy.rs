//! Policies: Cedar texts, compiled against what the approved operations look like.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use remit_policy::{Known, OperationShape, PolicySet, PolicySource, Problem, Schema, Severity, Shape};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    ChangeId, ChangeStatus, Class, Digest, Environment, FieldProblem, OperationName, PersonId, Refusal, State,
    Timestamp, change, limits,
};

#[cfg(test)]
mod tests;
mod tried;

use tried::Tried;
pub(crate) use tried::operations_digest;

/// One named text of the policy set, set or removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyEdit {
    pub name: String,
    /// The new text; nothing to remove it.
    pub text: Option<String>,
}

/// A change of policies was proposed, before all artefacts came under change control.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PolicyProposed {
    pub change: ChangeId,
    pub author: PersonId,
    pub reason: String,
    pub edits: Vec<PolicyEdit>,
    pub base: Digest,
}

/// The active policies.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Policies {
    pub sources: Arc<BTreeMap<String, String>>,
    /// Digest of the active texts: the policy version that every decision names.
    version: Option<Digest>,
    pub activated_at: Timestamp,
    /// Follows from the texts and the approved operations; made when first needed, shared by all copies of this state.
    #[serde(skip)]
    compiled: Arc<OnceLock<Arc<Compiled>>>,
    /// The set before this one, from which what has not changed is taken over.
    #[serde(skip)]
    former: Option<(Schema, PolicySet)>,
    /// What was compiled last, for whoever compiles the same.
    #[serde(skip)]
    tried: Tried,
}

impl Policies {
    /// Digest of the active texts: the policy version that every decision names.
    pub fn digest(&self) -> Digest {
        self.version.unwrap_or_else(|| digest_of(&self.sources))
    }

    pub(crate) fn changed(&mut self) {
        let newest = self.compiled.get().and_then(|compiled| compiled.parts());
        self.former = newest.or_else(|| self.former.take());
        self.compiled = Arc::new(OnceLock::new());
    }
}

fn digest_of(sources: &BTreeMap<String, String>) -> Digest {
    Digest::of_document(sources)
}

/// Policies ready to decide with.
#[derive(Debug)]
pub struct Compiled {
    /// Why nothing can be decided, if so. Then everything is denied.
    pub broken: Option<String>,
    pub version: Digest,
    pub schema: Option<Schema>,
    pub set: Option<PolicySet>,
    pub shapes: BTreeMap<OperationName, Shape>,
    pub problems: Vec<Problem>,
    /// Made when somebody first asks who can do what.
    pub(crate) insight: OnceLock<crate::who::Insight>,
    /// What was last found suspicious about them, and what there was that they may name.
    linted: Mutex<Option<(Known, Vec<Problem>)>>,
}

impl Compiled {
    /// What the next compilation can take over of this one.
    fn parts(&self) -> Option<(Schema, PolicySet)> {
        Some((self.schema.clone()?, self.set.clone()?))
    }
}

impl State {
    /// The active policies against the schema of the approved operations.
    pub fn compiled(&self) -> &Compiled {
        self.policies.compiled.get_or_init(|| self.policies.tried.compiled(self, &self.policies.sources))
    }

    /// What the policies would be after `edits`: for `policy check` before anything is proposed.
    pub fn compile_with(&self, edits: &[PolicyEdit]) -> Compiled {
        compile(self, &edited(&self.policies.sources, edits))
    }

    /// What is suspicious about policies that compile: what can never match, what others cover, questions that nobody can answer, and
    /// names of what is not there. Those of them that are errors cannot be proposed.
    pub fn lint(&self, compiled: &Compiled) -> Vec<Problem> {
        let (Some(set), Some(schema)) = (&compiled.set, &compiled.schema) else { return Vec::new() };
        let known = known(self);
        if let Some((named, problems)) = &*compiled.linted.lock().unwrap_or_else(PoisonError::into_inner)
            && *named == known
        {
            return problems.clone();
        }
        let problems = remit_policy::check(set, schema, &known);
        *compiled.linted.lock().unwrap_or_else(PoisonError::into_inner) = Some((known, problems.clone()));
        problems
    }
}

/// What there is here that policies may name.
fn known(state: &State) -> Known {
    let mut groups: BTreeMap<String, u32> = BTreeMap::new();
    for group in state.people.values().flat_map(|person| &person.groups) {
        *groups.entry(group.clone()).or_default() += 1;
    }
    let agents = state.agents.values().filter(|agent| !agent.is_gone());
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    Known {
        agents: agents.map(|agent| agent.name.clone()).collect(),
        people: state.people.keys().map(ToString::to_string).collect(),
        groups,
        environments: words(&Environment::ALL.map(Environment::as_str)),
        classes: words(&Class::ALL.map(Class::as_str)),
        labels: words(&[crate::action::SENSITIVE, crate::action::UNTRUSTED]),
    }
}

pub(crate) fn compile(state: &State, sources: &BTreeMap<String, String>) -> Compiled {
    let version = digest_of(sources);
    let mut compiled = Compiled {
        broken: None,
        version,
        schema: None,
        set: None,
        shapes: BTreeMap::new(),
        problems: Vec::new(),
        insight: OnceLock::new(),
        linted: Mutex::default(),
    };
    let mut operations = Vec::new();
    // In the order of their names, so that every node finds the same problem first.
    let mut known: Vec<_> = state.operations.values().collect();
    known.sort_by(|one, other| one.name.cmp(&other.name));
    for operation in known {
        match crate::operation::shape_of(operation.name.as_str(), &operation.definition, &operation.projections) {
            Ok(shape) => {
                compiled.shapes.insert(operation.name.clone(), shape.clone());
                operations.push(OperationShape {
                    id: operation.name.as_str().to_owned(),
                    connector: operation.name.connector().to_owned(),
                    verb: operation.verb,
                    arguments: shape,
                });
            }
            Err(refusal) => compiled.broken = Some(refusal.sentence),
        }
    }
    let newest = state.policies.compiled.get().and_then(|compiled| compiled.parts());
    let former = newest.or_else(|| state.policies.former.clone());
    let generated = match &former {
        Some((schema, _)) => schema.regenerate(operations.iter()),
        None => Schema::generate(operations.iter()),
    };
    let schema = match generated {
        Ok(schema) => schema,
        Err(error) => {
            compiled.broken = Some(format!("no policy schema can be made from the approved operations: {error}"));
            return compiled;
        }
    };
    let texts: Vec<PolicySource> =
        sources.iter().map(|(name, text)| PolicySource { name: name.clone(), text: text.clone() }).collect();
    let set = match &former {
        Some((_, set)) => set.recompile(&texts, &schema),
        None => PolicySet::compile(&texts, &schema),
    };
    match set {
        Ok(set) => compiled.set = Some(set),
        Err(problems) => {
            compiled.broken = problems.first().map(|problem| problem.to_string());
            compiled.problems = problems;
        }
    }
    compiled.schema = Some(schema);
    compiled
}

pub(crate) fn edited(sources: &BTreeMap<String, String>, edits: &[PolicyEdit]) -> BTreeMap<String, String> {
    let mut after = sources.clone();
    for edit in edits {
        match &edit.text {
            Some(text) => after.insert(edit.name.clone(), text.clone()),
            None => after.remove(&edit.name),
        };
    }
    after
}

/// Checks what the set would be after `edits`; its digest, or everything that is wrong.
pub(crate) fn check_edits(state: &State, edits: &[PolicyEdit]) -> Result<Digest, Refusal> {
    let after = edited(&state.policies.sources, edits);
    if after.len() > limits::POLICY_SOURCES_MAX {
        return Err(Refusal::new(
            "too_many_policies",
            format!("at most {} policy files are active", limits::POLICY_SOURCES_MAX),
        ));
    }
    let compiled = state.policies.tried.compiled(state, &Arc::new(after));
    refuse_broken(&compiled)?;
    refuse_errors(state.lint(&compiled).iter().filter(|problem| edits.iter().any(|edit| edit.name == problem.source)))?;
    Ok(compiled.version)
}

/// Whether the active policies still hold against the operations of `after`.
pub(crate) fn check_compiles(after: &State) -> Result<(), Refusal> {
    refuse_broken(after.compiled()).map_err(|refusal| Refusal {
        code: "policy_conflict".to_owned(),
        help: Some(
            "a policy names something that these definitions do not have; propose a change of that policy first"
                .to_owned(),
        ),
        ..refusal
    })
}

fn refuse_broken(compiled: &Compiled) -> Result<(), Refusal> {
    refuse_errors(compiled.problems.iter())?;
    compiled.broken.as_ref().map_or(Ok(()), |broken| Err(invalid(broken)))
}

fn refuse_errors<'a>(problems: impl Iterator<Item = &'a Problem>) -> Result<(), Refusal> {
    let errors: Vec<&Problem> = problems.filter(|problem| problem.severity == Severity::Error).collect();
    let Some(first) = errors.first() else { return Ok(()) };
    let fields = errors.iter().map(|problem| FieldProblem::new(&problem.source, problem.to_string())).collect();
    Err(invalid(&first.to_string()).fields(fields))
}

fn invalid(why: &str) -> Refusal {
    Refusal::new("policy_invalid", format!("the policies do not hold: {why}"))
        .help("`remit policy check` shows every problem with its place")
}

pub(crate) fn apply_activated(state: &mut State, change: Option<ChangeId>, edits: &[PolicyEdit], at: Timestamp) {
    let sources = edited(&state.policies.sources, edits);
    state.policies.version = Some(digest_of(&sources));
    state.policies.sources = Arc::new(sources);
    state.policies.activated_at = at;
    // As it was before approvals had an event of their own.
    if let Some(change) =
        change.filter(|change| state.changes.get(change).is_some_and(|change| change.status == ChangeStatus::Pending))
    {
        change::apply_settled(state, change);
    }
    state.policies.changed();
}
