//! The index against the plain evaluator: decision, determining policies and errors alike, over random sets and random requests.
//!
//! A plain loop, so that a million cases take minutes: `REMIT_CASES=1000000 cargo test -p remit-policy differential`. Each world is made
//! from its number, which a failure tells; `REMIT_CASES_FROM` begins there.

use cedar_policy_core::ast::Expr;
use cedar_policy_core::evaluator::Evaluator;
use cedar_policy_core::extensions::Extensions;

use super::*;
use crate::estate::{Call, Estate, Lot};
use crate::reads::Reads;
use crate::{Outlook, Reach, outlook, reach};

/// Cases where nobody asks for more.
const CASES: u64 = 4_000;
/// Requests that each random set decides.
const REQUESTS: u64 = 200;

/// How often something came about that a comparison of two nothings would not show.
#[derive(Debug, Default)]
struct Seen {
    cases: u64,
    allows: u64,
    denies: u64,
    asks: u64,
    errors: u64,
    conditions: u64,
}

#[test]
fn the_index_decides_as_the_plain_evaluator_does() {
    let number = |name: &str, default| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default);
    let (cases, from) = (number("REMIT_CASES", CASES), number("REMIT_CASES_FROM", 0));
    let mut seen = Seen::default();
    for world in from..from + cases.div_ceil(REQUESTS) {
        let mut lot = Lot::of(world);
        let estate = Estate::random(&mut lot);
        for _ in 0..REQUESTS {
            let call = estate.call(&mut lot);
            compare(&estate, &call, world, &mut seen);
        }
    }
    println!("{seen:?}");
    // The figures of one run in a hundred: a generator that makes nothing but denials compares nothing.
    let least = |part: u64| assert!(part * 100 > seen.cases, "{seen:?}");
    [seen.allows, seen.denies, seen.asks, seen.errors, seen.conditions].into_iter().for_each(least);
}

fn compare(estate: &Estate, call: &Call, world: u64, seen: &mut Seen) {
    let Estate { schema, set, .. } = estate;
    let request = call.request(estate);
    let decision = evaluate(set, schema, &request);
    assert_eq!(decision, evaluate_plainly(set, schema, &request), "world {world}");
    assert!(!decision.is_fault, "world {world}");
    let outlook = outlook(set, schema, &call.facts);
    assert_eq!(outlook.reach, reach(set, schema, &call.facts), "world {world}");
    seen.cases += 1;
    seen.errors += u64::from(!decision.errors.is_empty());
    match &decision.outcome {
        Outcome::Allow => seen.allows += 1,
        Outcome::Deny => seen.denies += 1,
        Outcome::Ask(_) => seen.asks += 1,
    }
    // What is said beforehand is said of a credential that is new.
    let decision = evaluate(set, schema, &Request { credential_age_s: 0, ..request });
    match (outlook.reach, decision.arguments.is_some()) {
        (Reach::Never, _) => assert_eq!(decision.outcome, Outcome::Deny, "world {world}"),
        (Reach::Always, false) => assert_eq!(decision.outcome, Outcome::Allow, "world {world}"),
        (Reach::Depends, false) => {
            let allows = decision.outcome == Outcome::Allow;
            seen.conditions += u64::from(tells(estate, call, &outlook, allows, world));
        }
        (_, true) => {}
    }
}

/// Whether the condition of `outlook` could be put to the call, and said the same as the decision.
fn tells(estate: &Estate, call: &Call, outlook: &Outlook, allows: bool, world: u64) -> bool {
    let text = outlook.condition.as_deref().expect("a condition");
    if text.ends_with('…') {
        return false;
    }
    let condition: Expr = text.parse().unwrap_or_else(|error| panic!("world {world}: {text}: {error}"));
    let scene = Scene::set(&call.facts, &estate.schema).expect("a scene");
    let shape = call.shape(estate);
    let arguments = shape.typed(&call.arguments, &Reads::everything()).expect("arguments");
    let projected = shape.typed_projections(&call.arguments).expect("projections");
    let request = call.request(estate);
    let context = context(&arguments, &projected, request.approval, request.now_ms, 0, &estate.schema.kinds);
    let evaluator = Evaluator::new(scene.request(context), &scene.entities, Extensions::all_available());
    // Where a part cannot be evaluated, a permit beside it may still permit.
    let Ok(holds) = evaluator.interpret(&condition, &std::collections::HashMap::new()) else { return false };
    assert_eq!(holds, allows.into(), "world {world}: {text}");
    true
}
