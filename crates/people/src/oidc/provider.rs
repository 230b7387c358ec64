//! What the provider publishes: where it is asked, and its keys (OpenID Connect Discovery 1.0 section 4).

use std::sync::Arc;

use remit_identity::foreign::KeySet;
use remit_identity::json::{JsonError, Members};
use reqwest::StatusCode;
use tokio::sync::Mutex;
use url::{Host, Url};

use super::http::{Http, answered};
use super::{OidcError, OidcSettings, limits};

/// Most names in one list of the document.
const NAMES_MAX: usize = 64;

/// How a confidential client shows its secret (OpenID Connect Core 1.0 section 9).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ShowSecret {
    Basic,
    Post,
}

/// Where the provider is asked.
#[derive(Debug)]
pub(super) struct Metadata {
    pub authorization_endpoint: Url,
    pub token_endpoint: Url,
    /// Where people sign out there (OpenID Connect RP-Initiated Logout 1.0 section 2.1), if they can.
    pub end_session_endpoint: Option<Url>,
    jwks_uri: Url,
    /// Whether every answer says whose it is (RFC 9207 section 3).
    pub sends_issuer: bool,
    pub show_secret: ShowSecret,
}

impl Metadata {
    /// Reads the document of `issuer`, which has to be about that and no other (section 4.3).
    fn parse(body: &[u8], issuer: &str) -> Result<Self, OidcError> {
        let unusable = |error: JsonError| OidcError::Unusable(error.to_string());
        let members = Members::parse(body).map_err(unusable)?;
        let said = members.text("issuer").map_err(unusable)?;
        if said != issuer {
            return Err(OidcError::Unusable(format!("it calls itself `{said}`, and the configuration `{issuer}`")));
        }
        let endpoint = |name: &'static str| {
            let text = members.text(name).map_err(unusable)?;
            let url = Url::parse(text).ok().filter(|url| is_safe(url, issuer));
            url.ok_or_else(|| {
                OidcError::Unusable(format!("its `{name}` is `{text}`, which anybody on the way could change"))
            })
        };
        // One that cannot be used is as good as none: people sign out here all the same.
        let sign_out = members.optional_text("end_session_endpoint").map_err(unusable)?;
        let sign_out = sign_out.and_then(|text| Url::parse(text).ok()).filter(|url| is_safe(url, issuer));
        let names = |name: &'static str| members.optional_texts(name, NAMES_MAX).map_err(unusable);
        if names("code_challenge_methods_supported")?.is_some_and(|names| !names.iter().any(|name| name == "S256")) {
            return Err(OidcError::Unusable("it does not know the method `S256` of PKCE".to_owned()));
        }
        Ok(Self {
            authorization_endpoint: endpoint("authorization_endpoint")?,
            token_endpoint: endpoint("token_endpoint")?,
            end_session_endpoint: sign_out,
            jwks_uri: endpoint("jwks_uri")?,
            sends_issuer: members.value("authorization_response_iss_parameter_supported") == Some(&true.into()),
            show_secret: show_secret(names("token_endpoint_auth_methods_supported")?),
        })
    }
}

/// In the header unless the provider takes it in the body only.
fn show_secret(methods: Option<Vec<String>>) -> ShowSecret {
    let known = |method: &str| methods.as_ref().is_some_and(|methods| methods.iter().any(|name| name == method));
    if known("client_secret_post") && !known("client_secret_basic") { ShowSecret::Post } else { ShowSecret::Basic }
}

/// Whether nobody on the way can change what is said at `url`: https, or on this machine where the provider itself is.
fn is_safe(url: &Url, issuer: &str) -> bool {
    let local = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    let plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    let encrypted = url.scheme() == "https";
    plain && url.has_host() && (encrypted || (url.scheme() == "http" && local && issuer.starts_with("http://")))
}

/// What is known of the provider.
#[derive(Debug)]
pub(super) struct Known {
    pub metadata: Metadata,
    pub keys: KeySet,
    /// In seconds since 1970.
    read_at: i64,
}

/// The provider, as it was read last.
pub(super) struct Provider {
    issuer: String,
    pub http: Http,
    /// Held while it is read: who comes meanwhile waits for the same answer.
    known: Mutex<Option<Arc<Known>>>,
}

impl Provider {
    pub(super) fn new(settings: &OidcSettings) -> Self {
        Self { issuer: settings.issuer.clone(), http: Http::new(&settings.roots), known: Mutex::default() }
    }

    /// What it publishes, not older than [`limits::PUBLISHED_SECONDS_MAX`]. A provider that cannot be asked signs nobody in anyway.
    pub(super) async fn known(&self, now: i64) -> Result<Arc<Known>, OidcError> {
        self.known_within(limits::PUBLISHED_SECONDS_MAX, now).await
    }

    /// As [`Provider::known`], for a key that was not there.
    pub(super) async fn known_anew(&self, now: i64) -> Result<Arc<Known>, OidcError> {
        self.known_within(limits::REREAD_SECONDS_MIN, now).await
    }

    async fn known_within(&self, seconds_max: i64, now: i64) -> Result<Arc<Known>, OidcError> {
        let mut known = self.known.lock().await;
        if let Some(known) = known.as_ref().filter(|known| now < known.read_at.saturating_add(seconds_max)) {
            return Ok(Arc::clone(known));
        }
        let read = Arc::new(self.read(now).await?);
        *known = Some(Arc::clone(&read));
        Ok(read)
    }

    async fn read(&self, now: i64) -> Result<Known, OidcError> {
        let address = format!("{}/.well-known/openid-configuration", self.issuer.trim_end_matches('/'));
        let metadata = Metadata::parse(&self.fetch(&address).await?, &self.issuer)?;
        let keys = KeySet::parse(&self.fetch(metadata.jwks_uri.as_str()).await?)
            .map_err(|error| OidcError::Unusable(error.to_string()))?;
        Ok(Known { metadata, keys, read_at: now })
    }

    async fn fetch(&self, address: &str) -> Result<Vec<u8>, OidcError> {
        let answer = answered(self.http.client()?.get(address)).await?;
        match answer.status {
            StatusCode::OK => Ok(answer.body),
            status if status.is_server_error() => Err(OidcError::Unreachable(format!("`{address}` answered {status}"))),
            status => Err(OidcError::Unusable(format!("`{address}` answered {status}"))),
        }
    }
}
