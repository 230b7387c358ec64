use std::time::{Duration, Instant};

use remit_policy::{Outcome, PolicySet, PolicySource, Request, Schema, Verb, evaluate, starter};

use super::*;
use crate::world::{
    helpdesk, invariant, must_break, must_hold, operations, prover, prover_within, source, starter_estate,
    starter_invariants,
};

/// A class that may write after all: a permit, and a class rule without teeth.
const HOLE: &str = r#"@id("hole") permit (principal in Class::"read", action in Action::"write", resource);
@id("weak") forbid (principal in Class::"read", action in [Action::"send", Action::"execute"], resource);"#;

/// The starter policies without the rule that is `text`.
fn without(text: &str) -> Vec<PolicySource> {
    let mut sources = starter();
    for source in &mut sources {
        source.text = source.text.replace(text, "");
    }
    sources
}

#[test]
fn the_starter_policies_keep_their_invariants() {
    let Some(prover) = prover() else { return };
    let estate = starter_estate();
    for invariant in starter_invariants() {
        must_hold(&prover, &estate, &invariant);
    }
}

/// A proof from assumptions that contradict each other would prove anything.
#[test]
fn the_assumptions_leave_calls_of_every_verb() {
    let Some(prover) = prover() else { return };
    for verb in Verb::ALL {
        let invariant = invariant(&format!("{{ verb = \"{verb}\", grant = true }}"));
        let example = must_break(&prover, &starter_estate(), &invariant);
        assert_eq!(example.facts.operation.verb, verb);
        assert_eq!(example.determining, ["a-live-grant-permits"]);
    }
}

#[test]
fn a_planted_hole_is_found_and_is_really_allowed() {
    let Some(prover) = prover() else { return };
    let whole = starter_estate();
    let class_rule =
        whole.rules.iter().find(|rule| rule.policy.id().to_string() == "class-read-only-reads").expect("a rule");
    let mut sources = without(&class_rule.policy.to_cedar().expect("a text"));
    sources.push(source("hole", HOLE));
    let estate = Arc::new(Estate::new(sources.clone(), Vec::new()).expect("they compile"));
    let invariants = starter_invariants();
    let invariant = invariants.iter().find(|one| one.name == "read-never-changes").expect("it is there");
    let example = must_break(&prover, &estate, invariant);
    assert_eq!((example.facts.agent.class.as_str(), example.facts.operation.verb), ("read", Verb::Write));
    assert!(example.determining.contains(&"hole".to_owned()), "{:?}", example.determining);

    // Once more from the beginning, as anybody would.
    let schema = Schema::generate([&example.shape].into_iter()).expect("a schema");
    let set = PolicySet::compile(&sources, &schema).expect("they compile");
    let request = Request {
        facts: &example.facts,
        shape: &example.shape.arguments,
        arguments: &example.arguments,
        approval: example.approval.as_ref(),
        now_ms: example.now_ms,
        credential_age_s: example.credential_age_s,
    };
    assert_eq!(evaluate(&set, &schema, &request).outcome, Outcome::Allow);
    assert!(example.case(invariant, &estate).is_some());
}

/// Whatever rule of the starter set is missing: no verdict is in doubt, and a call that breaks an invariant is a case that fails.
#[test]
fn without_any_one_rule_every_verdict_is_a_proof_or_a_confirmed_call() {
    let Some(prover) = prover() else { return };
    let whole = starter_estate();
    let (invariants, mut noticed) = (starter_invariants(), 0);
    for (position, removed) in whole.rules.iter().enumerate() {
        let estate =
            Estate::new(without(&removed.policy.to_cedar().expect("a text")), Vec::new()).expect("they compile");
        let estate = Arc::new(estate);
        // All pairs would take minutes; these meet every rule and every invariant.
        for invariant in invariants.iter().skip(position % 4).step_by(4) {
            match prover.prove(&estate, invariant) {
                Verdict::Proved { .. } => {}
                Verdict::Broken(example) => {
                    assert!(example.case(invariant, &estate).is_some(), "{example:?}");
                    noticed += 1;
                }
                other => panic!("without {}: `{}`: {other:?}", removed.policy.id(), invariant.name),
            }
        }
    }
    assert!(noticed > 0, "no invariant rests on any rule");
}

