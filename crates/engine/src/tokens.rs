//! Task tokens: issued only once their record is durable.

use remit_domain::{Actor, Command, Refusal, TaskId, Timestamp};
use remit_identity::code::OneTimeCode;
use remit_identity::token::Confirmation;
use remit_identity::{TaskClaims, token};
use serde::Serialize;

use crate::engine::Engine;
use crate::error::SubmitError;

/// How long a task token lives unless its task ends before: short, since it is renewed by whoever runs the task.
pub const TOKEN_SECONDS_DEFAULT: u64 = 900;

/// A token as its holder gets it.
#[derive(Debug, Clone, Serialize)]
pub struct IssuedToken {
    pub token: String,
    pub expires_at: Timestamp,
    /// `Bearer`, or `DPoP` if every use needs a proof of the run's key (RFC 9449).
    pub scheme: &'static str,
}

impl Engine {
    /// Issues a token for `task` that lives at most `ttl_seconds` and never longer than the task.
    pub async fn issue_token(&self, actor: Actor, task: TaskId, ttl_seconds: u64) -> Result<IssuedToken, SubmitError> {
        let jti = OneTimeCode::generate("tok_").map_err(|error| SubmitError::ledger(&error.to_string()))?;
        let jti = jti.expose().to_owned();
        let now = self.now();
        let expires_at = self.read(|state| {
            let ends = state.task(task).map(|task| task.expires_at)?;
            Ok::<_, Refusal>(now.plus_seconds(ttl_seconds).min(ends))
        })?;
        // Whole seconds, rounded down: a token never outlives its task.
        let expires_at = Timestamp::from_millis(expires_at.as_seconds() * 1000);
        self.submit(actor, Command::IssueToken { task, token: jti.clone(), expires_at }).await?;
        let claims = self.claims(task, jti, now, expires_at)?;
        let scheme = if claims.cnf.is_some() { "DPoP" } else { "Bearer" };
        let minted = token::mint(&self.keys(), &claims).map_err(|error| SubmitError::ledger(&error.to_string()))?;
        Ok(IssuedToken { token: minted, expires_at, scheme })
    }

    fn claims(
        &self,
        task: TaskId,
        jti: String,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<TaskClaims, SubmitError> {
        let realm = self.realm();
        let audience = self.audience().to_owned();
        self.read(|state| {
            let task = state.task(task)?;
            let agent = state.agent(task.agent)?;
            let sub = agent.spiffe_id(&realm.trust_domain);
            let environment = agent.profile.environment.map_or("sandbox", remit_domain::Environment::as_str);
            Ok(TaskClaims {
                iss: realm.issuer,
                client_id: sub.clone(),
                sub,
                aud: audience,
                exp: expires_at.as_seconds(),
                iat: now.as_seconds(),
                jti,
                task: task.id.to_string(),
                run: task.run.to_string(),
                agent: agent.id.to_string(),
                acting_for: task.acting_for.map(|person| person.to_string()),
                environment: environment.to_owned(),
                cnf: task.key.clone().map(|jkt| Confirmation { jkt }),
            })
        })
        .map_err(|refusal: Refusal| refusal.into())
    }
}
