//! Facts as Cedar sees them: the few entities of one decision, and its context.
//!
//! They are made as Cedar's values directly. The entities name all their ancestors themselves (each has parents only, and these
//! have none), so nobody has to look for more.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use cedar_policy_core::ast::{Context, Entity, EntityUID, EntityUIDEntry, PartialValue, Request, ValueKind};
use cedar_policy_core::entities::{Entities, NoEntitiesSchema, TCComputation};
use cedar_policy_core::extensions::Extensions;

use crate::facts::{AgentFacts, ApprovalFacts, Facts, OperationFacts, PersonFacts, TaskFacts};
use crate::schema::{Kinds, uid};
use crate::typed::{self, Typed, long, text, texts, truth};
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
    pub(crate) principal: Member,
    pub(crate) action: Member,
    pub(crate) resource: Member,
    /// The one action that is asked about among them: a schema has thousands.
    pub(crate) entities: Entities,
}

/// One of the three that a policy's scope is about, with the one entity that it belongs to.
pub(crate) struct Member {
    pub(crate) uid: Arc<EntityUID>,
    pub(crate) parent: EntityUID,
}

impl Member {
    fn new(uid: EntityUID, parent: EntityUID) -> Self {
        Self { uid: Arc::new(uid), parent }
    }

    fn entity<'a>(&self, attributes: impl IntoIterator<Item = (&'a str, Typed)>) -> Entity {
        entity((*self.uid).clone(), attributes, HashSet::from([self.parent.clone()]))
    }

    fn entry(&self) -> EntityUIDEntry {
        EntityUIDEntry::Known { euid: Arc::clone(&self.uid), loc: None }
    }
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
        let principal = Member::new(uid(&kinds.agent, &agent.name), uid(&kinds.class, &agent.class));
        let action = Member::new(uid(&kinds.action, &operation.id), uid(&kinds.action, operation.verb.as_str()));
        let resource = Member::new(uid(&kinds.operation, &operation.id), uid(&kinds.connector, &operation.connector));
        let mut things = vec![
            principal.entity(agent_attributes(facts, kinds)),
            resource.entity(operation_attributes(operation, &resource.parent)),
            action.entity([]),
            Entity::with_uid(principal.parent.clone()),
            Entity::with_uid(resource.parent.clone()),
        ];
        add_people(&mut things, kinds, [Some(&facts.owner), facts.acting_for.as_ref()].into_iter().flatten());
        // INVARIANT: every entity here names all its ancestors.
        let closed = TCComputation::AssumeAlreadyComputed;
        let entities = Entities::from_entities(things, None::<&NoEntitiesSchema>, closed, Extensions::all_available());
        Ok(Self { principal, action, resource, entities: entities.map_err(Fault::facts)? })
    }

    /// The entities without actions, for a caller that takes those from the schema.
    #[cfg(test)]
    pub(crate) fn things(&self) -> Result<cedar_policy::Entities, Fault> {
        stock(self.entities.iter().filter(|entity| !entity.uid().is_action()))
    }

    /// The entities, put together by Cedar as it does it for everybody.
    pub(crate) fn stock_entities(&self) -> Result<cedar_policy::Entities, Fault> {
        stock(self.entities.iter())
    }

    /// The request with `context`, not checked against any schema.
    pub(crate) fn request(&self, context: Context) -> Request {
        Request::new_unchecked(self.principal.entry(), self.action.entry(), self.resource.entry(), Some(context))
    }
}

fn stock<'a>(entities: impl Iterator<Item = &'a Entity>) -> Result<cedar_policy::Entities, Fault> {
    let entities = entities.map(|entity| cedar_policy::Entity::from(entity.clone()));
    cedar_policy::Entities::from_entities(entities, None).map_err(Fault::facts)
}

/// The context of a call.
pub(crate) fn context(
    arguments: &Typed,
    projected: &Typed,
    approval: Option<&ApprovalFacts>,
    now_ms: i64,
    credential_age_s: i64,
    kinds: &Kinds,
) -> Context {
    let always = [
        ("arguments", arguments.clone()),
        ("credential_age", long(credential_age_s)),
        ("now", long(now_ms)),
        ("projected", projected.clone()),
    ];
    let approval = approval.map(|approval| ("approval", approval_record(approval, kinds)));
    match typed::record(always.into_iter().chain(approval)).value {
        ValueKind::Record(pairs) => Context::Value(pairs),
        // A record is a record.
        _ => Context::empty(),
    }
}

