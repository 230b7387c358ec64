//! A small help desk for tests: one agent, two operations, and whatever policies a test brings.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{
    AgentFacts, ApprovalFacts, Attribution, Decision, Facts, GrantFacts, OperationFacts, OperationShape, PersonFacts,
    PolicySet, PolicySource, Problem, Request, Schema, Shape, TaskFacts, Verb, evaluate,
};

pub(crate) const NOW_MS: i64 = 1_700_000_000_000;
pub(crate) const PERMIT: &str = r#"@id("granted") permit(principal, action, resource) when { principal has grant };"#;

pub(crate) struct World {
    pub(crate) schema: Schema,
    pub(crate) set: PolicySet,
    pub(crate) facts: Facts,
    pub(crate) approval: Option<ApprovalFacts>,
    pub(crate) shape: Shape,
}

pub(crate) fn refund_shape() -> Shape {
    Shape::from_json_schema(&json!({
        "type": "object",
        "properties": {
            "order_id": { "type": "string" },
            "amount": { "type": "integer" },
            "share": { "type": "number" },
            "notify": { "type": ["boolean", "null"] },
            "tags": { "type": "array", "items": { "type": "string" } },
            "address": { "type": "object", "properties": { "city": { "type": "string" } }, "required": ["city"] },
            "lines": { "type": "array", "items": { "type": "object" } },
        },
        "required": ["order_id", "amount"],
    }))
    .expect("the schema has a shape")
}

pub(crate) fn operations() -> Vec<OperationShape> {
    let operation = |tool: &str, verb, arguments| OperationShape {
        id: format!("helpdesk/{tool}"),
        connector: "helpdesk".to_owned(),
        verb,
        arguments,
    };
    vec![operation("refund_order", Verb::Write, refund_shape()), operation("read_ticket", Verb::Read, Shape::empty())]
}

pub(crate) fn schema() -> Schema {
    Schema::generate(operations().iter()).expect("the operations have a schema")
}

pub(crate) fn source(text: &str) -> PolicySource {
    PolicySource { name: "test".to_owned(), text: text.to_owned() }
}

pub(crate) fn problems(text: &str) -> Vec<Problem> {
    PolicySet::compile(&[source(text)], &schema()).expect_err("the policies have a problem")
}

pub(crate) fn refund() -> OperationFacts {
    OperationFacts {
        id: "helpdesk/refund_order".to_owned(),
        connector: "helpdesk".to_owned(),
        verb: Verb::Write,
        risk: 2,
        data: 1,
        external: false,
        sandbox: false,
        irreversible: false,
    }
}

pub(crate) fn facts() -> Facts {
    Facts {
        agent: AgentFacts {
            name: "refunds".to_owned(),
            class: "act".to_owned(),
            environment: "production".to_owned(),
            autonomy: 3,
            data: 2,
            attribution: Attribution::Proven,
        },
        owner: PersonFacts { id: "prs_owner".to_owned(), groups: vec!["support".to_owned()] },
        task: TaskFacts {
            id: "tsk_1".to_owned(),
            purpose: "refund what was returned".to_owned(),
            labels: BTreeSet::new(),
            calls: 4,
            approved_data: -1,
            data: -1,
            chain: Vec::new(),
            names: false,
        },
        acting_for: Some(PersonFacts { id: "prs_customer".to_owned(), groups: Vec::new() }),
        acting_for_entitled: None,
        grant: Some(GrantFacts {
            id: "grt_1".to_owned(),
            reason: "refunds".to_owned(),
            expires_at_ms: NOW_MS + 1_000,
            exact: true,
        }),
        operation: refund(),
    }
}

impl World {
    /// A world where `text` and the permit for live grants hold.
    pub(crate) fn with(text: &str) -> Self {
        let schema = schema();
        let set = PolicySet::compile(&[source(&format!("{PERMIT}\n{text}"))], &schema).unwrap_or_else(|problems| {
            panic!("{}", problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
        });
        Self { schema, set, facts: facts(), approval: None, shape: refund_shape() }
    }

    pub(crate) fn approved(mut self, roles: &[&str], count: u32) -> Self {
        let roles = roles.iter().map(|role| (*role).to_owned()).collect();
        self.approval = Some(ApprovalFacts { roles, count, ..ApprovalFacts::default() });
        self
    }

    pub(crate) fn decide(&self, arguments: &Value) -> Decision {
        let request = Request {
            facts: &self.facts,
            shape: &self.shape,
            arguments,
            approval: self.approval.as_ref(),
            now_ms: NOW_MS,
            credential_age_s: 0,
        };
        evaluate(&self.set, &self.schema, &request)
    }

    /// Decides a refund of `amount`.
    pub(crate) fn refund(&self, amount: i64) -> Decision {
        self.decide(&json!({ "order_id": "o-1", "amount": amount }))
    }
}
