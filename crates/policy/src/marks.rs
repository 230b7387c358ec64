//! At which values of a number the policies of a set change their minds.
//!
//! A number that grows all the time, as the age of a credential does, is a new one in every call. Where policies do no more with it than
//! compare it with numbers that stand in their text, all values between two of those are the same to them.

use std::collections::BTreeSet;

use serde_json::Value;

#[cfg(test)]
mod tests;

/// The operators that only ask which of two numbers is the larger.
const COMPARISONS: [&str; 6] = ["<", "<=", ">", ">=", "==", "!="];

/// The numbers that an attribute is compared with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Marks {
    numbers: BTreeSet<i64>,
    /// Whether more is done with it than that, so that each value may be another.
    exact: bool,
}

impl Marks {
    /// As if each value were another.
    pub(crate) fn exact() -> Self {
        Self { exact: true, ..Self::default() }
    }

    /// What `policy` compares the attribute `name` with, whatever it is an attribute of.
    pub(crate) fn of(policy: &cedar_policy::Policy, name: &str) -> Self {
        let mut marks = Self::default();
        match policy.to_json() {
            Ok(document) => marks.walk(&document, name),
            Err(_) => marks.exact = true,
        }
        marks
    }

    /// Takes in what `other` compares.
    pub(crate) fn add(&mut self, other: &Self) {
        self.numbers.extend(&other.numbers);
        self.exact |= other.exact;
    }

    /// Where `value` lies: how many of the numbers it has passed, and whether it meets one. Nothing if nobody looks.
    pub(crate) fn place(&self, value: i64) -> Option<[i64; 2]> {
        if self.exact {
            return Some([value, 0]);
        }
        let passed = i64::try_from(self.numbers.range(..value).count()).unwrap_or(i64::MAX);
        (!self.numbers.is_empty()).then(|| [passed, i64::from(self.numbers.contains(&value))])
    }

    fn walk(&mut self, node: &Value, name: &str) {
        match node {
            Value::Array(items) => items.iter().for_each(|item| self.walk(item, name)),
            Value::Object(members) => {
                for (operator, operand) in members {
                    if COMPARISONS.contains(&operator.as_str()) && self.compare(operand, name) {
                        continue;
                    }
                    self.exact |= matches!(operator.as_str(), "." | "has") && touches(operand, name);
                    // The context as a whole is compared, or handed on.
                    self.exact |= operator == "Var" && operand == "context";
                    match operator.as_str() {
                        "." | "has" if is_context(operand.get("left")) => {}
                        _ => self.walk(operand, name),
                    }
                }
            }
            _ => {}
        }
    }

    /// Whether `operand` compares the attribute with nothing but numbers, which are then noted.
    fn compare(&mut self, operand: &Value, name: &str) -> bool {
        let (Some(left), Some(right)) = (operand.get("left"), operand.get("right")) else { return false };
        let other = match (is_attribute(left, name), is_attribute(right, name)) {
            (true, false) => right,
            (false, true) => left,
            _ => return false,
        };
        let mut numbers = BTreeSet::new();
        let Some(conditions) = results(other, &mut numbers) else { return false };
        self.numbers.extend(numbers);
        conditions.into_iter().for_each(|condition| self.walk(condition, name));
        true
    }
}

/// The numbers that `node` can come to, if it is a number or a choice between such; and the conditions that choose.
fn results<'a>(node: &'a Value, numbers: &mut BTreeSet<i64>) -> Option<Vec<&'a Value>> {
    if let Some(number) = node.get("Value").and_then(Value::as_i64) {
        numbers.insert(number);
        return Some(Vec::new());
    }
    let choice = node.get("if-then-else")?;
    let mut conditions = vec![choice.get("if")?];
    conditions.extend(results(choice.get("then")?, numbers)?);
    conditions.extend(results(choice.get("else")?, numbers)?);
    Some(conditions)
}

/// Whether `node` is the attribute `name` of the context itself.
fn is_attribute(node: &Value, name: &str) -> bool {
    node.get(".").is_some_and(|access| {
        access.get("attr").and_then(Value::as_str) == Some(name) && is_context(access.get("left"))
    })
}

fn is_context(node: Option<&Value>) -> bool {
    node.and_then(|node| node.get("Var")).and_then(Value::as_str) == Some("context")
}

/// Whether an access is one to `name`, or cannot be told.
fn touches(operand: &Value, name: &str) -> bool {
    match operand.get("attr") {
        Some(Value::String(attribute)) => attribute == name,
        Some(Value::Array(path)) => path.iter().any(|attribute| attribute == name),
        _ => true,
    }
}
