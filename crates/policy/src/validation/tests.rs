use super::*;
use crate::estate::{self, Lot};
use crate::{OperationShape, PolicySet, PolicySource, Problem, Severity, Shape, world};

/// Random policies, in some texts; many do not fit, and some are there twice.
fn texts(lot: &mut Lot) -> Vec<PolicySource> {
    let text = |lot: &mut Lot, name: usize| {
        let policies = (0..1 + lot.below(4)).map(|_| {
            let number = lot.below(60);
            estate::policy(lot, number)
        });
        PolicySource { name: format!("text-{name}"), text: policies.collect() }
    };
    (0..1 + lot.below(5)).map(|name| text(lot, name)).collect()
}

/// Some of the operations.
fn operations(lot: &mut Lot) -> Vec<OperationShape> {
    let mut operations: Vec<OperationShape> = estate::operations().into_iter().filter(|_| lot.below(4) > 0).collect();
    if let Some(other) = operations.first_mut().filter(|_| lot.below(4) == 0) {
        other.arguments = Shape::empty();
    }
    operations
}

/// What Cedar's validator finds suspicious in `policies`, each put to it alone with the whole schema.
fn by_cedar(policies: &[String], schema: &Schema) -> Vec<bool> {
    let wrong = |text: &String| {
        let set: cedar_policy::PolicySet = text.parse().expect("a policy");
        let result = schema.validator.validate(&set, cedar_policy::ValidationMode::Strict);
        result.validation_errors().next().is_some() || result.validation_warnings().next().is_some()
    };
    policies.iter().map(wrong).collect()
}

#[test]
fn what_is_passed_over_is_what_cedar_finds_nothing_in() {
    let mut told = [0_u32; 2];
    for seed in 0..60 {
        let mut lot = Lot::of(seed);
        let schema = Schema::generate(operations(&mut lot).iter()).expect("a schema");
        let policies: Vec<String> = (0..20).map(|number| estate::policy(&mut lot, number)).collect();
        let validation = Validation::new(&schema, None);
        for (text, wrong) in policies.iter().zip(by_cedar(&policies, &schema)) {
            let text = crate::text::Text::read(&world::source(text), &schema.kinds);
            let [clause] = &text.clauses[..] else { panic!("one policy") };
            match validation.look(clause, false) {
                // Cedar does not know that such a resource does not exist.
                Verdict::Unknown(..) => {}
                verdict => assert_eq!(matches!(verdict, Verdict::Doubtful), wrong, "{}", clause.rule.text),
            }
            told[usize::from(wrong)] += 1;
        }
    }
    assert!(told.iter().all(|times| *times > 100), "{told:?}");
}

#[test]
fn what_was_compiled_before_comes_to_the_same_as_what_is_compiled_anew() {
    let (mut good, mut bad) = (0, 0);
    for seed in 0..120 {
        let mut lot = Lot::of(seed);
        let mut schema = Schema::generate(operations(&mut lot).iter()).expect("a schema");
        let mut before = PolicySet::compile(&[world::source(world::PERMIT)], &schema).expect("a set");
        let mut sources = vec![world::source(world::PERMIT)];
        for _ in 0..6 {
            match lot.below(3) {
                0 => schema = Schema::generate(operations(&mut lot).iter()).expect("a schema"),
                1 => sources.extend(texts(&mut lot)),
                _ => sources.retain(|_| lot.below(3) > 0),
            }
            sources.sort_by(|one, other| one.name.cmp(&other.name));
            sources.dedup_by(|one, other| one.name == other.name);
            match (before.recompile(&sources, &schema), PolicySet::compile(&sources, &schema)) {
                (Ok(again), Ok(anew)) => {
                    assert_eq!(seen(&again), seen(&anew), "seed {seed}");
                    (before, good) = (again, good + 1);
                }
                (Err(again), Err(anew)) => {
                    assert_eq!(again, anew, "seed {seed}");
                    // Whoever is told takes the policies out.
                    let wrong: Vec<&str> = again.iter().map(|problem| problem.source.as_str()).collect();
                    sources.retain(|source| !wrong.contains(&source.name.as_str()));
                    bad += 1;
                }
                (again, anew) => panic!("seed {seed}: {again:?}, {anew:?}"),
            }
        }
    }
    assert!(good > 80 && bad > 80, "{good} sets, {bad} refused");
}

/// What can be seen of a set.
fn seen(set: &PolicySet) -> (Vec<String>, &[Problem], [u8; 32]) {
    let rules = set.rules().iter().map(|rule| format!("{rule:?}"));
    (rules.collect(), set.warnings(), set.digest())
}

#[test]
fn a_text_that_did_not_change_is_not_read_again() {
    let schema = world::schema();
    let other = |text: &str| PolicySource { name: "other".to_owned(), text: text.to_owned() };
    let kept = world::source(world::PERMIT);
    let before = PolicySet::compile(&[kept.clone(), other("")], &schema).expect("a set");
    let after =
        before.recompile(&[other("@id(\"x\") forbid(principal, action, resource);"), kept], &schema).expect("a set");
    let place = |set: &PolicySet| {
        let rule = set.rules().iter().find(|rule| rule.id == "granted").expect("the permit");
        std::ptr::from_ref::<crate::Rule>(rule)
    };
    assert_eq!(place(&before), place(&after));
    assert_eq!(after.ids().collect::<Vec<_>>(), ["x", "granted"]);
}

#[test]
fn an_operation_that_comes_is_looked_at_by_the_rules_over_all() {
    let amount =
        "@id(\"x\") forbid(principal, action, resource) when { context.arguments has to && context.arguments.to > 5 };";
    let text =
        |text: &str| vec![world::source(world::PERMIT), PolicySource { name: "x".to_owned(), text: text.to_owned() }];
    let without: Vec<OperationShape> =
        estate::operations().into_iter().filter(|operation| operation.id != "mail/send").collect();
    let schema = Schema::generate(without.iter()).expect("a schema");
    // Nothing has `to` yet, so the rule can never apply; beside another condition it could.
    let text = text(&amount.replace("when { ", "when { resource.risk > 2 || "));
    let before = PolicySet::compile(&text, &schema).expect("a set");
    let schema = Schema::generate(estate::operations().iter()).expect("a schema");
    let problems = before.recompile(&text, &schema).expect_err("`to` is a text");
    assert!(
        problems.iter().any(|problem| problem.severity == Severity::Error && problem.policy.as_deref() == Some("x"))
    );
}
