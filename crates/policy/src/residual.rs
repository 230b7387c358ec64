//! What is left of a condition while the context of the call is not known: its arguments, what people approved, and when it comes.
//!
//! All else is known, so every part that does not look at the context is evaluated as ever, by Cedar's evaluator, and the parts that
//! do are left over. What a schema says of the context is used for one thing: a member that the operation does not have is not
//! there. (Cedar's own partial evaluation, RFC 95, takes the whole schema for each question, and a schema has thousands of operations.)
//!
//! A credential that is too old is replaced by a fresh one, so how old it is says nothing about what can be called: it is taken to be new.
//!
//! INVARIANT: for every context that fits the schema and whose credential is new, what is left comes to the same as the condition, an error
//! where it errs.

use std::collections::HashMap;

use cedar_policy_core::ast::{BinaryOp, Context, Expr, ExprKind, Literal, Name, UnaryOp, Value, ValueKind, Var};
use cedar_policy_core::evaluator::Evaluator;
use cedar_policy_core::extensions::Extensions;
use cedar_policy_core::validator::ValidatorSchema;
use cedar_policy_core::validator::types::Type;

use crate::judge::holds;
use crate::scene::Scene;
use crate::sight::is_context;
use crate::text::Clause;
use crate::{Schema, limits};

#[cfg(test)]
mod tests;

/// Functions of extension types that have a result for all values of their types.
const TOTAL: [&str; 4] = ["lessThan", "lessThanOrEqual", "greaterThan", "greaterThanOrEqual"];
/// Functions that make a value of an extension type from a text. Strict validation lets only texts through that they can read.
const MAKERS: [&str; 4] = ["decimal", "ip", "datetime", "duration"];

/// What is left of a policy's condition.
#[derive(Debug)]
pub(crate) enum Residual {
    /// It does not depend on the context.
    Known(bool),
    /// It cannot be evaluated, whatever the context is.
    Fails,
    /// It depends on the context in this way.
    Open(Expr),
}

/// What is left of a part of a condition.
enum Part {
    Known(Value),
    Fails(Expr),
    Open(Expr),
}

/// A call before it is made.
pub(crate) struct Beforehand<'a> {
    evaluator: Evaluator<'a>,
    /// The type of the context.
    context: Option<&'a Type>,
}

impl<'a> Beforehand<'a> {
    pub(crate) fn new(scene: &'a Scene, schema: &'a Schema) -> Self {
        let core: &ValidatorSchema = schema.cedar().as_ref();
        let request = scene.request(Context::empty());
        Self {
            evaluator: Evaluator::new(request, &scene.entities, Extensions::all_available()),
            context: core.context_type(&scene.action.uid),
        }
    }

    /// What is left of the condition of `clause`, whose scope is fulfilled.
    pub(crate) fn ask(&self, clause: &Clause) -> Residual {
        let Some(condition) = clause.condition.as_deref().filter(|_| clause.sight.context) else {
            return holds(&self.evaluator, clause.condition.as_deref()).map_or(Residual::Fails, Residual::Known);
        };
        match self.part(condition, 0) {
            Part::Known(value) => truth(&value).map_or(Residual::Fails, Residual::Known),
            Part::Fails(_) => Residual::Fails,
            Part::Open(rest) => Residual::Open(rest),
        }
    }

