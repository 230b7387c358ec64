//! Starting a task, and tokens for one.

use axum::Json;
use axum::extract::{Path, State};
use remit_domain::limits::TASK_SECONDS_MAX;
use remit_domain::{
    Actor, Authority, Budget, Command, Delegate, Delegation, Digest, Event, OperationPattern, Refusal, StartTask,
    TaskId,
};
use remit_engine::{IssueToken, TOKEN_SECONDS_DEFAULT};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Answer;
use crate::auth::SignedIn;
use crate::input::Body;
use crate::receipts::{made, recorded};
use crate::{Api, Problem, names};

/// A task as somebody asks for it.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Start {
    /// Id or name. An agent that starts its own task leaves it out.
    agent: Option<String>,
    purpose: String,
    /// Id or name of the person in whose name it acts.
    acting_for: Option<String>,
    #[serde(default)]
    scope: Vec<String>,
    ttl_seconds: Option<u64>,
    calls_max: Option<u64>,
    parent: Option<String>,
    /// Thumbprint of an enrolled key that the tokens are to be bound to.
    key: Option<String>,
    /// Parts of authority, each with its own bounds.
    #[serde(default)]
    authority: Vec<Authority>,
    /// Whether, and to whom, the task may be passed on: for the whole of it, and for parts that say nothing themselves.
    delegation: Option<Delegation>,
    /// Short for a delegation one level deep, to agents by name.
    #[serde(default)]
    delegates: Vec<String>,
    /// Digest of the configuration that it runs with.
    configuration: Option<String>,
    /// Life of the first token; short if nobody says otherwise, since whoever runs the task renews it.
    token_ttl_seconds: Option<u64>,
}

/// How long a token is to live.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Life {
    ttl_seconds: Option<u64>,
}

impl Start {
    /// The agent that is named, or nothing.
    pub(super) fn agent(&self) -> Option<&str> {
        self.agent.as_deref()
    }

    /// How long its first token is to live.
    pub(super) fn life(&self) -> Life {
        Life { ttl_seconds: self.token_ttl_seconds }
    }

    /// The command, for `agent`.
    pub(super) fn command(
        self,
        api: &Api,
        agent: remit_domain::AgentId,
        key: Option<String>,
    ) -> Result<StartTask, Problem> {
        let acting_for = api.engine.read(|state| {
            self.acting_for.as_deref().map(|name| names::person(state, name).map(|person| person.id)).transpose()
        })?;
        let scope = self.scope.iter().map(|text| text.parse()).collect::<Result<Vec<OperationPattern>, _>>()?;
        let parent = self.parent.as_deref().map(|parent| names::id("task", parent)).transpose()?;
        let configuration = self.configuration.as_deref().map(|text| text.parse::<Digest>().map_err(|_| bad_digest()));
        let configuration = configuration.transpose()?;
        let delegation = match (self.delegation, self.delegates.is_empty()) {
            (delegation, true) => delegation,
            (None, false) => {
                let delegates = self.delegates.into_iter().map(Delegate::Agent).collect();
                Some(Delegation { depth_max: 1, delegates })
            }
            (Some(_), false) => {
                let refusal = Refusal::new("bad_authority", "`delegation` and `delegates` are both there");
                return Err(refusal.help("give one of them").into());
            }
        };
        let passed_on =
            |part: Authority| Authority { delegation: part.delegation.or_else(|| delegation.clone()), ..part };
        let authority: Vec<Authority> = self.authority.into_iter().map(passed_on).collect();
        // A task with parts of authority has nothing beside them that could be passed on.
        let whole = delegation.filter(|_| authority.is_empty());
        Ok(StartTask {
            agent,
            purpose: self.purpose,
            acting_for,
            scope,
            ttl_seconds: self.ttl_seconds,
            budget: self.calls_max.map(|calls_max| Budget { calls_max }),
            parent,
            key: key.or(self.key),
            authority,
            delegation: whole,
            configuration,
        })
    }
}

/// Of a configuration that is named by something else than its digest.
pub(crate) fn bad_digest() -> Refusal {
    Refusal::new("bad_configuration", "the configuration is not named by its digest, 64 hexadecimal digits")
        .help("`remit run --configuration FILE` presents it; `remit agent show` prints the approved one")
}

pub(crate) async fn start(State(api): State<Api>, by: SignedIn, Body(start): Body<Start>) -> Answer {
    let agent = start.agent().unwrap_or_default();
    let agent = api.engine.read(|state| names::agent(state, agent).map(|agent| agent.id))?;
    let life = start.life();
    let command = start.command(&api, agent, None)?;
    started(&api, by.actor(), command, life, None).await
}

/// Starts the task and gives its first token.
pub(super) async fn started(
    api: &Api,
    actor: Actor,
    command: StartTask,
    life: Life,
    certificate: Option<String>,
) -> Answer {
    let receipt = api.submit(actor.clone(), Command::StartTask(Box::new(command))).await?;
    let (task, run, agent) = made(&receipt, |event| match event {
        Event::TaskStarted(started) => Some((started.task, started.run, started.agent)),
        _ => None,
    })?;
    let mut body = match token_of(api, actor.clone(), task, life, certificate).await {
        Ok(body) => body,
        Err(problem) => {
            // A task that nobody has a token for would only wait for its end.
            let note = "its token could not be issued".to_owned();
            if let Err(error) = api.engine.submit(actor, Command::EndTask { task, note }).await {
                tracing::warn!(%task, error = %error.refusal(), "a task without a token could not be ended");
            }
            return Err(problem);
        }
    };
    if let Some(members) = body.as_object_mut() {
        members.insert("run".to_owned(), json!(run));
        members.insert("agent".to_owned(), api.engine.read(|state| names::of_agent(state, agent)));
    }
    Ok(recorded(body, &receipt))
}

/// A fresh token for whoever started the task.
pub(crate) async fn token(
    State(api): State<Api>,
    by: SignedIn,
    Path(task): Path<String>,
    Body(life): Body<Life>,
) -> Answer {
    Ok(Json(token_of(&api, by.actor(), names::id("task", &task)?, life, None).await?))
}

/// A token, and where it is used. It never outlives its task.
pub(super) async fn token_of(
    api: &Api,
    actor: Actor,
    task: TaskId,
    life: Life,
    certificate: Option<String>,
) -> Result<Value, Problem> {
    let ends_at = api.engine.read(|state| state.task(task).map(|task| task.expires_at))?;
    let ttl_seconds = life.ttl_seconds.unwrap_or(TOKEN_SECONDS_DEFAULT);
    if !(1..=TASK_SECONDS_MAX).contains(&ttl_seconds) {
        return Err(Refusal::new("bad_duration", "a token lives between a second and a day").into());
    }
    let wanted = IssueToken { ttl_seconds, audience: None, certificate };
    let issued = api.engine.issue_token(actor, task, wanted).await?;
    Ok(json!({
        "task": task,
        "token": issued.token,
        "scheme": issued.scheme,
        "expires_at": issued.expires_at.to_string(),
        "task_expires_at": ends_at.to_string(),
        "mcp_url": api.settings.mcp_url,
    }))
}
