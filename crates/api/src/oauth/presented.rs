//! Task tokens of ours that somebody presents to the authorization server: to exchange, to ask about, to revoke.

use remit_domain::{Agent, AgentStatus, KeyStep, State, Task, TaskId};
use remit_identity::json::Members;
use remit_identity::token::Expected;
use remit_identity::{TaskClaims, TokenError, UnverifiedTaskToken, base64url};

use super::target::Target;
use crate::Api;

/// What `token` says, if we signed it for one of our own places and its time is not over. Whether it still holds is for
/// [`Alive::of`].
pub(crate) fn claims(api: &Api, token: &str) -> Result<TaskClaims, TokenError> {
    let (realm, gateway) = (api.engine.realm(), api.engine.audience());
    // The audience that it claims, only to know which of our own places to hold it against.
    let claimed = claimed_audience(token).unwrap_or_default();
    let ours = claimed == gateway || claimed.strip_prefix(gateway).is_some_and(|rest| rest.starts_with('/'));
    let audience = if ours { &claimed } else { gateway };
    let expected = Expected { issuer: &realm.issuer, audience, environment: None };
    UnverifiedTaskToken::parse(token)?.verify(&api.engine.keys(), &expected, api.engine.now().as_seconds())
}

fn claimed_audience(token: &str) -> Option<String> {
    let payload = base64url::decode(token.split('.').nth(1)?).ok()?;
    Members::parse(&payload).ok()?.text("aud").ok().map(str::to_owned)
}

/// A token that holds at this moment: its task lives, its agent may act, and nobody has revoked it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Alive<'a> {
    pub task: &'a Task,
    pub agent: &'a Agent,
}

impl<'a> Alive<'a> {
    pub fn of(api: &Api, state: &'a State, claims: &TaskClaims) -> Option<Self> {
        let id: TaskId = claims.task.parse().ok()?;
        let task = state.task(id).ok()?;
        let agent = state.agent(task.agent).ok()?;
        let known = claims.agent == agent.id.to_string() && claims.run == task.run.to_string();
        let person = task.acting_for.is_none_or(|person| state.people.contains_key(&person));
        let revoked = claims.kid.as_ref().is_some_and(|kid| is_revoked(state, kid));
        let holds = !revoked && task.must_be_alive(api.engine.now()).is_ok() && !task.is_revoked(&claims.jti);
        (known && person && holds && agent.status == AgentStatus::Active).then_some(Self { task, agent })
    }
}

/// Whether the realm's key `kid` is revoked: it is so from the commit on, not from when the ring of keys has been exchanged.
pub(crate) fn is_revoked(state: &State, kid: &str) -> bool {
    state.realm_keys.get(kid).is_some_and(|key| key.step == KeyStep::Revoked)
}

/// The place that a token is for.
pub(crate) fn target(api: &Api, state: &State, claims: &TaskClaims) -> Target {
    let gateway = api.engine.audience();
    // A connector that was removed since is nobody's, so the token leads nowhere; the whole gateway would be wider.
    Target::parse(state, gateway, &claims.aud).unwrap_or_else(|_| Target::gone(&claims.aud))
}
