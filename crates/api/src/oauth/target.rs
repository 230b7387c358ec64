//! What a token is for (RFC 8707): the whole gateway, or one connector of it. Never both, never two.

use remit_domain::{Refusal, State};

use super::error::OAuthError;
use super::form::Form;

#[cfg(test)]
mod tests;

/// The audience of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    address: String,
    connector: Option<String>,
}

impl Target {
    /// The whole gateway at `gateway` (`…/mcp`).
    pub fn whole(gateway: &str) -> Self {
        Self { address: gateway.to_owned(), connector: None }
    }

    /// A connector at `address` that there is no longer.
    pub fn gone(address: &str) -> Self {
        Self { address: address.to_owned(), connector: address.rsplit('/').next().map(str::to_owned) }
    }

    /// The target that `address` names byte for byte, or `invalid_target`.
    pub fn parse(state: &State, gateway: &str, address: &str) -> Result<Self, OAuthError> {
        if address == gateway {
            return Ok(Self::whole(gateway));
        }
        let connector = address.strip_prefix(gateway).and_then(|rest| rest.strip_prefix('/'));
        match connector.filter(|name| state.connector_named(name).is_ok()) {
            Some(name) => Ok(Self { address: address.to_owned(), connector: Some(name.to_owned()) }),
            None => {
                let refusal = Refusal::new("resource_unknown", "the resource is not one of this gateway")
                    .help(format!("ask for {gateway} or for {gateway}/CONNECTOR"));
                Err(OAuthError::new("invalid_target", refusal))
            }
        }
    }

    /// What a request asks for: `resource`, or `audience` where that is a parameter too (RFC 8693); nothing where neither is
    /// there.
    pub fn asked(state: &State, gateway: &str, form: &Form) -> Result<Option<Self>, OAuthError> {
        match (form.optional("resource"), form.optional("audience")) {
            (None, None) => Ok(None),
            (Some(one), None) | (None, Some(one)) => Self::parse(state, gateway, one).map(Some),
            (Some(one), Some(other)) if one == other => Self::parse(state, gateway, one).map(Some),
            _ => {
                let refusal =
                    Refusal::new("too_many_resources", "the resource and the audience are two different places");
                Err(OAuthError::new("invalid_target", refusal.help("ask for one token per resource")))
            }
        }
    }

    /// What is written into a token.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The one connector that it is, or nothing for the whole gateway.
    pub fn connector(&self) -> Option<&str> {
        self.connector.as_deref()
    }

    /// Whether whatever is for this is for `other` too.
    pub fn is_within(&self, other: &Self) -> bool {
        other.connector.is_none() || self == other
    }
}
