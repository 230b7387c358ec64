//! Who asks: an agent that proves itself, or an application that a person uses.
//!
//! There are no shared secrets. An agent signs with its enrolled key (`private_key_jwt`), shows a JWT-SVID (`jwt-spiffe`) or a
//! certificate (`tls_client_auth`); an application is public, or signs with the keys that its own document names.

mod agent;
mod app;
mod elsewhere;

use http::header;
use remit_domain::{AgentId, Refusal, RunId};
use remit_identity::assertion::AssertionError;

pub(crate) use self::app::{find, sealed};
pub(crate) use self::elsewhere::agent_of as agent_of_workload;
use super::Asked;
use super::error::OAuthError;
use super::form::Form;
use crate::Api;

const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const JWT_SPIFFE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-spiffe";

/// Who asks.
#[derive(Debug, Clone)]
pub(crate) enum Client {
    Agent(Proved),
    App(App),
}

/// An agent that has proved itself for this request.
#[derive(Debug, Clone)]
pub(crate) struct Proved {
    pub agent: AgentId,
    /// Its SPIFFE ID here.
    pub id: String,
    /// The name that it proved: `id`, that of one of its runs, or one of another trust domain.
    pub shown: String,
    /// The run of it that it proved to be, if it is no more than that.
    pub run: Option<RunId>,
    /// The certificate of this realm that it showed, as `x5t#S256`.
    pub certificate: Option<String>,
}

/// An application that a person uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct App {
    pub id: String,
    /// What it calls itself, for people.
    pub name: String,
    pub redirect_uris: Vec<String>,
    /// Whether it has proved itself for this request. Nobody can tell who a public client is.
    pub proved: bool,
    /// Whether a person of this realm has registered it.
    pub registered: bool,
}

impl App {
    /// Whether people may be sent back to `asked`: letter for letter, but for the port of the person's own machine.
    pub fn allows_redirect(&self, asked: &str) -> bool {
        self.redirect_uris.iter().any(|own| own == asked)
            || remit_identity::cimd::redirect_allowed(&self.redirect_uris, asked)
    }
}

impl Client {
    /// The agent, or the refusal that only agents do this.
    pub fn agent(self) -> Result<Proved, OAuthError> {
        match self {
            Self::Agent(proved) => Ok(proved),
            Self::App(_) => Err(OAuthError::unauthorized_client("only an agent asks for this, and proves itself")),
        }
    }
}

pub(crate) fn refused(code: &str, sentence: impl Into<String>) -> OAuthError {
    let help =
        "authenticate with `private_key_jwt`, a JWT-SVID or a certificate, or name a public client with `client_id`";
    OAuthError::invalid_client(code, sentence, help)
}

/// The agent that a JWT-SVID is of, shown as something else than the client's own proof.
pub(crate) async fn agent_of_svid(api: &Api, svid: &str) -> Result<AgentId, OAuthError> {
    agent::by_jwt_svid(api, svid, &Form::default()).await.map(|proved| proved.agent)
}

fn assertion_refused(error: &AssertionError) -> OAuthError {
    OAuthError::new("invalid_client", Refusal::new(error.code(), error.to_string()).help(error.help()))
}

/// Who sent the request. Exactly one way of proving it counts; another that is there too must prove the same.
pub(crate) async fn authenticate(api: &Api, asked: &Asked, form: &Form) -> Result<Client, OAuthError> {
    if asked.headers.contains_key(header::AUTHORIZATION) || form.optional("client_secret").is_some() {
        return Err(refused("secret_refused", "this server knows no client secrets"));
    }
    let client = match (form.optional("client_assertion_type"), form.optional("client_assertion")) {
        (None, None) => match &asked.svid {
            Some(svid) => Client::Agent(agent::by_certificate(api, svid, form).await?),
            None => Client::App(app::public(api, form).await?),
        },
        (Some(JWT_BEARER), Some(assertion)) => by_assertion(api, assertion).await?,
        (Some(JWT_SPIFFE), Some(assertion)) => Client::Agent(agent::by_jwt_svid(api, assertion, form).await?),
        (Some(_), Some(_)) => {
            return Err(refused("assertion_type_unknown", "this kind of client assertion is not known here"));
        }
        _ => return Err(OAuthError::missing("client_assertion and client_assertion_type")),
    };
    agrees(api, asked, form, client)
}

async fn by_assertion(api: &Api, assertion: &str) -> Result<Client, OAuthError> {
    match app::claimed_address(assertion) {
        Some(address) => app::by_assertion(api, &address, assertion).await.map(Client::App),
        None => agent::by_assertion(api, assertion).map(Client::Agent),
    }
}

/// A certificate beside an assertion belongs to the same agent, and then the tokens can be bound to it; `client_id` names who
/// was proved.
fn agrees(api: &Api, asked: &Asked, form: &Form, client: Client) -> Result<Client, OAuthError> {
    let client = match (client, &asked.svid) {
        (Client::Agent(proved), Some(svid)) if proved.shown != svid.id.as_str() => {
            // A certificate of elsewhere, or of no agent, proves nothing about an agent of this realm.
            match agent::own(api, &svid.id, svid.issued_at) {
                Ok(shown) if shown.agent != proved.agent => {
                    return Err(refused("client_differs", "the certificate and the assertion are of two agents"));
                }
                Ok(_) => Client::Agent(Proved { certificate: Some(svid.certificate_sha256.clone()), ..proved }),
                Err(_) => Client::Agent(proved),
            }
        }
        (Client::Agent(proved), Some(svid)) if proved.shown == proved.id || proved.run.is_some() => {
            Client::Agent(Proved { certificate: Some(svid.certificate_sha256.clone()), ..proved })
        }
        (client, _) => client,
    };
    let named = form.optional("client_id").is_none_or(|named| match &client {
        Client::Agent(proved) => named == proved.id || named == proved.shown,
        Client::App(app) => named == app.id,
    });
    if named { Ok(client) } else { Err(refused("client_differs", "`client_id` is not the client that was proved")) }
}
