//! Applications: registered by a person (`cli_…`), described at an address of their own (`https://…`), or self-registered
//! (`dyn_…`) where the operator allows it.

use remit_domain::{ClientId, Refusal};
use remit_identity::assertion::{AssertionError, Expect, UnverifiedClientAssertion};
use remit_identity::base64url;
use remit_identity::cimd::{ClientAddress, ClientDocument, ClientError, ClientProof, RedirectUri};
use remit_identity::foreign::KeySet;
use serde::{Deserialize, Serialize};

use super::{App, assertion_refused, refused};
use crate::oauth::error::OAuthError;
use crate::oauth::form::Form;
use crate::{Api, limits};

/// What stands before everything that a self-registered client is.
const SELF_REGISTERED: &str = "dyn_";
/// What the key is for that seals it.
const PURPOSE: &str = "oauth-client";

/// A self-registered client. Its `client_id` is this, sealed: nothing is kept of strangers.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct SelfRegistered {
    name: String,
    redirect_uris: Vec<String>,
}

fn unknown() -> OAuthError {
    refused("client_unknown", "there is no such client")
}

/// The client that calls itself `id`, unproved, and how it would prove itself.
pub(crate) async fn find(api: &Api, id: &str) -> Result<(App, ClientProof), OAuthError> {
    if ClientAddress::is_meant(id) {
        let document = document(api, id).await?;
        let redirect_uris = document.redirect_uris.iter().map(|uri: &RedirectUri| uri.as_str().to_owned()).collect();
        let app =
            App { id: document.client_id, name: document.client_name, redirect_uris, proved: false, registered: false };
        return Ok((app, document.proof));
    }
    let app = match id.strip_prefix(SELF_REGISTERED) {
        Some(sealed) => opened(api, id, sealed)?,
        None => {
            let id: ClientId = id.parse().map_err(|_| unknown())?;
            let client = api.engine.read(|state| state.clients.get(&id).cloned()).ok_or_else(unknown)?;
            let (id, name) = (client.id.to_string(), client.name);
            App { id, name, redirect_uris: client.redirect_uris, proved: false, registered: true }
        }
    };
    Ok((app, ClientProof::None))
}

/// A client that names itself and proves nothing: held by PKCE and by where people are sent back to.
pub(super) async fn public(api: &Api, form: &Form) -> Result<App, OAuthError> {
    let id = form.optional("client_id").ok_or_else(|| refused("client_unproved", "nobody has proved who asks"))?;
    match find(api, id).await? {
        (app, ClientProof::None) => Ok(app),
        _ => Err(refused("client_unproved", "this client has keys, and has to sign an assertion")),
    }
}

/// The address that an assertion says to be of, for finding the keys to check it with and nothing else.
pub(super) fn claimed_address(assertion: &str) -> Option<String> {
    let unverified = UnverifiedClientAssertion::parse(assertion).ok()?;
    unverified.claimed_client().ok().filter(|client| ClientAddress::is_meant(client)).map(str::to_owned)
}

/// By an assertion that one of its own keys signed, for one use.
pub(super) async fn by_assertion(api: &Api, address: &str, assertion: &str) -> Result<App, OAuthError> {
    let failed = |error: AssertionError| assertion_refused(&error);
    let unverified = UnverifiedClientAssertion::parse(assertion).map_err(failed)?;
    let (app, proof) = find(api, address).await?;
    let keys = match proof {
        ClientProof::Keys(keys) => keys,
        ClientProof::KeysAt(place) => keys_at(api, &place).await?,
        ClientProof::None => {
            return Err(refused("client_without_keys", "this client names no keys, so it signs nothing"));
        }
    };
    let (realm, now) = (api.engine.realm(), api.engine.now().as_seconds());
    let expect = Expect { client: address, issuer: &realm.issuer, now };
    let claims = unverified.verify(&keys, &expect).map_err(failed)?;
    // A poisoned lock means that an insertion was cut short; refusing is the answer that cannot be wrong.
    let seen = &api.memory.assertions;
    let fresh = seen.lock().is_ok_and(|mut seen| seen.insert(address, &claims.jti, claims.iat, now));
    if fresh { Ok(App { proved: true, ..app }) } else { Err(failed(AssertionError::Replay)) }
}

fn document_refused(error: &ClientError) -> Refusal {
    Refusal::new("client_document_refused", error.to_string()).help(error.help())
}

async fn document(api: &Api, id: &str) -> Result<ClientDocument, OAuthError> {
    let refused = |refusal: Refusal| OAuthError::new("invalid_client", refusal);
    let address = ClientAddress::parse(id).map_err(|error| refused(document_refused(&error)))?;
    let accept = |body: &[u8]| ClientDocument::parse(body, &address).map_err(|error| document_refused(&error));
    api.memory.documents.document(address.as_str(), api.engine.now(), accept).await.map_err(refused)
}

async fn keys_at(api: &Api, place: &ClientAddress) -> Result<KeySet, OAuthError> {
    let accept = |body: &[u8]| {
        KeySet::parse(body).map_err(|error| Refusal::new("client_keys_refused", error.to_string()).help(error.help()))
    };
    let keys = api.memory.documents.document(place.as_str(), api.engine.now(), accept).await;
    keys.map_err(|refusal| OAuthError::new("invalid_client", refusal))
}

/// The `client_id` of a client that registers itself.
pub(crate) fn sealed(api: &Api, name: String, redirect_uris: Vec<String>) -> Result<String, OAuthError> {
    let fault = || OAuthError::fault("register a client");
    let plain = serde_json::to_vec(&SelfRegistered { name, redirect_uris }).map_err(|_| fault())?;
    let sealed = api.engine.key_for(PURPOSE).seal(PURPOSE.as_bytes(), &plain).map_err(|_| fault())?;
    let id = format!("{SELF_REGISTERED}{}", base64url::encode(sealed));
    if id.len() > limits::SELF_REGISTERED_BYTES_MAX {
        let refusal = Refusal::new("client_too_large", "the client names too many or too long addresses");
        return Err(OAuthError::new("invalid_client_metadata", refusal));
    }
    Ok(id)
}

fn opened(api: &Api, id: &str, sealed: &str) -> Result<App, OAuthError> {
    // What was registered before the operator forbade it is refused too.
    if !api.settings.oauth.dynamic_registration || id.len() > limits::SELF_REGISTERED_BYTES_MAX {
        return Err(unknown());
    }
    let sealed = base64url::decode(sealed).map_err(|_| unknown())?;
    let plain = api.engine.key_for(PURPOSE).open(PURPOSE.as_bytes(), &sealed).map_err(|_| unknown())?;
    let client: SelfRegistered = serde_json::from_slice(&plain).map_err(|_| unknown())?;
    let (name, redirect_uris) = (client.name, client.redirect_uris);
    Ok(App { id: id.to_owned(), name, redirect_uris, proved: false, registered: false })
}
