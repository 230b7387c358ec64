//! The rules of `deps.toml`: each entry with its reason.

use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// The platform whose build is checked, as a target triple.
    pub target: String,
    /// How many crates may be compiled in more than one version.
    pub duplicates_max: usize,
    #[serde(rename = "licence")]
    licences: Vec<Accepted>,
    #[serde(rename = "exception", default)]
    exceptions: Vec<Accepted>,
    #[serde(rename = "ban", default)]
    bans: Vec<Ban>,
    #[serde(rename = "ban_feature", default)]
    feature_bans: Vec<FeatureBan>,
}

/// A licence, or an additional permission to one.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Accepted {
    id: String,
    #[serde(rename = "why")]
    _why: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ban {
    pub name: String,
    pub scope: Scope,
    pub why: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Nowhere in the program, whoever brings it in.
    Compiled,
    /// Not by our own crates; others may need it for themselves.
    Direct,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeatureBan {
    pub name: String,
    pub feature: String,
    pub why: String,
}

impl Rules {
    /// Whether a licence, and the permission added to it, are accepted.
    pub fn accepts(&self, id: &str, exception: Option<&str>) -> bool {
        let listed = |list: &[Accepted], id: &str| list.iter().any(|each| each.id == id);
        listed(&self.licences, id) && exception.is_none_or(|exception| listed(&self.exceptions, exception))
    }

    /// The ban on naming this crate in one of our manifests; both scopes include that.
    pub fn ban(&self, name: &str) -> Option<&Ban> {
        self.bans.iter().find(|ban| ban.name == name)
    }

    pub fn bans(&self) -> impl Iterator<Item = &Ban> {
        self.bans.iter()
    }

    pub fn feature_bans(&self) -> impl Iterator<Item = &FeatureBan> {
        self.feature_bans.iter()
    }
}
