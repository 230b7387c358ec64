//! Whether policies fit a schema, asked again only of those for which the answer can have changed.
//!
//! Cedar types a policy once for each action that there is, whatever its scope, and a schema has thousands. Here a policy is typed for the
//! actions of its scope; for one of them if it looks at nothing in which they differ; and not at all if it was found to fit before
//! and nothing that it looks at has changed since.
//!
//! INVARIANT: whatever is found in this quick way is not told to anybody. It only says which policies are put to Cedar's own validator,
//! with the whole schema, and what that says is what people read.

use std::collections::{BTreeMap, HashMap, HashSet};

use cedar_policy::EntityUid;
use cedar_policy_core::ast::{EntityUID, Template};
use cedar_policy_core::validator::typecheck::{PolicyCheck, Typechecker};
use cedar_policy_core::validator::types::RequestEnv;
use cedar_policy_core::validator::{ValidationMode, Validator, ValidatorSchema, confusable_string_checks};

use crate::diagnosis::{self, Finding};
use crate::index::{Constraint, Scope};
use crate::nearest::nearest;
use crate::schema::Context;
use crate::text::Clause;
use crate::{Schema, Verb};

#[cfg(test)]
mod tests;

/// The contexts of a schema's actions, by their names.
pub(crate) type Contexts = BTreeMap<String, Context>;

/// Validates policies against one schema.
pub(crate) struct Validation<'a> {
    schema: &'a Schema,
    typechecker: Typechecker<'a>,
    environments: HashMap<&'a str, RequestEnv<'a>>,
    by_verb: HashMap<&'static str, Vec<&'a str>>,
    connectors: HashSet<&'a str>,
    change: Change<'a>,
}

/// What is new in a schema since another one.
struct Change<'a> {
    /// Names of actions that were not there.
    added: Vec<&'a str>,
    /// Whether an action is gone, or has become different.
    changed: bool,
}

impl<'a> Change<'a> {
    fn between(before: &Contexts, after: &'a Contexts) -> Self {
        let added: Vec<&str> = after.keys().filter(|name| !before.contains_key(*name)).map(String::as_str).collect();
        let changed = before.iter().any(|(name, context)| after.get(name) != Some(context));
        Self { added, changed }
    }
}

/// What there is to say about one policy.
pub(crate) enum Verdict {
    Fits,
    /// It names something that does not exist: a sentence, and what to do.
    Unknown(String, Option<String>),
    /// Cedar's validator has to say it.
    Doubtful,
}

impl<'a> Validation<'a> {
    /// For `schema`. Policies that were found to fit before fitted a schema with the contexts `before`.
    pub(crate) fn new(schema: &'a Schema, before: Option<&Contexts>) -> Self {
        let core: &ValidatorSchema = schema.cedar().as_ref();
        let environments = core.unlinked_request_envs(ValidationMode::Strict).filter_map(|environment| {
            let action: &EntityUID = match &environment {
                RequestEnv::DeclaredAction { action, .. } => action,
                RequestEnv::UndeclaredAction => return None,
            };
            Some((action.eid().as_ref(), environment))
        });
        let mut by_verb: HashMap<&str, Vec<&str>> = HashMap::new();
        for (name, Context { verb, .. }) in &*schema.contexts {
            by_verb.entry(Verb::as_str(*verb)).or_default().push(name);
        }
        let change = match before {
            Some(before) => Change::between(before, &schema.contexts),
            None => Change { added: Vec::new(), changed: true },
        };
        Self {
            schema,
            typechecker: Typechecker::new(core, ValidationMode::Strict),
            environments: environments.collect(),
            by_verb,
            connectors: schema.connectors().collect(),
            change,
        }
    }

    /// Looks at `clause`. `fitted` says that it did fit before.
    pub(crate) fn look(&self, clause: &Clause, fitted: bool) -> Verdict {
        if fitted && !self.change.changed && self.change.added.is_empty() {
            return Verdict::Fits;
        }
        if let Some((sentence, help)) = self.unknown_name(clause) {
            return Verdict::Unknown(sentence, help);
        }
        let core: &cedar_policy_core::ast::Policy = clause.policy.as_ref();
        let template = core.template();
        let literals = Validator::validate_entity_types_and_literals(self.schema.cedar().as_ref(), template);
        let doubtful = literals.into_iter().next().is_some()
            || !fitted && confusable_string_checks(std::iter::once(template)).next().is_some()
            || !self.types(clause, template, fitted);
        if doubtful { Verdict::Doubtful } else { Verdict::Fits }
    }

