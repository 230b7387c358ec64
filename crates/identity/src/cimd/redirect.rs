//! Where people are sent back to. The code goes with them, so this is compared letter for letter.

use super::ClientError;
use crate::{htu, limits};

/// Hosts that are the person's own machine (RFC 8252 sections 7.3 and 8.3). `localhost` is there because OAuth 2.1 section
/// 2.3.1 has it and because common clients register it.
const OWN_HOSTS: [&str; 3] = ["127.0.0.1", "[::1]", "localhost"];

/// An address that people may be sent back to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedirectUri(String);

impl RedirectUri {
    /// Reads an address: https anywhere, or http on the person's own machine.
    pub fn parse(text: &str) -> Result<Self, ClientError> {
        let refused = || ClientError::Redirect(text.chars().take(80).collect());
        if text.len() > limits::MEMBER_BYTES_MAX || text.contains('#') || htu::normalise(text).is_err() {
            return Err(refused());
        }
        if text.starts_with("https://") || own_machine(text).is_some() {
            Ok(Self(text.to_owned()))
        } else {
            Err(refused())
        }
    }

    /// The address, as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `asked` is this address: letter for letter, but for the port where it is the person's own machine, since an
    /// application takes whichever port is free (RFC 8252 section 7.3).
    pub fn allows(&self, asked: &str) -> bool {
        if self.0 == asked {
            return true;
        }
        let Ok(asked) = Self::parse(asked) else { return false };
        match (own_machine(&self.0), own_machine(&asked.0)) {
            (Some(registered), Some(asked)) => registered == asked,
            _ => false,
        }
    }
}

/// Whether `registered` allows `asked`, for clients whose addresses are kept as texts.
pub fn redirect_allowed(registered: &[String], asked: &str) -> bool {
    registered.iter().filter_map(|text| RedirectUri::parse(text).ok()).any(|registered| registered.allows(asked))
}

/// Host and what follows the authority, if `text` is an http address on the person's own machine.
fn own_machine(text: &str) -> Option<(&str, &str)> {
    let rest = text.strip_prefix("http://")?;
    let (authority, after) = rest.split_at_checked(rest.find(['/', '?']).unwrap_or(rest.len()))?;
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => host,
        _ => authority,
    };
    OWN_HOSTS.contains(&host).then_some((host, after))
}
