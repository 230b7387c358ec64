use remit_policy::{
    AgentFacts, ApprovalFacts, Attribution, Facts, GrantFacts, OperationFacts, Outcome, PersonFacts, PolicySet,
    Request, Schema, TaskFacts, Verb, evaluate,
};
use serde_json::json;

use super::*;
use crate::world::{helpdesk, invariant, operations, source};

/// The lowest or the highest facts that Remit establishes.
fn facts(high: bool) -> Facts {
    let pick = |low: u8, highest: u8| if high { highest } else { low };
    Facts {
        agent: AgentFacts {
            name: "agent".to_owned(),
            class: if high { "code" } else { "read" }.to_owned(),
            environment: if high { "production" } else { "sandbox" }.to_owned(),
            autonomy: pick(1, 4),
            data: pick(0, 3),
            attribution: if high { Attribution::Unknown } else { Attribution::Proven },
        },
        owner: PersonFacts { id: String::new(), groups: Vec::new() },
        task: TaskFacts {
            id: "tsk".to_owned(),
            purpose: String::new(),
            labels: std::collections::BTreeSet::new(),
            calls: if high { 1_000_000 } else { 0 },
            approved_data: if high { 3 } else { -1 },
            data: if high { 3 } else { -1 },
            chain: if high { vec!["above".to_owned(); 1] } else { Vec::new() },
            names: high,
        },
        acting_for: high.then(|| PersonFacts { id: "prs".to_owned(), groups: Vec::new() }),
        acting_for_entitled: high.then_some(true),
        grant: high.then(|| GrantFacts {
            id: "grt".to_owned(),
            reason: String::new(),
            expires_at_ms: 1_700_000_000_001,
            exact: true,
        }),
        operation: OperationFacts {
            id: "helpdesk/close".to_owned(),
            connector: "helpdesk".to_owned(),
            verb: Verb::Write,
            risk: pick(0, 3),
            data: pick(0, 3),
            external: high,
            sandbox: !high,
            irreversible: high,
        },
    }
}

/// What Remit itself hands to the policies fulfils what is assumed of it: a forbid of all else never applies.
#[test]
fn the_facts_of_real_calls_fulfil_them() {
    let estate = helpdesk(r#"@id("names") permit (principal, action, resource in Connector::"helpdesk");"#);
    let questions = Question::all(&estate, &invariant(r#"{ operation = "helpdesk/close" }"#)).expect("a question");
    let question = questions.first().expect("a question");
    let rules: Vec<String> = clauses(question)
        .iter()
        .enumerate()
        .map(|(number, clause)| {
            format!("@id(\"assumed-{number}\") forbid (principal, action == Action::\"helpdesk/close\", resource) unless {{ {clause} }};")
        })
        .collect();
    let permit = r#"@id("all") permit (principal, action, resource);"#;
    let schema = Schema::generate(operations().iter()).expect("a schema");
    let set = PolicySet::compile(&[source("test", &format!("{permit}\n{}", rules.join("\n")))], &schema)
        .unwrap_or_else(|problems| panic!("{problems:?}"));
    let shape = remit_policy::Shape::empty();
    let approval = ApprovalFacts {
        roles: std::collections::BTreeSet::new(),
        approvers: std::collections::BTreeSet::from(["prs".to_owned()]),
        count: 1,
        approved_at_ms: 1_700_000_000_000,
    };
    for (high, approval) in [(true, None), (false, None), (true, Some(&approval)), (false, Some(&approval))] {
        let facts = facts(high);
        let request = Request {
            facts: &facts,
            shape: &shape,
            arguments: &json!({}),
            approval,
            now_ms: 1_700_000_000_000,
            credential_age_s: 0,
        };
        let decision = evaluate(&set, &schema, &request);
        assert_eq!(decision.outcome, Outcome::Allow, "{decision:?}\n{rules:#?}");
    }
}
