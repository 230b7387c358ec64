//! The guardrails that a new realm begins with, embedded from `policies/`.
//!
//! They hold the default access patterns (`policies/access-patterns.toml`); `policies/README.md` says which policy holds what.

use crate::PolicySource;

#[cfg(test)]
mod patterns;
#[cfg(test)]
mod tests;

/// Embeds each policy file, with its table of cases.
macro_rules! embedded {
    ($($name:literal),+ $(,)?) => {
        /// The starter policies: name and text. Texts for people to read, change and propose like any other policy.
        pub const STARTER: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../../../policies/", $name, ".cedar")))),+];

        /// The tables of cases of the starter policies: name and text. Each policy file has one of its own; `access-patterns` holds the
        /// whole set to the default access patterns.
        pub const STARTER_CASES: &[(&str, &str)] = &[
            $(($name, include_str!(concat!("../../../policies/", $name, ".cases.toml")))),+,
            ("access-patterns", include_str!("../../../policies/access-patterns.cases.toml")),
        ];
    };
}

embedded!(
    "acting-for-entitled",
    "approval-act",
    "approval-code",
    "approval-read",
    "approval-transform",
    "autonomy-a1-no-change",
    "autonomy-a2-asks",
    "base",
    "class-verbs",
    "credential-life",
    "data-ceiling",
    "egress",
    "high-risk-asks",
    "restricted-needs-proof",
    "sandbox",
    "sandbox-no-sensitive",
    "untrusted-then-send",
);

/// The default access patterns: for each class of agent, autonomy level and class of data, what is allowed under which controls.
pub const ACCESS_PATTERNS: &str = include_str!("../../../policies/access-patterns.toml");

/// The starter policies as sources.
pub fn starter() -> Vec<PolicySource> {
    STARTER.iter().map(|(name, text)| PolicySource { name: (*name).to_owned(), text: (*text).to_owned() }).collect()
}
