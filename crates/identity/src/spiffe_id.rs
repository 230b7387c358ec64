//! SPIFFE IDs: the names of agents and of their runs (SPIFFE-ID standard, section 2).

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::limits;

#[cfg(test)]
mod tests;

/// Why a text is not a SPIFFE ID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SpiffeIdError {
    #[error("the name is longer than {} bytes", limits::SPIFFE_ID_BYTES_MAX)]
    TooLong,
    #[error("the name does not start with `spiffe://`")]
    Scheme,
    #[error("the trust domain is empty, too long, or has other characters than `a-z`, `0-9`, `.`, `-` and `_`")]
    TrustDomain,
    #[error(
        "a part of the path is empty, a dot or two, or has other characters than letters, digits, `.`, `-` and `_`"
    )]
    Path,
}

/// A well-formed SPIFFE ID, such as `spiffe://example.org/agent/triage/production`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SpiffeId(String);

/// What the name of an agent, or of one of its runs, says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AgentName<'a> {
    pub name: &'a str,
    pub environment: &'a str,
    /// The run, where the name is that of one.
    pub run: Option<&'a str>,
}

impl SpiffeId {
    /// Reads a SPIFFE ID. There is one spelling of each: nothing is normalised, what would need it is refused.
    pub fn parse(text: &str) -> Result<Self, SpiffeIdError> {
        if text.len() > limits::SPIFFE_ID_BYTES_MAX {
            return Err(SpiffeIdError::TooLong);
        }
        let rest = text.strip_prefix("spiffe://").ok_or(SpiffeIdError::Scheme)?;
        let (domain, path) = match rest.split_once('/') {
            Some((domain, path)) => (domain, Some(path)),
            None => (rest, None),
        };
        let allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'_');
        if domain.is_empty() || domain.len() > limits::TRUST_DOMAIN_BYTES_MAX || !domain.bytes().all(allowed) {
            return Err(SpiffeIdError::TrustDomain);
        }
        if path.is_some_and(|path| !path.split('/').all(is_segment)) {
            return Err(SpiffeIdError::Path);
        }
        Ok(Self(text.to_owned()))
    }

    /// The name of a trust domain itself, which is that of its authorities: `spiffe://DOMAIN`.
    pub fn domain(domain: &str) -> Result<Self, SpiffeIdError> {
        if domain.contains('/') { Err(SpiffeIdError::TrustDomain) } else { Self::parse(&format!("spiffe://{domain}")) }
    }

    /// The name of one of Remit's own doors, as their certificates carry it: `spiffe://DOMAIN/remit/DOOR`.
    pub fn door(domain: &str, door: &str) -> Result<Self, SpiffeIdError> {
        if is_segment(door) {
            Self::parse(&format!("{}/remit/{door}", Self::domain(domain)?))
        } else {
            Err(SpiffeIdError::Path)
        }
    }

    /// The name of an agent in an environment: `spiffe://DOMAIN/agent/NAME/ENVIRONMENT`.
    pub fn agent(domain: &str, name: &str, environment: &str) -> Result<Self, SpiffeIdError> {
        // Checked before they are joined: a slash inside one part must not make two of it.
        if domain.contains('/') {
            return Err(SpiffeIdError::TrustDomain);
        }
        if !is_segment(name) || !is_segment(environment) {
            return Err(SpiffeIdError::Path);
        }
        Self::parse(&format!("spiffe://{domain}/agent/{name}/{environment}"))
    }

    /// The name of one run of an agent: `spiffe://DOMAIN/agent/NAME/ENVIRONMENT/run/ID`.
    pub fn run(domain: &str, name: &str, environment: &str, run: &str) -> Result<Self, SpiffeIdError> {
        if is_segment(run) {
            Self::parse(&format!("{}/run/{run}", Self::agent(domain, name, environment)?))
        } else {
            Err(SpiffeIdError::Path)
        }
    }

    /// The whole name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The trust domain.
    pub fn trust_domain(&self) -> &str {
        self.segments().0
    }

    /// Whether this names something in a trust domain rather than the domain itself.
    pub fn has_path(&self) -> bool {
        self.0.strip_prefix("spiffe://").is_some_and(|rest| rest.contains('/'))
    }

    /// Which agent this names, if it is the name of an agent or of a run.
    pub fn agent_name(&self) -> Option<AgentName<'_>> {
        let mut path = self.segments().1;
        let agent = match (path.next(), path.next(), path.next()) {
            (Some("agent"), Some(name), Some(environment)) => AgentName { name, environment, run: None },
            _ => return None,
        };
        match (path.next(), path.next(), path.next()) {
            (None, ..) => Some(agent),
            (Some("run"), Some(run), None) => Some(AgentName { run: Some(run), ..agent }),
            _ => None,
        }
    }

    fn segments(&self) -> (&str, std::str::Split<'_, char>) {
        let rest = self.0.strip_prefix("spiffe://").unwrap_or_default();
        let (domain, path) = rest.split_once('/').unwrap_or((rest, ""));
        (domain, path.split('/'))
    }
}

fn is_segment(segment: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    !segment.is_empty() && segment != "." && segment != ".." && segment.bytes().all(allowed)
}

impl fmt::Display for SpiffeId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Debug for SpiffeId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SpiffeId({})", self.0)
    }
}

impl TryFrom<String> for SpiffeId {
    type Error = SpiffeIdError;

    fn try_from(text: String) -> Result<Self, SpiffeIdError> {
        Self::parse(&text)
    }
}

impl From<SpiffeId> for String {
    fn from(id: SpiffeId) -> Self {
        id.0
    }
}
