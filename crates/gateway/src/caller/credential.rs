//! The one credential that a request carries.

use http::HeaderMap;
use http::header::AUTHORIZATION;

use super::{Challenge, Unknown};

const HELP: &str = "send `Authorization: Bearer TASK_TOKEN`; `remit task start` or `remit run` gives one";

/// How the secrets of legacy accounts begin.
const LEGACY_PREFIX: &str = "legacy_";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scheme {
    Bearer,
    Dpop,
}

/// What a request shows in its `Authorization`.
#[derive(Debug)]
pub(super) struct Credential<'a> {
    pub scheme: Scheme,
    pub secret: &'a str,
}

impl Credential<'_> {
    /// Whether it is the secret of a legacy account.
    pub fn is_legacy(&self) -> bool {
        self.scheme == Scheme::Bearer && self.secret.starts_with(LEGACY_PREFIX)
    }
}

/// No credential came.
pub(super) fn none() -> Unknown {
    Unknown::new(Challenge::Token, "token_needed", "this request carries no task token", HELP)
}

/// The credential, if there is one. Two are as bad as none: readers would disagree about which one counts.
pub(super) fn read(headers: &HeaderMap) -> Result<Option<Credential<'_>>, Unknown> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Unknown::new(
            Challenge::OtherToken,
            "token_malformed",
            "this request carries more than one credential",
            HELP,
        ));
    }
    let (scheme, secret) = value.to_str().ok().and_then(|text| text.split_once(' ')).ok_or_else(none)?;
    let scheme = match scheme {
        scheme if scheme.eq_ignore_ascii_case("bearer") => Scheme::Bearer,
        scheme if scheme.eq_ignore_ascii_case("dpop") => Scheme::Dpop,
        _ => return Err(none()),
    };
    Ok(Some(Credential { scheme, secret: secret.trim() }))
}

/// The value of the header `name`, if it is there exactly once.
pub(super) fn single<'a>(headers: &'a HeaderMap, name: &str) -> Single<'a> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Single::Missing,
        (Some(value), None) => value.to_str().map_or(Single::Unreadable, Single::One),
        (Some(_), Some(_)) => Single::Unreadable,
    }
}

/// A header that may be there once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Single<'a> {
    Missing,
    One(&'a str),
    /// More than one, or one with bytes that are no text.
    Unreadable,
}
