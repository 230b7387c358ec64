//! What can be said before a call is made: which operations to list.

use cedar_policy::{Decision, EntityId, EntityUid, PartialEntities, PartialEntityUid, PartialRequest};

use crate::facts::Facts;
use crate::scene::{Fault, Scene};
use crate::{PolicySet, Schema};

#[cfg(test)]
mod tests;

/// Whether an operation can be called, whatever its arguments, whoever approves, and whenever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reach {
    /// Denied in every case: do not list it.
    Never,
    /// Allowed with any arguments that fit its shape, and nobody is asked.
    Always,
    /// It depends on arguments, approvals or time.
    Depends,
}

/// Decides the operation of `facts` with its context unknown, by type-aware partial evaluation (Cedar RFC 95).
pub fn reach(set: &PolicySet, schema: &Schema, facts: &Facts) -> Reach {
    // What cannot be set up is denied when it is called, so it is out of reach.
    let Ok(scene) = Scene::set(facts, schema) else { return Reach::Never };
    let Ok((request, entities)) = partial(facts, &scene, schema) else { return Reach::Never };
    // What lies outside a policy's scope is denied nothing and permitted nothing by it.
    let candidates = set.part(&set.index().candidates(&scene));
    // Where partial evaluation gives up, the call itself decides.
    let Ok(response) = candidates.tpe(&request, &entities, schema.cedar()) else { return Reach::Depends };
    if response.error_forbids().next().is_some() {
        return Reach::Never;
    }
    match response.decision() {
        Some(Decision::Deny) => Reach::Never,
        Some(Decision::Allow) => Reach::Always,
        None => Reach::Depends,
    }
}

fn partial(facts: &Facts, scene: &Scene, schema: &Schema) -> Result<(PartialRequest, PartialEntities), Fault> {
    let principal = PartialEntityUid::new(schema.kinds.agent.clone(), Some(EntityId::new(&facts.agent.name)));
    let resource = PartialEntityUid::new(schema.kinds.operation.clone(), Some(EntityId::new(&facts.operation.id)));
    let action = EntityUid::from((*scene.action.uid).clone());
    let request = PartialRequest::new(principal, action, resource, None, schema.cedar());
    let entities = PartialEntities::from_concrete(scene.things()?, schema.cedar()).map_err(Fault::facts)?;
    Ok((request.map_err(Fault::facts)?, entities))
}
