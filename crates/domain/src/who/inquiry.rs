//! One inquiry: many callers and operations put to the policies, each kind of them once.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, OnceLock};

use remit_policy::{
    Distinctions, Effect, Facts, GrantFacts, OperationFacts, PolicySet, PolicySource, Reach, Schema, TaskFacts,
};

use super::foresee::Bars;
use super::kinds::{AgentKind, GrantKind, Numbers, OperationKind, Who};
use super::{Prospect, Reached};
use crate::{
    Agent, AgentId, Ask, Attribution, Compiled, Grant, Operation, Reachable, Refusal, State, Timestamp, configuration,
    facts, limits, sandbox,
};

/// What reverse questions need to know of the active policies: follows from them, and is made once for each version of them.
#[derive(Debug)]
pub(crate) struct Insight {
    whole: Distinctions,
    /// The permits alone, which tell less apart: what none of them permits is denied, whatever else there is.
    permits: Option<(PolicySet, Distinctions)>,
    /// Each permit by itself, by its id, where they are few enough to say which of them permit.
    each: Vec<(String, PolicySet)>,
    /// Each rule that forbids, made when somebody first looks ahead.
    bars: OnceLock<Bars>,
}

impl Insight {
    fn of(set: &PolicySet, schema: &Schema) -> Self {
        let permits = || set.rules().iter().filter(|rule| rule.effect == Effect::Permit);
        let source = |name: &str, text: String| PolicySource { name: name.to_owned(), text };
        // Texts of one name would be refused, and one text of all could be too long.
        let sources: Vec<PolicySource> = permits().map(|rule| source(&rule.id, rule.text.clone())).collect();
        let compiled = |sources: &[PolicySource]| PolicySet::compile(sources, schema).ok();
        let alone = compiled(&sources).map(|set| {
            let told = set.distinctions(schema, None);
            (set, told)
        });
        let few = sources.len() <= limits::WHO_PERMITS_MAX;
        let each = sources.iter().filter(|_| few);
        let each = each.filter_map(|one| Some((one.name.clone(), compiled(std::slice::from_ref(one))?))).collect();
        Self { whole: set.distinctions(schema, None), permits: alone, each, bars: OnceLock::new() }
    }
}

/// An agent, about to be asked for. Its kinds are numbers, found when first needed.
#[derive(Debug)]
pub(super) struct Subject<'a> {
    pub(super) agent: &'a Agent,
    who: Who,
    by_permits: Option<u32>,
    by_all: Option<u32>,
}

/// An operation, about to be asked for.
#[derive(Debug)]
pub(super) struct Target<'a> {
    pub(super) operation: &'a Operation,
    is_elsewhere: bool,
    facts: OperationFacts,
    by_permits: Option<u32>,
    by_all: Option<u32>,
}

/// Many questions put to one state at one moment.
#[derive(Debug)]
pub(super) struct Inquiry<'a> {
    pub(super) state: &'a State,
    pub(super) now: Timestamp,
    schema: &'a Schema,
    set: &'a PolicySet,
    insight: &'a Insight,
    permits: Answers<bool>,
    all: Answers<Arc<Prospect>>,
    /// Agents that can prove who they are.
    provable: HashSet<AgentId>,
    never: Arc<Prospect>,
}

/// Answers by kinds.
#[derive(Debug)]
struct Answers<T> {
    agents: Numbers<AgentKind>,
    operations: Numbers<OperationKind>,
    grants: Numbers<GrantKind>,
    known: HashMap<[u32; 3], T>,
}

impl<T> Default for Answers<T> {
    fn default() -> Self {
        Self {
            agents: Numbers::default(),
            operations: Numbers::default(),
            grants: Numbers::default(),
            known: HashMap::new(),
        }
    }
}

