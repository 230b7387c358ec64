//! Deciding again what was decided before, under policies that are only proposed.
//!
//! Everything that was known when an attempt was decided is in the ledger: the state just before it, and with the attempt itself its
//! digests, its approval and its moment. So the same evaluation as that of live calls tells what a proposal would have said. What no
//! policy was asked about (the task had ended, the operation was out of scope, a budget was spent) stays as it was.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use imbl::HashMap as Map;
use remit_policy::{Essence, Essences, Request};
use serde::Serialize;
use serde_json::Value;

use crate::facts::{self, Decision, Leg};
use crate::{
    ActionFacts, ActionId, Approval, ApprovalId, ApprovalStatus, Ask, Compiled, Digest, Event, Operation,
    OperationName, PolicyEdit, Refusal, State, Task, Timestamp, approval, limits, policy, task,
};

mod able;
#[cfg(test)]
mod tests;

use able::Able;

/// What is said to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    Allow,
    /// People have to approve it first.
    Ask,
    Deny,
}

impl Answer {
    /// The word of this answer.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Ask => "ask",
            Self::Deny => "deny",
        }
    }
}

/// An answer, and the policies that made it so.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Decided {
    pub answer: Answer,
    /// The determining policies by id, sorted.
    pub determining: Vec<String>,
}

impl Decided {
    fn new(answer: Answer, determining: &[String]) -> Self {
        let mut determining = determining.to_vec();
        determining.sort_unstable();
        determining.dedup();
        Self { answer, determining }
    }
}

/// One attempt as the ledger has it.
#[derive(Debug, Clone, Copy)]
pub struct Recorded<'a> {
    pub action: ActionId,
    pub facts: &'a ActionFacts,
    answer: Answer,
    determining: &'a [String],
    approval: Option<ApprovalId>,
    digest: Option<Digest>,
    /// The code of its refusal, if it was denied.
    pub code: Option<&'a str>,
}

impl<'a> Recorded<'a> {
    /// The attempt that `event` records, if it records one.
    pub fn of(event: &'a Event) -> Option<Self> {
        Some(match event {
            Event::ActionAllowed(allowed) => Self {
                action: allowed.action,
                facts: &allowed.facts,
                answer: Answer::Allow,
                determining: &allowed.determining,
                approval: allowed.approval,
                digest: Some(allowed.digest),
                code: None,
            },
            Event::ActionDenied(denied) => Self {
                action: denied.action,
                facts: &denied.facts,
                answer: Answer::Deny,
                determining: &denied.determining,
                approval: denied.approval,
                digest: None,
                code: Some(&denied.refusal.code),
            },
            Event::ApprovalRequested(requested) => Self {
                action: requested.action,
                facts: &requested.facts,
                answer: Answer::Ask,
                determining: &requested.ask.policies,
                approval: None,
                digest: Some(requested.digest),
                code: None,
            },
            _ => return None,
        })
    }

    /// What was decided, as far as policies decided it; nothing if none was asked. An attempt that was refused because a person had to
    /// answer first is one that the policies asked about.
    pub fn decided(&self) -> Option<Decided> {
        let answer = match self.code {
            None => self.answer,
            Some("denied_by_policy" | "policy_error" | "policies_broken" | "no_approver" | facts::DECISION_FAULT) => {
                Answer::Deny
            }
            Some("approval_pending" | "approval_denied" | "approval_required" | "too_many_approvals")
                if !self.determining.is_empty() =>
            {
                Answer::Ask
            }
            Some(_) => return None,
        };
        Some(Decided::new(answer, self.determining))
    }

    /// Whether its arguments were found to fit before it was answered.
    fn arguments_fit(&self) -> bool {
        !matches!(self.code, Some("policies_broken" | facts::DECISION_FAULT))
    }

    fn digest(&self) -> Digest {
        self.digest.unwrap_or_else(|| self.facts.digest())
    }

    /// The approval that it was decided with: the one that it used or presented, else the one that its digest finds.
    fn approval<'s>(&self, state: &'s State, now: Timestamp) -> Option<&'s Arc<Approval>> {
        let named = self.approval.and_then(|id| state.approvals.get(&id));
        let usable = |approval: &&'s Arc<Approval>| matches!(approval.status, ApprovalStatus::Granted { use_until } if now < use_until);
        match named.filter(usable) {
            Some(approval) => Some(approval),
            // What was allowed without one had none.
            None if self.answer == Answer::Allow => None,
            None => approval::usable(state, self.digest(), now),
        }
    }

    /// Whether it is sure that people were to be asked at once. Whoever enforces an answer may also have asked only what it would be.
    fn asks_people(&self) -> bool {
        self.facts.enforcer.is_none() || self.code == Some("no_approver") || self.answer == Answer::Ask
    }
}

