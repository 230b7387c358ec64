//! Token exchange (RFC 8693): an agent passes a part of its task on to another, or to a narrower task of its own.
//!
//! INVARIANT: what comes out is never wider than the token that went in: not its task, not its place, not its bounds. It is bound
//! to the key of whoever takes over, which is proved with this request; the key of the token that went in is not asked for.

use axum::response::Response;
use remit_domain::{Actor, Command, DelegateTask, Digest, OperationPattern, Refusal, StartTask, State, lineage};
use remit_engine::Entries;
use remit_identity::TaskClaims;
use remit_identity::mission::{self, Entry};
use serde_json::{Map, Value};

use super::{Asked, Bound, Given, begun, bound_to};
use crate::Api;
use crate::oauth::client::{self, Proved};
use crate::oauth::details::{self, Meaning};
use crate::oauth::error::OAuthError;
use crate::oauth::form::Form;
use crate::oauth::presented::{self, Alive};
use crate::oauth::request;
use crate::oauth::scope;
use crate::oauth::target::Target;

const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";

/// What is asked for, against the token that went in.
struct Exchange<'a> {
    state: &'a State,
    from: Alive<'a>,
    target: Target,
    scope: Vec<OperationPattern>,
    entries: Vec<Entry>,
    /// What whoever takes over runs with; for a part of its own task nothing means what that runs with.
    configuration: Option<Digest>,
}

pub(super) async fn grant(api: &Api, asked: &Asked, form: &Form) -> Result<Response, OAuthError> {
    let proved = client::authenticate(api, asked, form).await?.agent()?;
    must_be_task_token(form.text("subject_token_type")?, "subject_token_type")?;
    let issued_type = form.optional("requested_token_type").unwrap_or(ACCESS_TOKEN);
    must_be_task_token(issued_type, "requested_token_type")?;
    let subject = claims(api, form.text("subject_token")?, "subject")?;
    let state = api.engine.state();
    let from = Alive::of(api, &state, &subject).ok_or_else(|| {
        OAuthError::invalid_grant("task_ended", "the subject token holds no longer: it or its task has ended")
    })?;
    must_be_own_actor(api, &state, form, &proved).await?;
    let bound = bound_to(api, asked, &proved)?;
    let exchange = Exchange::read(api, &state, form, from, &subject)?;
    let certificate = bound.certificate.clone();
    let target = exchange.target.clone();
    let (actor, command) = if from.agent.id == proved.agent {
        exchange.own_part(api, form, &proved, bound)?
    } else {
        exchange.delegation(api, form, &proved, bound, &subject)?
    };
    let receipt = api.engine.submit(actor, command).await.map_err(|error| exchange.word(error.into()))?;
    let task = begun(&receipt)?;
    let more: Map<String, Value> = [("issued_token_type".to_owned(), Value::from(issued_type))].into_iter().collect();
    let actor = Actor::Agent { agent: proved.agent, task: Some(task) };
    Given { actor, task, target, certificate, more }.first_answer(api).await
}

fn must_be_task_token(kind: &str, name: &str) -> Result<(), OAuthError> {
    if matches!(kind, ACCESS_TOKEN | JWT) {
        return Ok(());
    }
    let sentence = format!("`{name}` is neither an access token nor a JWT, and nothing else is exchanged here");
    Err(OAuthError::invalid_request("token_type_unknown", sentence))
}

/// What a token that came in says (RFC 8693 section 2.2.2: one that cannot be used is an `invalid_request`).
fn claims(api: &Api, token: &str, which: &str) -> Result<TaskClaims, OAuthError> {
    presented::claims(api, token).map_err(|error| {
        let refusal = Refusal::new(error.code(), format!("the {which} token cannot be used: {error}"));
        OAuthError::new("invalid_request", refusal.help(error.help()))
    })
}

/// An actor token is not needed, since the client has proved itself; one that is there has to say the same.
async fn must_be_own_actor(api: &Api, state: &State, form: &Form, proved: &Proved) -> Result<(), OAuthError> {
    let (token, kind) = match (form.optional("actor_token"), form.optional("actor_token_type")) {
        (None, None) => return Ok(()),
        (Some(token), Some(kind)) => (token, kind),
        _ => return Err(OAuthError::missing("actor_token and actor_token_type")),
    };
    must_be_task_token(kind, "actor_token_type")?;
    let agent = match presented::claims(api, token) {
        Ok(claims) => Alive::of(api, state, &claims).map(|alive| alive.agent.id),
        // A JWT may also be the JWT-SVID of whoever acts.
        Err(_) if kind == JWT => client::agent_of_svid(api, token).await.ok(),
        Err(_) => None,
    };
    if agent == Some(proved.agent) {
        return Ok(());
    }
    let sentence = "the actor token is not one of the agent that authenticated, or holds no longer";
    Err(OAuthError::invalid_request("actor_differs", sentence))
}

