//! How much of a call's context a condition looks at, which says what has to be done again when something changes.

use cedar_policy_core::ast::{Expr, ExprKind, Literal, Var};

#[cfg(test)]
mod tests;

/// The members of the context whose types are each operation's own; the others are the same for all.
const OWN: [&str; 2] = ["arguments", "projected"];

/// What a condition looks at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Sight {
    /// The context, or a part of it: what is not known before the call.
    pub(crate) context: bool,
    /// What differs between operations whose verbs are the same: their names, or the types of what their calls bring. Where it looks
    /// at none of these, it is valid for all operations of its scope if it is for one.
    pub(crate) operations: bool,
}

impl Sight {
    pub(crate) fn of(condition: &Expr) -> Self {
        let mut sight = Self::default();
        // Occurrences of `context` that are only taken apart, by a member that is the same for all.
        let (mut occurrences, mut harmless) = (0_usize, 0_usize);
        for part in condition.subexpressions() {
            match part.expr_kind() {
                ExprKind::Var(Var::Context) => occurrences += 1,
                ExprKind::Var(Var::Action) => sight.operations = true,
                ExprKind::Lit(Literal::EntityUID(uid)) if uid.is_action() => sight.operations = true,
                ExprKind::GetAttr { expr, attr } | ExprKind::HasAttr { expr, attr } => {
                    harmless += usize::from(is_context(expr) && !OWN.contains(&attr.as_str()));
                }
                ExprKind::ExtHasAttr { expr, attrs } => {
                    harmless += usize::from(is_context(expr) && !OWN.contains(&attrs.first().as_str()));
                }
                _ => {}
            }
        }
        sight.context = occurrences > 0;
        sight.operations |= occurrences > harmless;
        sight
    }
}

/// Whether `expr` is the context itself.
pub(crate) fn is_context(expr: &Expr) -> bool {
    matches!(expr.expr_kind(), ExprKind::Var(Var::Context))
}
