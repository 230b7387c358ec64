//! The realm's keys: each step in the life of each key, and the person who answers for it. The keys themselves never come near
//! the ledger.
//!
//! INVARIANT: steps only go forward, and at no entry of the ledger are two keys active for one purpose.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Actor, Event, PersonId, Refusal, State, Timestamp, limits};

#[cfg(test)]
mod tests;

/// What a realm key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyPurpose {
    /// Signs tokens, receipts and status lists.
    Token,
    /// Signs certificates of workloads.
    Ca,
}

/// Where a realm key is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyStep {
    /// Published, so that everybody knows it before anything is signed with it.
    Prepared,
    /// Signs.
    Active,
    /// Signs no more; what it signed is good until it ends.
    Retired,
    /// Nothing that it ever signed is good.
    Revoked,
}

impl KeyPurpose {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Ca => "ca",
        }
    }
}

impl KeyStep {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Prepared => "prepared",
            Self::Active => "active",
            Self::Retired => "retired",
            Self::Revoked => "revoked",
        }
    }
}

/// A key of the realm, as everybody may know it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RealmKey {
    pub purpose: KeyPurpose,
    pub step: KeyStep,
    /// When it came to this step.
    pub since: Timestamp,
    /// Who answers for this step.
    pub accountable: PersonId,
    /// The public part, as it was first recorded.
    pub public: Value,
}

/// Records a step in the life of a realm key: by an administrator, or by Remit when its time has come.
#[derive(Debug, Clone)]
pub struct StepKey {
    /// The key's id, as tokens and bundles name it.
    pub key: String,
    pub purpose: KeyPurpose,
    pub step: KeyStep,
    /// The public part, needed with the first step. Later it may be left out (`null`).
    pub public: Value,
}

/// A realm key came to its next step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RealmKeyStepped {
    pub key: String,
    pub purpose: KeyPurpose,
    pub step: KeyStep,
    /// Who answers for it: the administrator who did it or, for what Remit did by itself, who did it last.
    pub accountable: PersonId,
    /// The public part, with the first step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public: Option<Value>,
}

impl State {
    /// The key that signs for `purpose`, with its id.
    pub fn active_key(&self, purpose: KeyPurpose) -> Option<(&String, &RealmKey)> {
        self.realm_keys.iter().find(|(_, key)| key.purpose == purpose && key.step == KeyStep::Active)
    }
}

pub(crate) fn decide_step(state: &State, actor: &Actor, step: &StepKey) -> Result<Vec<Event>, Refusal> {
    let accountable = match actor {
        Actor::Remit => accountable(state)?,
        _ => actor.administrator(state)?,
    };
    check_id(&step.key)?;
    let public = match state.realm_keys.get(&step.key) {
        None => Some(check_first(state, step)?),
        Some(known) => {
            check_next(known, step)?;
            if known.step == step.step {
                return Ok(Vec::new());
            }
            None
        }
    };
    let stepped = |key: &str, to: KeyStep, public: Option<Value>| {
        Event::RealmKeyStepped(Box::new(RealmKeyStepped {
            key: key.to_owned(),
            purpose: step.purpose,
            step: to,
            accountable,
            public,
        }))
    };
    let mut events = Vec::new();
    // The former one retires first, so that whoever reads entry by entry never finds two that sign.
    if step.step == KeyStep::Active
        && let Some((former, _)) = state.active_key(step.purpose)
    {
        events.push(stepped(former, KeyStep::Retired, None));
    }
    events.push(stepped(&step.key, step.step, public));
    Ok(events)
}

/// Who answers for what Remit does with keys by itself: whoever did the last step, as long as they administer the realm, or
/// else its first administrator.
fn accountable(state: &State) -> Result<PersonId, Refusal> {
    let administrates = |person: &PersonId| state.person(*person).is_ok_and(|person| person.is_administrator());
    let last = state.realm_keys.values().max_by_key(|key| (key.since, key.accountable)).map(|key| key.accountable);
    if let Some(last) = last.filter(administrates) {
        return Ok(last);
    }
    let administrators = state.people.values().filter(|person| person.is_administrator());
    let first = administrators.min_by_key(|person| (person.added_at, person.id)).map(|person| person.id);
    first.ok_or_else(|| Refusal::new("person_needed", "nobody administers this realm"))
}

fn check_id(key: &str) -> Result<(), Refusal> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':');
    if (1..=limits::KEY_ID_BYTES_MAX).contains(&key.len()) && key.bytes().all(is_plain) {
        return Ok(());
    }
    Err(Refusal::new("bad_key", "the id of a key is up to 128 letters, digits, `-`, `_`, `.` and `:`"))
}

/// The public part of a key that is not known yet.
fn check_first(state: &State, step: &StepKey) -> Result<Value, Refusal> {
    if !matches!(step.step, KeyStep::Prepared | KeyStep::Active) {
        return Err(Refusal::new("not_found", format!("there is no key `{}`", step.key))
            .help("`remit key list` shows what there is"));
    }
    if state.realm_keys.len() >= limits::REALM_KEYS_MAX {
        return Err(Refusal::new("too_many_keys", "this realm has had as many keys as it may have"));
    }
    let text = step.public.to_string();
    // Members of JSON Web Keys that are private (RFC 7518 section 6, RFC 8037 section 2).
    const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];
    if PRIVATE.iter().any(|member| step.public.get(member).is_some()) || text.contains("PRIVATE KEY") {
        return Err(Refusal::new("private_key", "this is the private part of a key, which is never recorded")
            .help("give the public part"));
    }
    let is_there = matches!(&step.public, Value::Object(members) if !members.is_empty())
        || step.public.as_str().is_some_and(|text| !text.is_empty());
    if !is_there || text.len() > limits::PUBLIC_KEY_BYTES_MAX {
        return Err(Refusal::new(
            "bad_key",
            format!(
                "the first step of a key comes with its public part, of at most {} bytes",
                limits::PUBLIC_KEY_BYTES_MAX
            ),
        ));
    }
    Ok(step.public.clone())
}

/// Refuses a step that does not follow from what is known of the key.
fn check_next(known: &RealmKey, step: &StepKey) -> Result<(), Refusal> {
    if known.purpose != step.purpose || !step.public.is_null() && known.public != step.public {
        return Err(Refusal::new("key_differs", format!("the key `{}` is known as another", step.key))
            .help("every key has an id of its own"));
    }
    if step.step < known.step {
        let (is, wanted) = (known.step.as_str(), step.step.as_str());
        return Err(Refusal::new(
            "key_step",
            format!("the key `{}` is {is} and cannot become {wanted} again", step.key),
        )
        .help("prepare a new key"));
    }
    Ok(())
}

pub(crate) fn apply_stepped(state: &mut State, stepped: &RealmKeyStepped, at: Timestamp) {
    let known = state.realm_keys.get(&stepped.key).map(|key| key.public.clone());
    let key = RealmKey {
        purpose: stepped.purpose,
        step: stepped.step,
        since: at,
        accountable: stepped.accountable,
        public: stepped.public.clone().or(known).unwrap_or_default(),
    };
    state.realm_keys.insert(stepped.key.clone(), key);
}
