//! Where a client learns which authorization server gives tokens for the gateway (RFC 9728).

use serde_json::{Value, json};

use crate::Gateway;

/// The path under which the document is served.
pub(crate) const PATH: &str = "/.well-known/oauth-protected-resource/mcp";

/// The address of the document, as challenges name it.
pub(crate) fn address(gateway: &Gateway) -> String {
    format!("{}{PATH}", gateway.settings.public_url)
}

/// The document.
pub(crate) fn document(gateway: &Gateway) -> Value {
    json!({
        "resource": gateway.settings.audience,
        "resource_name": "Remit",
        "authorization_servers": [gateway.engine.realm().issuer],
        "bearer_methods_supported": ["header"],
        "dpop_signing_alg_values_supported": ["ES256"],
    })
}
