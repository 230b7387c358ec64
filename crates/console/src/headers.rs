//! What every answer tells the browser.

use axum::response::Response;
use http::HeaderValue;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};

#[cfg(test)]
mod tests;

/// Own files, own pictures, forms to here alone; no script or style that stands on a page, no frame, nothing from elsewhere.
const POLICY: &str = "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self' data:; \
                      form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// Where a form of this answer may lead besides here: back to the application that a person answers.
#[derive(Debug, Clone)]
pub(crate) struct FormsTo(Option<String>);

impl FormsTo {
    /// The origin of `address`, or its scheme where it has no origin; nothing if it could be mistaken for something else.
    pub(crate) fn address(address: &str) -> Self {
        let source = match address.split_once("://") {
            Some((scheme, rest)) => format!("{scheme}://{}", rest.split(['/', '?', '#']).next().unwrap_or_default()),
            None => format!("{}:", address.split(':').next().unwrap_or_default()),
        };
        let plain =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'/' | b'.' | b'-' | b'+' | b'[' | b']');
        Self(Some(source).filter(|source| source.len() > 1 && source.bytes().all(plain)))
    }

    fn policy(&self) -> Option<HeaderValue> {
        let source = self.0.as_deref()?;
        HeaderValue::from_str(&POLICY.replace("form-action 'self'", &format!("form-action 'self' {source}"))).ok()
    }
}

/// Sets the headers that keep a page to itself. Whoever answered may have said already how long it may be kept.
pub(crate) async fn secure(mut response: Response) -> Response {
    let policy = response.extensions().get::<FormsTo>().and_then(FormsTo::policy);
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, policy.unwrap_or(HeaderValue::from_static(POLICY)));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
