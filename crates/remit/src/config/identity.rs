//! Which identities are issued here, and which of others are believed.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::PathBuf;

use remit_domain::Refusal;
use remit_identity::SpiffeId;
use remit_identity::foreign::ClaimRules;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use super::source::{Source, is_safe, once, one};
use super::{CODE, RealmConfig};

/// Shorter and clients would do little but renew; longer and a stolen key is of use for too long.
const SVID_SECONDS: RangeInclusive<u64> = 60..=remit_identity::limits::X509_SVID_SECONDS_MAX.unsigned_abs();
const ROTATE_KEYS_DAYS: RangeInclusive<u64> = 1..=365;

/// `[identity]`: the certificates and keys that the realm issues, and the issuers elsewhere that it believes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct IdentityConfig {
    /// How long a certificate or token of a workload is good.
    pub svid_seconds: u64,
    /// After how many days the realm signs with new keys.
    pub rotate_keys_days: u64,
    /// Trust domains whose workloads may come here.
    pub federation: Vec<FederationConfig>,
    /// Issuers of OpenID Connect tokens, such as those of build services, whose workloads may come here.
    pub oidc: Vec<OidcConfig>,
}

impl Default for IdentityConfig {
    fn default() -> Self {
        Self { svid_seconds: 3600, rotate_keys_days: 30, federation: Vec::new(), oidc: Vec::new() }
    }
}

/// `[[identity.federation]]`: a foreign trust domain, and where its bundle (SPIFFE Trust Domain and Bundle, section 4) is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FederationConfig {
    /// Its name, lower case, without `spiffe://`.
    pub trust_domain: String,
    /// A file with its bundle, read again every minute.
    pub bundle_file: Option<PathBuf>,
    /// The address of its bundle, asked as often as the bundle says.
    #[schemars(with = "Option<String>")]
    pub bundle_url: Option<Url>,
}

impl FederationConfig {
    /// Where the bundle is.
    ///
    /// # Errors
    /// If there is not exactly one source, or it could be forged on the way.
    pub fn source(&self) -> Result<Source, Refusal> {
        let table = format!("`[[identity.federation]]` for `{}`", self.trust_domain);
        one(&table, "bundle", self.bundle_file.as_ref(), self.bundle_url.as_ref())
    }
}

/// `[[identity.oidc]]`: an issuer whose tokens name workloads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OidcConfig {
    /// What the tokens say in `iss`, byte for byte.
    pub issuer: String,
    /// A file with its keys (RFC 7517 section 5), read again every minute.
    pub jwks_file: Option<PathBuf>,
    /// The address of its keys.
    #[schemars(with = "Option<String>")]
    pub jwks_url: Option<Url>,
    /// What the tokens must say in `aud`.
    pub audience: String,
    /// Claims that its tokens must have, at least one, each with a value or one of several; a `*` at the end of a value
    /// stands for anything.
    pub claims: BTreeMap<String, Values>,
    /// The agent that all of its tokens are for; otherwise whoever is bound to the subject.
    pub agent: Option<String>,
    /// The claim that names the workload.
    #[serde(default = "subject_claim")]
    pub subject_claim: String,
}

/// One text, or several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Values {
    One(String),
    Several(Vec<String>),
}

fn subject_claim() -> String {
    "sub".to_owned()
}

impl OidcConfig {
    /// Where the keys are.
    ///
    /// # Errors
    /// If there is not exactly one source, or it could be forged on the way.
    pub fn source(&self) -> Result<Source, Refusal> {
        let table = format!("`[[identity.oidc]]` for `{}`", self.issuer);
        one(&table, "jwks", self.jwks_file.as_ref(), self.jwks_url.as_ref())
    }

    /// Which of the issuer's tokens are meant.
    ///
    /// # Errors
    /// If that would be all of them, or a rule cannot be meant.
    pub fn rules(&self) -> Result<ClaimRules, Refusal> {
        let values = |values: &Values| match values {
            Values::One(value) => vec![value.clone()],
            Values::Several(values) => values.clone(),
        };
        let rules = self.claims.iter().map(|(claim, allowed)| (claim.clone(), values(allowed))).collect();
        ClaimRules::new(&rules).map_err(|error| {
            let sentence = format!("`claims` of `[[identity.oidc]]` for `{}` cannot be used: {error}", self.issuer);
            Refusal::new(CODE, sentence).help(error.help())
        })
    }

    fn check(&self) -> Result<(), Refusal> {
        is_issuer("identity.oidc", &self.issuer)?;
        self.source()?;
        self.rules()?;
        not_empty("identity.oidc", "audience", &self.audience)?;
        not_empty("identity.oidc", "subject_claim", &self.subject_claim)
    }
}

impl IdentityConfig {
    pub(super) fn check(&self, realm: &RealmConfig) -> Result<(), Refusal> {
        within("identity.svid_seconds", self.svid_seconds, &SVID_SECONDS)?;
        within("identity.rotate_keys_days", self.rotate_keys_days, &ROTATE_KEYS_DAYS)?;
        for foreign in &self.federation {
            let name = &foreign.trust_domain;
            if name.contains('/') || SpiffeId::parse(&format!("spiffe://{name}")).is_err() {
                return Err(Refusal::new(
                    CODE,
                    format!("`[[identity.federation]]` names `{name}`, which is no trust domain"),
                )
                .help("write its name alone, in lower case, like `partner.example`"));
            }
            if *name == realm.trust_domain {
                return Err(Refusal::new(
                    CODE,
                    format!("`[[identity.federation]]` names `{name}`, which is this realm itself"),
                )
                .help("remove the table; the realm knows its own keys"));
            }
            foreign.source()?;
        }
        once(
            "[[identity.federation]]",
            "trust domain",
            self.federation.iter().map(|foreign| foreign.trust_domain.as_str()),
        )?;
        self.oidc.iter().try_for_each(OidcConfig::check)?;
        once("[[identity.oidc]]", "issuer", self.oidc.iter().map(|oidc| oidc.issuer.as_str()))
    }
}

fn within(name: &str, value: u64, range: &RangeInclusive<u64>) -> Result<(), Refusal> {
    if range.contains(&value) {
        return Ok(());
    }
    let sentence = format!("`{name}` is {value}, and has to be from {} to {}", range.start(), range.end());
    Err(Refusal::new(CODE, sentence))
}

/// An issuer is compared as text, but has to be an address that could not be forged on the way.
pub(super) fn is_issuer(table: &str, issuer: &str) -> Result<(), Refusal> {
    let what = format!("`issuer` of `[[{table}]]`");
    match Url::parse(issuer) {
        Ok(url) => is_safe(&what, &url),
        Err(_) => Err(Refusal::new(CODE, format!("{what} is `{issuer}`, which is not an address"))
            .help("write it as its tokens do, like `https://issuer.example`")),
    }
}

pub(super) fn not_empty(table: &str, member: &str, value: &str) -> Result<(), Refusal> {
    match value.is_empty() {
        true => Err(Refusal::new(CODE, format!("`{member}` of `[[{table}]]` is empty"))),
        false => Ok(()),
    }
}
