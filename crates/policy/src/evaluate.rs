//! The one decision: allow, deny or ask, and why.
//!
//! INVARIANT: whatever goes wrong in here is a deny. Cedar alone skips a forbid that cannot be evaluated; here it denies.

use std::collections::BTreeSet;

use cedar_policy::{AuthorizationError, Authorizer, RestrictedExpression};

use crate::ArgumentError;
use crate::annotations::Asks;
use crate::facts::{ApprovalFacts, Facts, Request};
use crate::scene::{Fault, Scene, context};
use crate::set::{Effect, Rule};
use crate::{PolicySet, Schema};

#[cfg(test)]
mod tests;

/// What was decided, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Allow, deny or ask.
    pub outcome: Outcome,
    /// The `@id`s of the policies that made it so, in the order of the sources: permits for an allow, else forbids.
    pub determining: Vec<String>,
    /// What could not be evaluated.
    pub errors: Vec<String>,
    /// For a deny or an ask: why, one sentence per cause.
    pub reasons: Vec<String>,
    /// What is wrong with the arguments, if they do not fit the operation's schema; then no policy was asked.
    pub arguments: Option<ArgumentError>,
}

/// Allow, deny or ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The call may go out.
    Allow,
    /// It may not.
    Deny,
    /// It may, once people have approved it.
    Ask(Ask),
}

/// What people would have to approve for the call to be allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// The `@id`s of the policies that ask.
    pub policies: Vec<String>,
    /// Roles. Each inner list must be satisfied, by an approval in any one of its roles.
    pub approvers: Vec<Vec<String>>,
    /// How many people must approve.
    pub quorum: u32,
    /// How long to wait for them.
    pub within_seconds: u64,
}

impl Decision {
    fn deny(determining: Vec<String>, errors: Vec<String>, reasons: Vec<String>) -> Self {
        Self { outcome: Outcome::Deny, determining, errors, reasons, arguments: None }
    }

    /// A deny because of what went wrong before any policy could be asked.
    fn fault(fault: Fault) -> Self {
        let sentence = fault.to_string();
        let denied = Self::deny(Vec::new(), vec![sentence.clone()], vec![sentence]);
        match fault {
            Fault::Arguments(error) => Self { arguments: Some(error), ..denied },
            _ => denied,
        }
    }
}

/// Decides `request` by the policies of `set`.
///
/// A deny becomes an ask if every policy that forbids names approvers, and if the call would be allowed with the approval that
/// they describe.
pub fn evaluate(set: &PolicySet, schema: &Schema, request: &Request<'_>) -> Decision {
    decide(set, schema, request).unwrap_or_else(Decision::fault)
}

fn decide(set: &PolicySet, schema: &Schema, request: &Request<'_>) -> Result<Decision, Fault> {
    let scene = Scene::set(request.facts, schema)?;
    let arguments = request.shape.typed(request.arguments)?;
    let court = Court { set, schema, scene, arguments, now_ms: request.now_ms };
    let verdict = court.judge(request.approval)?;
    if verdict.allowed {
        let Verdict { determining, errors, .. } = verdict;
        return Ok(Decision {
            outcome: Outcome::Allow,
            determining: ids(&determining),
            errors,
            reasons: Vec::new(),
            arguments: None,
        });
    }
    let Some(asks) = verdict.asks() else { return Ok(denied(verdict, request.facts)) };

    // Denied as it is. Would it be allowed if everybody who is asked said yes?
    let approval = hypothetical(&asks, request);
    let approved = court.judge(Some(&approval))?;
    if !approved.allowed {
        // People cannot lift it, so what they cannot lift is the reason.
        return Ok(denied(approved, request.facts));
    }
    let ask = Ask {
        policies: ids(&verdict.determining),
        approvers: asks.iter().map(|asks| asks.roles.clone()).collect::<BTreeSet<_>>().into_iter().collect(),
        quorum: approval_count(&asks),
        within_seconds: asks.iter().map(|asks| asks.within_seconds).min().unwrap_or_default(),
    };
    let reasons = verdict.determining.iter().map(|rule| reason(rule)).collect();
    Ok(Decision {
        outcome: Outcome::Ask(ask),
        determining: ids(&verdict.determining),
        errors: verdict.errors,
        reasons,
        arguments: None,
    })
}

/// All that is needed to judge one call, with this approval or that.
struct Court<'a> {
    set: &'a PolicySet,
    schema: &'a Schema,
    scene: Scene,
    arguments: RestrictedExpression,
    now_ms: i64,
}

