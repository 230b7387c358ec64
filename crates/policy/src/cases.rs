//! Tables of cases: what policies are expected to say, as data that people review beside the policies.
//!
//! A table is TOML; each `[[case]]` names an operation, the facts that matter to it, and the outcome that is expected. What a
//! case leaves out is an ordinary action-taking agent, without a grant.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Deserialize;
use serde_json::Value;

use crate::facts::{
    AgentFacts, ApprovalFacts, Attribution, Facts, GrantFacts, OperationFacts, PersonFacts, Request, TaskFacts,
};
use crate::{
    Decision, OperationShape, Outcome, PolicySet, PolicySource, Problem, Projection, ProjectionError, Schema,
    SchemaError, Shape, ShapeError, Verb, evaluate, limits,
};

#[cfg(test)]
mod tests;

/// The moment at which cases happen unless they say otherwise: in November 2023.
const NOW_MS: i64 = 1_700_000_000_000;

/// Cases that were read from one text.
#[derive(Debug, Clone)]
pub struct Table {
    cases: Vec<Case>,
}

#[derive(Debug, Clone)]
struct Case {
    name: String,
    facts: Facts,
    shape: Option<Shape>,
    arguments: Value,
    approval: Option<ApprovalFacts>,
    now_ms: i64,
    credential_age_s: i64,
    expect: Expected,
    policies: Option<BTreeSet<String>>,
}

/// The outcome that a case expects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Expected {
    /// The call goes out.
    Allow,
    /// It does not.
    Deny,
    /// People are asked.
    Ask,
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
            Self::Ask => "ask",
        })
    }
}

impl From<&Outcome> for Expected {
    fn from(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Allow => Self::Allow,
            Outcome::Deny => Self::Deny,
            Outcome::Ask(_) => Self::Ask,
        }
    }
}

/// How one case came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseResult {
    /// The case's name.
    pub name: String,
    /// Whether what was decided is what was expected.
    pub passed: bool,
    /// What was expected, in words.
    pub expected: String,
    /// What was decided, in words, with reasons.
    pub got: String,
}

/// Why a case's schema, with its projections, gives no shape.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CaseShapeError {
    /// The schema gives none.
    #[error(transparent)]
    Schema(#[from] ShapeError),
    /// The projections do not fit the schema.
    #[error(transparent)]
    Projection(#[from] ProjectionError),
}

/// Why a table cannot be read or run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CaseError {
    /// The text is longer than [`limits::CASES_TEXT_BYTES_MAX`] or has more than [`limits::CASES_MAX`] cases.
    #[error("the table is too long: at most {} bytes and {} cases", limits::CASES_TEXT_BYTES_MAX, limits::CASES_MAX)]
    TooLong,
    /// The text is not a table of cases.
    #[error("the table cannot be read: {0}")]
    Text(String),
    /// A case's schema gives no shape.
    #[error("the case `{case}`: {error}")]
    Shape {
        /// The case.
        case: String,
        /// What is wrong with its schema or projections.
        error: CaseShapeError,
    },
    /// Two cases describe one operation differently.
    #[error("the case `{case}` gives the operation `{operation}` another verb or schema than an earlier one")]
    Contradiction {
        /// The later case.
        case: String,
        /// The operation.
        operation: String,
    },
    /// The operations of the table give no schema.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// The policies do not compile.
    #[error("the policies do not compile: {}", summary(.0))]
    Policies(Vec<Problem>),
}

fn summary(problems: &[Problem]) -> String {
    problems.first().map_or_else(String::new, ToString::to_string)
}

impl Table {
    /// Reads a table of cases.
    ///
    /// # Errors
    /// If the text is too long, is not such a table, or has a schema that gives no shape.
    pub fn parse(text: &str) -> Result<Self, CaseError> {
        if text.len() > limits::CASES_TEXT_BYTES_MAX {
            return Err(CaseError::TooLong);
        }
        let text: TableText = toml::from_str(text).map_err(|error| CaseError::Text(error.to_string()))?;
        if text.case.len() > limits::CASES_MAX {
            return Err(CaseError::TooLong);
        }
        Ok(Self { cases: text.case.into_iter().map(Case::read).collect::<Result<_, _>>()? })
    }

