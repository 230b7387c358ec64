//! Three ways to put a call to the policies of a set: to those alone that its scope can concern, by their conditions or by Cedar's own
//! authorizer; and plainly to all of them.
//!
//! INVARIANT: all come to the same findings, word for word. The plain way is Cedar's own authorizer over the whole set, with the
//! request checked against the schema; it is what the quick way is measured by in tests. At run time it would cost as much as
//! there are policies, so there the second opinion is Cedar's authorizer over the candidates, with the candidates themselves
//! looked over by [`patrol`](crate::patrol).

use std::collections::HashMap;

use cedar_policy::{AuthorizationError, Authorizer};
use cedar_policy_core::ast::{Context, Expr, Literal, ValueKind};
use cedar_policy_core::evaluator::Evaluator;
use cedar_policy_core::extensions::Extensions;

use crate::scene::{Fault, Scene};
use crate::set::Effect;
use crate::{PolicySet, Schema};

/// Which way to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// By the index, policy for policy.
    Quick,
    /// By Cedar's authorizer, with the policies that the index names and a request that is checked against the schema.
    Checked,
    /// By Cedar's authorizer, with everything.
    Plain,
}

/// What the policies of a set say.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Findings {
    pub(crate) allowed: bool,
    /// The positions of the permits if allowed, else of the forbids, in the order of the set.
    pub(crate) determining: Vec<usize>,
    /// What could not be evaluated: the policy's `@id` and what went wrong.
    pub(crate) errors: Vec<(String, String)>,
}

impl Way {
    /// Asks the policies of `set` about `scene`. `candidates` are those of the index.
    pub(crate) fn ask(
        self,
        set: &PolicySet,
        schema: &Schema,
        scene: &Scene,
        candidates: &[usize],
        context: Context,
    ) -> Result<Findings, Fault> {
        match self {
            Self::Quick => quick(set, scene, candidates, context),
            Self::Checked => {
                let part = set.part(candidates).ok_or_else(|| Fault::facts("the policies do not make a set"))?;
                stock(&part, set, schema, scene, context)
            }
            Self::Plain => stock(set.cedar(), set, schema, scene, context),
        }
    }
}

fn quick(set: &PolicySet, scene: &Scene, candidates: &[usize], context: Context) -> Result<Findings, Fault> {
    let evaluator = Evaluator::new(scene.request(context), &scene.entities, Extensions::all_available());
    let (mut permits, mut forbids, mut errors) = (Vec::new(), Vec::new(), Vec::new());
    for position in candidates {
        let Some(clause) = set.clauses().get(*position) else { continue };
        match holds(&evaluator, clause.condition.as_deref()) {
            Ok(false) => {}
            Ok(true) if clause.rule.effect == Effect::Permit => permits.push(*position),
            Ok(true) => forbids.push(*position),
            Err(error) => errors.push((clause.rule.id.clone(), error)),
        }
    }
    let allowed = forbids.is_empty() && !permits.is_empty();
    Ok(Findings { allowed, determining: if allowed { permits } else { forbids }, errors })
}

/// Whether a policy whose scope is fulfilled applies. Policies have no slots here.
pub(crate) fn holds(evaluator: &Evaluator<'_>, condition: Option<&Expr>) -> Result<bool, String> {
    let Some(condition) = condition else { return Ok(true) };
    match evaluator.interpret(condition, &HashMap::new()).map_err(|error| error.to_string())?.value {
        ValueKind::Lit(Literal::Bool(truth)) => Ok(truth),
        // The schema's validation lets no such policy through.
        _ => Err("its condition is not a truth value".to_owned()),
    }
}

fn stock(
    policies: &cedar_policy::PolicySet,
    set: &PolicySet,
    schema: &Schema,
    scene: &Scene,
    context: Context,
) -> Result<Findings, Fault> {
    let uid = |uid: &cedar_policy_core::ast::EntityUID| cedar_policy::EntityUid::from(uid.clone());
    let request = cedar_policy::Request::new(
        uid(&scene.principal.uid),
        uid(&scene.action.uid),
        uid(&scene.resource.uid),
        context.into(),
        Some(schema.cedar()),
    )
    .map_err(Fault::facts)?;
    let response = Authorizer::new().is_authorized(&request, policies, &scene.stock_entities()?);
    let errors = response.diagnostics().errors().map(|AuthorizationError::PolicyEvaluationError(error)| {
        let id: &str = error.policy_id().as_ref();
        (id.to_owned(), error.inner().to_string())
    });
    Ok(Findings {
        allowed: response.decision() == cedar_policy::Decision::Allow,
        determining: set.positions(response.diagnostics().reason()),
        errors: errors.collect(),
    })
}
