//! What a projection makes of an argument.

use std::fmt;
use std::str::FromStr;

use serde_json::Value;

use super::{ProjectionError, text};
use crate::arguments::{decimal, whole};

/// A function of the projection language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Function {
    /// The argument as it is: a text, a number, or a truth value.
    Value,
    /// The domain of an e-mail address, in lower case.
    EmailDomain,
    /// The host of an address with a scheme, in lower case and without its port.
    UrlHost,
    /// A POSIX path with `.` and `..` resolved, or `outside` if it leads out of where it starts. Links are not followed: only
    /// the server knows them.
    Path,
    /// How many items a list has.
    Count,
    /// An amount as a whole number: a whole-number argument as it is, a number or text with decimals in hundredths.
    Amount,
    /// The first keyword of an SQL text in upper case, or `MULTIPLE` if it may hold more than one statement.
    SqlVerb,
    /// A text in lower case.
    Lower,
}

impl Function {
    /// Every function.
    pub const ALL: [Self; 8] = [
        Self::Value,
        Self::EmailDomain,
        Self::UrlHost,
        Self::Path,
        Self::Count,
        Self::Amount,
        Self::SqlVerb,
        Self::Lower,
    ];

    /// Its name, as projections write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Value => "value",
            Self::EmailDomain => "email_domain",
            Self::UrlHost => "url_host",
            Self::Path => "path",
            Self::Count => "count",
            Self::Amount => "amount",
            Self::SqlVerb => "sql_verb",
            Self::Lower => "lower",
        }
    }

    pub(super) fn in_words() -> String {
        Self::ALL.map(|function| format!("`{function}`")).join(", ")
    }

    /// Applies it to one value. `hundredths` says how an amount is counted.
    ///
    /// # Errors
    /// What is wrong with the value, to stand after "it".
    pub(super) fn apply(self, value: &Value, hundredths: bool) -> Result<Value, &'static str> {
        let of_text = |make: fn(&str) -> Result<String, &'static str>| {
            value.as_str().ok_or("is not a text").and_then(make).map(Value::String)
        };
        match self {
            Self::Value => Ok(value.clone()),
            Self::EmailDomain => of_text(text::email_domain),
            Self::UrlHost => of_text(text::url_host),
            Self::Path => of_text(text::path),
            Self::SqlVerb => of_text(text::sql_verb),
            Self::Lower => of_text(|text| Ok(text.to_lowercase())),
            Self::Count => value.as_array().map(|items| Value::from(items.len())).ok_or("is not a list"),
            Self::Amount => amount(value, hundredths).map(Value::from),
        }
    }
}

fn amount(value: &Value, hundredths: bool) -> Result<i64, &'static str> {
    const DIGITS: &str = "is not an amount of at most two digits after the point";
    let text = match value {
        Value::Number(number) if !hundredths => return whole(number).ok_or("is not a whole number"),
        Value::Number(number) => decimal(number).ok_or(DIGITS)?,
        Value::String(text) => text.clone(),
        _ => return Err("is not a number"),
    };
    in_hundredths(&text).ok_or(DIGITS)
}

/// `-12.5` as -1250. Only digits, one point, and a sign before them.
fn in_hundredths(text: &str) -> Option<i64> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let plain = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !plain(whole) || !plain(fraction) || fraction.len() > 2 {
        return None;
    }
    format!("{whole}{fraction:0<2}").parse::<i64>().ok().map(|hundredths| sign * hundredths)
}

impl FromStr for Function {
    type Err = ProjectionError;

    fn from_str(text: &str) -> Result<Self, ProjectionError> {
        let named = Self::ALL.into_iter().find(|function| function.as_str() == text);
        named.ok_or_else(|| ProjectionError::Function { function: text.to_owned() })
    }
}

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