#[test]
fn a_call_that_breaks_looks_ordinary_where_it_can() {
    let Some(prover) = prover() else { return };
    let estate = helpdesk(r#"@id("all") permit (principal, action, resource);"#);
    let example = must_break(&prover, &estate, &invariant(r#"{ verb = "write" }"#));
    let agent = &example.facts.agent;
    assert_eq!((agent.class.as_str(), agent.environment.as_str(), agent.autonomy), ("act", "production", 3));
    assert!(example.approval.is_none() && example.facts.task.labels.is_empty() && example.facts.grant.is_some());
    assert_eq!(example.facts.operation.id, "example/any_write");
}

#[test]
fn arguments_are_part_of_what_is_found() {
    let Some(prover) = prover() else { return };
    let estate = helpdesk(
        r#"@id("small") permit (principal, action == Action::"helpdesk/refund", resource) when { context.arguments.amount < 100 };"#,
    );
    let example = must_break(&prover, &estate, &invariant(r#"{ operation = "helpdesk/refund" }"#));
    assert!(example.arguments["amount"].as_i64().is_some_and(|amount| amount < 100), "{}", example.arguments);
    must_hold(
        &prover,
        &estate,
        &invariant(r#"{ operation = "helpdesk/refund", condition = "context.arguments.amount >= 100" }"#),
    );
    // Nobody else is permitted anything.
    must_hold(&prover, &estate, &invariant(r#"{ verb = ["read", "send", "execute"] }"#));
}

/// Cedar skips what it cannot evaluate; Remit denies. So this is no hole.
#[test]
fn a_forbid_that_cannot_be_evaluated_denies() {
    let Some(prover) = prover() else { return };
    let estate = helpdesk(
        r#"@id("all") permit (principal, action == Action::"helpdesk/refund", resource);
           @id("fails") forbid (principal, action == Action::"helpdesk/refund", resource)
           when { context.arguments.amount + 9223372036854775807 > 0 || context.arguments.amount < 0 };"#,
    );
    // A positive amount overflows; Cedar alone would skip the forbid and permit.
    let positive = invariant(r#"{ operation = "helpdesk/refund", condition = "context.arguments.amount > 0" }"#);
    must_hold(&prover, &estate, &positive);
}

#[test]
fn classes_and_connectors_are_groups_that_cannot_be_feigned() {
    let Some(prover) = prover() else { return };
    let estate = helpdesk(
        r#"@id("a") permit (principal in Class::"read", action, resource in Connector::"helpdesk");
           @id("b") permit (principal in Class::"nobody", action, resource);"#,
    );
    must_hold(&prover, &estate, &invariant(r#"{ class = ["act", "transform", "code"] }"#));
    must_hold(&prover, &estate, &invariant(r#"{ condition = "resource.connector != Connector::\"helpdesk\"" }"#));
    let example = must_break(&prover, &estate, &invariant(r#"{ verb = "write", class = "read" }"#));
    assert_eq!(example.facts.operation.connector, "helpdesk");
}

#[test]
fn an_operation_that_a_policy_names_is_asked_about_by_name() {
    let Some(prover) = prover() else { return };
    let estate = helpdesk(
        r#"@id("close") permit (principal, action, resource == Operation::"helpdesk/close");
           @id("or") permit (principal, action, resource) when { action == Action::"helpdesk/read" };"#,
    );
    let example = must_break(&prover, &estate, &invariant(r#"{ verb = "write" }"#));
    assert_eq!(example.facts.operation.id, "helpdesk/close");
    let example = must_break(&prover, &estate, &invariant(r#"{ verb = "read" }"#));
    assert_eq!(example.facts.operation.id, "helpdesk/read");
    must_hold(&prover, &estate, &invariant(r#"{ verb = ["send", "execute"] }"#));
}

#[test]
fn a_condition_that_is_none_is_not_proved() {
    let Some(prover) = prover() else { return };
    let estate = helpdesk(r#"@id("all") permit (principal, action, resource);"#);
    for condition in ["principal.nothing == 1", "principal.autonomy >", "true); permit (principal, action, resource"] {
        let invariant = invariant(&format!("{{ condition = {condition:?} }}"));
        let verdict = prover.prove(&estate, &invariant);
        assert!(matches!(&verdict, Verdict::NotProved { .. }), "{condition}: {verdict:?}");
    }
}

/// Each `&&` after something that may be missing doubles the formula, before the solver has a word in it.
#[test]
fn formulas_that_grow_without_end_are_given_up() {
    let Some(prover) = prover_within(Duration::from_secs(1)) else { return };
    let conditions: Vec<String> = (0..60).map(|number| format!("principal.grant.reason != \"{number}\"")).collect();
    let text = format!(
        "@id(\"long\") permit (principal, action, resource) when {{ principal has grant && {} }};",
        conditions.join(" && ")
    );
    let verdict = prover.prove(&helpdesk(&text), &invariant(r#"{ verb = "send" }"#));
    let Verdict::NotProved { why } = verdict else { panic!("{verdict:?}") };
    assert!(why.contains("could not be put into formulas"), "{why}");
}

#[test]
fn a_solver_that_thinks_for_too_long_proves_nothing() {
    let Some(prover) = prover_within(Duration::from_millis(1)) else { return };
    let begun = Instant::now();
    let verdict = prover.prove(&starter_estate(), &invariant(r#"{ class = "read", verb = "write" }"#));
    let Verdict::NotProved { why } = verdict else { panic!("{verdict:?}") };
    assert!(why.contains("neither a proof nor a call within 0.001 s"), "{why}");
    assert!(begun.elapsed() < Duration::from_secs(30));
}

#[test]
fn many_policies_cost_only_what_can_concern_the_question() {
    let Some(prover) = prover() else { return };
    let many: Vec<_> = (0..400)
        .map(|number| {
            let operation = format!("many/tool-{number}");
            remit_policy::OperationShape {
                connector: "many".to_owned(),
                verb: Verb::Read,
                arguments: remit_policy::Shape::empty(),
                id: operation,
            }
        })
        .collect();
    let permits: Vec<String> = many
        .iter()
        .map(|one| format!("@id(\"{0}\") permit (principal, action == Action::\"{0}\", resource) when {{ principal.autonomy < 3 }};", one.id))
        .collect();
    let mut sources = starter();
    sources.push(source("many", &permits.join("\n")));
    let estate = Arc::new(Estate::new(sources, many.into_iter().chain(operations()).collect()).expect("they compile"));
    must_hold(&prover, &estate, &invariant(r#"{ class = "read", verb = "write" }"#));
    // All of these are named, and so would have to be looked at one by one.
    let verdict = prover.prove(&estate, &invariant(r#"{ verb = "read", autonomy = 4, data = 3 }"#));
    let Verdict::NotProved { why } = verdict else { panic!("{verdict:?}") };
    assert!(why.contains("too many operations: 401"), "{why}");
}

/// They hold because no call is one that they speak of; the first is broken as soon as one word is left out.
#[test]
fn an_invariant_about_no_call_is_vacuous() {
    let Some(prover) = prover() else { return };
    let estate = helpdesk(r#"@id("all") permit (principal, action, resource);"#);
    for never in [
        r#"{ sandbox = true, environment = "production" }"#,
        r#"{ operation = "helpdesk/close", verb = "read" }"#,
        r#"{ operation = "helpdesk/close", connector = "mail" }"#,
        r#"{ data_at_most = 1, condition = "resource.data >= 2" }"#,
        r#"{ class = "read", condition = "principal in Class::\"act\"" }"#,
        r#"{ approval = true, condition = "context has approval && context.approval.count < 1" }"#,
        r#"{ connector = "helpdsk" }"#,
        // Such a call cannot be evaluated, and so is none that it speaks of.
        r#"{ verb = "read", condition = "principal.autonomy + 9223372036854775807 > 0" }"#,
    ] {
        let invariant = invariant(never);
        let strict = helpdesk(r#"@id("none") forbid (principal, action, resource);"#);
        let verdict = prover.prove(&strict, &invariant);
        assert!(matches!(&verdict, Verdict::Vacuous { .. }), "{never}: {verdict:?}");
    }
    must_break(&prover, &estate, &invariant(r#"{ sandbox = true }"#));
    must_break(&prover, &estate, &invariant(r#"{ operation = "helpdesk/close" }"#));
}

/// Nothing is allowed and everything is proved: what could be called is what an invariant is about, not what is allowed.
#[test]
fn what_could_be_called_is_no_vacuity() {
    let Some(prover) = prover() else { return };
    let strict = helpdesk(r#"@id("none") forbid (principal, action, resource);"#);
    must_hold(&prover, &strict, &invariant(r#"{ sandbox = true, environment = "sandbox" }"#));
    must_hold(&prover, &strict, &invariant(r#"{ connector = "helpdesk", verb = "send" }"#));
    must_hold(
        &prover,
        &strict,
        &invariant(r#"{ operation = "helpdesk/refund", condition = "context.arguments.amount > 5" }"#),
    );
    // Without any operation nothing is known of connectors.
    let alone = Arc::new(Estate::new(starter(), Vec::new()).expect("they compile"));
    must_hold(&prover, &alone, &invariant(r#"{ connector = "mail", grant = false, sandbox = false }"#));
}
