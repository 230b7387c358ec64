//! `/oauth/authorize`: checks what an application asks a person, and takes the person to the page where they answer.
//!
//! INVARIANT: until the client and the address to go back to are known to belong together, nobody is sent anywhere: an answer by
//! redirect would make this an open redirector (RFC 9700 section 4.11).

use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use remit_domain::Refusal;
use remit_identity::base64url;
use remit_identity::consent::{ConsentError, ConsentRequest};
use url::Url;

use super::client::{self, App};
use super::details::Meaning;
use super::error::OAuthError;
use super::form::Form;
use super::par;
use super::request::Wanted;
use super::target::Target;
use crate::{Api, limits};

/// Bytes of a thumbprint and of a challenge: SHA-256.
const DIGEST_BYTES: usize = 32;

/// Checks the request of a browser.
pub(crate) async fn authorize(State(api): State<Api>, RawQuery(query): RawQuery) -> Response {
    let query = query.unwrap_or_default();
    match ask(&api, &query).await {
        Ok(place) => redirect(&place),
        Err(refused) => refused.into_response(&api),
    }
}

/// The address of the page where the person answers.
async fn ask(api: &Api, query: &str) -> Result<String, Refused> {
    if query.len() > limits::AUTHORIZE_QUERY_BYTES_MAX {
        return Err(
            OAuthError::invalid_request("request_too_large", "the request is too long; push it (RFC 9126)").into()
        );
    }
    let form = Form::parse(query.as_bytes())?;
    let (app, _) = client::find(api, form.text("client_id")?).await?;
    let (form, pushed) = match form.optional("request_uri") {
        // The name of the request is all that counts; whatever stands beside it was not checked (RFC 9126 section 4).
        Some(uri) => (par::take(api, &app.id, uri)?, true),
        None => (form, false),
    };
    let question = Question::read(api, &app, &form, pushed)?;
    let sealed = question.request.seal(&api.engine.key_for("consent")).map_err(|error| {
        let word = if error == ConsentError::Unsealable { "server_error" } else { "invalid_request" };
        let refusal = Refusal::new("request_too_large", error.to_string()).help(error.help());
        Refused { error: OAuthError::new(word, refusal), back: app.registered.then(|| question.back.clone()) }
    })?;
    Ok(format!("{}/consent?request={sealed}", api.people.settings().console_url))
}

fn redirect(place: &str) -> Response {
    match HeaderValue::from_str(place) {
        Ok(place) => (StatusCode::FOUND, [(header::LOCATION, place)]).into_response(),
        Err(_) => OAuthError::fault("send the browser on").into_response(),
    }
}

/// Where to send the person back to, once that is known to be right.
#[derive(Debug, Clone)]
pub(super) struct Back {
    redirect_uri: String,
    state: Option<String>,
}

/// A request that was refused, and where to say so.
#[derive(Debug)]
pub(super) struct Refused {
    pub error: OAuthError,
    back: Option<Back>,
}

impl From<OAuthError> for Refused {
    fn from(error: OAuthError) -> Self {
        Self { error, back: None }
    }
}

impl Refused {
    fn into_response(self, api: &Api) -> Response {
        let Some((back, mut place)) =
            self.back.and_then(|back| Url::parse(&back.redirect_uri).ok().map(|url| (back, url)))
        else {
            return self.error.into_response();
        };
        {
            let mut query = place.query_pairs_mut();
            query.append_pair("error", self.error.error).append_pair("error_description", &self.error.description());
            if let Some(state) = &back.state {
                query.append_pair("state", state);
            }
            // Whose answer it is, so that a client of several servers cannot be led astray (RFC 9207).
            query.append_pair("iss", &api.engine.realm().issuer);
        }
        redirect(place.as_str())
    }
}

/// A checked request, ready to be put to a person.
#[derive(Debug)]
pub(super) struct Question {
    pub request: ConsentRequest,
    back: Back,
}