fn approval_record(approval: &ApprovalFacts, kinds: &Kinds) -> Typed {
    typed::record([
        ("approved_at", long(approval.approved_at_ms)),
        ("approvers", typed::set(approval.approvers.iter().map(|id| person(kinds, id)))),
        ("count", long(approval.count.into())),
        ("roles", texts(&approval.roles)),
    ])
}

fn agent_attributes<'a>(facts: &Facts, kinds: &Kinds) -> impl Iterator<Item = (&'a str, Typed)> {
    let AgentFacts { name: _, class, environment, autonomy, data, attribution } = &facts.agent;
    let always = [
        ("attribution", text(attribution.as_str())),
        ("autonomy", long((*autonomy).into())),
        ("class", text(class)),
        ("data", long((*data).into())),
        ("environment", text(environment)),
        ("owner", person(kinds, &facts.owner.id)),
        ("task", task_record(facts, kinds)),
    ];
    let grant = facts.grant.as_ref().map(|grant| {
        let record = [
            ("exact", truth(grant.exact)),
            ("expires_at", long(grant.expires_at_ms)),
            ("id", text(&grant.id)),
            ("reason", text(&grant.reason)),
        ];
        ("grant", typed::record(record))
    });
    always.into_iter().chain(grant)
}

/// The agents of the chain are named only: their own facts are no matter of this call.
fn task_record(facts: &Facts, kinds: &Kinds) -> Typed {
    let TaskFacts { id, purpose, labels, calls, approved_data, data, chain, names } = &facts.task;
    let always = [
        ("approved_data", long((*approved_data).into())),
        ("calls", long(i64::try_from(*calls).unwrap_or(i64::MAX))),
        ("chain", typed::set(chain.iter().map(|agent| typed::entity(uid(&kinds.agent, agent))))),
        ("data", long((*data).into())),
        ("depth", long(i64::try_from(chain.len()).unwrap_or(i64::MAX))),
        ("id", text(id)),
        ("labels", texts(labels)),
        ("names", truth(*names)),
        ("purpose", text(purpose)),
    ];
    let acting_for = facts.acting_for.as_ref().map(|acting_for| ("acting_for", person(kinds, &acting_for.id)));
    let entitled = facts.acting_for_entitled.map(|entitled| ("acting_for_entitled", truth(entitled)));
    typed::record(always.into_iter().chain(acting_for).chain(entitled))
}

fn operation_attributes<'a>(operation: &OperationFacts, connector: &EntityUID) -> [(&'a str, Typed); 7] {
    [
        ("connector", typed::entity(connector.clone())),
        ("data", long(operation.data.into())),
        ("external", truth(operation.external)),
        ("irreversible", truth(operation.irreversible)),
        ("risk", long(operation.risk.into())),
        ("sandbox", truth(operation.sandbox)),
        ("verb", text(operation.verb.as_str())),
    ]
}

/// Adds each person once: the owner may well be the person acted for.
fn add_people<'a>(things: &mut Vec<Entity>, kinds: &Kinds, people: impl Iterator<Item = &'a PersonFacts>) {
    let mut groups_of: BTreeMap<&str, HashSet<EntityUID>> = BTreeMap::new();
    for one in people {
        let groups = one.groups.iter().map(|group| uid(&kinds.group, group));
        groups_of.entry(&one.id).or_default().extend(groups);
    }
    things.extend(groups_of.into_iter().map(|(id, groups)| entity(uid(&kinds.person, id), [], groups)));
}

fn entity<'a>(
    uid: EntityUID,
    attributes: impl IntoIterator<Item = (&'a str, Typed)>,
    parents: HashSet<EntityUID>,
) -> Entity {
    let attributes = attributes.into_iter().map(|(name, value)| (name.into(), PartialValue::Value(value)));
    Entity::new_with_attr_partial_value(uid, attributes, HashSet::new(), parents, [])
}

fn person(kinds: &Kinds, id: &str) -> Typed {
    typed::entity(uid(&kinds.person, id))
}