    /// Runs each case by the policies of `sources`. Operations that a case does not describe are taken from `known`.
    ///
    /// # Errors
    /// If cases contradict each other, or if the policies do not compile with the operations of the table and `known`.
    pub fn run(&self, sources: &[PolicySource], known: &[OperationShape]) -> Result<Vec<CaseResult>, CaseError> {
        let operations = self.operations(known)?;
        let schema = Schema::generate(operations.values())?;
        let set = PolicySet::compile(sources, &schema).map_err(CaseError::Policies)?;
        let empty = Shape::empty();
        let results = self.cases.iter().map(|case| {
            let shape = operations.get(&case.facts.operation.id).map_or(&empty, |operation| &operation.arguments);
            case.run(&set, &schema, shape)
        });
        Ok(results.collect())
    }

    fn operations(&self, known: &[OperationShape]) -> Result<BTreeMap<String, OperationShape>, CaseError> {
        let mut operations: BTreeMap<String, OperationShape> = BTreeMap::new();
        let mut described = BTreeSet::new();
        for case in &self.cases {
            let operation = &case.facts.operation;
            let contradiction =
                || CaseError::Contradiction { case: case.name.clone(), operation: operation.id.clone() };
            let entry = operations.entry(operation.id.clone()).or_insert_with(|| OperationShape {
                id: operation.id.clone(),
                connector: operation.connector.clone(),
                verb: operation.verb,
                arguments: Shape::empty(),
            });
            if entry.verb != operation.verb {
                return Err(contradiction());
            }
            if let Some(shape) = &case.shape {
                if !described.insert(operation.id.clone()) && entry.arguments != *shape {
                    return Err(contradiction());
                }
                entry.arguments = shape.clone();
            }
        }
        for operation in known {
            let entry = operations.entry(operation.id.clone()).or_insert_with(|| operation.clone());
            if !described.contains(&operation.id) {
                entry.arguments = operation.arguments.clone();
            }
        }
        Ok(operations)
    }
}

impl Case {
    fn read(text: CaseText) -> Result<Self, CaseError> {
        let CaseText {
            name,
            operation,
            agent,
            task,
            grant,
            arguments,
            approval,
            now_ms,
            credential_age,
            expect,
            policies,
        } = text;
        let shape = shape_of(&operation).map_err(|error| CaseError::Shape { case: name.clone(), error })?;
        let connector = operation.id.split_once('/').map_or("", |(connector, _)| connector).to_owned();
        let facts = Facts {
            agent: AgentFacts {
                name: agent.name,
                class: agent.class,
                environment: agent.environment,
                autonomy: agent.autonomy,
                data: agent.data,
                attribution: agent.attribution,
            },
            owner: PersonFacts { id: agent.owner, groups: agent.owner_groups },
            task: TaskFacts {
                id: "tsk_case".to_owned(),
                purpose: task.purpose,
                labels: task.labels,
                calls: task.calls,
                approved_data: task.approved_data,
                data: task.data,
                chain: task.chain,
                names: task.names,
            },
            acting_for: task.acting_for.map(|id| PersonFacts { id, groups: task.acting_for_groups }),
            acting_for_entitled: task.acting_for_entitled,
            grant: grant.is_exact().map(|exact| GrantFacts {
                id: "grt_case".to_owned(),
                reason: "named by the case".to_owned(),
                expires_at_ms: now_ms.saturating_add(3_600_000),
                exact,
            }),
            operation: OperationFacts {
                id: operation.id,
                connector,
                verb: operation.verb,
                risk: operation.risk,
                data: operation.data,
                external: operation.external,
                sandbox: operation.sandbox,
                irreversible: operation.irreversible,
            },
        };
        let approval = approval.map(|approval| ApprovalFacts {
            count: approval.count.unwrap_or(1),
            roles: approval.roles,
            approvers: approval.approvers,
            approved_at_ms: now_ms,
        });
        let policies = policies.map(BTreeSet::from_iter);
        Ok(Self { name, facts, shape, arguments, approval, now_ms, credential_age_s: credential_age, expect, policies })
    }

    fn run(&self, set: &PolicySet, schema: &Schema, shape: &Shape) -> CaseResult {
        let request = Request {
            facts: &self.facts,
            shape,
            arguments: &self.arguments,
            approval: self.approval.as_ref(),
            now_ms: self.now_ms,
            credential_age_s: self.credential_age_s,
        };
        let decision = evaluate(set, schema, &request);
        let determining: BTreeSet<String> = decision.determining.iter().cloned().collect();
        let passed = Expected::from(&decision.outcome) == self.expect
            && self.policies.as_ref().is_none_or(|policies| *policies == determining);
        CaseResult { name: self.name.clone(), passed, expected: self.expected(), got: in_words(&decision) }
    }

