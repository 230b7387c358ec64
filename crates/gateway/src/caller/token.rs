//! Task tokens, held against the state: a signature says what was once true, the state says what is.

use http::HeaderMap;
use remit_domain::{Attribution, CredentialKind, State, Timestamp};
use remit_engine::{Sighting, presented};

use super::credential::Credential;
use super::{Asked, Caller, Challenge, Shown, Unknown, admit, proof, svid};
use crate::tokens::Said;
use crate::{Gateway, metadata};

/// Who shows a token in its `Authorization`.
pub(super) async fn identify(
    gateway: &Gateway,
    headers: &HeaderMap,
    credential: Credential<'_>,
    asked: Asked<'_>,
    now: Timestamp,
) -> Result<Caller, Unknown> {
    let [whole, own] = metadata::audiences(gateway, asked.door);
    let audiences: Vec<&str> = whole.as_deref().into_iter().chain(own.as_deref()).collect();
    let (realm, keys) = (gateway.engine.realm(), gateway.engine.keys());
    let checked = gateway
        .tokens
        .verify(credential.secret, &keys, &realm.issuer, &audiences, now.as_seconds())
        .map_err(|error| Unknown::new(Challenge::OtherToken, error.code(), error.to_string(), error.help()))?;
    let claims = match &*checked.said {
        Said::Task(claims) => claims,
        Said::Svid(document) => return svid::of_document(gateway, document, checked.digest, asked, now).await,
    };
    let attribution = proof::check(gateway, headers, asked, &credential, claims.cnf.as_ref(), now)?;
    let known = |state: &State| {
        let task = presented::task_of(state, claims).map_err(Unknown::other_token)?;
        let peer = asked.peer.map(|peer| &peer.id);
        presented::must_fit_connection(state, task, peer).map_err(Unknown::other_token)?;
        let level = presented::level(claims);
        admit(&gateway.settings, state, task, Shown { level, attribution }, now)
    };
    let caller = gateway.engine.read(known)?.issued(claims.iat);
    if attribution == Attribution::Proven {
        return Ok(caller);
    }
    // Whoever holds a bearer token may use it, so that several do is only ever seen, not prevented.
    let sighting = Sighting {
        credential: checked.digest,
        kind: CredentialKind::Token,
        agent: caller.agent,
        task: Some(caller.task),
        until: claims.exp,
        origin: asked.origin(),
    };
    if gateway.engine.is_shared(sighting).await {
        return Ok(Caller { attribution: Attribution::Shared, ..caller });
    }
    Ok(caller)
}
