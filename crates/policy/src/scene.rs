//! Facts as Cedar sees them: the few entities of one decision, and its context.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use cedar_policy::{Context, Entities, Entity, EntityUid, RestrictedExpression};

use crate::facts::{AgentFacts, ApprovalFacts, Facts, OperationFacts, PersonFacts, TaskFacts};
use crate::schema::{Kinds, uid};
use crate::{ArgumentError, Schema};

/// Why facts cannot be decided on. Always a deny.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    #[error("the operation `{0}` is not one that the policies were checked against")]
    UnknownOperation(String),
    #[error("the operation `{0}` is described differently from what the policies were checked against")]
    ChangedOperation(String),
    #[error(transparent)]
    Arguments(#[from] ArgumentError),
    #[error("the facts do not fit the schema: {0}")]
    Facts(String),
}

impl Fault {
    /// Wraps what Cedar says about facts that it does not take.
    pub(crate) fn facts(error: impl std::fmt::Display) -> Self {
        Self::Facts(error.to_string())
    }
}

/// Who does what to what, and all that is known about them.
pub(crate) struct Scene {
    pub(crate) principal: EntityUid,
    pub(crate) action: EntityUid,
    pub(crate) resource: EntityUid,
    /// Everything but actions, which the schema knows.
    things: Vec<Entity>,
    action_entity: Entity,
}

impl Scene {
    /// Sets the scene for `facts`.
    pub(crate) fn set(facts: &Facts, schema: &Schema) -> Result<Self, Fault> {
        let Facts { agent, operation, .. } = facts;
        let known = schema.operation(&operation.id).ok_or_else(|| Fault::UnknownOperation(operation.id.clone()))?;
        if known.verb != operation.verb || known.connector != operation.connector {
            return Err(Fault::ChangedOperation(operation.id.clone()));
        }
        let kinds = &schema.kinds;
        let action = uid(&kinds.action, &operation.id);
        let verb_group = uid(&kinds.action, operation.verb.as_str());
        let principal = uid(&kinds.agent, &agent.name);
        let resource = uid(&kinds.operation, &operation.id);
        let class = uid(&kinds.class, &agent.class);
        let connector = uid(&kinds.connector, &operation.connector);
        let mut things = vec![
            entity(principal.clone(), agent_attributes(facts, kinds)?, [class.clone()])?,
            entity(resource.clone(), operation_attributes(operation, &connector), [connector.clone()])?,
            Entity::with_uid(class),
            Entity::with_uid(connector),
        ];
        add_people(&mut things, kinds, [Some(&facts.owner), facts.acting_for.as_ref()].into_iter().flatten());
        let action_entity = Entity::new_no_attrs(action.clone(), HashSet::from([verb_group]));
        Ok(Self { principal, action, resource, things, action_entity })
    }

    /// The entities without actions, for a caller that takes those from the schema.
    pub(crate) fn things(&self) -> Result<Entities, Fault> {
        Entities::from_entities(self.things.clone(), None).map_err(Fault::facts)
    }

    /// The entities, with the one action that is asked about: a schema has thousands.
    pub(crate) fn entities(&self) -> Result<Entities, Fault> {
        let all = self.things.iter().chain([&self.action_entity]).cloned();
        Entities::from_entities(all, None).map_err(Fault::facts)
    }
}

/// The context of a call.
pub(crate) fn context(
    arguments: &RestrictedExpression,
    approval: Option<&ApprovalFacts>,
    now_ms: i64,
    kinds: &Kinds,
) -> Result<Context, Fault> {
    let mut pairs =
        vec![("arguments".to_owned(), arguments.clone()), ("now".to_owned(), RestrictedExpression::new_long(now_ms))];
    if let Some(approval) = approval {
        let approvers = approval.approvers.iter().map(|id| person(kinds, id));
        pairs.push((
            "approval".to_owned(),
            record([
                ("approved_at", RestrictedExpression::new_long(approval.approved_at_ms)),
                ("approvers", RestrictedExpression::new_set(approvers)),
                ("count", RestrictedExpression::new_long(approval.count.into())),
                ("roles", texts(&approval.roles)),
            ])?,
        ));
    }
    Context::from_pairs(pairs).map_err(Fault::facts)
}

