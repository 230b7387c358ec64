//! `/.well-known/authzen-configuration`: what is answered, and where (section 9).

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use crate::Api;

/// Where each is answered, by its name in the metadata.
const ENDPOINTS: [(&str, &str); 6] = [
    ("access_evaluation_endpoint", "/access/v1/evaluation"),
    ("access_evaluations_endpoint", "/access/v1/evaluations"),
    ("search_subject_endpoint", "/access/v1/search/subject"),
    ("search_resource_endpoint", "/access/v1/search/resource"),
    ("search_action_endpoint", "/access/v1/search/action"),
    ("access_request_endpoint", "/access/v1/requests"),
];
/// That what a person has to approve can be asked for (Access Request and Approval Profile, "PDP Metadata").
const ACCESS_REQUEST: &str = "urn:openid:authzen:capability:access-request";

pub(crate) async fn configuration(State(api): State<Api>) -> Json<Value> {
    let base = &api.settings.console_url;
    let mut metadata = json!({
        "policy_decision_point": base,
        "jwks_uri": format!("{base}/oauth/jwks"),
        "capabilities": [ACCESS_REQUEST],
    });
    if let Some(members) = metadata.as_object_mut() {
        members.extend(ENDPOINTS.map(|(name, path)| (name.to_owned(), format!("{base}{path}").into())));
    }
    Json(metadata)
}