impl<'a> Inquiry<'a> {
    /// # Errors
    /// `policies_broken` if nothing can be decided.
    pub(super) fn of(state: &'a State, now: Timestamp) -> Result<Self, Refusal> {
        let compiled: &Compiled = state.compiled();
        let (Some(set), Some(schema)) = (&compiled.set, &compiled.schema) else {
            return Err(facts::policies_broken(compiled.broken.as_deref()));
        };
        let workloads = state.workloads.values().copied();
        let local = state.local_workloads.iter().map(|workload| workload.agent);
        let never = Prospect { reachable: Reachable::Never, condition: None, asks: Vec::new(), policies: Vec::new() };
        Ok(Self {
            state,
            now,
            schema,
            set,
            insight: compiled.insight.get_or_init(|| Insight::of(set, schema)),
            permits: Answers::default(),
            all: Answers::default(),
            provable: workloads.chain(local).collect(),
            never: Arc::new(never),
        })
    }

    pub(super) fn subject(&self, agent: &'a Agent) -> Subject<'a> {
        let is_proven = !agent.keys.is_empty() || self.provable.contains(&agent.id);
        let attribution = if is_proven { Attribution::Proven } else { Attribution::Asserted };
        let who = Who {
            agent: facts::agent_facts(Some(agent), attribution),
            owner: facts::person_facts(self.state, agent.profile.owner),
            task: new_task(&agent.profile.purpose),
        };
        Subject { agent, who, by_permits: None, by_all: None }
    }

    pub(super) fn target(&self, operation: &'a Operation) -> Target<'a> {
        let facts = facts::operation_facts(self.state, operation);
        let connector = self.state.connector_named(operation.name.connector());
        let is_elsewhere = connector.is_ok_and(|connector| connector.spec.is_elsewhere());
        Target { operation, is_elsewhere, facts, by_permits: None, by_all: None }
    }

    /// What `subject` reaches of `target` with `grant`; nothing where it is out of reach.
    pub(super) fn reached(
        &mut self,
        subject: &mut Subject<'a>,
        target: &mut Target<'a>,
        grant: Option<&Grant>,
    ) -> Option<Reached> {
        sandbox::must_not_cross(self.state, subject.agent, target.operation).ok()?;
        if !configuration::gives(subject.agent, &target.operation.name) {
            return None;
        }
        let prospect = self.prospect(subject, target, grant);
        if prospect.reachable == Reachable::Never {
            return None;
        }
        Some(Reached {
            operation: target.operation.name.clone(),
            grant: grant.map(|grant| grant.id),
            enforced_elsewhere: target.is_elsewhere,
            prospect,
        })
    }

    /// Whether the policies leave `target` within reach without a grant, wherever the sandbox and configurations end.
    pub(super) fn may_reach(&mut self, subject: &mut Subject<'a>, target: &mut Target<'a>) -> bool {
        self.prospect(subject, target, None).reachable != Reachable::Never
    }

    /// The number of the kind that `subject` is to the permits alone.
    pub(super) fn kind_by_permits(&mut self, subject: &mut Subject<'a>) -> u32 {
        let (insight, permits) = (self.insight, &mut self.permits);
        let told = insight.permits.as_ref().map_or(&insight.whole, |(_, told)| told);
        *subject.by_permits.get_or_insert_with(|| permits.agents.of(AgentKind::of(&subject.who, told)))
    }

    /// The number of the kind that `subject` is to all policies.
    pub(super) fn kind_by_all(&mut self, subject: &mut Subject<'a>) -> u32 {
        let (told, all) = (&self.insight.whole, &mut self.all);
        *subject.by_all.get_or_insert_with(|| all.agents.of(AgentKind::of(&subject.who, told)))
    }

    /// What the policies say, wherever the sandbox and configurations end.
    pub(super) fn prospect(
        &mut self,
        subject: &mut Subject<'a>,
        target: &mut Target<'a>,
        grant: Option<&Grant>,
    ) -> Arc<Prospect> {
        let grant = grant.map(|grant| facts::grant_facts(grant, &target.operation.name));
        if !self.is_permitted(subject, target, grant.as_ref()) {
            return Arc::clone(&self.never);
        }
        let key = self.kinds(subject, target, grant.as_ref());
        if let Some(known) = self.all.known.get(&key) {
            return Arc::clone(known);
        }
        if self.all.known.len() >= limits::WHO_ANSWERS_MAX {
            self.all.known.clear();
        }
        let facts = together(subject, target, grant);
        let prospect = Arc::new(self.outlook(&facts));
        self.all.known.insert(key, Arc::clone(&prospect));
        prospect
    }

    /// The kinds that such a call is of to all policies: calls of the same kinds are decided alike, by each rule.
    pub(super) fn kinds(
        &mut self,
        subject: &mut Subject<'a>,
        target: &mut Target<'a>,
        grant: Option<&GrantFacts>,
    ) -> [u32; 3] {
        let by_agent = self.kind_by_all(subject);
        let (told, all) = (&self.insight.whole, &mut self.all);
        let by_operation =
            *target.by_all.get_or_insert_with(|| all.operations.of(OperationKind::of(&target.facts, told)));
        [by_agent, by_operation, all.grants.of(GrantKind::of(grant, told))]
    }

    fn bars(&self) -> &'a Bars {
        self.insight.bars.get_or_init(|| Bars::of(self.set, self.schema))
    }

    /// Whether any permit can be for this call. The permits tell few kinds apart, so this settles most calls for next to nothing.
    pub(super) fn is_permitted(
        &mut self,
        subject: &mut Subject<'a>,
        target: &mut Target<'a>,
        grant: Option<&GrantFacts>,
    ) -> bool {
        let Some((set, told)) = &self.insight.permits else { return true };
        let by_agent = self.kind_by_permits(subject);
        let permits = &mut self.permits;
        let by_operation =
            *target.by_permits.get_or_insert_with(|| permits.operations.of(OperationKind::of(&target.facts, told)));
        let key = [by_agent, by_operation, permits.grants.of(GrantKind::of(grant, told))];
        if let Some(known) = permits.known.get(&key) {
            return *known;
        }
        if permits.known.len() >= limits::WHO_ANSWERS_MAX {
            permits.known.clear();
        }
        let facts = together(subject, target, grant.cloned());
        let answer = remit_policy::reach(set, self.schema, &facts) != Reach::Never;
        permits.known.insert(key, answer);
        answer
    }

    /// The rules that keep such a call out of reach, each by itself.
    pub(super) fn barring(
        &self,
        subject: &Subject<'a>,
        target: &Target<'a>,
        grant: Option<&GrantFacts>,
    ) -> Vec<&'a String> {
        self.bars().barring(self.schema, &together(subject, target, grant.cloned()))
    }

