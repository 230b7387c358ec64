//! What of a request the policies of a set can look at: two requests of one essence are decided alike.
//!
//! Deciding a long history again asks the same questions over and over: only the moment, the task's number and the count of its calls
//! differ, and hardly any policy looks at those. An [`Essence`] is all facts of a request but those that no policy which the request's
//! scope can concern reads, so that an answer may be used again for the same essence and for no other.

use std::collections::HashMap;
use std::sync::Arc;

use cedar_policy::PolicyId;

use crate::evaluate::evaluate_unseen;
use crate::facts::{AgentFacts, ApprovalFacts, Facts, GrantFacts, OperationFacts, PersonFacts, Request, TaskFacts};
use crate::marks::Marks;
use crate::reads::Reads;
use crate::scene::Scene;
use crate::shape::{Field, Kind, Record, Scalar, join};
use crate::{Decision, PolicySet, Schema, Shape, limits};

#[cfg(test)]
mod tests;

/// The attributes of a task record that change from call to call.
const TASK: &str = "task";
/// The attribute under which a grant stands.
const GRANT: &str = "grant";
/// The attribute under which an approval stands.
const APPROVAL: &str = "approval";

/// Room for what is written down of most requests, in bytes.
const INK_BYTES: usize = 512;

/// What of a request can matter, written down without ambiguity. Equal ones are decided alike by the set that they were made for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Essence(Box<[u8]>);

/// What the policies can look at that a call of one agent to one operation can concern.
#[derive(Debug, Default)]
pub struct Concern {
    reads: Reads,
    arguments: bool,
    age: Marks,
}

impl Concern {
    /// Whether the answer can depend on the arguments. Where it cannot, they need not be at hand, as long as they were found to fit
    /// the operation's shape once.
    pub fn needs_arguments(&self) -> bool {
        self.arguments
    }

    /// The essence of `request`. `arguments` says which arguments they are (a digest of them), where the answer can depend on them.
    pub fn essence(&self, request: &Request<'_>, arguments: Option<&[u8]>) -> Essence {
        let reads = &self.reads;
        let mut ink = Ink(Vec::with_capacity(INK_BYTES));
        ink.facts(request.facts, reads);
        let approved_at = reads.reads_of(APPROVAL, "approved_at");
        ink.approval(request.approval, approved_at);
        // An approval that is only supposed would be given at this moment.
        ink.number_if(reads.reads("now") || approved_at, request.now_ms);
        ink.some(self.age.place(request.credential_age_s), |ink, [passed, met]| ink.numbers([passed, met]));
        ink.some(arguments, |ink, digest| ink.bytes(digest));
        Essence(ink.0.into_boxed_slice())
    }
}

/// Says of each agent and operation what concerns them, for one set. Remembers what it found.
#[derive(Debug)]
pub struct Essences {
    set: PolicySet,
    by_rule: Vec<(Reads, Marks)>,
    concerns: HashMap<Vec<u8>, Arc<Concern>>,
}

impl Essences {
    /// For the policies of `set`.
    pub fn of(set: &PolicySet) -> Self {
        let reads = |id: &str| match set.cedar().policy(&PolicyId::new(id)) {
            Some(policy) => (Reads::of(std::iter::once(policy)), Marks::of(policy, "credential_age")),
            None => (Reads::everything(), Marks::exact()),
        };
        let by_rule = set.ids().map(reads).collect();
        Self { set: set.clone(), by_rule, concerns: HashMap::new() }
    }

    /// What concerns a call with `facts`, whose arguments are of `shape`: the operation's own in `schema`.
    pub fn concern(&mut self, schema: &Schema, facts: &Facts, shape: &Shape) -> Arc<Concern> {
        // What a scope can name: the agent and its class; the operation, and with it the verb and connector that the schema has for it.
        let mut key = Ink::default();
        key.texts([&facts.agent.name, &facts.agent.class, &facts.operation.id]);
        if let Some(known) = self.concerns.get(&key.0) {
            return Arc::clone(known);
        }
        let concern = Arc::new(self.look(schema, facts, shape));
        if self.concerns.len() >= limits::CONCERNS_MAX {
            self.concerns.clear();
        }
        self.concerns.insert(key.0, Arc::clone(&concern));
        concern
    }

    /// Decides `request` without its arguments, where [`Concern::needs_arguments`] says that the answer cannot depend on them.
    pub fn evaluate_unseen(&self, schema: &Schema, request: &Request<'_>) -> Decision {
        evaluate_unseen(&self.set, schema, request)
    }

    fn look(&self, schema: &Schema, facts: &Facts, shape: &Shape) -> Concern {
        let (mut reads, mut age) = (Reads::default(), Marks::default());
        match Scene::set(facts, schema) {
            Ok(scene) => {
                let candidates = self.set.index().candidates(&scene);
                for (rule, marks) in candidates.iter().filter_map(|position| self.by_rule.get(*position)) {
                    reads.add(rule);
                    age.add(marks);
                }
            }
            // Such a call is denied because of its facts, whichever they are.
            Err(_) => (reads, age) = (Reads::everything(), Marks::exact()),
        }
        let drawn = reads.reads("arguments") || reads.reads("projected");
        let arguments = drawn || sees_number(self.set.reads(), &shape.root, "");
        Concern { reads, arguments, age }
    }
}

