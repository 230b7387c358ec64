//! What people consent to: an OAuth client gets a task of one agent, once, by a code that works once.
//!
//! Codes and refresh tokens come in as digests; whoever holds the ledger holds none of them. A code or refresh token that is
//! used twice has two holders, so what the first use began ends (RFC 6749 section 4.1.2, RFC 9700 section 4.14).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::person::{check_name, check_text};
use crate::state::Ended;
use crate::task::{self, TaskStarted};
use crate::{
    Actor, AgentId, Authority, ClientId, Digest, EndReason, Event, Moment, OperationPattern, PersonId, Refusal, State,
    Task, TaskId, Timestamp, authority, configuration, limits, sandbox,
};

#[cfg(test)]
mod tests;

/// An OAuth client that a person has registered. It has no secret: its codes are protected by PKCE (RFC 7636), and what they
/// give is bound to the person who consented.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Client {
    pub id: ClientId,
    pub name: String,
    pub redirect_uris: Vec<String>,
    pub registered_by: PersonId,
    pub registered_at: Timestamp,
}

/// A client has been registered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ClientRegistered {
    pub client: ClientId,
    pub name: String,
    pub redirect_uris: Vec<String>,
    pub by: PersonId,
}

/// A person lets a client have a task of an agent.
#[derive(Debug, Clone)]
pub struct Consent {
    /// The code that the client will bring.
    pub code: Digest,
    /// The client's own identifier, as it names itself: verified by the caller.
    pub client: String,
    pub client_name: String,
    pub redirect_uri: String,
    pub agent: AgentId,
    pub purpose: String,
    pub scope: Vec<OperationPattern>,
    pub authority: Vec<Authority>,
    /// The audience of the tokens (RFC 8707).
    pub resource: String,
    /// The PKCE challenge, method `S256`.
    pub challenge: String,
    /// Thumbprint of the key that the code is bound to, if the client named one (RFC 9449 section 10).
    pub key: Option<String>,
    /// Digest of the configuration that the client runs the agent with, if it named one: see [`Task::configuration`].
    pub configuration: Option<Digest>,
    pub ttl_seconds: Option<u64>,
}

/// A person has consented; the code is good for one use until `expires_at`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AuthorizationConsented {
    pub agent: AgentId,
    pub person: PersonId,
    pub code: Digest,
    pub client: String,
    pub client_name: String,
    pub redirect_uri: String,
    pub purpose: String,
    pub scope: Vec<OperationPattern>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authority: Vec<Authority>,
    pub resource: String,
    pub challenge: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub configuration: Option<Digest>,
    pub ttl_seconds: u64,
    pub expires_at: Timestamp,
}

/// Exchanges a code for a task.
#[derive(Debug, Clone)]
pub struct RedeemCode {
    pub code: Digest,
    pub client: String,
    pub redirect_uri: String,
    /// What the client's verifier comes to.
    pub challenge: String,
    /// The resource that the client names again, if it does; it must be the one consented to.
    pub resource: Option<String>,
    /// Thumbprint of the key that the client proved with its request, if it did: the task is bound to it.
    pub key: Option<String>,
    /// Digest of the refresh token that the client will get, if it gets one.
    pub refresh: Option<Digest>,
}

/// What is known of a code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Authorization {
    Open(Box<AuthorizationConsented>),
    Used { client: String, challenge: String, task: TaskId },
}

impl State {
    /// What a person consented to with the code that has this digest, while it can be redeemed.
    pub fn consented(&self, code: &Digest) -> Option<&AuthorizationConsented> {
        match self.authorizations.get(code) {
            Some(Authorization::Open(consented)) => Some(consented),
            _ => None,
        }
    }

    /// Whether the code with this digest was given out and is still remembered, redeemed or not.
    pub fn code_is_known(&self, code: &Digest) -> bool {
        self.authorizations.contains_key(code)
    }

    /// The task that the refresh token with this digest belongs to, whether it is the one that is good now or an older one.
    pub fn task_of_refresh(&self, token: &Digest) -> Option<&Task> {
        self.refresh_tokens.get(token).and_then(|task| self.tasks.get(task)).map(|task| &**task)
    }
}

