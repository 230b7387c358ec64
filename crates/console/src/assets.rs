//! The two files that pages refer to, held in the program.

use std::sync::LazyLock;

use axum::response::IntoResponse;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use remit_domain::Digest;

const STYLE: &str = include_str!("../assets/console.css");
const MARK: &str = include_str!("../assets/mark.svg");

/// Where the style is: its digest in the address makes a new version another file, so that each may be kept for ever.
pub(crate) static STYLE_ADDRESS: LazyLock<String> =
    LazyLock::new(|| format!("/assets/console.css?v={}", Digest::of_bytes(STYLE.as_bytes()).short()));

const KEPT: &str = "public, max-age=31536000, immutable";

pub(crate) async fn style() -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/css; charset=utf-8"), (CACHE_CONTROL, KEPT)], STYLE)
}

pub(crate) async fn mark() -> impl IntoResponse {
    ([(CONTENT_TYPE, "image/svg+xml"), (CACHE_CONTROL, "public, max-age=86400")], MARK)
}
