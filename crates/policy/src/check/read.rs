//! From Cedar's JSON form of a policy to its alternatives.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Known;
use super::normal::{CONNECTOR, Demands, Normal, OPERATION, VERB};
use super::range::Range;
use crate::{Schema, Verb};

/// Alternatives that are looked at; a rule with more is passed over.
const ALTERNATIVES_MAX: usize = 64;
/// Conditions inside conditions.
const DEPTH_MAX: usize = 64;

/// The alternatives of the policy, or nothing if it is too involved.
pub(super) fn normal(document: &Value, schema: &Schema, known: &Known) -> Option<Normal> {
    let reading = Reading { schema, known };
    let mut alternatives = vec![Demands::default()];
    for part in ["principal", "action", "resource"] {
        alternatives = all(alternatives, reading.scope(part, document.get(part)?)?)?;
    }
    for condition in document.get("conditions").and_then(Value::as_array).into_iter().flatten() {
        let holds = condition.get("kind")? == "when";
        alternatives = all(alternatives, reading.expression(condition.get("body")?, holds, 0)?)?;
    }
    Some(Normal { alternatives })
}

type Alternatives = Vec<Demands>;

/// Each of these with each of those.
fn all(these: Alternatives, those: Alternatives) -> Option<Alternatives> {
    (these.len().saturating_mul(those.len()) <= ALTERNATIVES_MAX)
        .then(|| these.iter().flat_map(|one| those.iter().map(|other| one.clone().and(other.clone()))).collect())
}

fn any(mut these: Alternatives, those: Alternatives) -> Option<Alternatives> {
    these.extend(those);
    (these.len() <= ALTERNATIVES_MAX).then_some(these)
}

struct Reading<'a> {
    schema: &'a Schema,
    known: &'a Known,
}