pub(crate) fn decide_register(
    state: &State,
    actor: &Actor,
    name: &str,
    redirect_uris: &[String],
    at: &Moment,
) -> Result<Vec<Event>, Refusal> {
    let by = actor.administrator(state)?;
    check_name("client", name)?;
    if redirect_uris.is_empty() || redirect_uris.len() > limits::REDIRECTS_MAX {
        let sentence = format!("a client is sent back to between 1 and {} addresses", limits::REDIRECTS_MAX);
        return Err(Refusal::new("bad_redirect", sentence));
    }
    redirect_uris.iter().try_for_each(|uri| check_redirect(uri))?;
    if state.clients.values().any(|client| client.name == name) {
        return Err(Refusal::new("name_taken", format!("there is already a client `{name}`")));
    }
    if state.clients.len() >= limits::CLIENTS_MAX {
        return Err(Refusal::new("too_many_clients", "the realm has as many clients as it may have")
            .help("remove those that are no longer used"));
    }
    let registered =
        ClientRegistered { client: at.fresh_id(), name: name.to_owned(), redirect_uris: redirect_uris.to_vec(), by };
    Ok(vec![Event::ClientRegistered(registered)])
}

/// An address that a person may be sent to with a code: encrypted, or on their own machine (OAuth 2.1 section 2.3).
fn check_redirect(uri: &str) -> Result<(), Refusal> {
    let loopback = ["http://127.0.0.1", "http://[::1]", "http://localhost"];
    let local = loopback
        .iter()
        .any(|start| uri.strip_prefix(start).is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '/'])));
    let encrypted = uri.strip_prefix("https://").is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'));
    // Nothing but a scheme stands there (RFC 3986 section 3.1): `http:a.example:/` is an address of the web.
    let own_scheme = uri.split_once(":/").is_some_and(|(scheme, _)| {
        let allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'+' | b'.' | b'-');
        scheme.contains('.')
            && scheme.starts_with(|first: char| first.is_ascii_lowercase())
            && scheme.bytes().all(allowed)
    });
    let plain = !uri.contains(['#', '*', '\\', '@']) && !uri.chars().any(|one| one.is_control() || one.is_whitespace());
    if uri.len() <= limits::ADDRESS_BYTES_MAX && plain && (local || encrypted || own_scheme) {
        return Ok(());
    }
    Err(Refusal::new("bad_redirect", format!("`{uri}` is no address to send a person back to"))
        .help("use an `https` address, `http://127.0.0.1/…`, or a private scheme such as `com.example.app:/…`"))
}

pub(crate) fn decide_remove(state: &State, actor: &Actor, id: ClientId) -> Result<Vec<Event>, Refusal> {
    actor.administrator(state)?;
    let Some(client) = state.clients.get(&id) else { return Err(Refusal::unknown("client", id)) };
    let name = client.id.to_string();
    let tasks = state.live_tasks().filter(|task| task.client.as_deref() == Some(name.as_str())).map(|task| task.id);
    let note = "its client was removed".to_owned();
    let mut events = vec![Event::ClientRemoved { client: id }];
    events.extend(task::end_trees(state, tasks, &EndReason::Ended { note }));
    Ok(events)
}

