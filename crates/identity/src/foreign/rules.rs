//! Which tokens of an issuer are meant: rules on their claims, written by the operator.

use std::collections::BTreeMap;

use serde_json::Value;

use super::ForeignError;
use crate::json::Members;
use crate::limits;

/// Why rules were refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    #[error("there is not between 1 and {} rules on claims", limits::CLAIM_RULES_MAX)]
    Count,
    #[error("the rule on the claim `{0}` allows nothing")]
    Nothing(String),
    #[error("the rule on the claim `{0}` has a `*` that does not stand at the end of a text")]
    Star(String),
}

impl RuleError {
    /// What to do next.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Count => "name at least one claim: an issuer signs for more than the workloads that you mean",
            Self::Nothing(_) => "give one value or a list of values",
            Self::Star(_) => "write the start of the value and one `*` at its end, as in `repo:our-org/*`",
        }
    }
}

/// Rules by the name of the claim. All must hold; a claim that is not there breaks its rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimRules(BTreeMap<String, Vec<Pattern>>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Pattern {
    Exactly(String),
    StartsWith(String),
}

impl ClaimRules {
    /// Reads rules: for each claim the values that it may have, each the whole value or its start followed by `*`.
    pub fn new(rules: &BTreeMap<String, Vec<String>>) -> Result<Self, RuleError> {
        if !(1..=limits::CLAIM_RULES_MAX).contains(&rules.len()) {
            return Err(RuleError::Count);
        }
        let read = |(name, values): (&String, &Vec<String>)| {
            if values.is_empty() {
                return Err(RuleError::Nothing(name.clone()));
            }
            let patterns =
                values.iter().map(|value| Pattern::parse(value).ok_or_else(|| RuleError::Star(name.clone())));
            Ok((name.clone(), patterns.collect::<Result<_, _>>()?))
        };
        rules.iter().map(read).collect::<Result<_, _>>().map(Self)
    }

    /// Whether verified `claims` meet every rule. Of a claim that is a list, one item has to meet it.
    pub fn hold(&self, claims: &Members) -> Result<(), ForeignError> {
        let met = |(name, patterns): &(&String, &Vec<Pattern>)| match claims.value(name) {
            Some(Value::Array(items)) => items.iter().any(|item| meets(item, patterns)),
            Some(value) => meets(value, patterns),
            None => false,
        };
        match self.0.iter().find(|rule| !met(rule)) {
            Some((name, _)) => Err(ForeignError::Rule(name.clone())),
            None => Ok(()),
        }
    }
}

impl Pattern {
    fn parse(text: &str) -> Option<Self> {
        match text.strip_suffix('*') {
            // A star alone is met by any value, which is no rule.
            Some(start) if start.is_empty() || start.contains('*') => None,
            Some(start) => Some(Self::StartsWith(start.to_owned())),
            None if text.is_empty() || text.contains('*') => None,
            None => Some(Self::Exactly(text.to_owned())),
        }
    }

    fn allows(&self, value: &str) -> bool {
        match self {
            Self::Exactly(text) => value == text,
            Self::StartsWith(start) => value.starts_with(start.as_str()),
        }
    }
}

/// Truth values and numbers are compared as they are written; what has parts meets nothing.
fn meets(value: &Value, patterns: &[Pattern]) -> bool {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => return false,
    };
    patterns.iter().any(|pattern| pattern.allows(&text))
}
