//! The files that pages refer to, held in the program.

use std::sync::LazyLock;

use axum::response::IntoResponse;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use remit_domain::Digest;

const STYLE: &str = include_str!("../assets/console.css");
const SCRIPT: &str = include_str!("../assets/console.js");
/// htmx 2.0.11, unchanged from its package; its licence stands beside it.
const HTMX: &str = include_str!("../assets/htmx.js");
const MARK: &str = include_str!("../assets/mark.svg");

/// Where the files are: a digest in the address makes a new version another file, so that each may be kept for ever.
pub(crate) static STYLE_ADDRESS: LazyLock<String> = LazyLock::new(|| address("console.css", STYLE));
pub(crate) static SCRIPT_ADDRESS: LazyLock<String> = LazyLock::new(|| address("console.js", SCRIPT));
pub(crate) static HTMX_ADDRESS: LazyLock<String> = LazyLock::new(|| address("htmx.js", HTMX));

const KEPT: &str = "public, max-age=31536000, immutable";

fn address(name: &str, text: &str) -> String {
    format!("/assets/{name}?v={}", Digest::of_bytes(text.as_bytes()).short())
}

pub(crate) async fn style() -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/css; charset=utf-8"), (CACHE_CONTROL, KEPT)], STYLE)
}

pub(crate) async fn script() -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/javascript; charset=utf-8"), (CACHE_CONTROL, KEPT)], SCRIPT)
}

pub(crate) async fn htmx() -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/javascript; charset=utf-8"), (CACHE_CONTROL, KEPT)], HTMX)
}

pub(crate) async fn mark() -> impl IntoResponse {
    ([(CONTENT_TYPE, "image/svg+xml"), (CACHE_CONTROL, "public, max-age=86400")], MARK)
}
