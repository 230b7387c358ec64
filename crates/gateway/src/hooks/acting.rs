//! Who acts in a request that is asked about: the one whose task token it carries, or else the one who asks, for the agent that it names.

use std::net::IpAddr;

use http::HeaderMap;
use http::header::AUTHORIZATION;
use remit_domain::{Agent, AgentId, Refusal, State};
use remit_identity::json::Members;
use remit_identity::{SpiffeId, base64url};

use super::denial::Denial;
use crate::Gateway;
use crate::caller::{self, Asked, Caller, agent_behind, may_hold};
use crate::door::Door;

/// How the secrets of legacy accounts begin.
const LEGACY_PREFIX: &str = "legacy_";

/// What an enforcer says of the one who makes a request. What it says of itself in its configuration is kept apart from what the request says.
#[derive(Debug)]
pub(super) struct Said<'a> {
    /// The request's own headers.
    pub headers: &'a HeaderMap,
    pub method: &'a str,
    /// Where the client sent it, without query.
    pub address: Option<&'a str>,
    /// What tokens have to be for.
    pub door: &'a Door,
    /// The agent that the operator's configuration names.
    pub agent: Option<&'a str>,
    /// Whom the client's certificate names.
    pub principal: Option<&'a str>,
    pub from: Option<IpAddr>,
}

/// Who acts.
#[derive(Debug, Clone)]
pub(super) struct Acting {
    /// Whose task it is.
    pub caller: Caller,
    /// The agent of which the enforcer says that it acts, if that is another one. It must be allowed the same.
    pub named: Option<AgentId>,
}

impl Acting {
    /// The agent that the request is of, as far as it is known.
    pub fn agent<'a>(&self, state: &'a State) -> Result<&'a Agent, Denial> {
        let agent = state.agent(self.named.unwrap_or(self.caller.agent)).map_err(Denial::forbidden)?;
        Ok(agent.as_ref())
    }
}

/// Finds out who acts in a request of which `enforcer` asks.
///
/// INVARIANT: a credential of this realm has to hold. One that does not hold is never as good as none, or whoever may do less with it than the
/// enforcer may would break it. One that is of nobody at all is never taken for the enforcer's own, unless the configuration says that it is; and
/// one that shows somebody is not, whatever the configuration says.
pub(super) async fn find(gateway: &Gateway, enforcer: &Caller, said: &Said<'_>) -> Result<Acting, Denial> {
    let principal = said.principal.filter(|principal| principal.starts_with("spiffe://"));
    let principal = principal.map(SpiffeId::parse).transpose().map_err(|error| {
        Denial::doubt("principal_malformed", error.to_string(), "let the gateway pass on what the certificate says")
    })?;
    let Named { agent: named, is_own, connection } =
        gateway.engine.read(|state| named(state, enforcer.agent, said.agent, principal))?;
    if !carries_ours(gateway, said.headers)? {
        let Some(named) = named.or(is_own.then_some(enforcer.agent)) else {
            return Err(Denial::doubt(
                "acting_unknown",
                "nobody says who makes this request",
                "have the gateway pass on the client's own token or certificate, or name the agent in its configuration: `agent`",
            ));
        };
        return Ok(Acting { caller: enforcer.clone(), named: Some(named).filter(|named| *named != enforcer.agent) });
    }
    let asked = Asked {
        method: said.method,
        path: "",
        // Without one no proof of possession holds.
        address: Some(said.address.unwrap_or_default()),
        door: said.door,
        legacy: None,
        peer: None,
        from: said.from,
    };
    let caller = Box::pin(caller::identify(gateway, said.headers, asked)).await?;
    let fits = |state: &State| {
        let holds = |id: &SpiffeId| state.task(caller.task).is_ok_and(|task| may_hold(state, task, id));
        connection.as_ref().is_none_or(holds)
    };
    if !gateway.engine.read(fits) {
        return Err(Denial::doubt(
            "credential_shared_run",
            "the task token of this request is not of the one whose connection it came on",
            "use each run's token on that run's own connections",
        ));
    }
    let named = named.filter(|named| *named != caller.agent);
    Ok(Acting { caller, named })
}

/// Whom others than the request itself name.
struct Named {
    agent: Option<AgentId>,
    /// The configuration names the enforcer itself: what shows nobody is its own.
    is_own: bool,
    /// Whose connection it is, where that counts: not where the operator says of another agent that it acts.
    connection: Option<SpiffeId>,
}

/// The agent that the operator names, or else the one whom the certificate names. The enforcer's own name says nothing of a request that shows
/// somebody: it takes the place of no certificate, and narrows no token.
fn named(state: &State, enforcer: AgentId, agent: Option<&str>, principal: Option<SpiffeId>) -> Result<Named, Denial> {
    let configured = agent.map(|name| configured(state, name)).transpose()?;
    let is_own = configured == Some(enforcer);
    if configured.is_some() && !is_own {
        return Ok(Named { agent: configured, is_own, connection: None });
    }
    let shown = principal.as_ref().map(|id| agent_behind(state, id)).transpose().map_err(Denial::forbidden)?;
    Ok(Named { agent: shown, is_own, connection: principal })
}

/// The agent that the operator calls `name`: its name, or its id.
fn configured(state: &State, name: &str) -> Result<AgentId, Denial> {
    let by_id = name.parse().ok().and_then(|id: AgentId| state.agents.get(&id));
    let agent = by_id.map_or_else(|| state.agent_named(name), Ok);
    agent.map(|agent| agent.id).map_err(|refusal: Refusal| {
        Denial::forbidden(refusal.help("name an agent of this realm in the gateway's configuration"))
    })
}

/// Whether a request carries a credential of this realm. One of somebody else is for whoever stands behind.
fn carries_ours(gateway: &Gateway, headers: &HeaderMap) -> Result<bool, Denial> {
    let doubt = |sentence: &str| {
        Err(Denial::doubt("token_malformed", sentence, "send one `Authorization: Bearer TASK_TOKEN`, or none"))
    };
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Ok(false) };
    if values.next().is_some() {
        return doubt("this request carries more than one credential");
    }
    let Some((scheme, secret)) = value.to_str().ok().and_then(|text| text.split_once(' ')) else { return Ok(false) };
    if !scheme.eq_ignore_ascii_case("bearer") && !scheme.eq_ignore_ascii_case("dpop") {
        return Ok(false);
    }
    let secret = secret.trim();
    if secret.bytes().any(|byte| byte == b',' || byte.is_ascii_whitespace()) {
        return doubt("this request carries more than one credential");
    }
    let realm = gateway.engine.realm();
    Ok(secret.starts_with(LEGACY_PREFIX) || is_of(secret, &realm.issuer, &realm.trust_domain))
}

/// Whether `token` says of itself that it is of this realm: a task token, or the document of a workload.
fn is_of(token: &str, issuer: &str, trust_domain: &str) -> bool {
    let claims = token.split('.').nth(1).and_then(|claims| base64url::decode(claims).ok());
    let Some(claims) = claims.and_then(|claims| Members::parse(&claims).ok()) else { return false };
    let workloads = format!("spiffe://{trust_domain}/");
    claims.text("iss").is_ok_and(|said| said == issuer)
        || claims.text("sub").is_ok_and(|said| said.starts_with(&workloads))
}
