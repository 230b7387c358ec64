//! The default access patterns read a second time: each row's own words are interpreted here, and the starter policies are held to that.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::json;

use super::*;
use crate::facts::{AgentFacts, ApprovalFacts, Attribution, Facts, GrantFacts, OperationFacts, PersonFacts, TaskFacts};
use crate::{OperationShape, Outcome, PolicySet, Request, Schema, Shape, Verb, evaluate};

#[derive(Deserialize)]
struct Document {
    patterns: Vec<Row>,
    verbs: BTreeMap<String, Verbs>,
}

#[derive(Deserialize)]
struct Row {
    class: String,
    autonomy: String,
    data: String,
    default: String,
    max_token_ttl_s: i64,
    action_approval: String,
    egress: String,
}

#[derive(Deserialize)]
struct Verbs {
    allowed: BTreeSet<String>,
    denied: BTreeSet<String>,
}

/// One call of the grid, beside its row.
#[derive(Debug, Clone, Copy)]
struct Call {
    verb: Verb,
    external: bool,
    irreversible: bool,
    exact: bool,
    names: bool,
    production: bool,
    /// Whether data of the row's class was approved in the task before.
    approved: bool,
    /// Whether the task has seen restricted data.
    seen: bool,
    age_s: i64,
    approval: Approval,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Approval {
    Nobody,
    Owner,
    Approver,
    OwnerAndApprover,
    TwoStrangers,
}

/// What a row wants before a call goes out.
#[derive(Default)]
struct Wants {
    denied: bool,
    owner: bool,
    two_people: bool,
}

#[derive(Debug, PartialEq, Eq)]
enum Answer {
    Allow,
    Ask,
    Deny,
}

fn document() -> Document {
    toml::from_str(ACCESS_PATTERNS).expect("the patterns can be read")
}

fn number(word: &str) -> u8 {
    word.get(1..).and_then(|digit| digit.parse().ok()).expect("a letter and a digit")
}

/// What the words of the row say about the call. `outward` is the row of the highest data that the task has seen: what egress and disclosure
/// go by.
fn wants(row: &Row, outward: &Row, verbs: &Verbs, call: Call) -> Wants {
    let changes = call.verb != Verb::Read;
    let mut wants = Wants::default();
    wants.denied |= row.default != "allow-with-controls";
    wants.denied |= outward.default == "deny" && call.external;
    wants.denied |= call.age_s > row.max_token_ttl_s;
    wants.denied |= !verb_is_allowed(row, verbs, call);
    match row.action_approval.as_str() {
        "none" => {}
        "changes denied" => wants.denied |= changes,
        "first use of class per session" | "each task" => wants.owner |= !call.approved,
        "each task, two people; secrets and production denied" => {
            wants.denied |= call.verb == Verb::Read || call.production;
            wants.two_people |= !call.approved;
        }
        "each action" | "each write, delete or send" => wants.owner |= changes,
        "each action, two people" => wants.two_people = true,
        "irreversible or outward" => wants.owner |= changes && (call.irreversible || call.external),
        "merge" => wants.owner |= call.verb == Verb::Write && call.irreversible,
        "merge and any run outside sandbox" => {
            wants.owner |= call.verb == Verb::Execute || (call.verb == Verb::Write && call.irreversible);
        }
        disclosure if disclosure.starts_with("each disclosure") => {}
        words => panic!("nothing here knows what `{words}` means"),
    }
    match outward.action_approval.as_str() {
        "each disclosure" | "each disclosure beyond requester" => wants.owner |= call.external,
        "each disclosure, two people" => wants.two_people |= call.external,
        "each action, two people" => wants.two_people |= changes && call.external,
        _ => {}
    }
    match outward.egress.as_str() {
        "allow-list by category" => {}
        "allow-list" => wants.denied |= call.external && !call.exact,
        "none unless named per task" => wants.denied |= call.external && !(call.exact && call.names),
        words => panic!("nothing here knows what `{words}` means"),
    }
    wants
}

fn verb_is_allowed(row: &Row, verbs: &Verbs, call: Call) -> bool {
    let (allows, denies) = (|word: &str| verbs.allowed.contains(word), |word: &str| verbs.denied.contains(word));
    match call.verb {
        Verb::Read => (allows("read") || allows("read-repositories")) && !(denies("read-secrets") && row.data == "D3"),
        _ if allows("task-template-verbs") => true,
        Verb::Write => allows("write-branch") || (allows("write-own-output") && !call.external && !call.irreversible),
        Verb::Send => false,
        Verb::Execute => {
            let deploys = call.external || call.irreversible;
            allows("execute-sandbox") && !(denies("deploy") && deploys)
        }
    }
}

fn answer(wants: &Wants, approval: Approval) -> Answer {
    let owner = matches!(approval, Approval::Owner | Approval::OwnerAndApprover);
    let both = approval == Approval::OwnerAndApprover;
    match wants {
        Wants { denied: true, .. } => Answer::Deny,
        Wants { owner: wanted, two_people, .. } if (*wanted && !owner) || (*two_people && !both) => Answer::Ask,
        _ => Answer::Allow,
    }
}

fn approval_facts(approval: Approval) -> Option<ApprovalFacts> {
    let (roles, count): (&[&str], u32) = match approval {
        Approval::Nobody => return None,
        Approval::Owner => (&["owner"], 1),
        Approval::Approver => (&["approver"], 1),
        Approval::OwnerAndApprover => (&["approver", "owner"], 2),
        Approval::TwoStrangers => (&["support"], 2),
    };
    Some(ApprovalFacts { roles: roles.iter().map(|role| (*role).to_owned()).collect(), count, ..Default::default() })
}

fn facts(row: &Row, call: Call) -> Facts {
    let data = number(&row.data);
    let level = |held: bool, level: u8| if held { i8::try_from(level).expect("0 to 3") } else { -1 };
    Facts {
        agent: AgentFacts {
            name: "pattern".to_owned(),
            class: row.class.clone(),
            environment: if call.production { "production" } else { "development" }.to_owned(),
            autonomy: number(&row.autonomy),
            data: 3,
            attribution: Attribution::Proven,
        },
        owner: PersonFacts { id: "prs_owner".to_owned(), groups: Vec::new() },
        task: TaskFacts {
            id: "tsk_pattern".to_owned(),
            purpose: "a row".to_owned(),
            labels: BTreeSet::new(),
            calls: 0,
            approved_data: level(call.approved, data),
            data: level(call.seen, 3),
            chain: Vec::new(),
            names: call.names,
        },
        acting_for: None,
        acting_for_entitled: None,
        grant: Some(GrantFacts {
            id: "grt_pattern".to_owned(),
            reason: "a row".to_owned(),
            expires_at_ms: 1,
            exact: call.exact,
        }),
        operation: OperationFacts {
            id: operation_id(call.verb),
            connector: "desk".to_owned(),
            verb: call.verb,
            risk: 1,
            data,
            external: call.external,
            sandbox: false,
            irreversible: call.irreversible,
        },
    }
}

fn operation_id(verb: Verb) -> String {
    format!("desk/{verb}")
}

/// The starter policies, and operations of each verb to try them on.
struct Bench {
    document: Document,
    schema: Schema,
    set: PolicySet,
    shape: Shape,
}

impl Bench {
    fn new() -> Self {
        let operations = Verb::ALL.map(|verb| OperationShape {
            id: operation_id(verb),
            connector: "desk".to_owned(),
            verb,
            arguments: Shape::empty(),
        });
        let schema = Schema::generate(operations.iter()).expect("a schema");
        let set = PolicySet::compile(&starter(), &schema).expect("the starter policies compile");
        Self { document: document(), schema, set, shape: Shape::empty() }
    }