impl Reading<'_> {
    /// One of the three of a scope.
    fn scope(&self, part: &str, constraint: &Value) -> Option<Alternatives> {
        let everything = Some(vec![Demands::default()]);
        let within = match constraint.get("op")?.as_str()? {
            "==" | "in" => constraint,
            // Strict validation lets only the one type through that there is.
            "is" => match constraint.get("in") {
                Some(within) => within,
                None => return everything,
            },
            _ => return everything,
        };
        let one = within.get("entity").into_iter();
        let several = within.get("entities").and_then(Value::as_array).into_iter().flatten();
        let named: Vec<&Value> = one.chain(several).collect();
        if named.is_empty() {
            return Some(vec![Demands::impossible("its scope names no action")]);
        }
        let mut alternatives = Vec::new();
        for entity in named {
            alternatives = any(alternatives, vec![self.member(part, Entity::read(entity)?)?])?;
        }
        Some(alternatives)
    }

    /// What it means that the variable `part` is, or is in, the entity.
    fn member(&self, part: &str, entity: Entity<'_>) -> Option<Demands> {
        let (fact, word) = match (part, entity.kind) {
            ("principal", "Class") => ("principal.class", entity.id),
            ("principal", "Agent") => ("principal", entity.id),
            ("action", "Action") if Verb::ALL.iter().any(|verb| verb.as_str() == entity.id) => (VERB, entity.id),
            // An operation is the resource of its own action, and of no other.
            ("action", "Action") | ("resource", "Operation") => (OPERATION, entity.id),
            ("resource", "Connector") => (CONNECTOR, entity.id),
            _ => return None,
        };
        Some(Demands::of(fact, Range::word(word), self.bounds(fact)))
    }

    /// What the expression demands if it is to hold, or not to hold.
    fn expression(&self, node: &Value, holds: bool, depth: usize) -> Option<Alternatives> {
        if depth > DEPTH_MAX {
            return None;
        }
        let (operator, operand) = node.as_object()?.iter().next()?;
        let side = |name: &str, holds| self.expression(operand.get(name)?, holds, depth + 1);
        match (operator.as_str(), holds) {
            ("!", _) => self.expression(operand.get("arg")?, !holds, depth + 1),
            ("&&", true) | ("||", false) => all(side("left", holds)?, side("right", holds)?),
            // The right side is looked at only where the left does not decide.
            ("||", true) | ("&&", false) => {
                any(side("left", holds)?, all(side("left", !holds)?, side("right", holds)?)?)
            }
            ("if-then-else", _) => {
                let then = all(side("if", true)?, side("then", holds)?)?;
                any(then, all(side("if", false)?, side("else", holds)?)?)
            }
            ("Value", _) => match operand.as_bool()? == holds {
                true => Some(vec![Demands::default()]),
                false => Some(vec![Demands::impossible("its condition is never fulfilled")]),
            },
            _ => Some(
                self.test(node, operator, operand, holds)
                    .unwrap_or_else(|| vec![Demands::opaque(node.to_string(), holds)]),
            ),
        }
    }

    /// One comparison that is understood.
    fn test(&self, node: &Value, operator: &str, operand: &Value, holds: bool) -> Option<Alternatives> {
        match operator {
            "<" | "<=" | ">" | ">=" | "==" | "!=" => self.comparison(operator, operand, holds),
            "contains" => self.contains(operand, holds),
            "containsAll" | "containsAny" => self.contains_several(operator, operand, holds),
            "in" => {
                let part = operand.get("left")?.get("Var")?.as_str()?;
                let right = operand.get("right")?;
                let one = std::iter::once(right).filter(|right| right.get("Set").is_none());
                let several = right.get("Set").and_then(Value::as_array).into_iter().flatten();
                let mut alternatives = Vec::new();
                for entity in one.chain(several) {
                    let demands = self.member(part, Entity::read(entity.get("Value")?.get("__entity")?)?)?;
                    alternatives = any(alternatives, vec![demands])?;
                }
                if holds { Some(alternatives) } else { self.none_of(&alternatives) }
            }
            "." | "has" => {
                let fact = path(node)?;
                Some(vec![self.demand(&fact, Range::Truth(holds))])
            }
            _ => None,
        }
    }

    /// The opposite of alternatives that each demand one word.
    fn none_of(&self, alternatives: &[Demands]) -> Option<Alternatives> {
        let mut opposite = Demands::default();
        for alternative in alternatives {
            for (fact, _) in alternative.facts() {
                let word = alternative.range(fact)?;
                let Range::Words(words) = word else { return None };
                opposite = opposite.and(self.demand(fact, Range::Except(words.clone())));
            }
        }
        Some(vec![opposite])
    }

    fn comparison(&self, operator: &str, operand: &Value, holds: bool) -> Option<Alternatives> {
        let (left, right) = (operand.get("left")?, operand.get("right")?);
        let (node, value, turned) = match (path(left), path(right)) {
            (Some(fact), None) => (fact, right, false),
            (None, Some(fact)) => (fact, left, true),
            _ => return None,
        };
        let value = value.get("Value")?;
        if let Some(entity) = value.get("__entity") {
            return self.is_entity(&node, Entity::read(entity)?, (operator == "==") == holds);
        }
        if let Some(word) = value.as_str() {
            let words = BTreeSet::from([word.to_owned()]);
            let range = if (operator == "==") == holds { Range::Words(words) } else { Range::Except(words) };
            return Some(vec![self.demand(&node, range)]);
        }
        if let Some(truth) = value.as_bool() {
            return Some(vec![self.demand(&node, Range::Truth(truth == ((operator == "==") == holds)))]);
        }
        let number = value.as_i64()?;
        let (above, below) = (number.checked_add(1)?, number.checked_sub(1)?);
        let ranges = match (operator, turned, holds) {
            ("==", _, true) | ("!=", _, false) => vec![(number, number)],
            ("!=", _, true) | ("==", _, false) => vec![(i64::MIN, below), (above, i64::MAX)],
            ("<", false, true) | (">", true, true) | (">=", false, false) | ("<=", true, false) => {
                vec![(i64::MIN, below)]
            }
            ("<=", false, true) | (">=", true, true) | (">", false, false) | ("<", true, false) => {
                vec![(i64::MIN, number)]
            }
            (">", false, true) | ("<", true, true) | ("<=", false, false) | (">=", true, false) => {
                vec![(above, i64::MAX)]
            }
            _ => vec![(number, i64::MAX)],
        };
        Some(ranges.into_iter().map(|(low, high)| self.demand(&node, Range::Numbers(low, high))).collect())
    }

    fn is_entity(&self, fact: &str, entity: Entity<'_>, holds: bool) -> Option<Alternatives> {
        let fact = match (fact, entity.kind) {
            ("principal" | CONNECTOR, _) => fact,
            ("action", "Action") | ("resource", "Operation") => OPERATION,
            _ => return None,
        };
        let words = BTreeSet::from([entity.id.to_owned()]);
        Some(vec![self.demand(fact, if holds { Range::Words(words) } else { Range::Except(words) })])
    }

    /// A fact among words, or a word in a fact.
    fn contains(&self, operand: &Value, holds: bool) -> Option<Alternatives> {
        let (left, right) = (operand.get("left")?, operand.get("right")?);
        if let Some(fact) = path(left) {
            let word = right.get("Value")?.as_str()?;
            return Some(vec![self.demand(&element(&fact, word), Range::Truth(holds))]);
        }
        let words = words(left)?;
        let range = if holds { Range::Words(words) } else { Range::Except(words) };
        Some(vec![self.demand(&path(right)?, range)])
    }

    fn contains_several(&self, operator: &str, operand: &Value, holds: bool) -> Option<Alternatives> {
        let fact = path(operand.get("left")?)?;
        let each = words(operand.get("right")?)?;
        let each = each.iter().map(|word| self.demand(&element(&fact, word), Range::Truth(holds)));
        if (operator == "containsAll") == holds {
            Some(vec![each.fold(Demands::default(), Demands::and)])
        } else {
            each.map(|demands| vec![demands]).try_fold(Vec::new(), any)
        }
    }

    fn demand(&self, fact: &str, range: Range) -> Demands {
        Demands::of(fact, range, self.bounds(fact))
    }

    /// What the fact always is.
    fn bounds(&self, fact: &str) -> Option<Range> {
        let words = |words: &BTreeSet<String>| (!words.is_empty()).then(|| Range::Words(words.clone()));
        match fact {
            "principal.autonomy" => Some(Range::Numbers(1, 4)),
            "principal.data" | "resource.data" | "resource.risk" => Some(Range::Numbers(0, 3)),
            "principal.task.data" | "principal.task.approved_data" => Some(Range::Numbers(-1, 3)),
            "principal.task.calls" | "principal.task.depth" | "context.approval.count" => {
                Some(Range::Numbers(0, i64::MAX))
            }
            "principal.class" => words(&self.known.classes),
            "principal.environment" => words(&self.known.environments),
            "principal.attribution" => Some(Range::Words(super::names::attributions())),
            VERB => Some(Range::Words(Verb::ALL.iter().map(|verb| verb.as_str().to_owned()).collect())),
            CONNECTOR => words(&self.schema.connectors().map(str::to_owned).collect()),
            _ => None,
        }
    }
}

