//! Bounds on the arguments of a call, and when one is no broader than another.

use serde_json::Value;

use super::MissionError;
use super::decimal::Decimal;
use crate::limits;

/// A bound that was read: its kind follows from its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Bound {
    /// `max_X`
    Most(Amount),
    /// `min_X`
    Least(Amount),
    /// `X_after`
    After(jiff::Timestamp),
    /// `X_before`
    Before(jiff::Timestamp),
    /// `X`: one of these.
    Among(Vec<Value>),
}

/// A number, with a currency or without.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Amount {
    number: Decimal,
    currency: Option<String>,
}

impl Bound {
    /// Reads the bound `name`. What could not be compared later is refused here.
    pub fn read(name: &str, value: &Value) -> Result<Self, MissionError> {
        let refused = |why| MissionError::Constraint { name: super::excerpt(name), why };
        let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if name.is_empty() || name.len() > limits::CONSTRAINT_NAME_BYTES_MAX || !name.bytes().all(word) {
            return Err(refused("has a name that is not 1 to 64 letters, digits and underscores"));
        }
        let argument = |argument: &str| {
            if argument.is_empty() { Err(refused("does not name what it bounds")) } else { Ok(()) }
        };
        let amount =
            || Amount::read(value).ok_or_else(|| refused("is neither a decimal number nor an amount of money"));
        let time = || time(value).ok_or_else(|| refused("is not a time as in RFC 3339"));
        if let Some(bounded) = name.strip_prefix("max_") {
            argument(bounded).and_then(|()| amount().map(Self::Most))
        } else if let Some(bounded) = name.strip_prefix("min_") {
            argument(bounded).and_then(|()| amount().map(Self::Least))
        } else if let Some(bounded) = name.strip_suffix("_after") {
            argument(bounded).and_then(|()| time().map(Self::After))
        } else if let Some(bounded) = name.strip_suffix("_before") {
            argument(bounded).and_then(|()| time().map(Self::Before))
        } else {
            allowed(value)
                .map(Self::Among)
                .ok_or_else(|| refused("is not a text, a number, a truth value or a list of such"))
        }
    }

    /// Whether everything within this bound is within `other` too. Two bounds that cannot be compared are not.
    pub fn is_within(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Most(own), Self::Most(other)) => own.currency == other.currency && own.number <= other.number,
            (Self::Least(own), Self::Least(other)) => own.currency == other.currency && own.number >= other.number,
            (Self::After(own), Self::After(other)) => own >= other,
            (Self::Before(own), Self::Before(other)) => own <= other,
            (Self::Among(own), Self::Among(other)) => own.iter().all(|value| other.contains(value)),
            _ => false,
        }
    }
}

impl Amount {
    fn read(value: &Value) -> Option<Self> {
        let Some(members) = value.as_object() else {
            return Some(Self { number: Decimal::read(value)?, currency: None });
        };
        let currency = members.get("currency")?.as_str()?;
        let good = (1..=16).contains(&currency.len()) && currency.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if members.len() != 2 || !good {
            return None;
        }
        Some(Self { number: Decimal::read(members.get("amount")?)?, currency: Some(currency.to_owned()) })
    }
}

/// A time with its offset, compared as the instant that it is.
fn time(value: &Value) -> Option<jiff::Timestamp> {
    let text = value.as_str()?;
    // The parser also takes zone names in brackets, which RFC 3339 does not have.
    if text.len() > 40 || text.contains('[') { None } else { text.parse().ok() }
}

fn allowed(value: &Value) -> Option<Vec<Value>> {
    let simple = |value: &Value| match value {
        Value::String(text) => text.len() <= limits::MEMBER_BYTES_MAX,
        Value::Number(_) | Value::Bool(_) => true,
        Value::Null | Value::Array(_) | Value::Object(_) => false,
    };
    let values = match value {
        Value::Array(values) if values.is_empty() || values.len() > limits::CONSTRAINT_VALUES_MAX => return None,
        Value::Array(values) => values.clone(),
        one => vec![one.clone()],
    };
    values.iter().all(simple).then_some(values)
}
