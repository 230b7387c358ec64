//! Policies: Cedar texts, changed only by a proposal that somebody else approves.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use remit_policy::{OperationShape, PolicySet, PolicySource, Problem, Schema, Severity, Shape};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::person::{check_name, check_note, check_text};
use crate::{
    Actor, ChangeId, Digest, Event, FieldProblem, Moment, OperationName, PersonId, Refusal, State, Timestamp, limits,
};

#[cfg(test)]
mod tests;

/// One named text of the policy set, set or removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyEdit {
    pub name: String,
    /// The new text; nothing to remove it.
    pub text: Option<String>,
}

/// A proposed change of the policies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    pub id: ChangeId,
    pub author: PersonId,
    pub reason: String,
    pub edits: Vec<PolicyEdit>,
    /// Digest of the set that it was proposed against; another activation meanwhile makes it stale.
    pub base: Digest,
    pub proposed_at: Timestamp,
}

/// A change has been proposed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PolicyProposed {
    pub change: ChangeId,
    pub author: PersonId,
    pub reason: String,
    pub edits: Vec<PolicyEdit>,
    pub base: Digest,
}

/// The active policies and the proposals that wait.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Policies {
    pub sources: Arc<BTreeMap<String, String>>,
    /// Digest of the active texts: the policy version that every decision names.
    version: Option<Digest>,
    pub changes: imbl::HashMap<ChangeId, Arc<Change>>,
    pub activated_at: Timestamp,
    /// Follows from the texts and the approved operations; made when first needed, shared by all copies of this state.
    #[serde(skip)]
    compiled: Arc<OnceLock<Compiled>>,
}

impl Policies {
    /// Digest of the active texts: the policy version that every decision names.
    pub fn digest(&self) -> Digest {
        self.version.unwrap_or_else(|| digest_of(&self.sources))
    }

    pub(crate) fn changed(&mut self) {
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
}

impl State {
    /// The active policies against the schema of the approved operations.
    pub fn compiled(&self) -> &Compiled {
        self.policies.compiled.get_or_init(|| compile(self, &self.policies.sources))
    }

