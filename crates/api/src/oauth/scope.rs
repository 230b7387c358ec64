//! Scopes: operations, separated by spaces (RFC 6749 section 3.3), such as `helpdesk/read_ticket crm/*`.

use remit_domain::{OperationPattern, Refusal};

use super::error::OAuthError;
use super::target::Target;

#[cfg(test)]
mod tests;

/// Means that a client wants refresh tokens. Whoever a person consents to gets them anyway.
const OFFLINE: &str = "offline_access";

/// Reads a scope. No scope, like an empty one, asks for everything that may be had.
pub(crate) fn parse(text: Option<&str>) -> Result<Vec<OperationPattern>, OAuthError> {
    let mut patterns: Vec<OperationPattern> = Vec::new();
    for token in text.unwrap_or_default().split(' ').filter(|token| !token.is_empty() && *token != OFFLINE) {
        let pattern = token.parse().map_err(|refusal: Refusal| OAuthError::new("invalid_scope", refusal))?;
        if !patterns.contains(&pattern) {
            patterns.push(pattern);
        }
    }
    Ok(patterns)
}

/// `scope` as what was granted is written; nothing where it is everything.
pub(crate) fn text(scope: &[OperationPattern]) -> Option<String> {
    let words: Vec<&str> = scope.iter().map(OperationPattern::as_str).collect();
    (!words.is_empty()).then(|| words.join(" "))
}

/// What of `scope` (asked for) and `own` (had) is at `target`: a token for one connector never leads to another.
pub(crate) fn within(
    target: &Target,
    scope: Vec<OperationPattern>,
    own: &[OperationPattern],
) -> Result<Vec<OperationPattern>, OAuthError> {
    let Some(connector) = target.connector() else { return Ok(scope) };
    let all: OperationPattern = format!("{connector}/*").parse().map_err(OAuthError::from)?;
    if scope.iter().any(|pattern| !all.contains(pattern)) {
        let refusal =
            Refusal::new("scope_too_wide", format!("the scope names more than `{connector}`, which the token is for"));
        return Err(OAuthError::new("invalid_scope", refusal));
    }
    if !scope.is_empty() {
        return Ok(scope);
    }
    if own.is_empty() {
        return Ok(vec![all]);
    }
    let there: Vec<OperationPattern> = own.iter().filter(|pattern| all.contains(pattern)).cloned().collect();
    if there.is_empty() {
        let refusal = Refusal::new("scope_too_wide", format!("the task has nothing at `{connector}`"));
        return Err(OAuthError::new("invalid_scope", refusal));
    }
    Ok(there)
}
