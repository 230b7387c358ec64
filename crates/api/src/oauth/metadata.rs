//! What this authorization server can do (RFC 8414), and what its identities are verified with.

use axum::Json;
use axum::extract::State;
use remit_engine::RESOURCE_ACCESS;
use serde_json::{Value, json};

use super::token::GRANTS;
use crate::{Api, Problem};

/// The only algorithm that we sign and verify our own documents with.
const ALGORITHMS: [&str; 1] = ["ES256"];
const ENDPOINTS: [(&str, &str); 5] = [
    ("token_endpoint", "/oauth/token"),
    ("pushed_authorization_request_endpoint", "/oauth/par"),
    ("introspection_endpoint", "/oauth/introspect"),
    ("revocation_endpoint", "/oauth/revoke"),
    ("authorization_endpoint", "/oauth/authorize"),
];

/// The same for OAuth and for OpenID Connect clients; both are asked for.
pub(crate) async fn server(State(api): State<Api>) -> Json<Value> {
    let oauth = &api.settings.oauth;
    let base = &api.settings.console_url;
    let methods = ["none", "private_key_jwt", "tls_client_auth", "spiffe_jwt", "spiffe_x509"];
    let proofs = ["private_key_jwt", "tls_client_auth", "spiffe_jwt", "spiffe_x509"];
    let mut metadata = json!({
        "issuer": api.engine.realm().issuer,
        "jwks_uri": format!("{base}/oauth/jwks"),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": GRANTS,
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
        "client_id_metadata_document_supported": true,
        "require_pushed_authorization_requests": false,
        "request_parameter_supported": false,
        "request_uri_parameter_supported": false,
        "token_endpoint_auth_methods_supported": methods,
        "token_endpoint_auth_signing_alg_values_supported": ALGORITHMS,
        "introspection_endpoint_auth_methods_supported": proofs,
        "introspection_endpoint_auth_signing_alg_values_supported": ALGORITHMS,
        "revocation_endpoint_auth_methods_supported": methods,
        "revocation_endpoint_auth_signing_alg_values_supported": ALGORITHMS,
        "client_assertion_types_supported": [
            "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "urn:ietf:params:oauth:client-assertion-type:jwt-spiffe",
        ],
        "dpop_signing_alg_values_supported": ALGORITHMS,
        "tls_client_certificate_bound_access_tokens": true,
        "authorization_details_types_supported": [RESOURCE_ACCESS],
        "mission_bound_authorization_supported": true,
        "scopes_supported": [],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ALGORITHMS,
        "protected_resources": [api.engine.audience()],
    });
    if let Some(members) = metadata.as_object_mut() {
        members.extend(ENDPOINTS.map(|(name, path)| (name.to_owned(), format!("{base}{path}").into())));
        if oauth.dynamic_registration {
            members.insert("registration_endpoint".to_owned(), format!("{base}/oauth/register").into());
        }
        if let Some(mtls) = &oauth.mtls_url {
            let aliases = ENDPOINTS.iter().filter(|(name, _)| *name != "authorization_endpoint");
            let aliases =
                aliases.map(|(name, path)| ((*name).to_owned(), Value::from(format!("{mtls}{path}")))).collect();
            members.insert("mtls_endpoint_aliases".to_owned(), Value::Object(aliases));
        }
    }
    Json(metadata)
}

/// What others verify this realm's SVIDs with, in SPIFFE's own format (SPIFFE Trust Domain and Bundle, section 4).
pub(crate) async fn bundle(State(api): State<Api>) -> Result<Json<Value>, Problem> {
    let bundle = api.engine.keys().bundle(api.engine.now().as_seconds());
    bundle.map(|bundle| Json(bundle.to_spiffe_jwks())).map_err(|_| Problem::fault("read its own bundle"))
}
