//! Task tokens: issued only once their record is durable.

mod authority;
mod claims;

use remit_domain::{Actor, Binding, Command, Refusal, TaskId, Timestamp};
use remit_identity::code::OneTimeCode;
use remit_identity::token;
use serde::Serialize;

pub use self::authority::{Entries, RESOURCE_ACCESS};
use self::claims::Wanted;
use crate::engine::Engine;
use crate::error::SubmitError;

/// How long a task token lives unless its task ends before: short, since it is renewed by whoever runs the task.
pub const TOKEN_SECONDS_DEFAULT: u64 = 900;

/// What a token is to be like.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IssueToken {
    /// How long it lives at most, in seconds. It never outlives its task.
    pub ttl_seconds: u64,
    /// The one place that it is for; nothing: the whole gateway. Whoever asks has checked that it is one of the gateway's.
    pub audience: Option<String>,
    /// SHA-256, in base64url, of the certificate that was shown for it (`x5t#S256`, RFC 8705 section 3.1): for a task that is
    /// bound to a SPIFFE ID.
    pub certificate: Option<String>,
}

impl From<u64> for IssueToken {
    /// A token for the whole gateway that lives so many seconds at most.
    fn from(ttl_seconds: u64) -> Self {
        Self { ttl_seconds, ..Self::default() }
    }
}

/// A token as its holder gets it.
#[derive(Debug, Clone, Serialize)]
pub struct IssuedToken {
    pub token: String,
    pub expires_at: Timestamp,
    /// `Bearer`, or `DPoP` if every use needs a proof of the run's key (RFC 9449). A token that is bound to a certificate is
    /// sent as `Bearer` (RFC 8705).
    pub scheme: &'static str,
}

impl Engine {
    /// Issues a token for `task`.
    ///
    /// # Errors
    ///
    /// If the task has ended or is not the actor's (`not_permitted`), and `certificate_needed` where the task is bound to a
    /// certificate and none was shown.
    pub async fn issue_token(
        &self,
        actor: Actor,
        task: TaskId,
        wanted: impl Into<IssueToken>,
    ) -> Result<IssuedToken, SubmitError> {
        let wanted = wanted.into();
        let jti = OneTimeCode::generate("tok_").map_err(|error| SubmitError::ledger(&error.to_string()))?;
        let jti = jti.expose().to_owned();
        let now = self.now();
        let expires_at = self.read(|state| {
            let task = state.task(task)?;
            if matches!(task.binding(), Binding::Svid(_)) && wanted.certificate.is_none() {
                let refusal =
                    Refusal::new("certificate_needed", "this task is bound to a certificate, and none was shown");
                return Err(refusal.help("ask by mutual TLS with the agent's own certificate"));
            }
            Ok::<_, Refusal>(now.plus_seconds(wanted.ttl_seconds).min(task.expires_at))
        })?;
        // Whole seconds, rounded down: a token never outlives its task.
        let expires_at = Timestamp::from_millis(expires_at.as_seconds() * 1000);
        let wanted = Wanted { jti, audience: wanted.audience, certificate: wanted.certificate, now, expires_at };
        // Made before the record, so that what cannot be made is not recorded either; shown only after it.
        let realm = self.realm();
        let claims = self.read(|state| wanted.claims(state, &realm, self.audience(), task))?;
        let scheme = match &claims.cnf {
            Some(bound) if bound.key().is_some() => "DPoP",
            _ => "Bearer",
        };
        let minted = token::mint(&self.keys(), &claims).map_err(|error| {
            let refusal = Refusal::new("token_not_made", format!("the token cannot be made: {error}"));
            SubmitError::Refused(
                refusal.help("if it is too long, start several tasks with less scope or authority each"),
            )
        })?;
        self.submit(actor, Command::IssueToken { task, token: wanted.jti, expires_at }).await?;
        Ok(IssuedToken { token: minted, expires_at, scheme })
    }
}
