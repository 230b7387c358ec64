//! Identifiers and digests: short to read, whole when pointed at.

use std::fmt::Display;

use maud::{Markup, html};
use remit_domain::Digest;

/// Digits at the end of an id that are shown: the beginning is the time, which neighbours share.
const DIGITS_SHOWN: usize = 6;

/// An id by its kind and its last digits.
pub(crate) fn short(id: impl Display) -> Markup {
    let whole = id.to_string();
    html! { code .id title=(whole) { (shortened(&whole)) } }
}

/// As [`short`], as text.
pub(crate) fn shortened(whole: &str) -> String {
    match whole.split_once('_') {
        Some((kind, digits)) if digits.is_ascii() && digits.len() > DIGITS_SHOWN => {
            let shown = digits.get(digits.len() - DIGITS_SHOWN..).unwrap_or(digits);
            format!("{kind}_…{shown}")
        }
        _ => whole.to_owned(),
    }
}

/// The beginning of a digest.
pub(crate) fn digest(digest: &Digest) -> Markup {
    html! { code .id title=(digest) { (digest.short()) "…" } }
}
