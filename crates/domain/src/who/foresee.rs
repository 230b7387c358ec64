//! What would be said to an agent, operation by operation, and the rules that say so: for people who look at policies.

use std::collections::HashMap;

use remit_policy::{Effect, Facts, PolicySet, PolicySource, Reach, Schema};

use super::held::Held;
use super::inquiry::Inquiry;
use super::reaches::available;
use crate::explain::explained;
use crate::{
    AgentId, Ask, Explained, Grant, GrantId, OperationName, Reachable, Refusal, State, Timestamp, configuration, facts,
    sandbox,
};

/// What is foreseen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Foresight {
    /// Allowed: always, or under the condition.
    Allow,
    /// A person is asked: always, or under the condition.
    Ask,
    /// Denied, whatever the arguments.
    Deny,
}

/// What would be said about one operation.
#[derive(Debug, Clone)]
pub struct Foreseen {
    pub operation: OperationName,
    pub foresight: Foresight,
    /// What has to be so for the call to be allowed, as far as it is not known yet; nothing where it always is, or never.
    pub condition: Option<String>,
    pub asks: Vec<Ask>,
    /// The rules that say so, each with its place: those that permit and ask, or those that deny.
    pub rules: Vec<Explained>,
    /// Why it is denied where no rule alone does it.
    pub reason: Option<String>,
    pub grant: Option<GrantId>,
}

/// What would be said to `agent` about every operation that can be called, by name; as if it were active, and about a new task of it: see
/// [`ASSUMPTION`](super::ASSUMPTION).
///
/// # Errors
/// If there is no such agent, or nothing can be decided.
pub fn foresee(state: &State, agent: AgentId, now: Timestamp) -> Result<Vec<Foreseen>, Refusal> {
    let agent = state.agent(agent)?;
    let mut inquiry = Inquiry::of(state, now)?;
    let mut subject = inquiry.subject(agent);
    let (held, compiled) = (Held::by(state, agent.id, now), state.compiled());
    // Most operations are denied, and most of those by the same rules.
    let mut barred: HashMap<[u32; 3], Vec<Explained>> = HashMap::new();
    let foreseen = available(state, None, |_| true).into_iter().map(|operation| {
        let grant = held.covering(&operation.name);
        let crossed = sandbox::must_not_cross(state, agent, operation).err().map(|refusal| refusal.sentence);
        let withheld = || {
            (!configuration::gives(agent, &operation.name))
                .then(|| "its approved configuration does not give it".to_owned())
        };
        if let Some(reason) = crossed.or_else(withheld) {
            return denied(&operation.name, grant, Vec::new(), Some(reason));
        }
        let mut target = inquiry.target(operation);
        let prospect = inquiry.prospect(&mut subject, &mut target, grant);
        if prospect.reachable == Reachable::Never {
            let facts = grant.map(|grant| facts::grant_facts(grant, &operation.name));
            let kinds = inquiry.kinds(&mut subject, &mut target, facts.as_ref());
            let rules = barred.entry(kinds).or_insert_with(|| {
                let rules = inquiry.barring(&subject, &target, facts.as_ref());
                rules.iter().filter_map(|id| explained(compiled, id)).collect()
            });
            let rules = rules.clone();
            let reason = rules.is_empty().then(|| match grant {
                None => "no rule permits it, and no live grant covers it".to_owned(),
                Some(_) => "no rule permits it".to_owned(),
            });
            return denied(&operation.name, grant, rules, reason);
        }
        let asking = prospect.asks.iter().flat_map(|ask| &ask.policies);
        let mut ids: Vec<&String> = prospect.policies.iter().chain(asking).collect();
        ids.sort();
        ids.dedup();
        Foreseen {
            operation: operation.name.clone(),
            foresight: if prospect.asks.is_empty() { Foresight::Allow } else { Foresight::Ask },
            condition: prospect.condition.clone(),
            asks: prospect.asks.clone(),
            rules: ids.into_iter().filter_map(|id| explained(compiled, id)).collect(),
            reason: None,
            grant: grant.map(|grant| grant.id),
        }
    });
    Ok(foreseen.collect())
}

fn denied(operation: &OperationName, grant: Option<&Grant>, rules: Vec<Explained>, reason: Option<String>) -> Foreseen {
    Foreseen {
        operation: operation.clone(),
        foresight: Foresight::Deny,
        condition: None,
        asks: Vec::new(),
        rules,
        reason,
        grant: grant.map(|grant| grant.id),
    }
}

/// Each rule that forbids, beside one that permits everything: what is out of reach of such a pair is so because of that rule.
#[derive(Debug)]
pub(super) struct Bars(Vec<(String, PolicySet)>);

impl Bars {
    pub(super) fn of(set: &PolicySet, schema: &Schema) -> Self {
        let alone = |id: &str, text: &str| {
            let source = |name: &str, text: &str| PolicySource { name: name.to_owned(), text: text.to_owned() };
            let everything = source("everything", "@id(\"everything\")\npermit (principal, action, resource);\n");
            Some((id.to_owned(), PolicySet::compile(&[everything, source("alone", text)], schema).ok()?))
        };
        let forbids = set.rules().iter().filter(|rule| rule.effect == Effect::Forbid);
        Self(forbids.filter_map(|rule| alone(&rule.id, &rule.text)).collect())
    }

    pub(super) fn barring(&self, schema: &Schema, facts: &Facts) -> Vec<&String> {
        let bars = |set: &PolicySet| remit_policy::reach(set, schema, facts) == Reach::Never;
        self.0.iter().filter(|(_, set)| bars(set)).map(|(id, _)| id).collect()
    }
}