/// A person answers for what a client does with a task only where they may start one: for their own agents.
pub(crate) fn decide_consent(
    state: &State,
    actor: &Actor,
    consent: &Consent,
    at: &Moment,
) -> Result<Vec<Event>, Refusal> {
    let person = actor.owner_of(state, consent.agent)?;
    let agent = state.agent(consent.agent)?;
    agent.must_be_active()?;
    sandbox::must_not_be_built_in(agent)?;
    configuration::must_be_approved(agent, consent.configuration)?;
    check_text("purpose", &consent.purpose)?;
    task::check_scope(&consent.scope)?;
    authority::check(&consent.authority)?;
    let texts = [&consent.client, &consent.redirect_uri, &consent.resource, &consent.challenge];
    if texts.iter().any(|text| text.is_empty() || text.len() > limits::ADDRESS_BYTES_MAX)
        || consent.client_name.len() > limits::TEXT_BYTES_MAX
    {
        return Err(Refusal::new("bad_authorization_request", "a part of the request is missing or too long"));
    }
    if state.authorizations.contains_key(&consent.code) {
        return Err(Refusal::new("code_taken", "this code was given out before").help("answer the question again"));
    }
    Ok(vec![Event::AuthorizationConsented(Box::new(AuthorizationConsented {
        agent: consent.agent,
        person,
        code: consent.code,
        client: consent.client.clone(),
        client_name: consent.client_name.clone(),
        redirect_uri: consent.redirect_uri.clone(),
        purpose: consent.purpose.clone(),
        scope: consent.scope.clone(),
        authority: consent.authority.clone(),
        resource: consent.resource.clone(),
        challenge: consent.challenge.clone(),
        key: consent.key.clone(),
        configuration: consent.configuration,
        ttl_seconds: task::life(consent.ttl_seconds)?,
        expires_at: at.now.plus_seconds(limits::AUTHORIZATION_CODE_SECONDS),
    }))])
}

/// One answer for every failure: whoever guesses must not learn which part was wrong.
fn code_refused() -> Refusal {
    Refusal::new("code_refused", "this authorization code is unknown, used, expired or not for this client")
        .help("begin the sign-in again")
}

/// A code's first use begins the task; its second ends that task. Either way the caller looks at the events: only
/// [`Event::AuthorizationRedeemed`] is a success.
pub(crate) fn decide_redeem(
    state: &State,
    actor: &Actor,
    redeem: &RedeemCode,
    at: &Moment,
) -> Result<Vec<Event>, Refusal> {
    only_remit(actor)?;
    let consented = match state.authorizations.get(&redeem.code) {
        Some(Authorization::Open(consented)) => consented,
        // Only who could have used it ends anything by using it again; and only what lives can be ended.
        Some(Authorization::Used { client, challenge, task })
            if *client == redeem.client && *challenge == redeem.challenge =>
        {
            let used = state.tasks.get(task).filter(|task| task.is_live()).ok_or_else(code_refused)?;
            let mut events = vec![Event::CodeReused { agent: used.agent, code: redeem.code, task: *task }];
            events.extend(task::end_tree(state, *task, &EndReason::CodeReused));
            return Ok(events);
        }
        _ => return Err(code_refused()),
    };
    let fits = at.now < consented.expires_at
        && consented.client == redeem.client
        && consented.redirect_uri == redeem.redirect_uri
        && consented.challenge == redeem.challenge
        && redeem.resource.as_ref().is_none_or(|resource| *resource == consented.resource)
        && (consented.key.is_none() || consented.key == redeem.key);
    if !fits {
        return Err(code_refused());
    }
    let agent = state.agent(consented.agent)?;
    agent.must_be_active()?;
    // The consent was of a person who answered for the agent then; they still have to.
    let person = state.person(consented.person).map_err(|_| code_refused())?;
    if agent.profile.owner != Some(person.id) && !person.is_administrator() {
        return Err(code_refused());
    }
    // Another one may have been approved since.
    configuration::must_be_approved(agent, consented.configuration)?;
    task::check_room(state, agent)?;
    let started = TaskStarted {
        acting_for: Some(consented.person),
        started_by: Some(consented.person),
        scope: consented.scope.clone(),
        authority: consented.authority.clone(),
        expires_at: at.now.plus_seconds(consented.ttl_seconds),
        key: redeem.key.clone(),
        client: Some(consented.client.clone()),
        configuration: consented.configuration,
        ..TaskStarted::begun(consented.agent, &consented.purpose, at)
    };
    let redeemed = Event::AuthorizationRedeemed {
        agent: started.agent,
        code: redeem.code,
        task: started.task,
        refresh: redeem.refresh,
    };
    // The task first: what follows is about it.
    Ok(vec![Event::TaskStarted(Box::new(started)), redeemed])
}

