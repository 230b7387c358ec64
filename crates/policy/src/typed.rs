//! Values as policies see them, made as values: Cedar's own constructors make expressions, which are then evaluated.

use cedar_policy::RestrictedExpression;
use cedar_policy_core::ast::{EntityUID, Value};
use cedar_policy_core::evaluator::RestrictedEvaluator;
use cedar_policy_core::extensions::Extensions;

/// A value of Cedar. Cheap to clone.
pub(crate) type Typed = Value;

pub(crate) fn text(text: &str) -> Typed {
    Value::from(text)
}

pub(crate) fn long(number: i64) -> Typed {
    Value::from(number)
}

pub(crate) fn truth(truth: bool) -> Typed {
    Value::from(truth)
}

pub(crate) fn entity(uid: EntityUID) -> Typed {
    Value::from(uid)
}

/// The decimal that `text` writes, with a point and one to four digits after it.
pub(crate) fn decimal(text: String) -> Option<Typed> {
    let call = RestrictedExpression::new_decimal(text);
    let call: &cedar_policy_core::ast::RestrictedExpr = call.as_ref();
    RestrictedEvaluator::new(Extensions::all_available()).interpret(call.as_borrowed()).ok()
}

pub(crate) fn set(values: impl IntoIterator<Item = Typed>) -> Typed {
    Value::set(values, None)
}

pub(crate) fn texts<'a>(texts: impl IntoIterator<Item = &'a String>) -> Typed {
    set(texts.into_iter().map(|one| text(one)))
}

/// A record of `pairs`, whose names differ.
pub(crate) fn record<'a>(pairs: impl IntoIterator<Item = (&'a str, Typed)>) -> Typed {
    Value::record(pairs, None)
}
