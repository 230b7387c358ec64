//! Authority: what a task may use of what its agent was granted, within which bounds, and whether it may pass it on.
//!
//! INVARIANT: authority only narrows. Whatever is passed on is contained in what it comes from: the same operations or fewer,
//! every bound still there and no wider, fewer levels of delegation.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{OperationName, OperationPattern, Refusal, limits};

#[cfg(test)]
mod tests;

/// Some operations, with bounds on their arguments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Authority {
    pub operations: Vec<OperationPattern>,
    /// Bounds by name: `max_X` and `min_X` bound the argument `X`, `X_after` and `X_before` its time, and any other name is an
    /// argument with the one value, or the list of values, that it may have.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub constraints: BTreeMap<String, Value>,
    /// Whether, and to whom, it may be passed on. Nothing: to nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delegation: Option<Delegation>,
}

/// To whom authority may be passed on, and how often.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Delegation {
    /// Delegates one after the other: 1 means that a delegate passes nothing on.
    pub depth_max: u32,
    /// Who may be one; at least one.
    pub delegates: Vec<Delegate>,
}

/// Who may be a delegate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Delegate {
    /// The agent with this SPIFFE ID, or this name.
    Agent(String),
    /// Any agent of the realm.
    AnyAgent,
}

/// A bound, as its name says.
enum Bound<'a> {
    Max(&'a str),
    Min(&'a str),
    After(&'a str),
    Before(&'a str),
    Among(&'a str),
}

impl<'a> Bound<'a> {
    fn of(name: &'a str) -> Self {
        if let Some(argument) = name.strip_prefix("max_") {
            Self::Max(argument)
        } else if let Some(argument) = name.strip_prefix("min_") {
            Self::Min(argument)
        } else if let Some(argument) = name.strip_suffix("_after") {
            Self::After(argument)
        } else if let Some(argument) = name.strip_suffix("_before") {
            Self::Before(argument)
        } else {
            Self::Among(name)
        }
    }

    const fn argument(&self) -> &'a str {
        match self {
            Self::Max(argument)
            | Self::Min(argument)
            | Self::After(argument)
            | Self::Before(argument)
            | Self::Among(argument) => argument,
        }
    }

    /// Whether `own` is within `bound`: a value of the argument, or a bound of the same name. Nothing where they cannot be
    /// compared, which is never "yes".
    fn holds(&self, own: &Value, bound: &Value) -> Option<bool> {
        match self {
            Self::Max(_) => compare(own, bound).map(Ordering::is_le),
            Self::Min(_) => compare(own, bound).map(Ordering::is_ge),
            Self::After(_) => Some(time(own)? >= time(bound)?),
            Self::Before(_) => Some(time(own)? <= time(bound)?),
            Self::Among(_) => match (own, bound) {
                (Value::Array(own), Value::Array(allowed)) => Some(own.iter().all(|one| allowed.contains(one))),
                (own, Value::Array(allowed)) => Some(allowed.contains(own)),
                (own, only) => Some(own == only),
            },
        }
    }
}

/// Compares two amounts: numbers, decimal texts, or both with a currency, which then must be the same.
fn compare(own: &Value, bound: &Value) -> Option<Ordering> {
    match (own, bound) {
        (Value::Object(own), Value::Object(bound)) => {
            let same = own.len() == 2 && bound.len() == 2 && own.get("currency")? == bound.get("currency")?;
            if same { compare(own.get("amount")?, bound.get("amount")?) } else { None }
        }
        _ => Some(Decimal::read(own)?.cmp(&Decimal::read(bound)?)),
    }
}

fn time(value: &Value) -> Option<jiff::Timestamp> {
    value.as_str()?.parse().ok()
}

/// A decimal number, compared digit by digit: money does not pass through floating point.
#[derive(PartialEq, Eq)]
struct Decimal {
    negative: bool,
    /// Without leading zeros.
    whole: String,
    /// Without trailing zeros.
    fraction: String,
}

impl Decimal {
    fn read(value: &Value) -> Option<Self> {
        let text = match value {
            Value::Number(number) => number.to_string(),
            Value::String(text) => text.clone(),
            _ => return None,
        };
        let (negative, digits) = match text.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, text.as_str()),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
        let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !all_digits(whole) || !all_digits(fraction) || digits.len() > limits::NAME_BYTES_MAX {
            return None;
        }
        let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
        let zero = whole.is_empty() && fraction.is_empty();
        Some(Self { negative: negative && !zero, whole: whole.to_owned(), fraction: fraction.to_owned() })
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let size = |own: &Self, other: &Self| {
            let whole = own.whole.len().cmp(&other.whole.len()).then_with(|| own.whole.cmp(&other.whole));
            whole.then_with(|| own.fraction.cmp(&other.fraction))
        };
        match (self.negative, other.negative) {
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
            (false, false) => size(self, other),
            (true, true) => size(other, self),
        }
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Delegate {
    fn within(&self, other: &Self) -> bool {
        *other == Self::AnyAgent || self == other
    }

    fn names(&self, name: &str, spiffe_id: &str) -> bool {
        match self {
            Self::Agent(own) => own == name || own == spiffe_id,
            Self::AnyAgent => true,
        }
    }
}

impl Delegation {
    /// Whether the agent may be a delegate.
    pub fn allows(&self, name: &str, spiffe_id: &str) -> bool {
        self.depth_max > 0 && self.delegates.iter().any(|delegate| delegate.names(name, spiffe_id))
    }

    /// What a delegate may pass on.
    fn next(&self) -> Option<Self> {
        let depth_max = self.depth_max.checked_sub(1).filter(|depth| *depth > 0)?;
        Some(Self { depth_max, delegates: self.delegates.clone() })
    }

    fn within(&self, other: &Self) -> bool {
        self.depth_max <= other.depth_max
            && self.delegates.iter().all(|own| other.delegates.iter().any(|theirs| own.within(theirs)))
    }
}

impl Authority {
    /// Everything that `operations` cover, without bounds.
    pub const fn over(operations: Vec<OperationPattern>) -> Self {
        Self { operations, constraints: BTreeMap::new(), delegation: None }
    }

    /// Whether it is about `operation`.
    pub fn covers(&self, operation: &OperationName) -> bool {
        self.operations.iter().any(|pattern| pattern.covers(operation))
    }

    /// Whether it is contained in `parent`: its operations, its bounds and, where it may be passed on, its delegation.
    pub(crate) fn within(&self, parent: &Self) -> Result<(), String> {
        for own in &self.operations {
            if !parent.operations.iter().any(|pattern| pattern.contains(own)) {
                return Err(format!("`{}` is not part of it", own.as_str()));
            }
        }
        for (name, bound) in &parent.constraints {
            let Some(own) = self.constraints.get(name) else {
                // A bound that is left out is as wide as can be.
                return Err(format!("the bound `{name}` is missing"));
            };
            if Bound::of(name).holds(own, bound) != Some(true) {
                return Err(format!("the bound `{name}` is wider"));
            }
        }
        parent.delegation_holds(self)
    }

    /// Whether `own` could be passed on no further than this.
    pub(crate) fn delegation_holds(&self, own: &Self) -> Result<(), String> {
        match (&own.delegation, &self.delegation) {
            (None, _) => Ok(()),
            (Some(own), Some(allowed)) if own.within(allowed) => Ok(()),
            _ => Err("it could be passed on further".to_owned()),
        }
    }

    /// The same for a delegate: one level less.
    pub(crate) fn for_delegate(&self) -> Self {
        Self { delegation: self.delegation.as_ref().and_then(Delegation::next), ..self.clone() }
    }

    /// Why `arguments` are not within its bounds, if they are not. What cannot be checked is not within them.
    fn bounds(&self, arguments: &Value, projected: &BTreeMap<String, Value>) -> Result<(), Refusal> {
        for (name, bound) in &self.constraints {
            let kind = Bound::of(name);
            let value = arguments.get(kind.argument()).or_else(|| projected.get(kind.argument()));
            let held = match (value, bound) {
                // An amount and its currency may be arguments beside each other.
                (Some(Value::Number(_) | Value::String(_)), Value::Object(bound)) => {
                    let currency = bound.get("currency").zip(arguments.get("currency"));
                    currency
                        .filter(|(bound, own)| bound == own)
                        .and(bound.get("amount"))
                        .and_then(|bound| kind.holds(value?, bound))
                }
                // Who names nothing may be given everything.
                (Some(Value::Array(none)), _) if none.is_empty() => Some(false),
                (Some(value), bound) => kind.holds(value, bound),
                (None, _) => None,
            };
            match held {
                Some(true) => {}
                Some(false) => {
                    let sentence = format!(
                        "the argument `{}` is outside the bound `{name}` of this task: {bound}",
                        kind.argument()
                    );
                    return Err(Refusal::new("constraint_broken", sentence)
                        .help("stay within it, or start a task with a wider one"));
                }
                None => {
                    let sentence = format!("this task is bound by `{name}`, which cannot be checked on this call");
                    return Err(Refusal::new("constraint_unsupported", sentence)
                        .help("start a task whose bounds name arguments of this operation"));
                }
            }
        }
        Ok(())
    }
}

/// Whether a task with `authorities` may call `operation` with `arguments`. No authority at all bounds nothing.
pub(crate) fn must_permit(
    authorities: &[Authority],
    operation: &OperationName,
    arguments: &Value,
    projected: &BTreeMap<String, Value>,
) -> Result<(), Refusal> {
    let mut why = None;
    for authority in authorities.iter().filter(|authority| authority.covers(operation)) {
        match authority.bounds(arguments, projected) {
            Ok(()) => return Ok(()),
            Err(refusal) => why = Some(refusal),
        }
    }
    match (authorities.is_empty(), why) {
        (true, _) => Ok(()),
        (false, Some(refusal)) => Err(refusal),
        (false, None) => Err(out_of_scope(operation)),
    }
}

pub(crate) fn out_of_scope(operation: &OperationName) -> Refusal {
    Refusal::new("out_of_scope", format!("`{operation}` is outside the scope of this task"))
        .help("start a task whose scope names it")
}

/// Refuses authority that could not be kept or checked.
pub(crate) fn check(authorities: &[Authority]) -> Result<(), Refusal> {
    let refused = |sentence: String| Err(Refusal::new("bad_authority", sentence));
    if authorities.len() > limits::AUTHORITIES_MAX {
        return refused(format!("a task has at most {} parts of authority", limits::AUTHORITIES_MAX));
    }
    for authority in authorities {
        if authority.operations.is_empty() || authority.operations.len() > limits::PATTERNS_MAX {
            return refused(format!("a part of authority names between 1 and {} operations", limits::PATTERNS_MAX));
        }
        if authority.constraints.len() > limits::CONSTRAINTS_MAX {
            return refused(format!("a part of authority has at most {} bounds", limits::CONSTRAINTS_MAX));
        }
        for (name, bound) in &authority.constraints {
            if name.is_empty()
                || name.len() > limits::NAME_BYTES_MAX
                || bound.to_string().len() > limits::TEXT_BYTES_MAX
            {
                return refused(format!("the bound `{name}` is too long"));
            }
            if Bound::of(name).holds(bound, bound) != Some(true) {
                return refused(format!("the bound `{name}` has a value that nothing can be compared with"));
            }
        }
        authority.delegation.as_ref().map_or(Ok(()), check_delegation)?;
    }
    Ok(())
}

pub(crate) fn check_delegation(delegation: &Delegation) -> Result<(), Refusal> {
    let depth = (1..=limits::TASK_DEPTH_MAX).contains(&delegation.depth_max);
    let named = (1..=limits::DELEGATES_MAX).contains(&delegation.delegates.len());
    let short = |delegate: &Delegate| match delegate {
        Delegate::Agent(name) => !name.is_empty() && name.len() <= limits::TEXT_BYTES_MAX,
        Delegate::AnyAgent => true,
    };
    if depth && named && delegation.delegates.iter().all(short) {
        return Ok(());
    }
    let sentence = format!(
        "authority is passed on to between 1 and {} delegates, at most {} levels deep",
        limits::DELEGATES_MAX,
        limits::TASK_DEPTH_MAX
    );
    Err(Refusal::new("bad_authority", sentence))
}
