//! From the solver's model to the facts of a call, in Remit's own words.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::{Entity, EntityUid, EvalResult};
use cedar_policy_symcc::Env;
use remit_policy::{
    AgentFacts, ApprovalFacts, Facts, GrantFacts, OperationFacts, OperationShape, PersonFacts, Shape, TaskFacts,
};
use serde_json::{Map, Number, Value};

use crate::never::{ATTRIBUTIONS, attribution};
use crate::question::{About, Question};
use crate::{Counterexample, Estate};

/// Reads the call that `env` describes.
///
/// Names that no policy mentions are made readable: what depends on them is only whether two of them are the same.
pub(crate) fn read(env: &Env, estate: &Estate, question: &Question<'_>) -> Result<Counterexample, String> {
    let principal = env.request.principal().ok_or("the model names no agent")?;
    let resource = env.request.resource().ok_or("the model names no operation")?;
    let agent = Attributes::of(env, principal)?;
    let operation = Attributes::of(env, resource)?;
    let task = agent.record("task")?;
    let mut people = People::new(env, estate);
    let owner = people.person(agent.entity("owner")?, "prs_owner");
    let acting_for = task.optional("acting_for").map(|uid| entity(uid).map(|uid| people.person(uid, "prs_person")));
    let context = env.request.context().ok_or("the model has no context")?;
    let approval = context.get("approval").map(|approval| approval_facts(&approval, &mut people)).transpose()?;
    let shape = match &question.about {
        About::Named(shape) => shape.clone(),
        About::Others => unnamed(estate, question, operation.entity("connector")?),
    };
    let facts = Facts {
        agent: agent_facts(&agent, principal, estate)?,
        owner,
        task: task_facts(&task)?,
        acting_for: acting_for.transpose()?,
        acting_for_entitled: task.optional("acting_for_entitled").map(truth).transpose()?,
        grant: agent.optional("grant").map(grant_facts).transpose()?,
        operation: OperationFacts {
            id: shape.id.clone(),
            connector: shape.connector.clone(),
            verb: shape.verb,
            risk: operation.level("risk")?,
            data: operation.level("data")?,
            external: operation.truth("external")?,
            sandbox: operation.truth("sandbox")?,
            irreversible: operation.truth("irreversible")?,
        },
    };
    let of_context = |name: &str| context.get(name).ok_or_else(|| format!("the model has no `{name}`"));
    let arguments = json(&of_context("arguments")?)?;
    let now_ms = long(&of_context("now")?)?;
    let credential_age_s = long(&of_context("credential_age")?)?;
    Ok(Counterexample { facts, shape, arguments, approval, now_ms, credential_age_s, determining: Vec::new() })
}

/// An operation of the verb that nobody has added yet. Its connector keeps its name if policies know it.
fn unnamed(estate: &Estate, question: &Question<'_>, connector: &EntityUid) -> OperationShape {
    let connector = connector.id().unescaped();
    let known = estate.literals.connectors.contains(connector) && !connector.is_empty();
    let connector = if known { connector } else { "example" };
    let mut id = format!("{connector}/any_{}", question.verb);
    while estate.operation(&id).is_some() || estate.literals.operations.contains(&id) {
        id.push('_');
    }
    OperationShape { id, connector: connector.to_owned(), verb: question.verb, arguments: Shape::empty() }
}

fn agent_facts(agent: &Attributes<'_>, uid: &EntityUid, estate: &Estate) -> Result<AgentFacts, String> {
    let id = uid.id().unescaped();
    let known = estate.literals.agents.contains(id) || id == "sandbox";
    let word = agent.text("attribution")?;
    Ok(AgentFacts {
        name: if known { id } else { "example-agent" }.to_owned(),
        class: agent.text("class")?,
        environment: agent.text("environment")?,
        autonomy: agent.level("autonomy")?,
        data: agent.level("data")?,
        attribution: attribution(&word)
            .map_err(|_| format!("`{word}` is none of {} grades of attribution", ATTRIBUTIONS.len()))?,
    })
}

