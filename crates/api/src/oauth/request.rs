//! What a client wants, as it says so at several endpoints: a place, a scope, authority, an intent.

use remit_domain::limits::{TASK_SECONDS_MAX, TEXT_BYTES_MAX};
use remit_domain::{Digest, OperationPattern, Refusal, Timestamp};
use remit_identity::mission::{Entry, MissionError, MissionIntent};

use super::error::OAuthError;
use super::form::Form;
use super::target::Target;
use super::{details, scope};
use crate::Api;
use crate::tasks::start::bad_digest;

/// What is wanted, checked as far as it can be without knowing for which agent.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    /// The place of the tokens, if one was named.
    pub target: Option<Target>,
    pub scope: Vec<OperationPattern>,
    /// The proposed authority.
    pub entries: Vec<Entry>,
    pub intent: Option<MissionIntent>,
    /// Digest of the configuration that it will run with, as the client says.
    pub configuration: Option<Digest>,
    /// The parameter `purpose`.
    purpose: Option<String>,
}

impl Wanted {
    pub fn read(api: &Api, form: &Form) -> Result<Self, OAuthError> {
        let (state, gateway) = (api.engine.state(), api.engine.audience());
        let target = Target::asked(&state, gateway, form)?;
        let intent = form.optional("mission_intent").map(intent).transpose()?;
        let entries = details::parse(form.optional("authorization_details"))?;
        let mut wanted = scope::parse(form.optional("scope"))?;
        // An intent that proposes nothing else asks for the resources that it names.
        if let (Some(intent), true, true) = (&intent, wanted.is_empty(), entries.is_empty()) {
            for resource in &intent.resources {
                let Some(connector) = Target::parse(&state, gateway, resource)?.connector().map(str::to_owned) else {
                    wanted.clear();
                    break;
                };
                wanted.push(format!("{connector}/*").parse().map_err(OAuthError::from)?);
            }
        }
        if let Some(target) = &target {
            // A place is no bound of a task, whose tokens can be renewed for another: so the scope keeps to it.
            wanted = scope::within(target, wanted, &[])?;
        }
        let purpose = form.optional("purpose").map(str::to_owned);
        Ok(Self { target, scope: wanted, entries, intent, configuration: configuration(form)?, purpose })
    }

    /// What it is for: the goal of the intent, else the parameter; nothing where nobody says.
    pub fn purpose(&self) -> Option<String> {
        let said = self.intent.as_ref().map(|intent| intent.goal.clone()).or_else(|| self.purpose.clone());
        said.map(|text| cut(text.trim()))
    }

    /// What the person who approves is told beside the goal: what for, and what must not happen.
    pub fn remarks(&self) -> Option<String> {
        let intent = self.intent.as_ref();
        let purpose = intent.and_then(|intent| intent.purpose.as_deref()).or(self.purpose.as_deref());
        let limits = intent.into_iter().flat_map(|intent| intent.constraints.iter().map(String::as_str));
        let all: Vec<&str> = purpose.into_iter().chain(limits).collect();
        (!all.is_empty()).then(|| cut(&all.join("; ")))
    }

    /// How long the task may live, where the intent says when it ends.
    pub fn ttl_seconds(&self, now: Timestamp) -> Result<Option<u64>, OAuthError> {
        let Some(intent) = &self.intent else { return Ok(None) };
        let left = u64::try_from(intent.expires_at.saturating_sub(now.as_seconds())).unwrap_or(0);
        if left == 0 {
            return Err(intent_refused("the mission intent is over before it begins"));
        }
        Ok(Some(left.min(TASK_SECONDS_MAX)))
    }
}

/// The parameter `configuration`: the digest of what the agent runs with, where it is approved with one.
pub(super) fn configuration(form: &Form) -> Result<Option<Digest>, OAuthError> {
    let parse = |text: &str| text.parse::<Digest>().map_err(|_| bad_digest().into());
    form.optional("configuration").map(parse).transpose()
}

fn intent_refused(sentence: &str) -> OAuthError {
    OAuthError::invalid_request("bad_mission_intent", sentence)
}

fn intent(text: &str) -> Result<MissionIntent, OAuthError> {
    let refused = |error: MissionError| {
        let refusal = Refusal::new("bad_mission_intent", error.to_string()).help(error.help());
        OAuthError::new("invalid_request", refusal)
    };
    let intent = MissionIntent::parse(text).map_err(refused)?;
    // What the client asks us to keep to is kept or refused, never passed over.
    if intent.controls.acr.is_some() || intent.controls.max_derivations.is_some() {
        return Err(intent_refused("the controls of the mission intent cannot be kept here"));
    }
    Ok(intent)
}

/// As much as a purpose may have, on a boundary of characters.
fn cut(text: &str) -> String {
    let mut whole = String::new();
    for character in text.chars() {
        if whole.len() + character.len_utf8() > TEXT_BYTES_MAX {
            break;
        }
        whole.push(character);
    }
    whole
}
