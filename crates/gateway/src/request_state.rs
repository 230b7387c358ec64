//! What a client of 2026-07-28 has to bring back when it repeats a request (`requestState`): sealed, bound to that very request, and good once.
//!
//! It follows the server requirements of the multi round-trip pattern (MCP 2026-07-28, basic/patterns/mrtr): integrity, the principal, a short life
//! and a digest of the parameters; and, since that alone does not make it single-use, a number that is remembered.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use remit_domain::{AgentId, ApprovalId, Digest, OperationName, PersonId, Refusal, RunId, State, TaskId};
use remit_engine::Engine;
use remit_identity::Kek;
use remit_identity::code::OneTimeCode;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::call::Call;
use crate::caller::Caller;
use crate::limits;

#[cfg(test)]
mod tests;

/// For what the key is derived, and what is sealed is for.
const PURPOSE: &str = "mcp request state v1";

/// What a state continues.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Continues {
    /// A person is asked; after so many rounds.
    Approval {
        approval: ApprovalId,
        round: u8,
        /// What the request carried beside its arguments, which clients do not say again.
        #[serde(default)]
        carried: Map<String, Value>,
    },
    /// The upstream asked something, and wants this back.
    Upstream { state: String },
    /// The call is open at its upstream, under this name.
    Parked { call: String },
}

/// To what a state is bound.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Binding {
    agent: AgentId,
    run: RunId,
    task: TaskId,
    acting_for: Option<PersonId>,
    operation: OperationName,
    definition: Option<Digest>,
    arguments: Digest,
    policies: Digest,
}

impl Binding {
    /// What a request of `caller` is at this moment.
    pub fn of(state: &State, caller: &Caller, call: &Call) -> Self {
        Self {
            agent: caller.agent,
            run: caller.run,
            task: caller.task,
            acting_for: caller.acting_for,
            operation: call.operation.clone(),
            definition: state.operations.get(&call.operation).map(|operation| operation.digest),
            arguments: Digest::of_bytes(&call.canonical),
            policies: state.policies.digest(),
        }
    }

    /// The first thing in which `self` differs from what the state was sealed for.
    fn must_fit(&self, sealed: &Self) -> Result<(), Refusal> {
        let differs = [
            (self.agent != sealed.agent, "state_other_agent", "another agent"),
            (self.task != sealed.task, "state_other_task", "another task"),
            (self.run != sealed.run, "state_other_run", "another run"),
            (self.acting_for != sealed.acting_for, "state_other_person", "another person acted for"),
            (self.operation != sealed.operation, "state_other_operation", "another operation"),
            (self.definition != sealed.definition, "state_other_definition", "another definition of this operation"),
            (self.arguments != sealed.arguments, "state_other_arguments", "other arguments"),
            (self.policies != sealed.policies, "state_other_policies", "other policies than those that are active now"),
        ];
        match differs.iter().find(|(differs, ..)| *differs) {
            Some((_, code, what)) => Err(Refusal::new(code, format!("this `requestState` is for {what}"))
                .help("make the request again without it")),
            None => Ok(()),
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Sealed {
    binding: Binding,
    continues: Continues,
    /// Seconds since 1970.
    expires_at: i64,
    nonce: String,
}

/// Seals states and opens each once.
#[derive(Debug)]
pub(crate) struct RequestStates {
    key: Kek,
    /// States that were brought back, until they would have expired anyway.
    used: Mutex<HashMap<AgentId, HashMap<String, i64>>>,
}

impl RequestStates {
    pub fn new(engine: &Engine) -> Self {
        Self { key: engine.key_for(PURPOSE), used: Mutex::default() }
    }

    /// A state that continues a request bound to `binding`. Nothing if no random number can be had.
    pub fn seal(&self, binding: Binding, continues: Continues, now_seconds: i64) -> Option<String> {
        let expires_at = now_seconds.saturating_add(limits::REQUEST_STATE_SECONDS);
        let nonce = OneTimeCode::generate("").ok()?.expose().to_owned();
        let sealed = Sealed { binding, continues, expires_at, nonce };
        let plain = serde_json::to_vec(&sealed).ok()?;
        let sealed = self.key.seal(PURPOSE.as_bytes(), &plain).ok()?;
        Some(URL_SAFE_NO_PAD.encode(sealed))
    }

    /// Opens a state that a client brought back with the request that is bound to `binding`, and uses it up.
    ///
    /// INVARIANT: of many that bring the same state at once, one gets it; those of an approval are told apart by the ledger. After a restart the numbers are forgotten: an approval is
    /// then still used once, since the ledger knows; an open call has ended; and an upstream's own state is its own to use once.
    pub fn open(&self, state: &str, binding: &Binding, now_seconds: i64) -> Result<Continues, Refusal> {
        let forged = || {
            Refusal::new("state_forged", "this `requestState` was not made here, or was changed")
                .help("make the request again without it")
        };
        if state.len() > limits::REQUEST_STATE_BYTES_MAX {
            return Err(forged());
        }
        let bytes = URL_SAFE_NO_PAD.decode(state).map_err(|_| forged())?;
        let plain = self.key.open(PURPOSE.as_bytes(), &bytes).map_err(|_| forged())?;
        let sealed: Sealed = serde_json::from_slice(&plain).map_err(|_| forged())?;
        binding.must_fit(&sealed.binding)?;
        if sealed.expires_at <= now_seconds {
            return Err(Refusal::new("state_expired", "this `requestState` has expired")
                .help("make the request again without it"));
        }
        // An approval is used once by the ledger, which also puts a second try on record.
        if !matches!(sealed.continues, Continues::Approval { .. }) {
            self.use_up(binding.agent, sealed.nonce, sealed.expires_at, now_seconds)?;
        }
        Ok(sealed.continues)
    }

    fn use_up(&self, agent: AgentId, nonce: String, expires_at: i64, now_seconds: i64) -> Result<(), Refusal> {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let own = used.entry(agent).or_default();
        if own.len() >= limits::REQUEST_STATES_USED_MAX {
            own.retain(|_, expires_at| *expires_at > now_seconds);
        }
        if own.len() >= limits::REQUEST_STATES_USED_MAX {
            return Err(Refusal::new("overloaded", "too many requests of this agent were continued lately")
                .help("try again later"));
        }
        match own.insert(nonce, expires_at) {
            None => Ok(()),
            Some(_) => Err(Refusal::new("state_used", "this `requestState` was brought back before")
                .help("make the request again without it")),
        }
    }
}
