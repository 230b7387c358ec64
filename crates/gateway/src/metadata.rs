//! Where a client learns which authorization server gives tokens for an address of the gateway, and of what kinds (RFC 9728).
//!
//! Each address is a resource of its own: a client asks for a token for exactly the one that it was given, and gets no other.

use remit_domain::{State, limits};
use serde_json::{Value, json};

use crate::Gateway;
use crate::door::Door;

#[cfg(test)]
mod tests;

/// The path of the document about `/mcp`. That about `/mcp/{connector}` has the connector's name behind it (RFC 9728 section 3.1).
pub(crate) const PATH: &str = "/.well-known/oauth-protected-resource/mcp";

/// The path of the same document for clients that look at the host alone.
pub(crate) const ROOT_PATH: &str = "/.well-known/oauth-protected-resource";

/// The address of the document about `door`, as challenges name it. It is the same for a connector that is there and for one that
/// is not, as far as the name could be one.
pub(crate) fn address(gateway: &Gateway, door: &Door) -> String {
    let public_url = &gateway.settings.public_url;
    match door {
        Door::One(connector) if is_plain(connector) => format!("{public_url}{PATH}/{connector}"),
        Door::One(_) | Door::All => format!("{public_url}{PATH}"),
    }
}

/// What a client without a token should ask for at `door`; nothing where the document has the whole list.
pub(crate) fn scope(door: &Door) -> Option<String> {
    match door {
        Door::One(connector) if is_plain(connector) => Some(format!("{connector}/*")),
        Door::One(_) | Door::All => None,
    }
}

/// The audiences that a token may be for at `door`: the whole gateway, or this very address.
pub(crate) fn audiences(gateway: &Gateway, door: &Door) -> [Option<String>; 2] {
    let whole = gateway.settings.audience.clone();
    let own = match door {
        Door::One(connector) => Some(format!("{whole}/{connector}")),
        Door::All => None,
    };
    [Some(whole), own]
}

/// The document about `door`. Nothing if there is no such connector.
pub(crate) fn document(gateway: &Gateway, door: &Door) -> Option<Value> {
    let scopes = gateway.engine.read(|state| scopes(state, door))?;
    let [whole, own] = audiences(gateway, door);
    let issuer = gateway.engine.realm().issuer;
    let mut document = json!({
        // INVARIANT: it is the address that it stands for, byte for byte (RFC 9728 section 3.3), or clients refuse it.
        "resource": own.or(whole),
        "resource_name": "Remit",
        "authorization_servers": [issuer],
        "jwks_uri": format!("{issuer}/oauth/jwks"),
        "bearer_methods_supported": ["header"],
        "dpop_signing_alg_values_supported": ["ES256"],
        "dpop_bound_access_tokens_required": false,
        "authorization_details_types_supported": ["mission_resource_access"],
        "mission_bound_authorization_required": false,
        // Whatever argument an operation has can be bounded; these are the names that every reader knows. A bound that cannot be
        // checked on a call refuses it.
        "mission_constraints_supported": ["max_amount", "min_amount"],
    });
    // A client asks for all of them in one scope, which names so many at most. Where there are more it asks for everything.
    let scopes = (scopes.len() <= limits::PATTERNS_MAX).then(|| scopes.into());
    let certificates = gateway.settings.mtls_url.is_some().then_some(Value::Bool(true));
    let more = [("scopes_supported", scopes), ("tls_client_certificate_bound_access_tokens", certificates)];
    if let Some(members) = document.as_object_mut() {
        members.extend(more.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    }
    Some(document)
}

/// Patterns of everything behind `door`. Which tools there are is not said to whoever has shown no token.
fn scopes(state: &State, door: &Door) -> Option<Vec<String>> {
    let mut scopes: Vec<String> = match door {
        Door::One(connector) => {
            vec![state.connector_named(connector).ok().map(|connector| format!("{}/*", connector.name))?]
        }
        Door::All => state.connectors_by_name.keys().map(|connector| format!("{connector}/*")).collect(),
    };
    scopes.sort();
    Some(scopes)
}

/// Whether a name is one that a connector could have, and so can stand in a header as it is.
fn is_plain(connector: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    !connector.is_empty() && connector.len() <= limits::NAME_BYTES_MAX && connector.bytes().all(plain)
}
