//! What the annotations of a policy say: its name, its reason, and whom to ask.
//!
//! Annotations route and explain; they never decide. Whether an approval suffices is for the policy's own condition to say.

use cedar_policy::Policy;

use crate::limits;
use crate::nearest::nearest;

#[cfg(test)]
mod tests;

const ID: &str = "id";
const REASON: &str = "reason";
const APPROVERS: &str = "approvers";
const QUORUM: &str = "quorum";
const WITHIN: &str = "within";

/// Whom a forbidding policy would have asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asks {
    /// Any of these roles may approve. Never empty.
    pub(crate) roles: Vec<String>,
    pub(crate) quorum: u32,
    pub(crate) within_seconds: u64,
}

/// A mistake in an annotation: a sentence, and what to do.
pub(crate) type Mistake = (String, Option<String>);

/// The `@id`.
pub(crate) fn id(policy: &Policy) -> Result<String, Mistake> {
    let help = || Some("name it, as in `@id(\"refunds-ask-support\")`".to_owned());
    let Some(id) = policy.annotation(ID) else {
        return Err(("the policy has no `@id`".to_owned(), help()));
    };
    let letters = id.chars().all(|letter| letter.is_ascii_alphanumeric() || "-_./".contains(letter));
    if id.is_empty() || id.len() > limits::POLICY_ID_BYTES_MAX || !letters {
        return Err((format!("`{}` cannot name a policy", id.escape_debug()), Some(ID_HELP.to_owned())));
    }
    Ok(id.to_owned())
}

const ID_HELP: &str = "use letters, digits and `-`, `_`, `.`, `/`, at most 128 of them";

/// The `@reason`, if there is one.
pub(crate) fn reason(policy: &Policy) -> Result<Option<String>, Mistake> {
    match policy.annotation(REASON) {
        None => Ok(None),
        Some(reason) if reason.trim().is_empty() || reason.len() > limits::POLICY_REASON_BYTES_MAX => {
            Err(("the `@reason` is empty or too long".to_owned(), Some("say in one sentence what to do".to_owned())))
        }
        Some(reason) => Ok(Some(reason.to_owned())),
    }
}

/// Whom to ask, if the policy says so by `@approvers`, `@quorum` and `@within`.
pub(crate) fn asks(policy: &Policy) -> Result<Option<Asks>, Mistake> {
    let Some(approvers) = policy.annotation(APPROVERS) else {
        return match [QUORUM, WITHIN].into_iter().find(|name| policy.annotation(name).is_some()) {
            None => Ok(None),
            Some(name) => Err((
                format!("`@{name}` says how to ask, but nobody is asked"),
                Some("add `@approvers(\"role\")`".to_owned()),
            )),
        };
    };
    if policy.effect() == cedar_policy::Effect::Permit {
        return Err((
            "a permit never asks".to_owned(),
            Some("put `@approvers` on a `forbid … unless { context has approval && … }`".to_owned()),
        ));
    }
    let quorum = policy.annotation(QUORUM).map_or(Ok(1), quorum)?;
    let within_seconds = policy.annotation(WITHIN).map_or(Ok(limits::WITHIN_SECONDS_DEFAULT), within)?;
    Ok(Some(Asks { roles: roles(approvers)?, quorum, within_seconds }))
}

/// A mistyped annotation: one that nothing reads, but that is nearly the name of one that is read.
pub(crate) fn mistyped(policy: &Policy) -> Option<Mistake> {
    let known = [ID, REASON, APPROVERS, QUORUM, WITHIN];
    policy.annotations().map(|(name, _)| name).filter(|name| !known.contains(name)).find_map(|name| {
        let meant = nearest(name, known)?;
        Some((format!("`@{name}` means nothing here"), Some(format!("did you mean `@{meant}`?"))))
    })
}

fn roles(text: &str) -> Result<Vec<String>, Mistake> {
    let mut roles: Vec<String> = text.split(',').map(|role| role.trim().to_owned()).collect();
    roles.sort();
    roles.dedup();
    if roles.len() > limits::APPROVERS_MAX || roles.iter().any(String::is_empty) {
        let help = "name one role, or several with commas between, as in `@approvers(\"owner, security\")`";
        return Err((format!("`@approvers(\"{text}\")` does not name roles"), Some(help.to_owned())));
    }
    Ok(roles)
}

fn quorum(text: &str) -> Result<u32, Mistake> {
    text.parse().ok().filter(|quorum| (1..=limits::QUORUM_MAX).contains(quorum)).ok_or_else(|| {
        let help = format!("use a number from 1 to {}", limits::QUORUM_MAX);
        (format!("`@quorum(\"{text}\")` is not a number of people"), Some(help))
    })
}

/// Reads a span of time such as `900s`, `15m`, `2h` or `7d`.
fn within(text: &str) -> Result<u64, Mistake> {
    let unit_seconds = match text.chars().last() {
        Some('s') => Some(1),
        Some('m') => Some(60),
        Some('h') => Some(60 * 60),
        Some('d') => Some(24 * 60 * 60),
        _ => None,
    };
    let amount = text.get(..text.len().saturating_sub(1)).filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()));
    amount
        .and_then(|digits| digits.parse::<u64>().ok())
        .zip(unit_seconds)
        .and_then(|(amount, unit)| amount.checked_mul(unit))
        .filter(|seconds| (1..=limits::WITHIN_SECONDS_MAX).contains(seconds))
        .ok_or_else(|| {
            let help = "use a number and a unit, as in `900s`, `15m`, `2h` or `7d`, at most seven days";
            (format!("`@within(\"{text}\")` is not a span of time that can be waited for"), Some(help.to_owned()))
        })
}
