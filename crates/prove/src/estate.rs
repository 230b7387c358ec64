//! What invariants are proved of: policies, and the operations that they were written for.

use std::collections::BTreeSet;

use cedar_policy::{ActionConstraint, Policy, PolicyId};
use cedar_policy_core::ast::{BinaryOp, Expr, ExprKind, UnaryOp, Var};
use remit_policy::{OperationShape, PolicySet, PolicySource, Problem, Schema, SchemaError, Verb};

use crate::never::quoted;

#[cfg(test)]
mod tests;

/// The attributes of a call's context that are the same for every operation.
const COMMON: [&str; 3] = ["approval", "credential_age", "now"];

/// Policies with the operations that there are.
#[derive(Debug)]
pub struct Estate {
    pub(crate) sources: Vec<PolicySource>,
    pub(crate) operations: Vec<OperationShape>,
    pub(crate) rules: Vec<Rule>,
    pub(crate) literals: Literals,
    /// Some policy reads arguments of operations that it does not name.
    pub(crate) reads_arguments: bool,
}

/// What the policies call by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Literals {
    pub(crate) agents: BTreeSet<String>,
    pub(crate) classes: BTreeSet<String>,
    pub(crate) connectors: BTreeSet<String>,
    pub(crate) operations: BTreeSet<String>,
    pub(crate) people: BTreeSet<String>,
}

/// One policy, parsed.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    pub(crate) policy: Policy,
}

/// Why nothing can be proved of some policies.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EstateError {
    /// The operations give no schema.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// The policies do not compile with these operations.
    #[error("the policies do not compile: {}", .0.first().map(ToString::to_string).unwrap_or_default())]
    Policies(Vec<Problem>),
    /// One policy alone is not what it is among the others: a fault of this program.
    #[error("the policy `{id}` cannot be read alone: {sentence}")]
    Policy {
        /// Its `@id`.
        id: String,
        /// What Cedar said.
        sentence: String,
    },
}

impl Estate {
    /// Takes in the policies of `sources`, where `operations` are all that there are; none will do for policies that name none.
    ///
    /// # Errors
    /// If the policies do not compile with these operations.
    pub fn new(sources: Vec<PolicySource>, operations: Vec<OperationShape>) -> Result<Self, EstateError> {
        let schema = Schema::generate(operations.iter())?;
        let set = PolicySet::compile(&sources, &schema).map_err(EstateError::Policies)?;
        let mut rules = Vec::new();
        for rule in set.rules() {
            let failed = |sentence: String| EstateError::Policy { id: rule.id.clone(), sentence };
            let policy = Policy::parse(Some(PolicyId::new(&rule.id)), &rule.text);
            rules.push(Rule { policy: policy.map_err(|error| failed(error.to_string()))? });
        }
        let mut literals = Literals::default();
        rules.iter().for_each(|rule| literals.add(&rule.policy));
        let reads_arguments = rules.iter().any(|rule| !rule.names_operations() && rule.reads_arguments());
        Ok(Self { sources, operations, rules, literals, reads_arguments })
    }

    /// The operation named `id`.
    pub(crate) fn operation(&self, id: &str) -> Option<&OperationShape> {
        self.operations.iter().find(|operation| operation.id == id)
    }

    /// Whether operations are known here, and none of them is one of the connector `name`. Where none at all is known, as of policies
    /// that are looked at without a server, nothing is said.
    pub(crate) fn knows_no_operation_of(&self, name: &str) -> bool {
        !self.operations.is_empty() && !self.operations.iter().any(|operation| operation.connector == name)
    }

    /// The operations that have to be asked about by name: those that policies name, and all if some policy reads arguments of any.
    /// The others of a verb differ in nothing that a policy can see.
    pub(crate) fn singled_out(&self, verb: Verb) -> impl Iterator<Item = &OperationShape> {
        let named = |id: &String| self.reads_arguments || self.literals.operations.contains(id);
        self.operations.iter().filter(move |operation| operation.verb == verb && named(&operation.id))
    }
}

impl Literals {
    /// Takes in all names of `policy`.
    fn add(&mut self, policy: &Policy) {
        for literal in policy.entity_literals() {
            let id = literal.id().unescaped().to_owned();
            let names = match literal.type_name().to_string().as_str() {
                "Agent" => &mut self.agents,
                "Class" => &mut self.classes,
                "Connector" => &mut self.connectors,
                // An action that is not a verb's group is an operation's.
                "Action" if Verb::ALL.iter().any(|verb| verb.as_str() == id) => continue,
                "Action" | "Operation" => &mut self.operations,
                "Person" => &mut self.people,
                _ => continue,
            };
            names.insert(id);
        }
    }
}