fn task_facts(task: &Attributes<'_>) -> Result<TaskFacts, String> {
    let grade = |name: &str| i8::try_from(task.long(name)?).map_err(|_| format!("`{name}` is no data class"));
    let depth = usize::try_from(task.long("depth")?).map_err(|_| "the depth is negative".to_owned())?;
    let mut chain: Vec<String> = Vec::new();
    for above in task.set("chain")? {
        chain.push(entity(above)?.id().unescaped().to_owned());
    }
    // Sets do not say how long a chain is; agents that nobody mentions fill it up.
    for position in chain.len()..depth {
        chain.push(format!("agent-above-{}", position + 1));
    }
    Ok(TaskFacts {
        id: named(task.text("id")?, "tsk_example"),
        purpose: task.text("purpose")?,
        labels: texts(task.set("labels")?)?,
        calls: u64::try_from(task.long("calls")?).map_err(|_| "a negative number of calls".to_owned())?,
        approved_data: grade("approved_data")?,
        data: grade("data")?,
        chain,
        names: task.truth("names")?,
    })
}

fn grant_facts(grant: &EvalResult) -> Result<GrantFacts, String> {
    let grant = Attributes::record_of(grant)?;
    Ok(GrantFacts {
        id: named(grant.text("id")?, "grt_example"),
        reason: grant.text("reason")?,
        expires_at_ms: grant.long("expires_at")?,
        exact: grant.truth("exact")?,
    })
}

fn approval_facts(approval: &EvalResult, people: &mut People<'_>) -> Result<ApprovalFacts, String> {
    let approval = Attributes::record_of(approval)?;
    let mut approvers = BTreeSet::new();
    for approver in approval.set("approvers")? {
        approvers.insert(people.person(entity(approver)?, "prs_approver").id);
    }
    Ok(ApprovalFacts {
        roles: texts(approval.set("roles")?)?,
        approvers,
        count: u32::try_from(approval.long("count")?).unwrap_or(u32::MAX),
        approved_at_ms: approval.long("approved_at")?,
    })
}

fn named(text: String, otherwise: &str) -> String {
    if text.is_empty() { otherwise.to_owned() } else { text }
}

/// The people of a model, under names that can be read.
struct People<'a> {
    env: &'a Env,
    estate: &'a Estate,
    names: BTreeMap<EntityUid, String>,
}

impl<'a> People<'a> {
    fn new(env: &'a Env, estate: &'a Estate) -> Self {
        Self { env, estate, names: BTreeMap::new() }
    }

    /// The person `uid`, who keeps the name that policies know them by and is called `otherwise` if they know none.
    fn person(&mut self, uid: &EntityUid, otherwise: &str) -> PersonFacts {
        let id = uid.id().unescaped();
        let taken = self.names.len();
        let name = self.names.entry(uid.clone()).or_insert_with(|| match self.estate.literals.people.contains(id) {
            true => id.to_owned(),
            false if taken == 0 => otherwise.to_owned(),
            false => format!("{otherwise}_{taken}"),
        });
        let above = self.env.entities.ancestors(uid).into_iter().flatten();
        let groups = above.filter(|above| above.type_name().to_string() == "Group");
        PersonFacts { id: name.clone(), groups: groups.map(|group| group.id().unescaped().to_owned()).collect() }
    }
}

/// The attributes of an entity, or the members of a record.
struct Attributes<'a> {
    values: BTreeMap<String, EvalResult>,
    of: &'a str,
}

impl<'a> Attributes<'a> {
    fn of(env: &Env, uid: &'a EntityUid) -> Result<Self, String> {
        let of = uid.id().unescaped();
        let entity: &Entity = env.entities.get(uid).ok_or_else(|| format!("the model does not describe `{uid}`"))?;
        let (_, attributes, _) = entity.clone().into_inner();
        let mut values = BTreeMap::new();
        for name in attributes.into_keys() {
            if let Some(Ok(value)) = entity.attr(&name) {
                values.insert(name, value);
            }
        }
        Ok(Self { values, of })
    }