fn agent_attributes(facts: &Facts, kinds: &Kinds) -> Result<HashMap<String, RestrictedExpression>, Fault> {
    let AgentFacts { name: _, class, environment, autonomy, data, attribution } = &facts.agent;
    let mut attributes = attributes([
        ("attribution", text(attribution.as_str())),
        ("autonomy", RestrictedExpression::new_long((*autonomy).into())),
        ("class", text(class)),
        ("data", RestrictedExpression::new_long((*data).into())),
        ("environment", text(environment)),
        ("owner", person(kinds, &facts.owner.id)),
        ("task", task_record(&facts.task, facts.acting_for.as_ref(), kinds)?),
    ]);
    if let Some(grant) = &facts.grant {
        let grant = record([
            ("expires_at", RestrictedExpression::new_long(grant.expires_at_ms)),
            ("id", text(&grant.id)),
            ("reason", text(&grant.reason)),
        ])?;
        attributes.insert("grant".to_owned(), grant);
    }
    Ok(attributes)
}

fn task_record(
    task: &TaskFacts,
    acting_for: Option<&PersonFacts>,
    kinds: &Kinds,
) -> Result<RestrictedExpression, Fault> {
    let calls = i64::try_from(task.calls).unwrap_or(i64::MAX);
    let always = [
        ("calls", RestrictedExpression::new_long(calls)),
        ("id", text(&task.id)),
        ("labels", texts(&task.labels)),
        ("purpose", text(&task.purpose)),
    ];
    record(always.into_iter().chain(acting_for.map(|acting_for| ("acting_for", person(kinds, &acting_for.id)))))
}

fn operation_attributes(operation: &OperationFacts, connector: &EntityUid) -> HashMap<String, RestrictedExpression> {
    attributes([
        ("connector", RestrictedExpression::new_entity_uid(connector.clone())),
        ("data", RestrictedExpression::new_long(operation.data.into())),
        ("external", RestrictedExpression::new_bool(operation.external)),
        ("risk", RestrictedExpression::new_long(operation.risk.into())),
        ("verb", text(operation.verb.as_str())),
    ])
}

/// Adds each person once: the owner may well be the person acted for.
fn add_people<'a>(things: &mut Vec<Entity>, kinds: &Kinds, people: impl Iterator<Item = &'a PersonFacts>) {
    let mut groups_of: BTreeMap<&str, HashSet<EntityUid>> = BTreeMap::new();
    for one in people {
        let groups = one.groups.iter().map(|group| uid(&kinds.group, group));
        groups_of.entry(&one.id).or_default().extend(groups);
    }
    things.extend(groups_of.into_iter().map(|(id, groups)| Entity::new_no_attrs(uid(&kinds.person, id), groups)));
}

fn entity<const PARENTS: usize>(
    uid: EntityUid,
    attributes: HashMap<String, RestrictedExpression>,
    parents: [EntityUid; PARENTS],
) -> Result<Entity, Fault> {
    Entity::new(uid, attributes, HashSet::from(parents)).map_err(Fault::facts)
}

fn attributes<const COUNT: usize>(
    pairs: [(&str, RestrictedExpression); COUNT],
) -> HashMap<String, RestrictedExpression> {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn record<'a>(pairs: impl IntoIterator<Item = (&'a str, RestrictedExpression)>) -> Result<RestrictedExpression, Fault> {
    let pairs = pairs.into_iter().map(|(name, value)| (name.to_owned(), value));
    RestrictedExpression::new_record(pairs).map_err(Fault::facts)
}

fn text(text: &str) -> RestrictedExpression {
    RestrictedExpression::new_string(text.to_owned())
}

fn texts(texts: &BTreeSet<String>) -> RestrictedExpression {
    RestrictedExpression::new_set(texts.iter().map(|one| text(one)))
}

fn person(kinds: &Kinds, id: &str) -> RestrictedExpression {
    RestrictedExpression::new_entity_uid(uid(&kinds.person, id))
}
