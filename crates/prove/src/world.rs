//! What the tests share: the starter policies, operations, and the solver where it is at hand.

use std::sync::Arc;
use std::time::Duration;

use remit_policy::{OperationShape, PolicySource, Shape, Verb, starter};
use serde_json::json;

use crate::{Estate, Invariant, Prover, Verdict, limits};

/// Set by `tests/run`: then a missing solver is a failure and not a reason to skip.
const REQUIRED: &str = "REMIT_SOLVER_REQUIRED";

/// The solver. Nothing if it is missing on a developer's machine, who is told.
pub(crate) fn prover() -> Option<Prover> {
    match Prover::find(None, limits::TIME_LIMIT_DEFAULT) {
        Ok(prover) => Some(prover),
        Err(missing) if std::env::var_os(REQUIRED).is_some() => panic!("{missing}; {}", missing.help()),
        Err(missing) => {
            eprintln!("skipped: {missing}");
            None
        }
    }
}

/// The same, with another time limit.
pub(crate) fn prover_within(limit: Duration) -> Option<Prover> {
    prover().map(|_| Prover::find(None, limit).expect("it was there"))
}

pub(crate) fn source(name: &str, text: &str) -> PolicySource {
    PolicySource { name: name.to_owned(), text: text.to_owned() }
}

/// The starter policies alone.
pub(crate) fn starter_estate() -> Arc<Estate> {
    Arc::new(Estate::new(starter(), Vec::new()).expect("the starter policies compile"))
}

/// `text` alone, with the operations of a help desk.
pub(crate) fn helpdesk(text: &str) -> Arc<Estate> {
    Arc::new(Estate::new(vec![source("test", text)], operations()).unwrap_or_else(|error| panic!("{error}")))
}

pub(crate) fn operations() -> Vec<OperationShape> {
    let refund = json!({
        "type": "object",
        "properties": { "order_id": { "type": "string" }, "amount": { "type": "integer" } },
        "required": ["order_id", "amount"],
    });
    let operation = |id: &str, verb, arguments| OperationShape {
        id: format!("helpdesk/{id}"),
        connector: "helpdesk".to_owned(),
        verb,
        arguments,
    };
    vec![
        operation("refund", Verb::Write, Shape::from_json_schema(&refund).expect("a shape")),
        operation("close", Verb::Write, Shape::empty()),
        operation("read", Verb::Read, Shape::empty()),
    ]
}

pub(crate) fn invariant(never: &str) -> Invariant {
    let text = format!("[[invariant]]\nname = \"test\"\nsentence = \"what is tested\"\nnever = {never}\n");
    Invariant::parse_all(&text).unwrap_or_else(|error| panic!("{error}")).remove(0)
}

/// The invariants that stand beside the starter policies.
pub(crate) fn starter_invariants() -> Vec<Invariant> {
    Invariant::parse_all(crate::STARTER_INVARIANTS).unwrap_or_else(|error| panic!("{error}"))
}

pub(crate) fn must_break(prover: &Prover, estate: &Arc<Estate>, invariant: &Invariant) -> crate::Counterexample {
    match prover.prove(estate, invariant) {
        Verdict::Broken(example) => *example,
        other => panic!("`{}` should break: {other:?}", invariant.name),
    }
}

pub(crate) fn must_hold(prover: &Prover, estate: &Arc<Estate>, invariant: &Invariant) {
    let verdict = prover.prove(estate, invariant);
    assert!(matches!(verdict, Verdict::Proved { .. }), "`{}`: {verdict:?}", invariant.name);
}