/// Why nothing can be said about an attempt.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(tag = "why", content = "detail", rename_all = "snake_case")]
pub enum Unsaid {
    /// The answer depends on its arguments, which were erased or not kept.
    ArgumentsGone,
    /// The proposed policies do not hold against the operations as they were then.
    PoliciesDoNotHold(String),
}

/// What became of deciding one attempt again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Again {
    /// No policy was asked then, so none is now.
    Kept,
    Decided(Decided),
    Unsaid(Unsaid),
}

/// How arguments are read where an answer depends on them; nothing where they are gone.
pub type Arguments<'a> = &'a mut dyn FnMut(&ActionFacts) -> Option<Value>;

/// Proposed policies that recorded attempts are decided by. Compiled once for each set of operations, and answering the same question
/// once.
#[derive(Debug)]
pub struct Proposal {
    sources: BTreeMap<String, String>,
    /// The operations as they are known today: a policy may name one that was not there yet.
    today: Map<OperationName, Arc<Operation>>,
    courts: HashMap<Digest, Court>,
    able: Able,
    /// The operations that were looked at last, and the court for them.
    last: Option<(Map<OperationName, Arc<Operation>>, Digest)>,
}

/// The policies against one set of operations, and what they answered so far.
#[derive(Debug)]
struct Court {
    compiled: Compiled,
    essences: Option<Essences>,
    answers: HashMap<Essence, Decision>,
}

impl Proposal {
    /// What is active in `today`, with `edits`.
    pub fn of_edits(today: &State, edits: &[PolicyEdit]) -> Self {
        let sources = policy::edited(&today.policies.sources, edits);
        Self { sources, today: today.operations.clone(), courts: HashMap::new(), able: Able::default(), last: None }
    }

    /// Decides `recorded` again, as it would have been decided at `at` in `state`, which is the state just before it.
    pub fn again(&mut self, state: &State, recorded: &Recorded<'_>, at: Timestamp, arguments: Arguments<'_>) -> Again {
        if recorded.decided().is_none() {
            return Again::Kept;
        }
        let facts = recorded.facts;
        let (Ok(task), Ok(operation)) = (state.task(facts.task), state.operation(&facts.operation)) else {
            return Again::Kept;
        };
        let court = self.court(state);
        let attempt = Attempt { state, task, operation, recorded, at };
        match court.decide(&attempt, arguments) {
            Ok(decision) => Again::Decided(attempt.settle(decision, &mut self.able)),
            Err(unsaid) => Again::Unsaid(unsaid),
        }
    }

    /// The court for the operations of `state`.
    fn court(&mut self, state: &State) -> &mut Court {
        let known = self.last.as_ref().filter(|(operations, _)| operations.ptr_eq(&state.operations));
        let digest = known.map(|(_, digest)| *digest).unwrap_or_else(|| policy::operations_digest(&state.operations));
        self.last = Some((state.operations.clone(), digest));
        if self.courts.len() >= limits::REPLAY_COURTS_MAX && !self.courts.contains_key(&digest) {
            self.courts.clear();
        }
        let (sources, today) = (&self.sources, &self.today);
        self.courts.entry(digest).or_insert_with(|| Court::of(state, today, sources))
    }
}

impl Court {
    fn of(state: &State, today: &Map<OperationName, Arc<Operation>>, sources: &BTreeMap<String, String>) -> Self {
        let mut then = state.clone();
        for (name, operation) in today {
            if !then.operations.contains_key(name) {
                then.operations.insert(name.clone(), Arc::clone(operation));
            }
        }
        let compiled = policy::compile(&then, sources);
        let essences = compiled.set.as_ref().map(Essences::of);
        Self { compiled, essences, answers: HashMap::new() }
    }