    fn outlook(&self, facts: &Facts) -> Prospect {
        let outlook = remit_policy::outlook(self.set, self.schema, facts);
        let reachable = match outlook.reach {
            Reach::Never => return (*self.never).clone(),
            Reach::Always => Reachable::Always,
            Reach::Depends => Reachable::Depends,
        };
        let asks = outlook.asks.into_iter().map(Ask::of);
        let can = |set: &PolicySet| remit_policy::reach(set, self.schema, facts) != Reach::Never;
        let policies = self.insight.each.iter().filter(|(_, set)| can(set)).map(|(id, _)| id.clone()).collect();
        Prospect { reachable, condition: outlook.condition, asks: asks.collect(), policies }
    }
}

/// What is assumed of the task: see [`ASSUMPTION`](super::ASSUMPTION).
fn new_task(purpose: &str) -> TaskFacts {
    TaskFacts {
        id: String::new(),
        purpose: purpose.to_owned(),
        labels: BTreeSet::new(),
        calls: 0,
        approved_data: -1,
        data: -1,
        chain: Vec::new(),
        names: false,
    }
}

fn together(subject: &Subject<'_>, target: &Target<'_>, grant: Option<GrantFacts>) -> Facts {
    let Who { agent, owner, task } = &subject.who;
    Facts {
        agent: agent.clone(),
        owner: owner.clone(),
        task: task.clone(),
        acting_for: None,
        acting_for_entitled: None,
        grant,
        operation: target.facts.clone(),
    }
}
