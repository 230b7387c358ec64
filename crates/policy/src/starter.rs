//! The guardrails that a new realm begins with, embedded from `policies/`.

use crate::PolicySource;

#[cfg(test)]
mod tests;

/// Pairs a policy file with its table of cases.
macro_rules! embedded {
    ($($name:literal),+ $(,)?) => {
        /// The starter policies: name and text. Texts for people to read, change and propose like any other policy.
        pub const STARTER: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../../../policies/", $name, ".cedar")))),+];

        /// The tables of cases of the starter policies: name and text.
        pub const STARTER_CASES: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../../../policies/", $name, ".cases.toml")))),+];
    };
}

embedded!(
    "autonomy-a1-no-change",
    "autonomy-a2-asks",
    "base",
    "class-verbs",
    "data-ceiling",
    "high-risk-asks",
    "restricted-needs-proof",
    "sandbox",
    "sandbox-no-sensitive",
    "untrusted-then-send",
);

/// The starter policies as sources.
pub fn starter() -> Vec<PolicySource> {
    STARTER.iter().map(|(name, text)| PolicySource { name: (*name).to_owned(), text: (*text).to_owned() }).collect()
}
