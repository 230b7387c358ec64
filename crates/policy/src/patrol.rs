//! Looks the index over while it works: whether it names all policies whose scope a call fulfils, and no others.
//!
//! Cedar's evaluator is asked about the scope of each policy of one part of the set. Which part, follows from the call, so that in the
//! long run all are asked about; a set of up to [`limits::PATROL_POLICIES`] is asked about as a whole. So a decision that is
//! made twice costs a bounded amount more, however large the set is.

use std::collections::HashMap;

use cedar_policy_core::ast::{Context, Literal, ValueKind};
use cedar_policy_core::evaluator::Evaluator;
use cedar_policy_core::extensions::Extensions;

use crate::facts::Facts;
use crate::scene::Scene;
use crate::text::Clause;
use crate::{PolicySet, Schema, limits};

#[cfg(test)]
mod tests;

/// Whether the candidates of a call with `facts` are what Cedar says, in the part of the set that `lot` falls on.
pub(crate) fn found_all(set: &PolicySet, schema: &Schema, facts: &Facts, lot: u64) -> bool {
    // No policy is asked where there is no scene, and the call is denied.
    let Ok(scene) = Scene::set(facts, schema) else { return true };
    let candidates = set.index().candidates(&scene);
    agrees(set, &scene, &candidates, lot)
}

fn agrees(set: &PolicySet, scene: &Scene, candidates: &[usize], lot: u64) -> bool {
    let Ok(entities) = scene.stock_entities() else { return false };
    let evaluator = Evaluator::new(scene.request(Context::empty()), entities.as_ref(), Extensions::all_available());
    let parts = set.clauses().len().div_ceil(limits::PATROL_POLICIES).max(1);
    let part = usize::try_from(lot % parts as u64).unwrap_or_default();
    let from = part * limits::PATROL_POLICIES;
    let clauses = set.clauses().iter().enumerate().skip(from).take(limits::PATROL_POLICIES);
    clauses
        .into_iter()
        .all(|(at, clause)| is_fulfilled(&evaluator, clause) == Some(candidates.binary_search(&at).is_ok()))
}

/// Whether the call fulfils the scope of the policy, as Cedar reads it.
fn is_fulfilled(evaluator: &Evaluator<'_>, clause: &Clause) -> Option<bool> {
    let policy: &cedar_policy_core::ast::Policy = clause.policy.as_ref();
    let scope = policy.template();
    let parts = [
        scope.principal_constraint().as_expr(),
        scope.action_constraint().as_expr(),
        scope.resource_constraint().as_expr(),
    ];
    for part in parts {
        match evaluator.interpret(&part, &HashMap::new()).ok()?.value {
            ValueKind::Lit(Literal::Bool(true)) => {}
            ValueKind::Lit(Literal::Bool(false)) => return Some(false),
            _ => return None,
        }
    }
    Some(true)
}