impl Rule {
    /// Whether its scope names the operations that it is about.
    fn names_operations(&self) -> bool {
        let is_operation =
            |id: &cedar_policy::EntityUid| !Verb::ALL.iter().any(|verb| verb.as_str() == id.id().unescaped());
        match self.policy.action_constraint() {
            ActionConstraint::Any => false,
            ActionConstraint::Eq(action) => is_operation(&action),
            ActionConstraint::In(actions) => actions.iter().all(is_operation),
        }
    }

    /// Whether it may look at arguments, or at what is projected from them.
    fn reads_arguments(&self) -> bool {
        let condition = self.condition();
        let mentions = condition.subexpressions().filter(|part| is_context(part)).count();
        let plain = condition.subexpressions().filter(|part| match part.expr_kind() {
            ExprKind::GetAttr { expr, attr } | ExprKind::HasAttr { expr, attr } => {
                is_context(expr) && COMMON.contains(&attr.as_str())
            }
            _ => false,
        });
        mentions > plain.count()
    }

    /// Its scope and its conditions in one.
    pub(crate) fn condition(&self) -> Expr {
        let core: &cedar_policy_core::ast::Policy = self.policy.as_ref();
        core.condition()
    }

    pub(crate) fn is_forbid(&self) -> bool {
        self.policy.effect() == cedar_policy::Effect::Forbid
    }

    /// Whether its scope can be fulfilled by a call of `action`, which belongs to `verb`.
    pub(crate) fn concerns(&self, action: &str, verb: Verb) -> bool {
        let fits = |uid: &cedar_policy::EntityUid| {
            let id = uid.id().unescaped();
            id == action || id == verb.as_str()
        };
        match self.policy.action_constraint() {
            ActionConstraint::Any => true,
            ActionConstraint::Eq(uid) => uid.id().unescaped() == action,
            ActionConstraint::In(uids) => uids.iter().any(fits),
        }
    }

    /// Whether its evaluation could fail. What passed strict validation fails in sums that are too large and in functions of
    /// extensions only: all entities whose attributes can be read are there.
    pub(crate) fn may_fail(&self) -> bool {
        self.condition().subexpressions().any(|part| match part.expr_kind() {
            ExprKind::BinaryApp { op, .. } => matches!(op, BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul),
            ExprKind::UnaryApp { op, .. } => matches!(op, UnaryOp::Neg),
            ExprKind::ExtensionFunctionApp { .. } => true,
            _ => false,
        })
    }

    /// A clause that is true wherever the policy can be evaluated at all.
    ///
    /// Cedar skips a forbid that cannot be evaluated; Remit denies. With this clause of every forbid, what is left is what Remit
    /// allows.
    pub(crate) fn evaluates(&self) -> String {
        format!("(({}) || true)", self.condition())
    }
}

fn is_context(expr: &Expr) -> bool {
    matches!(expr.expr_kind(), ExprKind::Var(Var::Context))
}

/// A policy that forbids exactly where all `clauses` hold.
pub(crate) fn forbid_where(id: &str, clauses: &[String]) -> String {
    format!("@id({}) forbid (principal, action, resource) when {{\n{}\n}};", quoted(id), all(clauses))
}

/// Policies that allow exactly where all of `needed` can be evaluated and all `clauses` hold.
///
/// Each clause is a policy of its own: as one long condition, the formula would double with every clause that may be missing.
pub(crate) fn allowing_where(needed: &[String], clauses: &[String]) -> String {
    let permit = format!("permit (principal, action, resource) when {{\n{}\n}};", all(needed));
    let forbid = |clause: &String| format!("forbid (principal, action, resource) unless {{\n{clause}\n}};");
    std::iter::once(permit).chain(clauses.iter().map(forbid)).collect::<Vec<_>>().join("\n")
}

fn all(clauses: &[String]) -> String {
    let clauses: Vec<String> = clauses.iter().map(|clause| format!("({clause})")).collect();
    if clauses.is_empty() { "true".to_owned() } else { clauses.join(" &&\n") }
}