/// Whether some number among the arguments could be one that a policy of the set compares: one that cannot be compared exactly is then
/// a reason to deny, whoever calls.
fn sees_number(reads: &Reads, record: &Record, path: &str) -> bool {
    record.fields.iter().any(|(name, Field { kind, .. })| {
        let path = join(path, name);
        match kind {
            Kind::Scalar(Scalar::Long | Scalar::Decimal) | Kind::Set(Scalar::Long | Scalar::Decimal) => {
                reads.could_see(&path)
            }
            Kind::Record(record) => sees_number(reads, record, &path),
            Kind::Scalar(Scalar::String | Scalar::Bool) | Kind::Set(Scalar::String | Scalar::Bool) | Kind::Opaque => {
                false
            }
        }
    })
}

/// Writes facts down one after the other, each with its length or its presence, so that no two sets of facts read the same.
#[derive(Default)]
struct Ink(Vec<u8>);

impl Ink {
    /// All of `facts` but what changes from call to call and is not read. Taken apart member by member, so that a new fact has to be
    /// thought about here.
    fn facts(&mut self, facts: &Facts, reads: &Reads) {
        let Facts { agent, owner, task, acting_for, acting_for_entitled, grant, operation } = facts;
        self.agent(agent);
        self.person(owner);
        self.task(task, reads);
        self.some(acting_for.as_ref(), Self::person);
        self.some(acting_for_entitled.as_ref(), |ink, entitled| ink.truth(*entitled));
        self.some(grant.as_ref(), |ink, grant| ink.grant(grant, reads));
        self.operation(operation);
    }

    fn agent(&mut self, agent: &AgentFacts) {
        let AgentFacts { name, class, environment, autonomy, data, attribution } = agent;
        self.texts([name, class, environment]);
        self.0.extend([*autonomy, *data]);
        self.text(attribution.as_str());
    }

    fn person(&mut self, person: &PersonFacts) {
        let PersonFacts { id, groups } = person;
        self.text(id);
        self.texts(groups);
    }

    fn task(&mut self, task: &TaskFacts, reads: &Reads) {
        let TaskFacts { id, purpose, labels, calls, approved_data, data, chain, names } = task;
        self.some(Some(id).filter(|_| reads.reads_of(TASK, "id")), |ink, id| ink.text(id));
        self.some(Some(purpose).filter(|_| reads.reads_of(TASK, "purpose")), |ink, purpose| ink.text(purpose));
        self.texts(labels);
        self.number_if(reads.reads_of(TASK, "calls"), calls.cast_signed());
        self.numbers([i64::from(*approved_data), i64::from(*data)]);
        self.texts(chain);
        self.truth(*names);
    }

    fn grant(&mut self, grant: &GrantFacts, reads: &Reads) {
        let GrantFacts { id, reason, expires_at_ms, exact } = grant;
        self.some(Some(id).filter(|_| reads.reads_of(GRANT, "id")), |ink, id| ink.text(id));
        self.some(Some(reason).filter(|_| reads.reads_of(GRANT, "reason")), |ink, reason| ink.text(reason));
        self.number_if(reads.reads_of(GRANT, "expires_at"), *expires_at_ms);
        self.truth(*exact);
    }

    fn operation(&mut self, operation: &OperationFacts) {
        let OperationFacts { id, connector, verb, risk, data, external, sandbox, irreversible } = operation;
        self.texts([id, connector]);
        self.text(verb.as_str());
        self.0.extend([*risk, *data]);
        self.truth(*external);
        self.truth(*sandbox);
        self.truth(*irreversible);
    }

    fn approval(&mut self, approval: Option<&ApprovalFacts>, approved_at: bool) {
        self.some(approval, |ink, approval| {
            let ApprovalFacts { roles, approvers, count, approved_at_ms } = approval;
            ink.texts(roles);
            ink.texts(approvers);
            ink.number(i64::from(*count));
            ink.number_if(approved_at, *approved_at_ms);
        });
    }

    fn some<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        self.truth(value.is_some());
        if let Some(value) = value {
            write(self, value);
        }
    }

    fn number_if(&mut self, wanted: bool, number: i64) {
        self.some(Some(number).filter(|_| wanted), Self::number);
    }

    fn numbers(&mut self, numbers: [i64; 2]) {
        numbers.into_iter().for_each(|number| self.number(number));
    }

    fn number(&mut self, number: i64) {
        self.0.extend(number.to_be_bytes());
    }

    fn truth(&mut self, truth: bool) {
        self.0.push(u8::from(truth));
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.0.extend((bytes.len() as u64).to_be_bytes());
        self.0.extend_from_slice(bytes);
    }

    fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    /// Some texts, with their number, in the order in which they come.
    fn texts<'a>(&mut self, texts: impl IntoIterator<Item = &'a String, IntoIter: ExactSizeIterator>) {
        let texts = texts.into_iter();
        self.0.extend((texts.len() as u64).to_be_bytes());
        texts.for_each(|text| self.text(text));
    }
}
