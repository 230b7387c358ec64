//! Agents: by an enrolled key, by a JWT-SVID, by a certificate.

use remit_domain::RunId;
use remit_identity::SpiffeId;
use remit_identity::jwt_svid::{JwtSvidError, UnverifiedJwtSvid};
use remit_identity::x509::PeerSvid;

use super::{Proved, assertion_refused, elsewhere, refused};
use crate::oauth::error::OAuthError;
use crate::oauth::form::Form;
use crate::oauth::presented;
use crate::{Api, auth};

/// By an assertion that its enrolled key signed, for one use.
pub(super) fn by_assertion(api: &Api, assertion: &str) -> Result<Proved, OAuthError> {
    let enrolled = auth::agent_of(api, assertion).map_err(|error| assertion_refused(&error))?;
    let id = api.engine.read(|state| {
        let domain = state.realm.as_ref().map(|realm| realm.trust_domain.as_str()).unwrap_or_default();
        state.agent(enrolled.agent).map(|agent| agent.spiffe_id(domain))
    })?;
    Ok(Proved { agent: enrolled.agent, shown: id.clone(), id, run: None, certificate: None })
}

/// By a JWT-SVID of this realm, or of one whose bundle the operator configured (draft-ietf-oauth-spiffe-client-auth-02 section
/// 3.1). Its audience is the issuer alone.
pub(super) async fn by_jwt_svid(api: &Api, assertion: &str, form: &Form) -> Result<Proved, OAuthError> {
    let failed = |error: JwtSvidError| OAuthError::invalid_client(error.code(), error.to_string(), error.help());
    let unverified = UnverifiedJwtSvid::parse(assertion).map_err(failed)?;
    let (realm, now) = (api.engine.realm(), api.engine.now().as_seconds());
    let domain = unverified.claimed_id().trust_domain().to_owned();
    let own = domain == realm.trust_domain;
    if own && api.engine.read(|state| presented::is_revoked(state, unverified.kid())) {
        return Err(refused("token_key_revoked", "this JWT-SVID is signed with a key that was revoked"));
    }
    let svid = if own {
        let bundle = api.engine.keys().bundle(now).map_err(|_| OAuthError::fault("read its own bundle"))?;
        unverified.verify(&bundle, &realm.issuer, now)
    } else {
        let bundle = api.settings.oauth.elsewhere.bundle(&domain);
        let bundle = bundle.ok_or_else(|| failed(JwtSvidError::TrustDomain))?;
        unverified.verify(&bundle, &realm.issuer, now)
    };
    let svid = svid.map_err(failed)?;
    must_be_named(&svid.id, form)?;
    let issued_at = svid.claims.seconds("iat").unwrap_or(i64::MIN);
    of_id(api, &svid.id, issued_at, "a JWT-SVID").await
}

/// By the certificate of the connection, which the listener has verified. `client_id` says that it is meant (RFC 8705 section
/// 2.1.1, `tls_client_auth_san_uri`).
pub(super) async fn by_certificate(api: &Api, svid: &PeerSvid, form: &Form) -> Result<Proved, OAuthError> {
    if form.optional("client_id").is_none() {
        return Err(OAuthError::missing("client_id"));
    }
    must_be_named(&svid.id, form)?;
    of_id(api, &svid.id, svid.issued_at, "an X.509-SVID").await
}

/// Where `client_id` is there, it is the SPIFFE ID that was proved.
fn must_be_named(id: &SpiffeId, form: &Form) -> Result<(), OAuthError> {
    if form.optional("client_id").is_none_or(|named| named == id.as_str()) {
        return Ok(());
    }
    Err(refused("client_differs", "`client_id` is not the SPIFFE ID that was proved"))
}

async fn of_id(api: &Api, id: &SpiffeId, issued_at: i64, evidence: &str) -> Result<Proved, OAuthError> {
    if id.trust_domain() == api.engine.realm().trust_domain {
        return own(api, id, issued_at);
    }
    let issuer = format!("spiffe://{}", id.trust_domain());
    let agent = elsewhere::agent_of(api, &issuer, id.as_str(), evidence).await?;
    let realm = api.engine.realm();
    let own = api.engine.read(|state| state.agent(agent).map(|agent| agent.spiffe_id(&realm.trust_domain)))?;
    Ok(Proved { agent, id: own, shown: id.as_str().to_owned(), run: None, certificate: None })
}

/// The agent of this realm, or the live run of one, that has this name by a document that was handed out at `issued_at`.
pub(super) fn own(api: &Api, id: &SpiffeId, issued_at: i64) -> Result<Proved, OAuthError> {
    let unknown = || refused("client_unknown", "this SPIFFE ID is no agent of this realm, or of a run that is over");
    let name = id.agent_name().ok_or_else(unknown)?;
    let run: Option<RunId> = name.run.map(|run| run.parse().map_err(|_| unknown())).transpose()?;
    let domain = api.engine.realm().trust_domain;
    let found = api.engine.read(|state| {
        let agent = state.agent_named(name.name).ok()?;
        let own = agent.spiffe_id(&domain);
        let expected = run.map_or_else(|| own.clone(), |run| format!("{own}/run/{run}"));
        let live = run.is_none_or(|run| state.live_tasks_of(agent.id).any(|task| task.run == run));
        let holds = if run.is_some() { Ok(()) } else { auth::must_hold(state, agent, issued_at) };
        (id.as_str() == expected && live).then_some((agent.id, own, holds))
    });
    let (agent, own, holds) = found.ok_or_else(unknown)?;
    holds.map_err(|refusal| OAuthError::new("invalid_client", refusal))?;
    Ok(Proved { agent, id: own, shown: id.as_str().to_owned(), run, certificate: None })
}
