//! What an enforcer is given to bring back, signed with the realm's key: to what a denial is bound, and that something was
//! approved (Access Request and Approval Profile, "Denial Binding Claims" and "Approval and Re-evaluation").
//!
//! INVARIANT: neither is a right. Whoever brings one is known by its own token, and the domain decides again.

use remit_domain::{Approval, Timestamp};
use remit_identity::json::Members;
use remit_identity::jws::{self, Header, UnverifiedJws};
use remit_identity::{base64url, digest};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::caller::Enforcer;
use super::question::Question;
use crate::oauth::presented::is_revoked;
use crate::{Api, limits};

const BINDING: &str = "authzen-binding+jwt";
const STATE: &str = "authzen-approval+jwt";

/// Why a document is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unfit {
    /// It is not ours, or not for this.
    Forged,
    Expired,
}

/// A denial that people could turn into something else.
#[derive(Debug, Serialize)]
struct BindingClaims<'a> {
    iss: &'a str,
    aud: &'a str,
    iat: i64,
    exp: i64,
    jti: &'a str,
    denial_expires_at: &'a str,
    binding_context_members: &'a [String],
    binding_hash: String,
    evaluation_id: &'a str,
    agent: String,
    task: String,
}

#[derive(Debug, Serialize)]
struct StateClaims<'a> {
    iss: &'a str,
    aud: &'a str,
    iat: i64,
    exp: i64,
    approval_id: String,
    agent: String,
    digest: String,
}

/// Binds the denial `evaluation_id` of `question` to who asked and what exactly; nothing where nothing can be signed now.
pub(super) fn bind(
    api: &Api,
    enforcer: &Enforcer,
    question: &Question,
    context: &[String],
    evaluation_id: &str,
    expires_at: Timestamp,
) -> Option<String> {
    let claims = BindingClaims {
        iss: &api.settings.console_url,
        aud: &api.settings.console_url,
        iat: api.engine.now().as_seconds(),
        exp: expires_at.as_seconds(),
        jti: evaluation_id,
        denial_expires_at: &expires_at.to_string(),
        binding_context_members: context,
        binding_hash: hash(question, context)?,
        evaluation_id,
        agent: enforcer.agent.to_string(),
        task: enforcer.task.to_string(),
    };
    sign(api, BINDING, &claims)
}

/// Checks that `token` was made for the denial of exactly `question` to this very enforcer, and that the time which the enforcer
/// says it has is the one that it was given.
pub(super) fn check_binding(
    api: &Api,
    enforcer: &Enforcer,
    question: &Question,
    token: &str,
    expires_at: &str,
) -> Result<(), Unfit> {
    let claims = verify(api, BINDING, token)?;
    let is = |name: &'static str, expected: &str| claims.text(name) == Ok(expected);
    let context = claims.value("binding_context_members").and_then(Value::as_array).ok_or(Unfit::Forged)?;
    let context: Vec<String> = context.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    let hash = hash(question, &context).ok_or(Unfit::Forged)?;
    let fits = is("agent", &enforcer.agent.to_string())
        && is("task", &enforcer.task.to_string())
        && is("denial_expires_at", expires_at)
        && is("binding_hash", &hash);
    if fits { Ok(()) } else { Err(Unfit::Forged) }
}

/// Says that `approval` was given, for whoever verifies it by the realm's keys.
pub(super) fn state_of(api: &Api, approval: &Approval) -> Option<String> {
    let claims = StateClaims {
        iss: &api.settings.console_url,
        aud: &api.settings.console_url,
        iat: api.engine.now().as_seconds(),
        exp: approval.expires_at.as_seconds(),
        approval_id: approval.id.to_string(),
        agent: approval.facts.agent.to_string(),
        digest: approval.digest.to_string(),
    };
    sign(api, STATE, &claims)
}

/// Checks that `token` says that the approval `id` was given, to this enforcer.
pub(super) fn check_state(api: &Api, enforcer: &Enforcer, id: &str, token: &str) -> Result<(), Unfit> {
    let claims = verify(api, STATE, token)?;
    let fits = claims.text("approval_id") == Ok(id) && claims.text("agent") == Ok(&enforcer.agent.to_string());
    if fits { Ok(()) } else { Err(Unfit::Forged) }
}

fn sign(api: &Api, typ: &str, claims: &impl Serialize) -> Option<String> {
    let keys = api.engine.keys();
    let key = keys.signing().ok()?;
    jws::sign(&Header { typ, kid: Some(key.kid()), jwk: None }, claims, key).ok()
}

fn verify(api: &Api, typ: &str, token: &str) -> Result<Members, Unfit> {
    let document = UnverifiedJws::parse(token).map_err(|_| Unfit::Forged)?;
    let kid = document.kid().filter(|_| document.is_type(typ)).ok_or(Unfit::Forged)?.to_owned();
    let now = api.engine.now().as_seconds();
    let keys = api.engine.keys();
    let key = keys.verifying(&kid, now).ok_or(Unfit::Forged)?;
    let claims = document.verify(key).map_err(|_| Unfit::Forged)?;
    let own = api.settings.console_url.as_str();
    // What a revoked key signed is refused from the commit on, not from when the ring of keys has been exchanged.
    let revoked = api.engine.read(|state| is_revoked(state, &kid));
    if revoked || claims.text("iss") != Ok(own) || claims.text("aud") != Ok(own) {
        return Err(Unfit::Forged);
    }
    match claims.seconds("exp") {
        Ok(exp) if now < exp => Ok(claims),
        Ok(_) => Err(Unfit::Expired),
        Err(_) => Err(Unfit::Forged),
    }
}

/// The digest of a question with those members of its context that count, in the form that the profile fixes.
fn hash(question: &Question, context: &[String]) -> Option<String> {
    if context.len() > limits::CONTEXT_MEMBERS_MAX {
        return None;
    }
    let mut subject = question.subject.clone();
    subject.properties.remove("act");
    let counted = question.context.iter().filter(|(name, _)| context.contains(name));
    let counted: Map<String, Value> = counted.map(|(name, value)| (name.clone(), value.clone())).collect();
    let whole = json!({
        "subject": subject.to_value(),
        "resource": question.resource.to_value(),
        "action": question.action.to_value(),
        "context": counted,
    });
    let canonical = serde_json_canonicalizer::to_vec(&whole).ok()?;
    Some(base64url::encode(digest::sha256(&canonical)))
}