/// A refresh token gives the next one, once. An old one that comes back ends the task.
pub(crate) fn decide_refresh(
    state: &State,
    actor: &Actor,
    old: &Digest,
    new: Digest,
    client: &str,
    at: &Moment,
) -> Result<Vec<Event>, Refusal> {
    only_remit(actor)?;
    let refused = || {
        Refusal::new("refresh_refused", "this refresh token is unknown, used, expired or not for this client")
            .help("begin the sign-in again")
    };
    let task = state.refresh_tokens.get(old).and_then(|task| state.tasks.get(task)).ok_or_else(refused)?;
    if task.client.as_deref() != Some(client) || task.must_be_alive(at.now).is_err() {
        return Err(refused());
    }
    if task.refresh != Some(*old) {
        let mut events = vec![Event::RefreshReused { agent: task.agent, task: task.id, token: *old }];
        events.extend(task::end_tree(state, task.id, &EndReason::CodeReused));
        return Ok(events);
    }
    state.agent(task.agent)?.must_be_active()?;
    Ok(vec![Event::RefreshRotated { agent: task.agent, task: task.id, token: new }])
}

fn only_remit(actor: &Actor) -> Result<(), Refusal> {
    if *actor == Actor::Remit {
        return Ok(());
    }
    Err(Refusal::new("not_permitted", "only the token endpoint exchanges codes and refresh tokens"))
}

pub(crate) fn apply_registered(state: &mut State, registered: &ClientRegistered, at: Timestamp) {
    let client = Client {
        id: registered.client,
        name: registered.name.clone(),
        redirect_uris: registered.redirect_uris.clone(),
        registered_by: registered.by,
        registered_at: at,
    };
    state.clients.insert(client.id, client);
}

pub(crate) fn apply_consented(state: &mut State, consented: &AuthorizationConsented) {
    state.authorizations.insert(consented.code, Authorization::Open(Box::new(consented.clone())));
    state.forget_at(consented.expires_at, Ended::Authorization(consented.code));
}

pub(crate) fn apply_redeemed(state: &mut State, code: Digest, task: TaskId, refresh: Option<Digest>, at: Timestamp) {
    if let Some(Authorization::Open(consented)) = state.authorizations.get(&code) {
        let (client, challenge) = (consented.client.clone(), consented.challenge.clone());
        let used = Authorization::Used { client, challenge, task };
        state.authorizations.insert(code, used);
        state.forget_at(at.plus_seconds(limits::USED_CODE_SECONDS_KEPT), Ended::Authorization(code));
    }
    if let Some(token) = refresh {
        apply_refreshed(state, task, token);
    }
}

pub(crate) fn apply_refreshed(state: &mut State, id: TaskId, token: Digest) {
    let Some(expires_at) = state.tasks.get(&id).map(|task| task.expires_at) else { return };
    task::change(state, id, |task| task.refresh = Some(token));
    state.refresh_tokens.insert(token, id);
    state.forget_at(expires_at, Ended::Refresh(token));
}

/// What a person consented to and nobody has taken up yet is void with their session.
pub(crate) fn void_open_codes(state: &mut State, person: PersonId) {
    let is_theirs = |authorization: &Authorization| match authorization {
        Authorization::Open(consented) => consented.person == person,
        Authorization::Used { .. } => false,
    };
    let codes: Vec<Digest> =
        state.authorizations.iter().filter(|(_, open)| is_theirs(open)).map(|(code, _)| *code).collect();
    for code in codes {
        state.authorizations.remove(&code);
    }
}

/// Drops a code whose time is over: one that was used is remembered longer, under a later moment.
pub(crate) fn forget(state: &mut State, code: &Digest, now: Timestamp) {
    let open = |authorization: &Authorization| match authorization {
        Authorization::Open(_) => true,
        Authorization::Used { task, .. } => {
            state.tasks.get(task).is_none_or(|task| task.started_at.plus_seconds(limits::USED_CODE_SECONDS_KEPT) <= now)
        }
    };
    if state.authorizations.get(code).is_some_and(open) {
        state.authorizations.remove(code);
    }
}
