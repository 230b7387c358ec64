//! The schemas of requests, member by member. A test sends each of them to the code that reads it.

use serde_json::{Map, Value, json};

/// A member's name (with `?` where it may be left out) and its kind.
type Member = (&'static str, &'static str);

/// Every request body by the name of its schema.
pub(super) const REQUESTS: &[(&str, &[Member])] = &[
    ("AddPerson", &[("name", "string"), ("groups?", "strings")]),
    ("SetGroups", &[("groups", "strings")]),
    ("OfferSignIn", &[("ttl_seconds?", "integer")]),
    ("OpenSession", &[("code", "string")]),
    ("ShowPasskey", &[("ceremony", "string"), ("credential", "object")]),
    ("EnrolPasskey", &[("ceremony", "string"), ("label", "string"), ("credential", "object")]),
    ("RemovePasskey", &[("reason?", "string")]),
    ("RegisterAgent", &[("name", "string"), ("profile?", "AgentProfile")]),
    (
        "AgentProfile",
        &[
            ("owner?", "string"),
            ("approvers?", "strings"),
            ("purpose?", "string"),
            ("class?", "string"),
            ("autonomy?", "integer"),
            ("data_classes?", "strings"),
            ("environment?", "string"),
            ("review_at?", "time"),
            ("review_in_seconds?", "integer"),
            ("enforcer?", "boolean"),
        ],
    ),
    ("Reason", &[("reason", "string")]),
    ("Note", &[("note?", "string")]),
    ("TokenLife", &[("ttl_seconds?", "integer")]),
    ("OfferEnrolment", &[("ttl_seconds?", "integer")]),
    ("Enrol", &[("agent", "string"), ("code", "string"), ("proof", "string")]),
    ("AddConnector", &[("name", "string"), ("owner?", "string"), ("spec", "ConnectorSpec"), ("sandbox?", "boolean")]),
    (
        "ConnectorSpec",
        &[
            ("kind", "string"),
            ("command?", "string"),
            ("arguments?", "strings"),
            ("environment?", "strings"),
            ("url?", "string"),
            ("subjects?", "Thing[]"),
            ("resources?", "Thing[]"),
            ("trusts_properties?", "boolean"),
        ],
    ),
    ("Thing", &[("id", "string"), ("properties?", "object")]),
    ("ApproveTools", &[("choices", "ToolChoice[]")]),
    (
        "ToolChoice",
        &[
            ("tool", "string"),
            ("verb", "string"),
            ("risk", "integer"),
            ("data", "string"),
            ("external?", "boolean"),
            ("irreversible?", "boolean"),
            ("projections?", "strings"),
            ("digest?", "string"),
            ("definition?", "object"),
        ],
    ),
    (
        "RequestGrant",
        &[("agent", "string"), ("operations", "strings"), ("reason", "string"), ("ttl_seconds", "integer")],
    ),
    ("RequestTaskAccess", &[("operations", "strings"), ("reason", "string"), ("ttl_seconds?", "integer")]),
    (
        "StartTask",
        &[
            ("agent?", "string"),
            ("purpose", "string"),
            ("acting_for?", "string"),
            ("scope?", "strings"),
            ("ttl_seconds?", "integer"),
            ("calls_max?", "integer"),
            ("parent?", "string"),
            ("key?", "string"),
            ("configuration?", "string"),
            ("token_ttl_seconds?", "integer"),
            ("authority?", "Authority[]"),
            ("delegation?", "Delegation"),
            ("delegates?", "strings"),
        ],
    ),
    ("Authority", &[("operations", "strings"), ("constraints?", "object"), ("delegation?", "Delegation")]),
    ("Delegation", &[("depth_max", "integer"), ("delegates", "Delegate[]")]),
    ("AddClient", &[("name", "string"), ("redirect_uris", "strings")]),
    ("LinkPerson", &[("issuer", "string"), ("subject", "string")]),
    ("Workload", &[("kind", "string"), ("selectors?", "strings"), ("issuer?", "string"), ("subject?", "string")]),
    (
        "OpenLegacyAccount",
        &[
            ("name", "string"),
            ("workflows", "object"),
            ("header_key?", "boolean"),
            ("due_at?", "time"),
            ("due_in_seconds?", "integer"),
            ("reason", "string"),
        ],
    ),
    ("Approve", &[("digest", "string"), ("note?", "string"), ("shown?", "string"), ("signed?", "object")]),
    ("Challenge", &[("shown", "string"), ("note?", "string")]),
    ("PolicyEdit", &[("name", "string"), ("text?", "string")]),
    ("CheckPolicies", &[("edits", "PolicyEdit[]")]),
    ("ProposePolicies", &[("edits", "PolicyEdit[]"), ("reason", "string")]),
    ("ProposeChange", &[("edits", "Edit[]"), ("reason", "string")]),
    ("ReviewChange", &[("upheld", "boolean"), ("note?", "string")]),
    ("RevertChange", &[("reason?", "string")]),
    (
        "Simulate",
        &[
            ("task", "string"),
            ("operation", "string"),
            ("arguments?", "object"),
            ("change?", "string"),
            ("edits?", "PolicyEdit[]"),
            ("as_of?", "time"),
        ],
    ),
    (
        "Replay",
        &[("change?", "string"), ("edits?", "PolicyEdit[]"), ("from?", "time"), ("to?", "time"), ("every?", "boolean")],
    ),
    ("SetShadow", &[("on?", "boolean")]),
    (
        "ExportEvidence",
        &[
            ("agent?", "string"),
            ("since?", "time"),
            ("until?", "time"),
            ("contents?", "boolean"),
            ("reason?", "string"),
        ],
    ),
    ("ReadContent", &[("content", "string"), ("reason", "string")]),
    (
        "Problem",
        &[
            ("type", "string"),
            ("title", "string"),
            ("status", "integer"),
            ("code", "string"),
            ("detail", "string"),
            ("help?", "string"),
            ("fields?", "FieldProblem[]"),
        ],
    ),
    ("FieldProblem", &[("field", "string"), ("sentence", "string")]),
];

/// [`REQUESTS`] as JSON schemas.
pub(super) fn schemas() -> Map<String, Value> {
    let delegate = json!({"oneOf": [
        {"type": "object", "required": ["agent"], "properties": {"agent": {"type": "string"}}, "additionalProperties": false},
        {"const": "any_agent"},
    ]});
    let named = REQUESTS.iter().map(|(name, members)| ((*name).to_owned(), schema(name, members)));
    named.chain([("Delegate".to_owned(), delegate)]).collect()
}

pub(super) fn schema(name: &str, members: &[Member]) -> Value {
    let required: Vec<&str> = members.iter().map(|(name, _)| *name).filter(|name| !name.ends_with('?')).collect();
    let properties: Map<String, Value> =
        members.iter().map(|(name, kind)| (name.trim_end_matches('?').to_owned(), kind_of(kind))).collect();
    // What we send may grow; what is sent to us is read strictly.
    let closed = name != "Problem" && name != "FieldProblem";
    json!({
        "type": "object",
        "required": required,
        "properties": properties,
        "additionalProperties": !closed,
    })
}

fn kind_of(kind: &str) -> Value {
    match kind {
        "string" | "integer" | "boolean" | "object" => json!({"type": kind}),
        "strings" => json!({"type": "array", "items": {"type": "string"}}),
        "time" => json!({"type": "string", "format": "date-time"}),
        other => match other.strip_suffix("[]") {
            Some(item) => json!({"type": "array", "items": super::reference(item)}),
            None => super::reference(other),
        },
    }
}