/// Members and operators of the JSON form that come to a value for all values of their types.
const TOTAL: [&str; 38] = [
    "kind",
    "body",
    "Var",
    "Set",
    "left",
    "right",
    "arg",
    "if",
    "then",
    "else",
    "!",
    "&&",
    "||",
    "==",
    "!=",
    "<",
    "<=",
    ">",
    ">=",
    "in",
    ".",
    "has",
    "contains",
    "containsAll",
    "containsAny",
    "if-then-else",
    "isEmpty",
    "lessThan",
    "lessThanOrEqual",
    "greaterThan",
    "greaterThanOrEqual",
    "isInRange",
    "isIpv4",
    "isIpv6",
    "isLoopback",
    "isMulticast",
    "Record",
    "toTime",
];
/// What makes a value of an extension type from a text. Strict validation lets only texts through that can be read.
const MAKERS: [&str; 4] = ["decimal", "ip", "datetime", "duration"];

/// Whether the evaluation of `node` may fail: arithmetic overflows, and some functions are picky. A forbid that fails denies, so that
/// nothing can be said of it by its condition alone.
pub(super) fn can_fail(node: &Value) -> bool {
    match node {
        Value::Array(items) => items.iter().any(can_fail),
        Value::Object(members) => members.iter().any(|(name, operand)| match name.as_str() {
            // What stands in these is data; the expression beside it has been looked at.
            "Value" | "pattern" | "attr" | "entity_type" => false,
            "like" | "is" => can_fail(operand),
            name if MAKERS.contains(&name) => operand.get(0).is_none_or(|text| text.get("Value").is_none()),
            name => !TOTAL.contains(&name) || can_fail(operand),
        }),
        _ => false,
    }
}

/// How "the set `fact` has `word`" is named.
pub(super) fn element(fact: &str, word: &str) -> String {
    format!("{fact}.contains({})", Value::from(word))
}

/// An entity as the JSON form writes it.
pub(super) struct Entity<'a> {
    pub(super) kind: &'a str,
    pub(super) id: &'a str,
}

impl<'a> Entity<'a> {
    pub(super) fn read(node: &'a Value) -> Option<Self> {
        let node = node.get("__entity").unwrap_or(node);
        Some(Self { kind: node.get("type")?.as_str()?, id: node.get("id")?.as_str()? })
    }
}

/// The words of a set of literals.
pub(super) fn words(node: &Value) -> Option<BTreeSet<String>> {
    let items = node.get("Set")?.as_array()?;
    items.iter().map(|item| Some(item.get("Value")?.as_str()?.to_owned())).collect()
}

/// The way from a variable to what is read, as policies write it.
pub(super) fn path(node: &Value) -> Option<String> {
    if let Some(variable) = node.get("Var") {
        return variable.as_str().map(str::to_owned);
    }
    if let Some(access) = node.get(".") {
        return Some(format!("{}.{}", path(access.get("left")?)?, access.get("attr")?.as_str()?));
    }
    let asked = node.get("has")?;
    let names = match asked.get("attr")? {
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("."),
        name => name.as_str()?.to_owned(),
    };
    Some(format!("{} has {names}", path(asked.get("left")?)?))
}
