//! What can be said before a call is made: which operations to list, and under which condition.

use cedar_policy_core::ast::Expr;

use crate::evaluate::Ask;
use crate::facts::Facts;
use crate::residual::{Beforehand, Residual};
use crate::scene::Scene;
use crate::set::{Effect, Rule};
use crate::{PolicySet, Schema, wording};

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

/// What can be said of an operation before it is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outlook {
    /// Whether it can be called.
    pub reach: Reach,
    /// Where that depends: the condition under which a call is allowed, in Cedar, over `context.arguments`, `context.projected`,
    /// `context.approval` and `context.now`; the credential is taken to be new. All that is known is worked in. At most
    /// [`CONDITION_BYTES_MAX`](crate::limits::CONDITION_BYTES_MAX) bytes and a few; then it ends in `&& …`, and only Remit knows the rest.
    pub condition: Option<String>,
    /// Whom the policies that may stand in the way would ask, one for each such policy, in the order of the sources.
    pub asks: Vec<Ask>,
}

/// Decides the operation of `facts` with its context unknown. Costs what the policies cost whose scope it concerns.
pub fn reach(set: &PolicySet, schema: &Schema, facts: &Facts) -> Reach {
    Remainder::of(set, schema, facts).reach()
}

/// As [`reach`], with what is left to be decided by the call.
pub fn outlook(set: &PolicySet, schema: &Schema, facts: &Facts) -> Outlook {
    let remainder = Remainder::of(set, schema, facts);
    let reach = remainder.reach();
    if reach != Reach::Depends {
        return Outlook { reach, condition: None, asks: Vec::new() };
    }
    let Remainder { is_permitted, permits, forbids, .. } = remainder;
    let (rules, forbids): (Vec<&Rule>, Vec<Expr>) = forbids.into_iter().unzip();
    let permits = if is_permitted { Vec::new() } else { permits };
    let condition = Some(wording::condition(&permits, &forbids));
    Outlook { reach, condition, asks: rules.into_iter().filter_map(ask).collect() }
}

/// What one policy would ask.
fn ask(rule: &Rule) -> Option<Ask> {
    let asks = rule.asks.as_ref()?;
    Some(Ask {
        policies: vec![rule.id.clone()],
        approvers: vec![asks.roles.clone()],
        quorums: vec![asks.quorum],
        quorum: asks.quorum,
        within_seconds: asks.within_seconds,
    })
}

/// What is left of the policies that an operation concerns, once all is known but the context of the call.
#[derive(Default)]
struct Remainder<'a> {
    /// A policy denies every call.
    is_forbidden: bool,
    /// A policy permits every call.
    is_permitted: bool,
    /// Those that permit some calls, by what is left of their conditions.
    permits: Vec<Expr>,
    /// Those that deny some calls.
    forbids: Vec<(&'a Rule, Expr)>,
}

impl<'a> Remainder<'a> {
    fn of(set: &'a PolicySet, schema: &Schema, facts: &Facts) -> Self {
        let mut remainder = Self::default();
        // What cannot be set up is denied when it is called, so it is out of reach.
        let Ok(scene) = Scene::set(facts, schema) else { return remainder };
        let beforehand = Beforehand::new(&scene, schema);
        // What lies outside a policy's scope is denied nothing and permitted nothing by it.
        for position in set.index().candidates(&scene) {
            let Some(clause) = set.clauses().get(position) else { continue };
            match (clause.rule.effect, beforehand.ask(clause)) {
                (_, Residual::Known(false)) | (Effect::Permit, Residual::Fails) => {}
                (Effect::Permit, Residual::Known(true)) => remainder.is_permitted = true,
                (Effect::Permit, Residual::Open(rest)) => remainder.permits.push(rest),
                (Effect::Forbid, Residual::Known(true) | Residual::Fails) => {
                    remainder.is_forbidden = true;
                    return remainder;
                }
                (Effect::Forbid, Residual::Open(rest)) => remainder.forbids.push((&*clause.rule, rest)),
            }
        }
        remainder
    }

    fn reach(&self) -> Reach {
        let Self { is_forbidden, is_permitted, permits, forbids } = self;
        if *is_forbidden || !is_permitted && permits.is_empty() {
            Reach::Never
        } else if *is_permitted && forbids.is_empty() {
            Reach::Always
        } else {
            Reach::Depends
        }
    }
}