    fn record_of(value: &EvalResult) -> Result<Self, String> {
        match value {
            EvalResult::Record(record) => Ok(Self {
                values: record.iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
                of: "a record",
            }),
            _ => Err("a record was expected in the model".to_owned()),
        }
    }

    fn optional(&self, name: &str) -> Option<&EvalResult> {
        self.values.get(name)
    }

    fn must(&self, name: &str) -> Result<&EvalResult, String> {
        self.optional(name).ok_or_else(|| format!("the model says no `{name}` of {}", self.of))
    }

    fn record(&self, name: &str) -> Result<Attributes<'static>, String> {
        Attributes::record_of(self.must(name)?)
    }

    fn entity(&self, name: &str) -> Result<&EntityUid, String> {
        entity(self.must(name)?)
    }

    fn long(&self, name: &str) -> Result<i64, String> {
        long(self.must(name)?)
    }

    fn level(&self, name: &str) -> Result<u8, String> {
        u8::try_from(self.long(name)?).map_err(|_| format!("`{name}` is no level"))
    }

    fn truth(&self, name: &str) -> Result<bool, String> {
        truth(self.must(name)?)
    }

    fn text(&self, name: &str) -> Result<String, String> {
        text(self.must(name)?)
    }

    fn set(&self, name: &str) -> Result<impl Iterator<Item = &EvalResult>, String> {
        match self.must(name)? {
            EvalResult::Set(set) => Ok(set.iter()),
            _ => Err("a set was expected in the model".to_owned()),
        }
    }
}

fn entity(value: &EvalResult) -> Result<&EntityUid, String> {
    match value {
        EvalResult::EntityUid(uid) => Ok(uid),
        _ => Err("an entity was expected in the model".to_owned()),
    }
}

fn long(value: &EvalResult) -> Result<i64, String> {
    match value {
        EvalResult::Long(number) => Ok(*number),
        _ => Err("a number was expected in the model".to_owned()),
    }
}

fn truth(value: &EvalResult) -> Result<bool, String> {
    match value {
        EvalResult::Bool(is_so) => Ok(*is_so),
        _ => Err("a truth value was expected in the model".to_owned()),
    }
}

fn text(value: &EvalResult) -> Result<String, String> {
    match value {
        EvalResult::String(text) => Ok(text.clone()),
        _ => Err("a text was expected in the model".to_owned()),
    }
}

fn texts<'a>(values: impl Iterator<Item = &'a EvalResult>) -> Result<BTreeSet<String>, String> {
    values.map(text).collect()
}

/// A value of a call's arguments, as the agent would send it.
fn json(value: &EvalResult) -> Result<Value, String> {
    Ok(match value {
        EvalResult::Bool(is_so) => Value::Bool(*is_so),
        EvalResult::Long(number) => Value::from(*number),
        EvalResult::String(text) => Value::from(text.as_str()),
        EvalResult::Set(set) => Value::Array(set.iter().map(json).collect::<Result<_, _>>()?),
        EvalResult::Record(record) => {
            let members = record.iter().map(|(name, value)| Ok((name.clone(), json(value)?)));
            Value::Object(members.collect::<Result<Map<_, _>, String>>()?)
        }
        // `decimal("1.5")`: the only extension that arguments have.
        EvalResult::ExtensionValue(written) => {
            let number = written.split('"').nth(1).unwrap_or(written).parse::<f64>().ok().and_then(Number::from_f64);
            Value::Number(number.ok_or_else(|| format!("`{written}` cannot be an argument"))?)
        }
        EvalResult::EntityUid(uid) => return Err(format!("`{uid}` cannot be an argument")),
    })
}