    fn row(&self, class: &str, autonomy: &str, data: &str) -> &Row {
        let mut rows = self.document.patterns.iter();
        rows.find(|row| row.class == class && row.autonomy == autonomy && row.data == data).expect("the row is there")
    }

    /// Holds the decision on the call to the words of the row.
    fn compare(&self, row: &Row, call: Call) {
        let outward = self.row(&row.class, &row.autonomy, if call.seen { "D3" } else { &row.data });
        let verbs = self.document.verbs.get(&row.class).expect("the class has verbs");
        let expected = answer(&wants(row, outward, verbs, call), call.approval);
        let (facts, approval, arguments) = (facts(row, call), approval_facts(call.approval), json!({}));
        let request = Request {
            facts: &facts,
            shape: &self.shape,
            arguments: &arguments,
            approval: approval.as_ref(),
            now_ms: 1_700_000_000_000,
            credential_age_s: call.age_s,
        };
        let decision = evaluate(&self.set, &self.schema, &request);
        let got = match decision.outcome {
            Outcome::Allow => Answer::Allow,
            Outcome::Ask(_) => Answer::Ask,
            Outcome::Deny => Answer::Deny,
        };
        let Row { class, autonomy, data, .. } = row;
        assert_eq!(got, expected, "{class} {autonomy} {data}: {call:?}: {:?}", decision.determining);
    }
}

const PLAIN: Call = Call {
    verb: Verb::Read,
    external: false,
    irreversible: false,
    exact: true,
    names: true,
    production: true,
    approved: false,
    seen: false,
    age_s: 0,
    approval: Approval::Nobody,
};

/// All ways in which the bits of a number can stand.
fn bits<const N: usize>() -> impl Iterator<Item = [bool; N]> {
    (0..1_u32 << N).map(|number| std::array::from_fn(|bit| number >> bit & 1 == 1))
}

#[test]
fn there_is_a_row_for_each_class_autonomy_and_data() {
    let document = document();
    let rows: BTreeSet<_> = document.patterns.iter().map(|row| (&row.class, &row.autonomy, &row.data)).collect();
    assert_eq!((document.patterns.len(), rows.len()), (64, 64));
}

#[test]
fn the_starter_policies_say_what_the_rows_say() {
    let bench = Bench::new();
    for row in &bench.document.patterns {
        let age_s = row.max_token_ttl_s;
        for verb in Verb::ALL {
            for [external, irreversible, exact, names, production, approved, seen] in bits() {
                let call =
                    Call { verb, external, irreversible, exact, names, production, approved, seen, age_s, ..PLAIN };
                bench.compare(row, call);
            }
        }
    }
}

#[test]
fn approvals_lift_what_the_rows_ask_and_nothing_else() {
    let bench = Bench::new();
    let all = [Approval::Owner, Approval::Approver, Approval::OwnerAndApprover, Approval::TwoStrangers];
    for row in &bench.document.patterns {
        for (verb, approval) in Verb::ALL.into_iter().flat_map(|verb| all.map(|approval| (verb, approval))) {
            for [external, irreversible, production, seen] in bits() {
                bench.compare(row, Call { verb, external, irreversible, production, seen, approval, ..PLAIN });
            }
        }
    }
}

#[test]
fn a_credential_may_be_as_old_as_its_row_says_and_no_older() {
    let bench = Bench::new();
    for row in &bench.document.patterns {
        for verb in Verb::ALL {
            for age_s in [row.max_token_ttl_s - 1, row.max_token_ttl_s, row.max_token_ttl_s + 1, i64::MAX] {
                for [approved, external] in bits() {
                    let approval = Approval::OwnerAndApprover;
                    bench.compare(row, Call { verb, age_s, approved, external, production: false, approval, ..PLAIN });
                }
            }
        }
    }
}

#[test]
fn each_row_has_cases() {
    let (_, cases) = STARTER_CASES.iter().find(|(name, _)| *name == "access-patterns").expect("the table is there");
    for Row { class, autonomy, data, .. } in document().patterns {
        let name = format!("name = \"{class} {autonomy} {data}: ");
        assert!(cases.matches(&name).count() >= 5, "{name}");
    }
}
