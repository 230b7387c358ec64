//! Questions that nobody can answer, or that no answer settles.

use std::collections::BTreeMap;

use super::names::ROLES;
use super::normal::{Demands, Normal};
use super::range::Range;
use super::read::element;
use super::{Known, Part};
use crate::annotations::Asks;
use crate::{Problem, Schema};

/// Roles that nobody has, and more people than there are.
pub(super) fn unanswerable(part: &Part<'_>, known: &Known) -> Vec<Problem> {
    let Some(asks) = part.rule.asks.as_ref() else { return Vec::new() };
    if known.groups.is_empty() {
        return Vec::new();
    }
    let is_role = |role: &str| ROLES.contains(&role) || known.groups.contains_key(role);
    let missing: Vec<Problem> =
        asks.roles.iter().filter(|role| !is_role(role)).map(|role| nobody(part, role, &known.groups)).collect();
    if !missing.is_empty() {
        return missing;
    }
    too_few(part, asks, known).into_iter().collect()
}

fn nobody(part: &Part<'_>, role: &str, groups: &BTreeMap<String, u32>) -> Problem {
    let mut roles: Vec<&str> = groups.keys().map(String::as_str).chain(ROLES).collect();
    roles.sort_unstable();
    let roles: Vec<String> = roles.into_iter().map(|role| format!("`{role}`")).collect();
    let help = format!("add somebody with `remit person groups`, or ask one of: {}", roles.join(", "));
    part.error(format!("nobody is in the group `{role}`, so nobody can answer"), help, Some("@approvers"))
}

/// How many approvers an agent has is for its own record to say; an owner is one.
fn too_few(part: &Part<'_>, asks: &Asks, known: &Known) -> Option<Problem> {
    if asks.roles.iter().any(|role| role == "approver") {
        return None;
    }
    let people =
        asks.roles.iter().map(|role| known.groups.get(role).copied().unwrap_or(1)).fold(0, u32::saturating_add);
    (people < asks.quorum).then(|| {
        let roles: Vec<String> = asks.roles.iter().map(|role| format!("`{role}`")).collect();
        let sentence = format!(
            "{} people of {} are asked for, and there {} only {people}",
            asks.quorum,
            roles.join(" or "),
            if people == 1 { "is" } else { "are" },
        );
        part.error(
            sentence,
            "ask for fewer, name another role, or add people with `remit person groups`",
            Some("@quorum"),
        )
    })
}

/// A rule that asks, and whose condition holds all the same once everybody who is asked has said yes.
pub(super) fn never_lifted(part: &Part<'_>, row: &Normal, schema: &Schema) -> Option<Problem> {
    let asks = part.rule.asks.as_ref()?;
    // A rule that never speaks of approvals has been told of when it was compiled.
    if !part.rule.text.contains("context.approval") {
        return None;
    }
    let mut before = row.alternatives.iter().filter(|own| own.range(HAS) != Some(&Range::Truth(true))).peekable();
    before.peek()?;
    let after: Vec<Demands> = row.alternatives.iter().filter_map(|own| approved(own, asks)).collect();
    let stays = before.all(|own| {
        let own = own.only(|fact| !speaks_of_approval(fact));
        after.iter().any(|later| own.implies(later, schema))
    });
    stays.then(|| {
        let roles: Vec<String> = asks.roles.iter().map(|role| format!("`{role}`")).collect();
        let sentence =
            format!("the policy asks {}, and forbids all the same once they have approved", roles.join(" or "));
        let help = "let `unless` ask for the same roles and the same number of people as `@approvers` and `@quorum`";
        part.warning(sentence, help, Some("@approvers"))
    })
}

const HAS: &str = "context has approval";
const ROLES_OF_APPROVAL: &str = "context.approval.roles";
const COUNT: &str = "context.approval.count";

fn speaks_of_approval(fact: &str) -> bool {
    // What is not understood is known by Cedar's JSON form of it.
    fact.contains("approval")
}

/// What is left of the alternative once everybody who is asked has approved; nothing if it is lifted, or may be.
fn approved(alternative: &Demands, asks: &Asks) -> Option<Demands> {
    if alternative.unknowns().keys().any(|text| speaks_of_approval(text)) {
        return None;
    }
    let stays = |fact: &str, range: &Range| match fact {
        HAS => *range == Range::Truth(true),
        COUNT => Range::Numbers(asks.quorum.into(), asks.quorum.into()).within(range),
        _ if fact.starts_with(ROLES_OF_APPROVAL) => {
            let given = asks.roles.iter().any(|role| element(ROLES_OF_APPROVAL, role) == fact);
            *range == Range::Truth(given)
        }
        _ => !speaks_of_approval(fact),
    };
    let all = alternative.facts().all(|(fact, range)| stays(fact, range));
    all.then(|| alternative.only(|fact| !speaks_of_approval(fact)))
}
