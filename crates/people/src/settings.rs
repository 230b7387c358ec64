//! Where people find the console, as passkeys see it.

use url::{Host, Url};

use crate::OidcSettings;

#[cfg(test)]
mod tests;

/// The place that passkeys are for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeopleSettings {
    /// Where people open the console, without a slash at the end: what every link for people leads to.
    pub console_url: String,
    /// Where pages that use passkeys may be, exactly: scheme, host and port.
    pub origins: Vec<String>,
    /// The relying party (Web Authentication level 3, section 4): a name, never an address.
    pub rp_id: String,
    /// Where people sign in elsewhere, if they do.
    pub oidc: Option<OidcSettings>,
}

impl PeopleSettings {
    /// Settings for a console at `console_url`. Browsers give passkeys to names alone: where that is an address, they are for
    /// `localhost` at the same port.
    pub fn at(console_url: &str) -> Self {
        let console_url = console_url.trim_end_matches('/');
        let named = named(console_url);
        let url = Url::parse(&named).ok();
        let rp_id = url.as_ref().and_then(Url::host_str).unwrap_or("localhost").to_owned();
        let origins = url.iter().map(|url| url.origin().ascii_serialization()).collect();
        // From elsewhere an address has to stay one: there `localhost` is another machine.
        let console_url = if is_here(console_url) { named } else { console_url.to_owned() };
        Self { console_url, origins, rp_id, oidc: None }
    }
}

/// Whether this is an address that only this machine understands. A certificate is for the name that was asked for, so with one the
/// operator says what that is.
fn is_here(console_url: &str) -> bool {
    let url = Url::parse(console_url).ok().filter(|url| url.scheme() == "http");
    match url.as_ref().and_then(Url::host) {
        Some(Host::Ipv4(address)) => address.is_loopback() || address.is_unspecified(),
        Some(Host::Ipv6(address)) => address.is_loopback() || address.is_unspecified(),
        Some(Host::Domain(_)) | None => false,
    }
}

/// `console_url` with `localhost` in place of an address.
fn named(console_url: &str) -> String {
    let Ok(mut url) = Url::parse(console_url) else { return console_url.to_owned() };
    let is_address = matches!(url.host(), Some(Host::Ipv4(_) | Host::Ipv6(_)));
    if is_address && url.set_host(Some("localhost")).is_ok() {
        return url.as_str().trim_end_matches('/').to_owned();
    }
    console_url.to_owned()
}
