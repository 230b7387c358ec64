//! Parameters of a request, each at most once (RFC 6749 section 3.1), with names and values as UTF-8.

use std::collections::BTreeMap;

use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use http::header;
use remit_domain::Refusal;
use url::form_urlencoded;

use super::error::OAuthError;
use crate::{Api, limits};

#[cfg(test)]
mod tests;

/// Parameters by name. One without a value counts as one that was left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Form(BTreeMap<String, String>);

impl Form {
    /// Reads `a=1&b=2`, strictly.
    pub fn parse(bytes: &[u8]) -> Result<Self, OAuthError> {
        let mut form = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(bytes) {
            if name.contains('\u{fffd}') || value.contains('\u{fffd}') {
                return Err(OAuthError::invalid_request("bad_encoding", "the parameters are not UTF-8"));
            }
            if form.len() >= limits::PARAMETERS_MAX {
                return Err(OAuthError::invalid_request("too_many_parameters", "there are too many parameters"));
            }
            // Two readers that disagree about which one counts can be played against each other.
            if form.insert(name.clone().into_owned(), value.into_owned()).is_some() {
                return Err(repeated(&name));
            }
        }
        form.retain(|_, value| !value.is_empty());
        Ok(Self(form))
    }

    /// The value of `name`, if it was given.
    pub fn optional(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The value of `name`, which has to be there.
    pub fn text(&self, name: &str) -> Result<&str, OAuthError> {
        self.optional(name).ok_or_else(|| OAuthError::missing(name))
    }

    /// Everything, to be kept.
    pub fn into_pairs(self) -> BTreeMap<String, String> {
        self.0
    }

    /// What [`Form::into_pairs`] gave.
    pub const fn of_pairs(pairs: BTreeMap<String, String>) -> Self {
        Self(pairs)
    }
}

fn repeated(name: &str) -> OAuthError {
    let shown: String = name.chars().take(limits::ECHO_CHARACTERS_MAX).collect();
    // One audience per token: whoever may pass a token on to another must not be able to use it there (RFC 8707 section 2).
    if matches!(name, "resource" | "audience") {
        let refusal = Refusal::new("too_many_resources", format!("the parameter `{shown}` is there more than once"));
        return OAuthError::new("invalid_target", refusal.help("ask for one token per resource"));
    }
    OAuthError::invalid_request("repeated_parameter", format!("the parameter `{shown}` is there more than once"))
}

impl FromRequest<Api> for Form {
    type Rejection = OAuthError;

    async fn from_request(request: Request, api: &Api) -> Result<Self, OAuthError> {
        let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let kind = content_type.and_then(|value| value.split(';').next()).unwrap_or_default().trim();
        if !kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            let sentence = "the request's body is not `application/x-www-form-urlencoded`";
            return Err(OAuthError::invalid_request("bad_content_type", sentence));
        }
        let too_large = || OAuthError::invalid_request("body_too_large", "the request's body is too large");
        let bytes = Bytes::from_request(request, api).await.map_err(|_| too_large())?;
        if bytes.len() > limits::FORM_BYTES_MAX { Err(too_large()) } else { Self::parse(&bytes) }
    }
}