struct Verdict<'a> {
    allowed: bool,
    /// Permits if allowed, else forbids.
    determining: Vec<&'a Rule>,
    /// Forbids that could not be evaluated, and so deny.
    failed: Vec<&'a Rule>,
    errors: Vec<String>,
}

impl<'a> Court<'a> {
    fn judge(&self, approval: Option<&ApprovalFacts>) -> Result<Verdict<'a>, Fault> {
        let Scene { principal, action, resource, .. } = &self.scene;
        let context = context(&self.arguments, approval, self.now_ms, &self.schema.kinds)?;
        // The schema checks the context once more: a shape that is not the operation's own must not slip through.
        let request = cedar_policy::Request::new(
            principal.clone(),
            action.clone(),
            resource.clone(),
            context,
            Some(self.schema.cedar()),
        )
        .map_err(Fault::facts)?;
        let response = Authorizer::new().is_authorized(&request, self.set.cedar(), &self.scene.entities()?);
        let mut verdict = Verdict {
            allowed: response.decision() == cedar_policy::Decision::Allow,
            determining: self.set.ordered(response.diagnostics().reason()),
            failed: Vec::new(),
            errors: Vec::new(),
        };
        for error in response.diagnostics().errors() {
            verdict.note(self.set, error);
        }
        verdict.errors.sort();
        verdict.failed.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(verdict)
    }
}

impl<'a> Verdict<'a> {
    /// Takes an error in: in a permit, it is noted; in a forbid (or who knows where), it denies.
    fn note(&mut self, set: &'a PolicySet, error: &AuthorizationError) {
        let AuthorizationError::PolicyEvaluationError(error) = error;
        let id: &str = error.policy_id().as_ref();
        self.errors.push(format!("the policy `{id}` could not be evaluated: {}", error.inner()));
        let rule = set.rule(id);
        if rule.is_none_or(|rule| rule.effect == Effect::Forbid) {
            if self.allowed {
                // What permitted is no longer what determines.
                self.determining.clear();
            }
            self.allowed = false;
            self.failed.extend(rule);
        }
    }

    /// What the forbids ask for, if each of them asks and none failed.
    fn asks(&self) -> Option<Vec<&'a Asks>> {
        if !self.failed.is_empty() || self.determining.is_empty() {
            return None;
        }
        self.determining.iter().map(|rule| rule.asks.as_ref()).collect()
    }
}

/// The approval that everybody who is asked would have given, on top of what has been given.
fn hypothetical(asks: &[&Asks], request: &Request<'_>) -> ApprovalFacts {
    let mut approval = request.approval.cloned().unwrap_or_default();
    approval.roles.extend(asks.iter().flat_map(|asks| asks.roles.iter().cloned()));
    approval.count = approval.count.max(approval_count(asks));
    approval.approved_at_ms = request.now_ms;
    approval
}

fn approval_count(asks: &[&Asks]) -> u32 {
    asks.iter().map(|asks| asks.quorum).max().unwrap_or(1)
}

fn denied(verdict: Verdict<'_>, facts: &Facts) -> Decision {
    let Verdict { determining, failed, errors, .. } = verdict;
    let mut reasons: Vec<String> = determining.iter().map(|rule| reason(rule)).collect();
    reasons.extend(
        failed.iter().map(|rule| {
            format!("the policy `{}` could not be evaluated, and what it might forbid is refused", rule.id)
        }),
    );
    if reasons.is_empty() {
        reasons.push(nothing_permits(facts));
    }
    Decision::deny(determining.into_iter().chain(failed).map(|rule| rule.id.clone()).collect(), errors, reasons)
}

fn nothing_permits(facts: &Facts) -> String {
    let (operation, agent) = (&facts.operation.id, &facts.agent.name);
    match facts.grant {
        None => format!("no live grant covers `{operation}` for the agent `{agent}`; ask its owner for one"),
        Some(_) => format!("no policy permits `{operation}` for the agent `{agent}`"),
    }
}

fn reason(rule: &Rule) -> String {
    match (&rule.reason, &rule.asks) {
        (Some(reason), _) => reason.clone(),
        (None, None) => format!("the policy `{}` forbids it", rule.id),
        (None, Some(asks)) => {
            format!("the policy `{}` asks for the approval of `{}`", rule.id, asks.roles.join("` or `"))
        }
    }
}

fn ids(rules: &[&Rule]) -> Vec<String> {
    rules.iter().map(|rule| rule.id.clone()).collect()
}
