//! Who somebody is elsewhere: an issuer of identities, and the name that it gave.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::refusal::is_unsafe_to_show;
use crate::{Digest, Refusal, limits};

/// A name that an issuer outside this realm gave to a person or a workload; written as the two with a space between them, so
/// that it can be a key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct External {
    /// `spiffe://DOMAIN`, or the address of an issuer (OpenID Connect Core section 2, `iss`). Holds no space.
    pub issuer: String,
    /// What the issuer calls it: a SPIFFE ID, or a `sub`.
    pub subject: String,
}

impl External {
    pub fn new(issuer: &str, subject: &str) -> Self {
        Self { issuer: issuer.to_owned(), subject: subject.to_owned() }
    }

    /// As [`External::new`], or the refusal of what is not an issuer and a subject.
    pub(crate) fn checked(issuer: &str, subject: &str) -> Result<Self, Refusal> {
        let refused = |what: &str| {
            Err(Refusal::new("bad_identity", format!("`{issuer}` with `{subject}` is not an identity: {what}")).help(
                "name the issuer by its address or as `spiffe://DOMAIN`, and the subject as the issuer writes it",
            ))
        };
        let schemes = ["spiffe://", "https://", "http://"];
        if !schemes.iter().any(|scheme| issuer.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty())) {
            return refused("the issuer is no address");
        }
        if subject.trim().is_empty() {
            return refused("the subject is empty");
        }
        if issuer.len() > limits::ADDRESS_BYTES_MAX || subject.len() > limits::ADDRESS_BYTES_MAX {
            return refused("it is too long");
        }
        if issuer.contains(|letter: char| letter.is_whitespace() || letter.is_control()) {
            return refused("the issuer holds spaces");
        }
        if subject.contains(|letter| is_unsafe_to_show(letter) || letter == '\n') {
            return refused("the subject holds control characters");
        }
        // The issuer of a SPIFFE ID is its trust domain, so the two cannot differ.
        if issuer.starts_with("spiffe://") && !subject.strip_prefix(issuer).is_some_and(|path| path.starts_with('/')) {
            return refused("the subject is not a SPIFFE ID of the issuer's trust domain");
        }
        Ok(Self::new(issuer, subject))
    }

    /// A short name for it that nobody chooses.
    pub(crate) fn digest(&self) -> Digest {
        Digest::of_bytes(self.to_string().as_bytes())
    }
}

impl fmt::Display for External {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.issuer, self.subject)
    }
}

impl Serialize for External {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for External {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        let (issuer, subject) =
            text.split_once(' ').ok_or_else(|| serde::de::Error::custom("an issuer and a subject are needed"))?;
        Ok(Self::new(issuer, subject))
    }
}
