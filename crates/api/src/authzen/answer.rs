//! What is said to a question: the decision, and why (section 5.5 leaves the context of a decision to us).

use remit_domain::{ActionAllowed, ActionDenied, ActionId, Refusal, Timestamp};
use serde_json::{Map, Value, json};

use super::caller::Enforcer;
use super::documents;
use super::meaning::Meaning;
use super::question::Question;
use crate::{Api, limits};

/// Where requests for access go.
pub(super) const REQUESTS: &str = "/access/v1/requests";
/// Denials after which a person can be asked; while one is asked already, asking again leads to the same question.
const REQUESTABLE: [&str; 2] = ["approval_required", "approval_pending"];

/// What was said, and what it is called in the record.
#[derive(Debug)]
pub(super) struct Answer {
    pub allowed: bool,
    /// Nothing where it could not be recorded under any name.
    pub action: Option<ActionId>,
    pub body: Value,
}

impl Answer {
    /// Yes, on record.
    pub fn allowed(api: &Api, allowed: &ActionAllowed) -> Self {
        let mut context = named(allowed.action, api.engine.now());
        if let Some(id) = allowed.approval {
            let until = api.engine.read(|state| state.approval(id).map(|approval| approval.expires_at));
            let until = until.unwrap_or_else(|_| api.engine.now());
            context.insert("approval".to_owned(), json!({"id": id, "approved_until": until.to_string()}));
        }
        Self { allowed: true, action: Some(allowed.action), body: json!({"decision": true, "context": context}) }
    }

    /// No, on record. Where a person could allow it, with what it takes to ask one.
    pub fn denied(
        api: &Api,
        enforcer: &Enforcer,
        question: &Question,
        meaning: &Meaning,
        denied: &ActionDenied,
    ) -> Self {
        let refusal = meaning.refusal.as_ref().unwrap_or(&denied.refusal);
        let mut context = named(denied.action, api.engine.now());
        context.extend(reasons(refusal));
        if question.context.contains_key("approval") {
            context.extend(next_step(&refusal.code));
        }
        if meaning.refusal.is_none() && REQUESTABLE.contains(&refusal.code.as_str()) {
            let request = access_request(api, enforcer, question, meaning, denied);
            context.extend(request.map(|request| ("access_request".to_owned(), request)));
        }
        Self { allowed: false, action: Some(denied.action), body: json!({"decision": false, "context": context}) }
    }

    /// No, without a record: there was no question, or no operation could have its name.
    pub fn refused(refusal: &Refusal) -> Self {
        Self { allowed: false, action: None, body: json!({"decision": false, "context": reasons(refusal)}) }
    }
}

fn named(action: ActionId, now: Timestamp) -> Map<String, Value> {
    let named = [("id", action.to_string()), ("evaluation_id", action.to_string()), ("evaluated_at", now.to_string())];
    named.map(|(name, value)| (name.to_owned(), value.into())).into_iter().collect()
}

/// The code for programs, the sentence for whoever asked, and with it what to do next for whoever administers.
fn reasons(refusal: &Refusal) -> Map<String, Value> {
    let help = refusal.help.as_ref().map(|help| format!("; {help}")).unwrap_or_default();
    let reasons = json!({
        "code": refusal.code,
        "reason": refusal.code,
        "reason_user": {"en": refusal.sentence},
        "reason_admin": {"en": format!("{}{help}", refusal.sentence)},
    });
    reasons.as_object().cloned().unwrap_or_default()
}

/// What an enforcer does next whose approval did not help (Access Request and Approval Profile, "Approval and Re-evaluation").
fn next_step(code: &str) -> Map<String, Value> {
    let (reason, next) = match code {
        "approval_pending" => ("grant_pending", "retry"),
        "approval_expired" | "approval_used" | "approval_void" => ("approval_expired", "none"),
        "approval_unknown" | "approval_unverifiable" => ("approval_unverifiable", "none"),
        _ if code.starts_with("approval_other_") => ("out_of_scope", "none"),
        _ => ("policy_denied", "none"),
    };
    let mut step = Map::new();
    step.insert("reason".to_owned(), reason.into());
    step.insert("next_action".to_owned(), next.into());
    if next == "retry" {
        step.insert("retry_after".to_owned(), limits::REQUEST_RETRY_SECONDS.into());
    }
    step
}

fn access_request(
    api: &Api,
    enforcer: &Enforcer,
    question: &Question,
    meaning: &Meaning,
    denied: &ActionDenied,
) -> Option<Value> {
    // Whole seconds, as the token says it.
    let expires_at = api.engine.now().as_seconds().saturating_add(limits::DENIAL_SECONDS);
    let expires_at = Timestamp::from_millis(expires_at.saturating_mul(1_000));
    let id = denied.action.to_string();
    let token = documents::bind(api, enforcer, question, &meaning.context, &id, expires_at)?;
    Some(json!({
        "endpoint": format!("{}{REQUESTS}", api.settings.console_url),
        "template": denied.determining.join(" "),
        "expires_at": expires_at.to_string(),
        "binding_token": token,
        "display": {"title": "A person has to approve this", "description": denied.refusal.sentence},
    }))
}
