//! The parameters of OAuth requests, which are forms and not JSON. Others than these are ignored, as OAuth asks.

use serde_json::{Map, Value, json};

/// How every client says who it is.
const CLIENT: [&str; 3] = ["client_id", "client_assertion_type", "client_assertion"];

/// Every form by the name of its schema: what has to be there (`!`) and what may be.
pub(super) const FORMS: &[(&str, &[&str])] = &[
    (
        "TokenForm",
        &[
            "grant_type!",
            "resource",
            "audience",
            "scope",
            "authorization_details",
            "mission_intent",
            "purpose",
            "configuration",
            "code",
            "redirect_uri",
            "code_verifier",
            "refresh_token",
            "subject_token",
            "subject_token_type",
            "actor_token",
            "actor_token_type",
            "requested_token_type",
            "assertion",
        ],
    ),
    (
        "AuthorizationForm",
        &[
            "client_id!",
            "response_type!",
            "redirect_uri!",
            "code_challenge!",
            "code_challenge_method!",
            "state",
            "scope",
            "resource",
            "authorization_details",
            "mission_intent",
            "purpose",
            "configuration",
            "agent",
            "dpop_jkt",
        ],
    ),
    ("TokenQuestionForm", &["token!", "token_type_hint"]),
];

/// Whether the schema `name` is one of a form.
pub(super) fn is_form(name: &str) -> bool {
    FORMS.iter().any(|(own, _)| *own == name)
}

/// [`FORMS`] as JSON schemas.
pub(super) fn schemas() -> Map<String, Value> {
    FORMS.iter().map(|(name, parameters)| ((*name).to_owned(), schema(parameters))).collect()
}

fn schema(parameters: &[&str]) -> Value {
    let required: Vec<&str> = parameters.iter().filter_map(|parameter| parameter.strip_suffix('!')).collect();
    let names = parameters.iter().map(|parameter| parameter.trim_end_matches('!')).chain(CLIENT);
    let properties: Map<String, Value> = names.map(|name| (name.to_owned(), json!({"type": "string"}))).collect();
    json!({"type": "object", "required": required, "properties": properties, "additionalProperties": true})
}
