//! A condition in Cedar's own syntax, as short as it can be said: no `!` where a comparison can be turned round, nothing twice.

use cedar_policy_core::ast::{BinaryOp, Expr, ExprKind, Literal, UnaryOp};

use crate::limits;

#[cfg(test)]
mod tests;

/// What stands for the rest of a condition that is too long to be shown.
const AND_SO_ON: &str = " && …";

/// How tightly what was written holds together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Bond {
    If,
    Or,
    And,
    Relation,
    Unary,
    Member,
}

/// A piece of Cedar.
struct Words {
    text: String,
    bond: Bond,
}

/// The condition under which one of `permits` applies, unless none has to, and none of `forbids` does. Ends in `&& …` if it would
/// have more than [`limits::CONDITION_BYTES_MAX`] bytes.
pub(crate) fn condition(permits: &[Expr], forbids: &[Expr]) -> String {
    let mut parts: Vec<Words> = Vec::new();
    let alternatives = permits.iter().map(|permit| words(permit, true, 0)).collect();
    parts.extend(joined(alternatives, Bond::Or));
    for forbid in forbids {
        collect(forbid, false, &mut parts, 0);
    }
    let mut seen: Vec<String> = Vec::new();
    let alone = parts.len() == 1;
    for part in parts {
        let text = if alone { part.text } else { part.at_least(Bond::And) };
        if !seen.contains(&text) {
            seen.push(text);
        }
    }
    let mut condition = String::new();
    for text in seen {
        let and = if condition.is_empty() { "" } else { " && " };
        if condition.len() + and.len() + text.len() > limits::CONDITION_BYTES_MAX {
            return format!("{condition}{AND_SO_ON}").trim_start_matches(" && ").to_owned();
        }
        condition += and;
        condition += &text;
    }
    condition
}

/// The conjuncts of `expr` (or of its opposite), one by one.
fn collect(expr: &Expr, holds: bool, parts: &mut Vec<Words>, depth: usize) {
    let (left, right) = match (expr.expr_kind(), holds) {
        (ExprKind::And { left, right }, true) | (ExprKind::Or { left, right }, false) => (left, right),
        (ExprKind::UnaryApp { op: UnaryOp::Not, arg }, _) => return collect(arg, !holds, parts, depth + 1),
        _ => return parts.push(words(expr, holds, depth)),
    };
    if depth > limits::RESIDUAL_DEPTH_MAX {
        return parts.push(words(expr, holds, depth));
    }
    collect(left, holds, parts, depth + 1);
    collect(right, holds, parts, depth + 1);
}

/// `expr`, or its opposite where it must not hold.
fn words(expr: &Expr, holds: bool, depth: usize) -> Words {
    if depth > limits::RESIDUAL_DEPTH_MAX {
        return plain(expr, holds);
    }
    let of = |expr: &Expr, holds: bool| words(expr, holds, depth + 1);
    match expr.expr_kind() {
        ExprKind::Lit(Literal::Bool(truth)) => Words::new((*truth == holds).to_string(), Bond::Member),
        ExprKind::And { left, right } => {
            two(of(left, holds), of(right, holds), if holds { Bond::And } else { Bond::Or })
        }
        ExprKind::Or { left, right } => {
            two(of(left, holds), of(right, holds), if holds { Bond::Or } else { Bond::And })
        }
        ExprKind::UnaryApp { op: UnaryOp::Not, arg } => of(arg, !holds),
        ExprKind::If { test_expr, then_expr, else_expr } => {
            let (test, then, otherwise) = (of(test_expr, true), of(then_expr, holds), of(else_expr, holds));
            let text = format!("if {} then {} else {}", test.text, then.text, otherwise.at_least(Bond::Or));
            Words::new(text, Bond::If)
        }
        ExprKind::BinaryApp { op, arg1, arg2 } => match relation(*op, holds) {
            Some(sign) => compared(arg1, sign, arg2),
            None => plain(expr, holds),
        },
        _ => plain(expr, holds),
    }
}

/// The comparison that `op` is, turned round where it must not hold.
fn relation(op: BinaryOp, holds: bool) -> Option<&'static str> {
    match (op, holds) {
        (BinaryOp::Less, true) => Some("<"),
        (BinaryOp::Less, false) => Some(">="),
        (BinaryOp::LessEq, true) => Some("<="),
        (BinaryOp::LessEq, false) => Some(">"),
        (BinaryOp::Eq, true) => Some("=="),
        (BinaryOp::Eq, false) => Some("!="),
        _ => None,
    }
}

/// What is asked about stands first.
fn compared(one: &Expr, sign: &str, other: &Expr) -> Words {
    let is_value = |expr: &Expr| matches!(expr.expr_kind(), ExprKind::Lit(_));
    let (one, sign, other) = if is_value(one) && !is_value(other) {
        let turned = match sign {
            "<" => ">",
            "<=" => ">=",
            ">" => "<",
            ">=" => "<=",
            same => same,
        };
        (other, turned, one)
    } else {
        (one, sign, other)
    };
    Words::new(format!("{} {sign} {}", operand(one), operand(other)), Bond::Relation)
}

fn operand(expr: &Expr) -> String {
    plain(expr, true).at_least(Bond::Unary)
}

fn two(one: Words, other: Words, bond: Bond) -> Words {
    let sign = if bond == Bond::And { "&&" } else { "||" };
    Words::new(format!("{} {sign} {}", one.at_least(bond), other.at_least(bond)), bond)
}

fn joined(words: Vec<Words>, bond: Bond) -> Option<Words> {
    words.into_iter().reduce(|one, other| if one.text == other.text { one } else { two(one, other, bond) })
}

/// As Cedar writes it.
fn plain(expr: &Expr, holds: bool) -> Words {
    let bond = match expr.expr_kind() {
        ExprKind::If { .. } => Bond::If,
        ExprKind::Or { .. } => Bond::Or,
        ExprKind::And { .. } => Bond::And,
        ExprKind::BinaryApp { op: BinaryOp::Eq | BinaryOp::Less | BinaryOp::LessEq | BinaryOp::In, .. }
        | ExprKind::HasAttr { .. }
        | ExprKind::ExtHasAttr { .. }
        | ExprKind::Like { .. }
        | ExprKind::Is { .. } => Bond::Relation,
        // Sums hold more tightly than comparisons, and are never negated.
        ExprKind::BinaryApp { op: BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul, .. }
        | ExprKind::UnaryApp { op: UnaryOp::Not | UnaryOp::Neg, .. } => Bond::Unary,
        _ => Bond::Member,
    };
    let words = Words::new(expr.to_string(), bond);
    if holds { words } else { Words::new(format!("!{}", words.at_least(Bond::Member)), Bond::Unary) }
}

impl Words {
    fn new(text: String, bond: Bond) -> Self {
        Self { text, bond }
    }

    /// The words, in brackets if they hold together less tightly.
    fn at_least(self, bond: Bond) -> String {
        if self.bond < bond { format!("({})", self.text) } else { self.text }
    }
}
