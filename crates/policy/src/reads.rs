//! Which attributes the policies of a set look at, by name, wherever they stand.
//!
//! An argument that no policy can look at cannot change a decision, so a number there need not be one that policies could compare.

use std::collections::BTreeSet;

use cedar_policy_core::ast::{Expr, ExprKind, Var};

use crate::limits;

#[cfg(test)]
mod tests;

/// The names of all attributes that some policy of a set reads or asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Reads {
    names: BTreeSet<String>,
    /// The attributes that are taken as a whole, and not only for something below them.
    wholes: BTreeSet<String>,
    /// Some policy compares or passes on all arguments, or the whole context, or cannot be told.
    everything: bool,
}

impl Reads {
    /// What `policies` read.
    pub fn of<'a>(policies: impl Iterator<Item = &'a cedar_policy::Policy>) -> Self {
        let mut reads = Self::default();
        for policy in policies {
            let policy: &cedar_policy_core::ast::Policy = policy.as_ref();
            // A scope reads no attributes.
            policy.non_scope_constraints().into_iter().for_each(|condition| reads.walk(condition, false, 0));
        }
        reads
    }

    /// As if every attribute were read.
    pub fn everything() -> Self {
        Self { everything: true, ..Self::default() }
    }

    /// Whether a policy could look at the argument at the dotted `path`, or at something above or below it. A name may have dots itself, so
    /// that it is found anywhere between dots.
    pub fn could_see(&self, path: &str) -> bool {
        let path = format!(".{path}.");
        self.everything || self.names.iter().any(|name| path.contains(&format!(".{name}.")))
    }

    /// Takes in what `other` reads.
    pub fn add(&mut self, other: &Self) {
        self.names.extend(other.names.iter().cloned());
        self.wholes.extend(other.wholes.iter().cloned());
        self.everything |= other.everything;
    }

    /// Whether some policy could look at an attribute of this name, whatever it is an attribute of.
    pub fn reads(&self, name: &str) -> bool {
        self.everything || self.names.contains(name)
    }

    /// Whether some policy could look at the attribute `name` of the record that stands under `record`: at itself, or at the record as
    /// a whole.
    pub fn reads_of(&self, record: &str, name: &str) -> bool {
        self.reads(name) || self.wholes.contains(record)
    }

    /// Walks a condition. `taken` says that only an attribute is taken from `expr`.
    fn walk(&mut self, expr: &Expr, taken: bool, depth: usize) {
        if depth > limits::CONDITION_DEPTH_MAX {
            self.everything = true;
            return;
        }
        let depth = depth + 1;
        match expr.expr_kind() {
            ExprKind::Var(variable) => self.everything |= !taken && *variable == Var::Context,
            ExprKind::GetAttr { expr, attr } => {
                self.access(attr, taken);
                self.walk(expr, true, depth);
            }
            ExprKind::HasAttr { expr, attr } => {
                // Whether it is there says nothing of what it is.
                self.access(attr, true);
                self.walk(expr, true, depth);
            }
            ExprKind::ExtHasAttr { expr, attrs } => {
                self.names.extend(attrs.iter().map(ToString::to_string));
                self.walk(expr, true, depth);
            }
            ExprKind::Lit(_) | ExprKind::Slot(_) => {}
            ExprKind::Unknown(_) => self.everything = true,
            ExprKind::If { test_expr, then_expr, else_expr } => {
                [test_expr, then_expr, else_expr].into_iter().for_each(|part| self.walk(part, false, depth));
            }
            ExprKind::And { left, right } | ExprKind::Or { left, right } => {
                self.walk(left, false, depth);
                self.walk(right, false, depth);
            }
            ExprKind::BinaryApp { arg1, arg2, .. } => {
                self.walk(arg1, false, depth);
                self.walk(arg2, false, depth);
            }
            ExprKind::UnaryApp { arg: part, .. }
            | ExprKind::Like { expr: part, .. }
            | ExprKind::Is { expr: part, .. } => self.walk(part, false, depth),
            ExprKind::ExtensionFunctionApp { args: parts, .. } | ExprKind::Set(parts) => {
                parts.iter().for_each(|part| self.walk(part, false, depth));
            }
            ExprKind::Record(pairs) => pairs.values().for_each(|part| self.walk(part, false, depth)),
        }
    }

    fn access(&mut self, name: &str, taken: bool) {
        // All arguments together are compared, or handed on.
        self.everything |= !taken && name == "arguments";
        if !taken {
            self.wholes.insert(name.to_owned());
        }
        if !self.names.contains(name) {
            self.names.insert(name.to_owned());
        }
    }
}