    /// What the policies would be after `edits`: for `policy check` before anything is proposed.
    pub fn compile_with(&self, edits: &[PolicyEdit]) -> Compiled {
        compile(self, &edited(&self.policies.sources, edits))
    }
}

fn compile(state: &State, sources: &BTreeMap<String, String>) -> Compiled {
    let version = digest_of(sources);
    let mut compiled =
        Compiled { broken: None, version, schema: None, set: None, shapes: BTreeMap::new(), problems: Vec::new() };
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
    let schema = match Schema::generate(operations.iter()) {
        Ok(schema) => schema,
        Err(error) => {
            compiled.broken = Some(format!("no policy schema can be made from the approved operations: {error}"));
            return compiled;
        }
    };
    let texts: Vec<PolicySource> =
        sources.iter().map(|(name, text)| PolicySource { name: name.clone(), text: text.clone() }).collect();
    match PolicySet::compile(&texts, &schema) {
        Ok(set) => compiled.set = Some(set),
        Err(problems) => {
            compiled.broken = problems.first().map(|problem| problem.to_string());
            compiled.problems = problems;
        }
    }
    compiled.schema = Some(schema);
    compiled
}

fn edited(sources: &BTreeMap<String, String>, edits: &[PolicyEdit]) -> BTreeMap<String, String> {
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
    let compiled = compile(state, &after);
    refuse_broken(&compiled)?;
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
    let Some(broken) = &compiled.broken else { return Ok(()) };
    let fields = compiled.problems.iter().filter(|problem| problem.severity == Severity::Error);
    let fields = fields.map(|problem| FieldProblem::new(&problem.source, problem.to_string())).collect();
    Err(Refusal::new("policy_invalid", format!("the policies do not hold: {broken}"))
        .help("`remit policy check` shows every problem with its place")
        .fields(fields))
}

pub(crate) fn decide_propose(
    state: &State,
    actor: &Actor,
    edits: &[PolicyEdit],
    reason: &str,
    at: &Moment,
) -> Result<Vec<Event>, Refusal> {
    let author = actor.person()?;
    state.person(author)?;
    check_text("reason", reason)?;
    edits.iter().try_for_each(|edit| check_name("policy", &edit.name))?;
    // As written in the ledger, where a line break or a quotation mark takes more than a byte.
    let size = serde_json::to_vec(edits).map_or(usize::MAX, |bytes| bytes.len());
    if edits.is_empty() || size > limits::PROPOSAL_BYTES_MAX {
        return Err(Refusal::new(
            "bad_proposal",
            format!("a proposal changes something and has at most {} bytes", limits::PROPOSAL_BYTES_MAX),
        )
        .help("split it into several proposals"));
    }
    if state.policies.changes.len() >= limits::PROPOSALS_PENDING_MAX {
        return Err(Refusal::new(
            "too_many_proposals",
            format!("{} proposals already wait for an answer", limits::PROPOSALS_PENDING_MAX),
        )
        .help("take back those of your own that are stale, or ask an administrator to reject some"));
    }
    let set = check_edits(state, edits)?;
    if set == state.policies.digest() {
        return Err(Refusal::new("nothing_changes", "the proposed policies are the active ones"));
    }
    Ok(vec![Event::PolicyProposed(Box::new(PolicyProposed {
        change: at.fresh_id(),
        author,
        reason: reason.to_owned(),
        edits: edits.to_vec(),
        base: state.policies.digest(),
    }))])
}

/// Approves and activates a proposal: felt by the very next decision.
pub(crate) fn decide_activate(state: &State, actor: &Actor, id: ChangeId) -> Result<Vec<Event>, Refusal> {
    let by = actor.administrator(state)?;
    let change = state.policies.changes.get(&id).ok_or_else(|| Refusal::unknown("change", id))?;
    if change.author == by {
        return Err(Refusal::new("self_approval", "a change cannot be approved by its author")
            .help("another administrator has to activate it"));
    }
    if change.base != state.policies.digest() {
        return Err(Refusal::new("change_stale", "the policies changed since this was proposed")
            .help("propose it again, so that its checks are about what would really be active"));
    }
    let set = check_edits(state, &change.edits)?;
    Ok(vec![Event::PolicyActivated { change: Some(id), by, edits: change.edits.clone(), set }])
}

pub(crate) fn decide_reject(state: &State, actor: &Actor, id: ChangeId, note: &str) -> Result<Vec<Event>, Refusal> {
    check_note("note", note)?;
    let change = state.policies.changes.get(&id).ok_or_else(|| Refusal::unknown("change", id))?;
    let by = match actor.person()? {
        author if author == change.author => author,
        _ => actor.administrator(state)?,
    };
    Ok(vec![Event::PolicyRejected { change: id, by, note: note.to_owned() }])
}

pub(crate) fn apply_proposed(state: &mut State, proposed: &PolicyProposed, at: Timestamp) {
    let change = Change {
        id: proposed.change,
        author: proposed.author,
        reason: proposed.reason.clone(),
        edits: proposed.edits.clone(),
        base: proposed.base,
        proposed_at: at,
    };
    state.policies.changes.insert(change.id, Arc::new(change));
}

pub(crate) fn apply_activated(state: &mut State, change: Option<ChangeId>, edits: &[PolicyEdit], at: Timestamp) {
    let sources = edited(&state.policies.sources, edits);
    state.policies.version = Some(digest_of(&sources));
    state.policies.sources = Arc::new(sources);
    state.policies.activated_at = at;
    if let Some(change) = change {
        state.policies.changes.remove(&change);
    }
    state.policies.changed();
}

pub(crate) fn apply_rejected(state: &mut State, change: ChangeId) {
    state.policies.changes.remove(&change);
}