    /// Whether `clause` has types without errors, and can apply.
    fn types(&self, clause: &Clause, template: &Template, fitted: bool) -> bool {
        let mut names = self.actions(&clause.scope);
        if !clause.sight.operations {
            // What is true of one is true of all.
            return names.next().is_some_and(|name| fitted || self.is_typed(template, name) == Some(true));
        }
        if fitted && !self.change.changed {
            let added = self.change.added.iter().filter(|name| meets(&clause.scope, name, self.schema));
            return added.copied().all(|name| self.is_typed(template, name).is_some());
        }
        let mut applies = false;
        for name in names {
            match self.is_typed(template, name) {
                Some(can_apply) => applies |= can_apply,
                None => return false,
            }
        }
        applies
    }

    /// Types a policy for the calls of one action: whether it can apply to them, or nothing if it has errors.
    fn is_typed(&self, template: &Template, action: &str) -> Option<bool> {
        match self.typechecker.typecheck_by_single_request_env(template, self.environments.get(action)?) {
            PolicyCheck::Success(_) => Some(true),
            PolicyCheck::Irrelevant(errors, _) => errors.is_empty().then_some(false),
            PolicyCheck::Fail(_) => None,
        }
    }

    /// The actions that calls of this scope can be of.
    fn actions<'b>(&'b self, scope: &'b Scope) -> Box<dyn Iterator<Item = &'a str> + 'b> {
        let named = |uid: &EntityUID| {
            let name: &str = uid.eid().as_ref();
            self.environments.get_key_value(name).map(|(name, _)| *name)
        };
        match scope {
            Scope { principal: Constraint::Never, .. } | Scope { resource: Constraint::Never, .. } => {
                Box::new(std::iter::empty())
            }
            Scope { action: Constraint::Any, .. } => Box::new(self.environments.keys().copied()),
            Scope { action: Constraint::Exact(uid), .. } => Box::new(named(uid).into_iter()),
            Scope { action: Constraint::Within(uids), .. } => Box::new(uids.iter().flat_map(move |uid| {
                let name: &str = uid.eid().as_ref();
                self.by_verb.get(name).into_iter().flatten().copied().chain(named(uid))
            })),
            Scope { action: Constraint::Never, .. } => Box::new(std::iter::empty()),
        }
    }

    /// An operation or connector that the policy names and that does not exist. Cedar checks actions only; a resource that is not
    /// there would make a rule that silently never applies.
    fn unknown_name(&self, clause: &Clause) -> Option<(String, Option<String>)> {
        let (schema, kinds) = (self.schema, &self.schema.kinds);
        let unknown = |what: &str, id: &str, meant: Option<&str>| {
            (format!("there is no {what} `{id}`"), meant.map(|name| format!("did you mean `{name}`?")))
        };
        clause.policy.entity_literals().into_iter().find_map(|literal: EntityUid| {
            let id = literal.id().unescaped();
            if *literal.type_name() == kinds.operation && schema.operation(id).is_none() {
                return Some(unknown("operation", id, nearest(id, schema.operations())));
            }
            if *literal.type_name() == kinds.connector && !self.connectors.contains(id) {
                return Some(unknown("connector", id, nearest(id, schema.connectors())));
            }
            None
        })
    }

    /// What Cedar's validator says about `clause`.
    pub(crate) fn tell(&self, clause: &Clause) -> Vec<Finding> {
        let alone = match cedar_policy::PolicySet::from_policies([clause.policy.clone()]) {
            Ok(alone) => alone,
            Err(error) => return vec![diagnosis::of_policy(&error)],
        };
        let result = self.schema.validator.validate(&alone, cedar_policy::ValidationMode::Strict);
        let mut findings: Vec<Finding> =
            result.validation_errors().map(|error| diagnosis::of_error(error, self.schema)).collect();
        // Where a policy has errors, a warning is only their echo: what names nothing also applies to nothing.
        if findings.is_empty() {
            let warnings = result.validation_warnings();
            findings = warnings.map(|warning| diagnosis::of_warning(warning, &clause.rule.text, self.schema)).collect();
        }
        // One place in a policy gives one finding per operation. One is told; the unscoped one, which explains the others.
        findings.sort_by(|x, y| (x.offset, !x.unscoped, &x.sentence).cmp(&(y.offset, !y.unscoped, &y.sentence)));
        findings.dedup_by(|x, y| x.offset == y.offset && x.severity == y.severity);
        findings
    }
}

/// Whether calls of the action `name` can be of this scope.
fn meets(scope: &Scope, name: &str, schema: &Schema) -> bool {
    let is = |uid: &EntityUID| AsRef::<str>::as_ref(uid.eid()) == name;
    match &scope.action {
        Constraint::Any => true,
        Constraint::Exact(uid) => is(uid),
        Constraint::Within(uids) => {
            let verb = schema.contexts.get(name).map(|context| context.verb.as_str());
            uids.iter().any(|uid| is(uid) || Some(AsRef::<str>::as_ref(uid.eid())) == verb)
        }
        Constraint::Never => false,
    }
}
