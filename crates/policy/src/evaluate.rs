//! The one decision: allow, deny or ask, and why.
//!
//! INVARIANT: whatever goes wrong in here is a deny. Cedar alone skips a forbid that cannot be evaluated; here it denies.

use std::collections::BTreeMap;

use crate::ArgumentError;
use crate::annotations::Asks;
use crate::facts::{ApprovalFacts, Facts, Request};
use crate::judge::{Findings, Way};
use crate::scene::{Fault, Scene, context};
use crate::set::{Effect, Rule};
use crate::typed::Typed;
use crate::{PolicySet, Schema, limits, patrol};

#[cfg(test)]
mod differential;
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
    /// Whether the index and the plain evaluator came to different results: a fault of this program, and so a deny.
    pub is_fault: bool,
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
    /// How many people each of these lists asks for, in the same order.
    pub quorums: Vec<u32>,
    /// How many people must approve in all.
    pub quorum: u32,
    /// How long to wait for them.
    pub within_seconds: u64,
}

impl Decision {
    fn deny(determining: Vec<String>, errors: Vec<String>, reasons: Vec<String>) -> Self {
        Self { outcome: Outcome::Deny, determining, errors, reasons, arguments: None, is_fault: false }
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
    // A shape that is not the operation's own must not slip through: Cedar's authorizer checks the context against the schema. With the
    // schema's own shape it has just been made to fit.
    let own = schema.operation(&request.facts.operation.id).is_some_and(|known| known.arguments == *request.shape);
    if !own {
        return by(Way::Checked, set, schema, request);
    }
    let decision = by(Way::Quick, set, schema, request);
    let Some(lot) = sample(request) else { return decision };
    let second = by(Way::Checked, set, schema, request);
    let agrees = decision == second && patrol::found_all(set, schema, request.facts, lot);
    if agrees { decision } else { doubted() }
}

/// As [`evaluate`], by Cedar's own authorizer over all policies of the set, whatever their scopes: what the other must come to.
pub fn evaluate_plainly(set: &PolicySet, schema: &Schema, request: &Request<'_>) -> Decision {
    by(Way::Plain, set, schema, request)
}

fn by(way: Way, set: &PolicySet, schema: &Schema, request: &Request<'_>) -> Decision {
    decide(way, set, schema, request).unwrap_or_else(Decision::fault)
}

/// Whether this is one of the decisions that are made twice, one in [`limits::PLAIN_ONE_IN`]: then the lot that says where else to look.
/// It follows from the request alone, so that the same request is always decided in the same way.
fn sample(request: &Request<'_>) -> Option<u64> {
    let mixed = request.now_ms.cast_unsigned() ^ request.facts.task.calls.rotate_left(32);
    let mixed = mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 16;
    mixed.is_multiple_of(limits::PLAIN_ONE_IN).then_some(mixed / limits::PLAIN_ONE_IN)
}

/// The decision where two ways came to different ones, and nobody knows which is right.
fn doubted() -> Decision {
    let sentence = "the policies were evaluated in two ways, with different results".to_owned();
    Decision { is_fault: true, ..Decision::deny(Vec::new(), vec![sentence.clone()], vec![sentence]) }
}

fn decide(way: Way, set: &PolicySet, schema: &Schema, request: &Request<'_>) -> Result<Decision, Fault> {
    let scene = Scene::set(request.facts, schema)?;
    let arguments = request.shape.typed(request.arguments, set.reads())?;
    let projected = request.shape.typed_projections(request.arguments)?;
    let candidates = set.index().candidates(&scene);
    let Request { now_ms, credential_age_s, .. } = *request;
    let court = Court { way, set, schema, scene, candidates, arguments, projected, now_ms, credential_age_s };
    settled(&court, request)
}

/// As [`evaluate`], for a request whose arguments are not at hand, and that no policy which its scope can concern looks at: they were
/// found to fit the operation's shape before. Whether that is so is for [`Essences`](crate::Essences) to say.
pub(crate) fn evaluate_unseen(set: &PolicySet, schema: &Schema, request: &Request<'_>) -> Decision {
    let nothing = || crate::typed::record([]);
    let unseen = || {
        let scene = Scene::set(request.facts, schema)?;
        let candidates = set.index().candidates(&scene);
        let (way, arguments, projected) = (Way::Quick, nothing(), nothing());
        let Request { now_ms, credential_age_s, .. } = *request;
        let court = Court { way, set, schema, scene, candidates, arguments, projected, now_ms, credential_age_s };
        settled(&court, request)
    };
    unseen().unwrap_or_else(Decision::fault)
}

/// What a court that is set up comes to.
fn settled(court: &Court<'_>, request: &Request<'_>) -> Result<Decision, Fault> {
    let verdict = court.judge(request.approval)?;
    if verdict.allowed {
        let Verdict { determining, errors, .. } = verdict;
        return Ok(Decision {
            outcome: Outcome::Allow,
            determining: ids(&determining),
            errors,
            reasons: Vec::new(),
            arguments: None,
            is_fault: false,
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
    // Where two policies ask the same roles, the one that asks for more people counts.
    let mut lists: BTreeMap<Vec<String>, u32> = BTreeMap::new();
    for asks in &asks {
        let quorum = lists.entry(asks.roles.clone()).or_default();
        *quorum = asks.quorum.max(*quorum);
    }
    let (approvers, quorums) = lists.into_iter().unzip();
    let ask = Ask {
        policies: ids(&verdict.determining),
        approvers,
        quorums,
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
        is_fault: false,
    })
}

/// All that is needed to judge one call, with this approval or that.
struct Court<'a> {
    way: Way,
    set: &'a PolicySet,
    schema: &'a Schema,
    scene: Scene,
    candidates: Vec<usize>,
    arguments: Typed,
    projected: Typed,
    now_ms: i64,
    credential_age_s: i64,
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
        let Self { arguments, projected, now_ms, credential_age_s, .. } = self;
        let context = context(arguments, projected, approval, *now_ms, *credential_age_s, &self.schema.kinds);
        let Findings { allowed, determining, errors } =
            self.way.ask(self.set, self.schema, &self.scene, &self.candidates, context)?;
        let rules = self.set.rules();
        let determining = determining.iter().filter_map(|position| rules.get(*position)).map(AsRef::as_ref).collect();
        let mut verdict = Verdict { allowed, determining, failed: Vec::new(), errors: Vec::new() };
        for (id, error) in errors {
            verdict.note(self.set, &id, &error);
        }
        verdict.errors.sort();
        verdict.failed.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(verdict)
    }
}

impl<'a> Verdict<'a> {
    /// Takes an error in: in a permit, it is noted; in a forbid (or who knows where), it denies.
    fn note(&mut self, set: &'a PolicySet, id: &str, error: &str) {
        self.errors.push(format!("the policy `{id}` could not be evaluated: {error}"));
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