    fn expected(&self) -> String {
        match &self.policies {
            None => self.expect.to_string(),
            Some(policies) => by(self.expect, policies.iter()),
        }
    }
}

fn shape_of(operation: &OperationText) -> Result<Option<Shape>, CaseShapeError> {
    match &operation.schema {
        Some(schema) => Ok(Some(Shape::from_json_schema(schema)?.projecting(schema, &operation.projections)?)),
        // Projections of nothing are a slip of the hand: say what they read.
        None if !operation.projections.is_empty() => {
            Ok(Some(Shape::empty().projecting(&Value::Null, &operation.projections)?))
        }
        None => Ok(None),
    }
}

fn in_words(decision: &Decision) -> String {
    let mut words = by(Expected::from(&decision.outcome), decision.determining.iter());
    for sentence in decision.reasons.iter().chain(&decision.errors) {
        words.push_str("; ");
        words.push_str(sentence);
    }
    words
}

fn by<'a>(outcome: Expected, policies: impl Iterator<Item = &'a String>) -> String {
    let names: Vec<String> = policies.map(|name| format!("`{name}`")).collect();
    if names.is_empty() { format!("{outcome} by no policy") } else { format!("{outcome} by {}", names.join(", ")) }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TableText {
    case: Vec<CaseText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseText {
    name: String,
    operation: OperationText,
    #[serde(default)]
    agent: AgentText,
    #[serde(default)]
    task: TaskText,
    #[serde(default)]
    grant: GrantText,
    #[serde(default = "no_arguments")]
    arguments: Value,
    approval: Option<ApprovalText>,
    #[serde(default = "ordinary_moment")]
    now_ms: i64,
    /// Seconds since the credential of the call was issued.
    #[serde(default)]
    credential_age: i64,
    expect: Expected,
    policies: Option<Vec<String>>,
}

/// `grant = true`, or `grant = { exact = false }` for one that names all of the connector's operations.
#[derive(Deserialize)]
#[serde(untagged)]
enum GrantText {
    There(bool),
    Kind(GrantKindText),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GrantKindText {
    exact: bool,
}

impl Default for GrantText {
    fn default() -> Self {
        Self::There(false)
    }
}

impl GrantText {
    /// Whether the grant names exactly the operation; nothing where there is no grant.
    fn is_exact(&self) -> Option<bool> {
        match self {
            Self::There(there) => there.then_some(true),
            Self::Kind(GrantKindText { exact }) => Some(*exact),
        }
    }
}

fn no_arguments() -> Value {
    Value::Object(serde_json::Map::new())
}

fn ordinary_moment() -> i64 {
    NOW_MS
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OperationText {
    id: String,
    verb: Verb,
    #[serde(default)]
    risk: u8,
    #[serde(default)]
    data: u8,
    #[serde(default)]
    external: bool,
    #[serde(default)]
    sandbox: bool,
    #[serde(default)]
    irreversible: bool,
    schema: Option<Value>,
    /// Declared of the schema, as in `recipient_domain = email_domain(to)`.
    #[serde(default)]
    projections: Vec<Projection>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct AgentText {
    name: String,
    class: String,
    environment: String,
    autonomy: u8,
    data: u8,
    attribution: Attribution,
    owner: String,
    owner_groups: Vec<String>,
}

impl Default for AgentText {
    fn default() -> Self {
        Self {
            name: "case-agent".to_owned(),
            class: "act".to_owned(),
            environment: "production".to_owned(),
            autonomy: 3,
            data: 2,
            attribution: Attribution::Proven,
            owner: "prs_owner".to_owned(),
            owner_groups: Vec::new(),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct TaskText {
    purpose: String,
    labels: BTreeSet<String>,
    calls: u64,
    acting_for: Option<String>,
    acting_for_groups: Vec<String>,
    acting_for_entitled: Option<bool>,
    approved_data: i8,
    data: i8,
    chain: Vec<String>,
    names: bool,
}

impl Default for TaskText {
    fn default() -> Self {
        Self {
            purpose: String::new(),
            labels: BTreeSet::new(),
            calls: 0,
            acting_for: None,
            acting_for_groups: Vec::new(),
            acting_for_entitled: None,
            approved_data: -1,
            data: -1,
            chain: Vec::new(),
            names: false,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ApprovalText {
    #[serde(default)]
    roles: BTreeSet<String>,
    #[serde(default)]
    approvers: BTreeSet<String>,
    count: Option<u32>,
}