impl<'a> Exchange<'a> {
    fn read(
        api: &Api,
        state: &'a State,
        form: &Form,
        from: Alive<'a>,
        subject: &TaskClaims,
    ) -> Result<Self, OAuthError> {
        let had = presented::target(api, state, subject);
        let target = Target::asked(state, api.engine.audience(), form)?.unwrap_or_else(|| had.clone());
        if !target.is_within(&had) {
            let refusal = Refusal::new("resource_unknown", "the resource is another than the subject token is for");
            return Err(OAuthError::new("invalid_target", refusal.help(format!("ask for {}", had.address()))));
        }
        // A place is no bound of a task, whose tokens can be renewed for another: so the scope keeps to it.
        let scope = scope::within(&target, scope::parse(form.optional("scope"))?, &from.task.scope)?;
        let entries = details::parse(form.optional("authorization_details"))?;
        let configuration = request::configuration(form)?;
        Ok(Self { state, from, target, scope, entries, configuration })
    }

    fn meaning(&self, api: &Api) -> Result<Vec<remit_domain::Authority>, OAuthError> {
        Meaning { state: self.state, gateway: api.engine.audience(), target: &self.target }.of(&self.entries)
    }

    /// A narrower task of the same agent, of the same run, with the same key.
    fn own_part(&self, api: &Api, form: &Form, proved: &Proved, bound: Bound) -> Result<(Actor, Command), OAuthError> {
        let task = self.from.task;
        if proved.run.is_some_and(|run| run != task.run) {
            return Err(OAuthError::unauthorized_client("this run and the subject token are of two runs"));
        }
        // The certificate of a connection binds nothing that began unbound; a proof of a key has to fit.
        let key = bound.key.filter(|_| bound.by_proof || task.key.is_some());
        let start = StartTask {
            configuration: self.configuration,
            agent: proved.agent,
            purpose: form.optional("purpose").unwrap_or(&task.purpose).to_owned(),
            acting_for: None,
            scope: self.scope.clone(),
            ttl_seconds: None,
            budget: None,
            parent: Some(task.id),
            key,
            authority: self.meaning(api)?,
            delegation: None,
        };
        let actor = Actor::Agent { agent: proved.agent, task: Some(task.id) };
        Ok((actor, Command::StartTask(Box::new(start))))
    }

    /// A task of another agent, as far as it may be passed on to it.
    fn delegation(
        &self,
        api: &Api,
        form: &Form,
        proved: &Proved,
        bound: Bound,
        subject: &TaskClaims,
    ) -> Result<(Actor, Command), OAuthError> {
        let task = self.from.task;
        let unauthorized = |sentence: &str| {
            let help = "name the delegate when the first task is started: `--delegate NAME`";
            OAuthError::from(Refusal::new("actor_unauthorized", sentence).help(help))
        };
        // A run is bounded by its task: what its agent takes over from others is another run.
        if proved.run.is_some() {
            return Err(OAuthError::unauthorized_client(
                "a run takes over no task of another agent; its agent does, as itself",
            ));
        }
        // INVARIANT: `may_act` gates where it is there, whatever else would allow it.
        if subject.may_act.as_ref().is_some_and(|only| only.sub != proved.id) {
            return Err(unauthorized("the subject token may be passed on to another agent only"));
        }
        if lineage(self.state, task).any(|above| above.agent == proved.agent) {
            return Err(unauthorized("this agent has had the task before, so it would be passed on in a circle"));
        }
        if !self.entries.is_empty() {
            self.must_be_subset(api)?;
        }
        let ask = DelegateTask {
            parent: task.id,
            delegate: proved.agent,
            purpose: form.optional("purpose").map(str::to_owned),
            scope: self.scope.clone(),
            authority: self.meaning(api)?,
            ttl_seconds: None,
            calls_max: None,
            key: bound.key,
            configuration: self.configuration,
        };
        let actor = Actor::Agent { agent: proved.agent, task: None };
        Ok((actor, Command::DelegateTask(Box::new(ask))))
    }

    /// The proposal as it was written, against the authority as it was written: a second look beside the domain's own, at what
    /// others see.
    fn must_be_subset(&self, api: &Api) -> Result<(), OAuthError> {
        let wider = |why: String| {
            let refusal = Refusal::new("wider_than_parent", why)
                .help("ask for no more than the subject token has, with all its bounds");
            OAuthError::new("invalid_authorization_details", refusal)
        };
        let had = Entries { state: self.state, audience: api.engine.audience() }.of_task(self.from.task);
        let had: Result<Vec<Entry>, _> = had.iter().map(Entry::parse).collect();
        let had =
            had.map_err(|error| wider(format!("the authority of the subject token cannot be compared: {error}")))?;
        mission::is_subset(&self.entries, &had).map_err(|error| wider(error.to_string()))
    }

    /// The standard's word for a refusal, which depends on what was asked for.
    fn word(&self, error: OAuthError) -> OAuthError {
        if error.code() == "wider_than_parent" && !self.entries.is_empty() {
            return error.worded("invalid_authorization_details");
        }
        error
    }
}
