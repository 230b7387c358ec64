//! A yes that its person signs: what the signature is over, and when it is needed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Approval, Approve};
use crate::{Actor, ApprovalId, DataClass, Digest, PasskeyUse, PersonId, Refusal, State, Timestamp, limits};

#[cfg(test)]
mod tests;

/// An assertion of a passkey (Web Authentication level 3, section 5.2.2), as it came; each member base64url.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Signed {
    pub credential: String,
    pub authenticator_data: String,
    pub client_data: String,
    pub signature: String,
    /// The authenticator's count.
    pub sign_count: u32,
}

impl Signed {
    /// That its passkey was shown.
    pub(crate) fn shown(&self) -> PasskeyUse {
        PasskeyUse { credential: self.credential.clone(), sign_count: self.sign_count }
    }
}

/// What an answer says, its members in canonical order.
#[derive(Serialize)]
struct Said<'a> {
    action: Digest,
    answer: &'a str,
    approval: ApprovalId,
    note: &'a str,
    person: PersonId,
    shown: Digest,
    v: u8,
}

/// The challenge that a passkey signs to say yes: the digest of the action, of what was shown and of the answer itself. Nothing else
/// can be signed by accident with it, and it can be made again from the ledger alone.
pub fn answer_challenge(approval: ApprovalId, action: Digest, shown: Digest, person: PersonId, note: &str) -> Digest {
    Digest::of_document(&Said { action, answer: "approve", approval, note, person, shown, v: 1 })
}

/// Whether this yes is signed, where its person can sign.
pub(super) fn must_be_signed(
    state: &State,
    actor: &Actor,
    person: PersonId,
    approval: &Approval,
    approve: &Approve,
) -> Result<(), Refusal> {
    let seen = approval.seen.get(&person);
    if approve.shown.is_some() && approve.shown != seen.map(|seen| seen.shown) {
        return Err(Refusal::new("approval_shown", "what you were shown is not what this question says now")
            .help("look at it again before answering"));
    }
    let Some(signed) = &approve.signed else {
        return match state.has_passkey(person) {
            true => {
                Err(Refusal::new("signature_needed", "you say yes with your passkey, over exactly what you were shown")
                    .help("answer on the question's page in the console"))
            }
            false => actor.must_be_fresh(state),
        };
    };
    if approve.shown.is_none() {
        return Err(Refusal::new("approval_shown", "this signed answer does not say what was shown")
            .help("look at the question again before answering"));
    }
    let passkey = state.passkey(&signed.credential)?;
    if passkey.person != person {
        return Err(Refusal::new("passkey_unknown", "this is the passkey of somebody else").help("use your own"));
    }
    crate::passkey::must_count(passkey, signed.sign_count)
}

/// Refuses a yes of somebody who has given too many within an hour, about confidential and restricted data, and what cannot be undone.
pub(super) fn must_not_be_one_of_too_many(
    state: &State,
    person: PersonId,
    approval: &Approval,
    now: Timestamp,
) -> Result<(), Refusal> {
    let hour_ago = state
        .answers
        .get(&person)
        .map_or(0, |answers| answers.iter().filter(|at| now.millis_since(**at) < 3_600_000).count());
    if is_weighty(state, approval) && hour_ago >= limits::ANSWERS_PER_HOUR_MAX {
        let sentence = format!("you have said yes {hour_ago} times within an hour, and nobody reads more than that");
        return Err(Refusal::new("too_many_answers", sentence).help("let somebody else answer, or wait"));
    }
    Ok(())
}

/// Refuses a yes about confidential and restricted data to what was not shown on record, or that came faster than anybody reads. The
/// figures are those of the access patterns.
pub(super) fn must_be_considered(
    state: &State,
    person: PersonId,
    approval: &Approval,
    approve: &Approve,
    now: Timestamp,
) -> Result<(), Refusal> {
    let data = data_of(state, approval);
    let dwell_seconds = match data {
        DataClass::D0 | DataClass::D1 => return Ok(()),
        DataClass::D2 => limits::DWELL_SECONDS_D2,
        DataClass::D3 => limits::DWELL_SECONDS_D3,
    };
    // Time alone is not looking: it counts from when this person was shown what they answer.
    let seen = approval.seen.get(&person).filter(|seen| approve.shown == Some(seen.shown));
    let seen = seen.ok_or_else(|| {
        let sentence =
            format!("an answer about data of {data:?} says what its person was shown, and this one does not");
        Refusal::new("approval_shown", sentence).help("look at the question first: `remit approval show`, or its page")
    })?;
    if now.millis_since(seen.at) < dwell_seconds * 1_000 {
        let sentence = format!("an answer about data of {data:?} takes at least {dwell_seconds} seconds of looking");
        return Err(Refusal::new("too_soon", sentence).help("read what is asked, then answer"));
    }
    Ok(())
}

/// Whether a yes to it is one of those of which nobody gives many in an hour.
pub(super) fn is_weighty(state: &State, approval: &Approval) -> bool {
    let operation = state.operations.get(&approval.facts.operation);
    data_of(state, approval) >= DataClass::D2 || operation.is_some_and(|operation| operation.irreversible)
}

/// The class of what is asked about: of an operation that is not there any more, the strictest.
fn data_of(state: &State, approval: &Approval) -> DataClass {
    state.operations.get(&approval.facts.operation).map_or(DataClass::D3, |operation| operation.data)
}
