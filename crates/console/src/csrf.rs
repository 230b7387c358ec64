//! A form counts only if this process handed it to this very session, and only if a page of ours sent it.

use http::HeaderMap;
use http::header::{HOST, ORIGIN};
use remit_domain::{Digest, Refusal};
use remit_identity::{Kek, RandomnessError, base64url, digest};

#[cfg(test)]
mod tests;

/// Makes and checks the tokens in forms: a MAC over the session, under a key that lives as long as the process.
#[derive(Clone)]
pub(crate) struct Tokens(Kek);

impl Tokens {
    pub(crate) fn generate() -> Result<Self, RandomnessError> {
        Kek::generate().map(Self)
    }

    /// The token of the session whose secret has the digest `session`.
    pub(crate) fn token(&self, session: &Digest) -> String {
        base64url::encode(self.0.mac(session.as_bytes()))
    }

    /// Refuses a form that was not handed to the session `session`.
    pub(crate) fn check(&self, session: &Digest, token: &str) -> Result<(), Refusal> {
        match digest::equal(self.token(session).as_bytes(), token.as_bytes()) {
            true => Ok(()),
            false => Err(Refusal::new(
                "form_refused",
                "this form was not made for your session, or Remit has restarted since",
            )
            .help("reload the page it was on and send it again")),
        }
    }
}

/// Refuses a form that a page of another site sent, as far as the browser says where it came from.
///
/// Our pages send no referrer, for which browsers write the origin `null` even on our own forms; then `Sec-Fetch-Site`
/// (W3C Fetch Metadata) has to say that it is ours.
pub(crate) fn must_be_ours(headers: &HeaderMap) -> Result<(), Refusal> {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("unreadable"));
    let site = text("sec-fetch-site");
    let site_is_ours = site.is_none_or(|site| site == "same-origin");
    let origin_is_ours = match text(ORIGIN.as_str()) {
        None => true,
        Some("null") => site == Some("same-origin"),
        Some(origin) => {
            let authority = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
            authority.is_some() && authority == text(HOST.as_str())
        }
    };
    match site_is_ours && origin_is_ours {
        true => Ok(()),
        false => Err(Refusal::new("foreign_form", "this form was sent by a page of another site")
            .help("open the console itself and answer there")),
    }
}