    fn part(&self, expr: &Expr, depth: usize) -> Part {
        if !expr.subexpressions().any(is_context) {
            return self.known(expr);
        }
        if depth >= limits::RESIDUAL_DEPTH_MAX {
            return Part::Open(expr.clone());
        }
        let part = |expr: &Expr| self.part(expr, depth + 1);
        match expr.expr_kind() {
            ExprKind::And { left, right } => self.both(left, right, expr, depth),
            ExprKind::Or { left, right } => self.either(left, right, expr, depth),
            ExprKind::If { test_expr, then_expr, else_expr } => match part(test_expr) {
                Part::Known(test) => match truth(&test) {
                    Some(true) => part(then_expr),
                    Some(false) => part(else_expr),
                    None => Part::Fails(expr.clone()),
                },
                Part::Fails(_) => Part::Fails(expr.clone()),
                Part::Open(test) => Part::Open(Expr::ite(test, part(then_expr).expr(), part(else_expr).expr())),
            },
            ExprKind::HasAttr { expr: of, attr } => match self.member(of, attr) {
                Member::Absent => Part::Known(Value::from(false)),
                Member::Present(_) => Part::Known(Value::from(true)),
                Member::Optional(_) => Part::Open(expr.clone()),
                Member::Untold => self.one(of, expr, depth, |of| Expr::has_attr(of, attr.clone())),
            },
            ExprKind::ExtHasAttr { expr: of, attrs } => match self.members(of, attrs.iter().map(AsRef::as_ref)) {
                Member::Absent => Part::Known(Value::from(false)),
                Member::Present(_) => Part::Known(Value::from(true)),
                Member::Optional(_) => Part::Open(expr.clone()),
                Member::Untold => self.one(of, expr, depth, |of| Expr::extended_has_attr(of, attrs.clone())),
            },
            ExprKind::GetAttr { expr: of, attr } if is_credential_age(of, attr) => Part::Known(Value::from(0)),
            ExprKind::GetAttr { expr: of, attr } => self.one(of, expr, depth, |of| Expr::get_attr(of, attr.clone())),
            ExprKind::UnaryApp { op, arg } => self.one(arg, expr, depth, |arg| Expr::unary_app(*op, arg)),
            ExprKind::Like { expr: of, pattern } => self.one(of, expr, depth, |of| Expr::like(of, pattern.clone())),
            ExprKind::Is { expr: of, entity_type } => {
                self.one(of, expr, depth, |of| Expr::is_entity_type(of, entity_type.clone()))
            }
            ExprKind::BinaryApp { op, arg1, arg2 } => {
                let apply = |[one, other]: [Expr; 2]| Expr::binary_app(*op, one, other);
                self.all([&**arg1, &**arg2], expr, depth, |args| {
                    <[Expr; 2]>::try_from(args).map_or_else(|_| expr.clone(), apply)
                })
            }
            ExprKind::ExtensionFunctionApp { fn_name, args } => {
                self.all(args.iter(), expr, depth, |args| Expr::call_extension_fn(fn_name.clone(), args))
            }
            ExprKind::Set(elements) => self.all(elements.iter(), expr, depth, Expr::set),
            ExprKind::Record(pairs) => {
                let names: Vec<_> = pairs.keys().cloned().collect();
                self.all(pairs.values(), expr, depth, |values| {
                    Expr::record(names.iter().cloned().zip(values)).unwrap_or_else(|_| expr.clone())
                })
            }
            _ => Part::Open(expr.clone()),
        }
    }

    fn known(&self, expr: &Expr) -> Part {
        self.evaluator.interpret(expr, &HashMap::new()).map_or_else(|_| Part::Fails(expr.clone()), Part::Known)
    }

    /// `left && right`. Evaluation stops at a left that is false, and so does an error there.
    fn both(&self, left: &Expr, right: &Expr, whole: &Expr, depth: usize) -> Part {
        let left = match self.part(left, depth + 1) {
            Part::Known(left) => match truth(&left) {
                Some(true) => return self.part(right, depth + 1),
                Some(false) => return Part::Known(left),
                None => return Part::Fails(whole.clone()),
            },
            Part::Fails(_) => return Part::Fails(whole.clone()),
            Part::Open(left) => left,
        };
        match self.part(right, depth + 1) {
            Part::Known(right) if truth(&right) == Some(true) => Part::Open(left),
            Part::Known(right) if truth(&right) == Some(false) && is_total(&left) => Part::Known(right),
            right => Part::Open(Expr::and(left, right.expr())),
        }
    }

    /// `left || right`. Evaluation stops at a left that is true, and so does an error there.
    fn either(&self, left: &Expr, right: &Expr, whole: &Expr, depth: usize) -> Part {
        let left = match self.part(left, depth + 1) {
            Part::Known(left) => match truth(&left) {
                Some(false) => return self.part(right, depth + 1),
                Some(true) => return Part::Known(left),
                None => return Part::Fails(whole.clone()),
            },
            Part::Fails(_) => return Part::Fails(whole.clone()),
            Part::Open(left) => left,
        };
        match self.part(right, depth + 1) {
            Part::Known(right) if truth(&right) == Some(false) => Part::Open(left),
            Part::Known(right) if truth(&right) == Some(true) && is_total(&left) => Part::Known(right),
            right => Part::Open(Expr::or(left, right.expr())),
        }
    }

    fn one(&self, arg: &Expr, whole: &Expr, depth: usize, make: impl FnOnce(Expr) -> Expr) -> Part {
        match self.part(arg, depth + 1) {
            Part::Known(value) => self.known(&make(Expr::from(value))),
            Part::Fails(_) => Part::Fails(whole.clone()),
            Part::Open(arg) => Part::Open(make(arg)),
        }
    }