    /// What the policies say to `attempt`, about each agent that has to be allowed.
    fn decide(&mut self, attempt: &Attempt<'_>, arguments: Arguments<'_>) -> Result<Decision, Unsaid> {
        let Attempt { state, task, recorded, .. } = *attempt;
        let mut unsaid = None;
        let mut content = Content { read: arguments, known: None };
        let decision = facts::whole(state, task, recorded.facts.named, &recorded.facts.operation, |leg| {
            self.leg(attempt, leg, &mut content).unwrap_or_else(|cause| {
                unsaid = Some(cause);
                // Nothing further is asked after this, and nobody sees it.
                Decision::Deny { determining: Vec::new(), refusal: Refusal::new("unsaid", "nothing can be said") }
            })
        });
        unsaid.map_or(Ok(decision), Err)
    }

    fn leg(&mut self, attempt: &Attempt<'_>, leg: Leg<'_>, content: &mut Content<'_>) -> Result<Decision, Unsaid> {
        let Attempt { state, task, operation, recorded, at } = *attempt;
        let Self { compiled, essences, answers } = self;
        let (Some(set), Some(schema), Some(essences)) = (&compiled.set, &compiled.schema, essences) else {
            return Err(Unsaid::PoliciesDoNotHold(compiled.broken.clone().unwrap_or_default()));
        };
        let Some(shape) = compiled.shapes.get(&operation.name) else {
            return Err(Unsaid::PoliciesDoNotHold(format!("the schema of `{}` is missing", operation.name)));
        };
        let facts = facts::facts_of(state, leg, recorded.facts.acting_for, operation, at);
        let approval = recorded.approval(state, at).map(|approval| facts::approval_facts(approval, at));
        let concern = essences.concern(schema, &facts, shape);
        let needed = !recorded.arguments_fit() || concern.needs_arguments();
        let known = if needed { Some(content.of(recorded.facts)?) } else { None };
        let mut request = Request {
            facts: &facts,
            shape,
            arguments: &Value::Null,
            approval: approval.as_ref(),
            now_ms: at.as_millis(),
            credential_age_s: recorded.facts.credential_age_seconds(state, task, at),
        };
        let essence = concern.essence(&request, known.map(|(_, digest)| &digest.as_bytes()[..]));
        if let Some(answer) = answers.get(&essence) {
            return Ok(answer.clone());
        }
        let decision = match known {
            Some((arguments, _)) => {
                request.arguments = arguments;
                remit_policy::evaluate(set, schema, &request)
            }
            None => essences.evaluate_unseen(schema, &request),
        };
        let decision = facts::in_words(decision, &facts);
        if answers.len() >= limits::REPLAY_ANSWERS_MAX {
            answers.clear();
        }
        answers.insert(essence, decision.clone());
        Ok(decision)
    }
}

/// The arguments of one attempt, read when first needed.
struct Content<'a> {
    read: Arguments<'a>,
    known: Option<(Value, Digest)>,
}

impl Content<'_> {
    fn of(&mut self, facts: &ActionFacts) -> Result<(&Value, &Digest), Unsaid> {
        if self.known.is_none() {
            let arguments = (self.read)(facts).ok_or(Unsaid::ArgumentsGone)?;
            let digest = Digest::of_document(&arguments);
            self.known = Some((arguments, digest));
        }
        self.known.as_ref().map(|(arguments, digest)| (arguments, digest)).ok_or(Unsaid::ArgumentsGone)
    }
}

/// An attempt in its moment.
struct Attempt<'a> {
    state: &'a State,
    task: &'a Task,
    operation: &'a Operation,
    recorded: &'a Recorded<'a>,
    at: Timestamp,
}

impl Attempt<'_> {
    /// What `decision` comes to: a question that nobody could have answered is a deny, as it is for a live call.
    fn settle(&self, decision: Decision, able: &mut Able) -> Decided {
        match decision {
            Decision::Allow { determining } => Decided::new(Answer::Allow, &determining),
            Decision::Deny { determining, .. } => Decided::new(Answer::Deny, &determining),
            Decision::Ask { ask, .. } if self.can_be_asked(&ask, able) => Decided::new(Answer::Ask, &ask.policies),
            Decision::Ask { .. } => Decided::new(Answer::Deny, &[]),
        }
    }

    fn can_be_asked(&self, ask: &Ask, able: &mut Able) -> bool {
        let Self { state, task, recorded, at, .. } = self;
        !recorded.asks_people()
            || approval::answered_or_waiting(state, recorded.digest(), *at).is_some()
            || task::open_approvals_of_tree(state, task) >= limits::TASK_APPROVALS_PENDING_MAX
            || able.answering(state, task, recorded.facts, ask)
    }
}