impl Question {
    /// Checks everything that can be checked before a person has chosen an agent.
    pub fn read(api: &Api, app: &App, form: &Form, pushed: bool) -> Result<Self, Refused> {
        let redirect_uri = form.text("redirect_uri")?;
        if !app.allows_redirect(redirect_uri) {
            let refusal = Refusal::new("redirect_unknown", "the address to go back to is not one of this client");
            return Err(OAuthError::new("invalid_request", refusal.help("register it, letter for letter")).into());
        }
        let state = form.optional("state").map(str::to_owned);
        if state.as_ref().is_some_and(|state| state.len() > limits::STATE_BYTES_MAX) {
            return Err(OAuthError::invalid_request("state_too_long", "`state` is too long").into());
        }
        let back = Back { redirect_uri: redirect_uri.to_owned(), state };
        match Self::checked(api, app, form, pushed, &back) {
            Ok(request) => Ok(Self { request, back }),
            // A stranger's own document names where people are sent back to: with nobody's consent nobody is sent there, or
            // our address would stand before theirs in whatever they send around (RFC 9700 section 4.11.2).
            Err(error) => Err(Refused { error, back: app.registered.then_some(back) }),
        }
    }

    fn checked(api: &Api, app: &App, form: &Form, pushed: bool, back: &Back) -> Result<ConsentRequest, OAuthError> {
        if form.text("response_type")? != "code" {
            let refusal = Refusal::new("response_type_unknown", "the only `response_type` is `code`");
            return Err(OAuthError::new("unsupported_response_type", refusal));
        }
        if form.optional("response_mode").is_some_and(|mode| mode != "query") {
            return Err(OAuthError::invalid_request("response_mode_unknown", "the only `response_mode` is `query`"));
        }
        if form.optional("request").is_some() {
            let refusal = Refusal::new("request_object", "signed requests are not taken; push the request (RFC 9126)");
            return Err(OAuthError::new("request_not_supported", refusal));
        }
        if form.optional("mission_intent").is_some() && !pushed {
            return Err(OAuthError::invalid_request("intent_not_pushed", "a mission intent is pushed only (RFC 9126)"));
        }
        let code_challenge = challenge(form)?;
        let jkt = form.optional("dpop_jkt").map(|jkt| digest(jkt, "dpop_jkt")).transpose()?;
        let wanted = Wanted::read(api, form)?;
        let (state, gateway, now) = (api.engine.state(), api.engine.audience(), api.engine.now());
        let target = wanted.target.clone().unwrap_or_else(|| Target::whole(gateway));
        // What it means is settled now, so that the person is shown the very operations that they say yes to.
        let authority = Meaning { state: &state, gateway, target: &target }.of(&wanted.entries)?;
        let authority =
            serde_json::to_value(authority).map_err(|_| OAuthError::fault("write down what was asked for"))?;
        wanted.ttl_seconds(now)?;
        let intent = wanted.intent.as_ref();
        let ends_at = intent.map(|intent| intent.expires_at);
        let issuer = api.engine.realm().issuer;
        let intent_hash = intent
            .map(|intent| intent.hash(&issuer))
            .transpose()
            .map_err(|error| OAuthError::invalid_request("bad_mission_intent", error.to_string()))?;
        Ok(ConsentRequest {
            client_id: app.id.clone(),
            client_name: app.name.clone(),
            redirect_uri: back.redirect_uri.clone(),
            state: back.state.clone(),
            scope: wanted.scope.iter().map(|pattern| pattern.as_str().to_owned()).collect(),
            authorization_details: wanted.entries.clone(),
            authority,
            resource: target.address().to_owned(),
            code_challenge,
            purpose: wanted.remarks(),
            goal: intent.map(|intent| intent.goal.clone()),
            ends_at,
            intent_hash,
            jkt,
            configuration: wanted.configuration.map(|digest| digest.to_string()),
            agent_hint: form.optional("agent").map(|hint| hint.chars().take(limits::ECHO_CHARACTERS_MAX).collect()),
            issued_at: now.as_seconds(),
            expires_at: now.as_seconds().saturating_add(limits::CONSENT_SECONDS),
        })
    }
}

/// The PKCE challenge. Without one there is no code, and the only method is `S256` (RFC 9700 section 2.1.1).
fn challenge(form: &Form) -> Result<String, OAuthError> {
    let challenge = form.text("code_challenge")?;
    if form.optional("code_challenge_method") != Some("S256") {
        return Err(OAuthError::invalid_request("bad_challenge", "the only `code_challenge_method` is `S256`"));
    }
    digest(challenge, "code_challenge")
}

fn digest(text: &str, name: &str) -> Result<String, OAuthError> {
    match base64url::decode_exactly::<DIGEST_BYTES>(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err(OAuthError::invalid_request("bad_digest", format!("`{name}` is not a SHA-256 in base64url"))),
    }
}