    /// An operator or function whose arguments are all evaluated, whatever they come to.
    fn all<'e>(
        &self,
        args: impl IntoIterator<Item = &'e Expr>,
        whole: &Expr,
        depth: usize,
        make: impl FnOnce(Vec<Expr>) -> Expr,
    ) -> Part {
        let (mut made, mut is_open) = (Vec::new(), false);
        for arg in args {
            match self.part(arg, depth + 1) {
                Part::Known(value) => made.push(Expr::from(value)),
                Part::Fails(_) => return Part::Fails(whole.clone()),
                Part::Open(arg) => {
                    is_open = true;
                    made.push(arg);
                }
            }
        }
        let made = make(made);
        if is_open { Part::Open(made) } else { self.known(&made) }
    }

    /// What the schema says of the member `name` of `of`, which reads a part of the context.
    fn member(&self, of: &Expr, name: &str) -> Member<'a> {
        self.type_of(of).map_or(Member::Untold, |kind| Member::of(kind, name))
    }

    /// As [`Beforehand::member`], of a member of a member.
    fn members<'n>(&self, of: &Expr, names: impl Iterator<Item = &'n str>) -> Member<'a> {
        let Some(mut kind) = self.type_of(of) else { return Member::Untold };
        let mut is_optional = false;
        for name in names {
            match Member::of(kind, name) {
                Member::Present(member) => kind = member,
                Member::Optional(member) => (kind, is_optional) = (member, true),
                other => return other,
            }
        }
        if is_optional { Member::Optional(kind) } else { Member::Present(kind) }
    }

    /// The type of an expression that takes one member of the context after the other.
    fn type_of(&self, expr: &Expr) -> Option<&'a Type> {
        match expr.expr_kind() {
            ExprKind::Var(Var::Context) => self.context,
            ExprKind::GetAttr { expr: of, attr } => match Member::of(self.type_of(of)?, attr) {
                Member::Present(kind) | Member::Optional(kind) => Some(kind),
                Member::Absent | Member::Untold => None,
            },
            _ => None,
        }
    }
}

/// What a record's type says of one of its members.
enum Member<'a> {
    Absent,
    Present(&'a Type),
    Optional(&'a Type),
    /// It is no record.
    Untold,
}

impl<'a> Member<'a> {
    fn of(kind: &'a Type, name: &str) -> Self {
        let Type::Record { attrs, .. } = kind else { return Self::Untold };
        match attrs.get_attr(name) {
            None => Self::Absent,
            Some(member) if member.is_required => Self::Present(&member.attr_type),
            Some(member) => Self::Optional(&member.attr_type),
        }
    }
}

impl Part {
    /// The part as an expression again.
    fn expr(self) -> Expr {
        match self {
            Self::Known(value) => Expr::from(value),
            Self::Fails(expr) | Self::Open(expr) => expr,
        }
    }
}

fn truth(value: &Value) -> Option<bool> {
    match value.value {
        ValueKind::Lit(Literal::Bool(truth)) => Some(truth),
        _ => None,
    }
}

/// Whether `expr`, which is a part of a validated condition, always comes to a value: only arithmetic can overflow, and only functions of
/// extension types can refuse. What is read is there, for validation lets nothing through that may not be.
fn is_total(expr: &Expr) -> bool {
    let is_text = |arg: &Expr| matches!(arg.expr_kind(), ExprKind::Lit(Literal::String(_)));
    expr.subexpressions().all(|part| match part.expr_kind() {
        ExprKind::UnaryApp { op, .. } => *op != UnaryOp::Neg,
        ExprKind::BinaryApp { op, .. } => {
            !matches!(op, BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul | BinaryOp::GetTag)
        }
        ExprKind::ExtensionFunctionApp { fn_name, args } => {
            is_one_of(fn_name, &TOTAL) || is_one_of(fn_name, &MAKERS) && args.iter().all(is_text)
        }
        ExprKind::Unknown(_) | ExprKind::Slot(_) => false,
        _ => true,
    })
}

/// Whether this takes `context.credential_age`.
fn is_credential_age(of: &Expr, name: &str) -> bool {
    name == "credential_age" && matches!(of.expr_kind(), ExprKind::Var(Var::Context))
}

fn is_one_of(name: &Name, names: &[&str]) -> bool {
    let name = name.to_string();
    names.contains(&name.as_str())
}
