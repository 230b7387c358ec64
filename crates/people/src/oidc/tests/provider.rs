//! An identity provider on this machine that keeps to the standard, unless a test has it do otherwise.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use remit_identity::{SigningKey, base64url, digest};
use serde_json::{Value, json};
use url::{Url, form_urlencoded};

use crate::oidc::Answer;

/// What a test changes.
#[derive(Default)]
pub(super) struct Changes {
    /// Members of the discovery document.
    pub metadata: Option<fn(&mut Value)>,
    /// Claims of ID tokens.
    pub claims: Option<fn(&mut Value)>,
    /// Headers of ID tokens.
    pub header: Option<fn(&mut Value)>,
    /// Answered to a code in place of everything else.
    pub token_answer: Option<fn() -> Response>,
    /// Answered in place of the key set.
    pub jwks_answer: Option<fn() -> Response>,
    /// Signed with a key that is not published.
    pub forged: bool,
}

/// What a code stands for.
struct Granted {
    nonce: String,
    challenge: String,
    redirect_uri: String,
}

pub(super) struct Inside {
    pub issuer: String,
    pub changes: Changes,
    pub now: i64,
    pub key: SigningKey,
    pub kid: String,
    granted: HashMap<String, Granted>,
    codes: usize,
    /// What the token endpoint was sent: the header and the form.
    pub exchanges: Vec<(Option<String>, HashMap<String, String>)>,
    /// How often the key set was asked for.
    pub key_sets: usize,
}

#[derive(Clone)]
pub(super) struct Provider(pub Arc<Mutex<Inside>>);

impl Provider {
    pub(super) async fn start(now: i64) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let inside = Inside {
            issuer,
            changes: Changes::default(),
            now,
            key: SigningKey::generate().unwrap().0,
            kid: "first".to_owned(),
            granted: HashMap::new(),
            codes: 0,
            exchanges: Vec::new(),
            key_sets: 0,
        };
        let provider = Self(Arc::new(Mutex::new(inside)));
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(metadata))
            .route("/jwks", get(jwks))
            .route("/token", post(token))
            .route("/moved", get(|| async { Redirect::temporary("/jwks") }))
            .with_state(provider.clone());
        tokio::spawn(axum::serve(listener, router).into_future());
        provider
    }

    pub(super) fn issuer(&self) -> String {
        self.0.lock().unwrap().issuer.clone()
    }

    pub(super) fn change(&self, change: impl FnOnce(&mut Inside)) {
        change(&mut self.0.lock().unwrap());
    }

    pub(super) fn rotate(&self) {
        self.change(|inside| (inside.key, inside.kid) = (SigningKey::generate().unwrap().0, "second".to_owned()));
    }

    /// The person agrees: what their browser brings back from `address`.
    pub(super) fn agree(&self, address: &Url) -> Answer {
        let asked: HashMap<String, String> = address.query_pairs().into_owned().collect();
        let mut inside = self.0.lock().unwrap();
        inside.codes += 1;
        let code = format!("code-{}", inside.codes);
        let granted = Granted {
            nonce: asked["nonce"].clone(),
            challenge: asked["code_challenge"].clone(),
            redirect_uri: asked["redirect_uri"].clone(),
        };
        inside.granted.insert(code.clone(), granted);
        Answer {
            code: Some(code),
            state: Some(asked["state"].clone()),
            issuer: Some(inside.issuer.clone()),
            error: None,
        }
    }
}

async fn metadata(State(provider): State<Provider>) -> Json<Value> {
    let inside = provider.0.lock().unwrap();
    let issuer = &inside.issuer;
    let mut document = json!({
        "issuer": issuer, "authorization_endpoint": format!("{issuer}/authorize?tenant=ours"),
        "token_endpoint": format!("{issuer}/token"), "jwks_uri": format!("{issuer}/jwks"),
        "authorization_response_iss_parameter_supported": true, "code_challenge_methods_supported": ["S256"],
    });
    if let Some(change) = inside.changes.metadata {
        change(&mut document);
    }
    Json(document)
}

async fn jwks(State(provider): State<Provider>) -> Response {
    let mut inside = provider.0.lock().unwrap();
    inside.key_sets += 1;
    if let Some(answer) = inside.changes.jwks_answer {
        return answer();
    }
    let mut key = inside.key.public().to_value();
    key["kid"] = json!(inside.kid);
    Json(json!({"keys": [key]})).into_response()
}

async fn token(State(provider): State<Provider>, headers: HeaderMap, body: String) -> Response {
    let form: HashMap<String, String> = form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    let mut inside = provider.0.lock().unwrap();
    let shown = headers.get(header::AUTHORIZATION).map(|value| value.to_str().unwrap().to_owned());
    inside.exchanges.push((shown, form.clone()));
    if let Some(answer) = inside.changes.token_answer {
        return answer();
    }
    let proof = base64url::encode(digest::sha256(form["code_verifier"].as_bytes()));
    let granted = inside.granted.remove(&form["code"]);
    let granted = granted.filter(|granted| granted.challenge == proof && granted.redirect_uri == form["redirect_uri"]);
    let Some(granted) = granted else {
        return (StatusCode::BAD_REQUEST, Json(json!({"error": "invalid_grant"}))).into_response();
    };
    let answer = json!({"access_token": "unused", "token_type": "Bearer", "id_token": inside.id_token(&granted.nonce)});
    Json(answer).into_response()
}

impl Inside {
    fn id_token(&self, nonce: &str) -> String {
        let mut header = json!({"alg": "ES256", "typ": "JWT", "kid": self.kid});
        let mut claims = json!({
            "iss": self.issuer, "sub": "anna@idp", "aud": "remit", "nonce": nonce, "iat": self.now,
            "exp": self.now + 300,
        });
        self.changes.header.iter().for_each(|change| change(&mut header));
        self.changes.claims.iter().for_each(|change| change(&mut claims));
        let signed = format!("{}.{}", base64url::encode(header.to_string()), base64url::encode(claims.to_string()));
        let signature = match header["alg"].as_str() {
            Some("none") => Vec::new(),
            _ if self.changes.forged => SigningKey::generate().unwrap().0.sign(signed.as_bytes()).unwrap().to_vec(),
            _ => self.key.sign(signed.as_bytes()).unwrap().to_vec(),
        };
        format!("{signed}.{}", base64url::encode(signature))
    }
}
