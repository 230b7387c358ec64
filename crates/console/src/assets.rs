//! The files that pages refer to, held in the program.

use std::io::Write;
use std::sync::LazyLock;

use axum::response::{IntoResponse, Response};
use flate2::Compression;
use flate2::write::GzEncoder;
use http::HeaderMap;
use http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, VARY};
use remit_domain::Digest;

#[cfg(test)]
mod tests;

const STYLE: &str = include_str!("../assets/console.css");
const SCRIPT: &str = include_str!("../assets/console.js");
/// htmx 2.0.11, unchanged from its package; its licence stands beside it.
const HTMX: &str = include_str!("../assets/htmx.js");
const MARK: &str = include_str!("../assets/mark.svg");

/// Where the files are: a digest in the address makes a new version another file, so that each may be kept for ever.
pub(crate) static STYLE_ADDRESS: LazyLock<String> = LazyLock::new(|| address("console.css", STYLE));
pub(crate) static SCRIPT_ADDRESS: LazyLock<String> = LazyLock::new(|| address("console.js", SCRIPT));
pub(crate) static HTMX_ADDRESS: LazyLock<String> = LazyLock::new(|| address("htmx.js", HTMX));

/// The same files, packed once. Pages themselves never are: beside what somebody else can put into one, its length would tell what is
/// secret in it.
static STYLE_PACKED: LazyLock<Option<Vec<u8>>> = LazyLock::new(|| packed(STYLE));
static SCRIPT_PACKED: LazyLock<Option<Vec<u8>>> = LazyLock::new(|| packed(SCRIPT));
static HTMX_PACKED: LazyLock<Option<Vec<u8>>> = LazyLock::new(|| packed(HTMX));

const KEPT: &str = "public, max-age=31536000, immutable";

fn address(name: &str, text: &str) -> String {
    format!("/assets/{name}?v={}", Digest::of_bytes(text.as_bytes()).short())
}

fn packed(text: &str) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(text.as_bytes()).ok()?;
    encoder.finish().ok()
}

/// Whether a browser takes packed files (RFC 9110 section 12.5.3). Every browser does; one that weighs encodings gets them plain.
fn takes_packed(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    accepted.flat_map(|value| value.split(',')).any(|coding| coding.trim() == "gzip")
}

fn file(headers: &HeaderMap, kind: &'static str, text: &'static str, packed: Option<&'static [u8]>) -> Response {
    let kept = [(CONTENT_TYPE, kind), (CACHE_CONTROL, KEPT), (VARY, "accept-encoding")];
    match packed.filter(|_| takes_packed(headers)) {
        Some(packed) => (kept, [(CONTENT_ENCODING, "gzip")], packed).into_response(),
        None => (kept, text).into_response(),
    }
}

pub(crate) async fn style(headers: HeaderMap) -> Response {
    file(&headers, "text/css; charset=utf-8", STYLE, STYLE_PACKED.as_deref())
}

pub(crate) async fn script(headers: HeaderMap) -> Response {
    file(&headers, "text/javascript; charset=utf-8", SCRIPT, SCRIPT_PACKED.as_deref())
}

pub(crate) async fn htmx(headers: HeaderMap) -> Response {
    file(&headers, "text/javascript; charset=utf-8", HTMX, HTMX_PACKED.as_deref())
}

pub(crate) async fn mark() -> impl IntoResponse {
    ([(CONTENT_TYPE, "image/svg+xml"), (CACHE_CONTROL, "public, max-age=86400")], MARK)
}
