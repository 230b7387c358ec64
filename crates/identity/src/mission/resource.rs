//! Resources, in one comparable form.

use crate::{htu, limits};

/// An address after the syntax-based normalisation of RFC 3986 section 6.2.2, for comparing only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Resource {
    /// Scheme, host and port.
    origin: String,
    /// Starts with `/`.
    path: String,
}

impl Resource {
    /// Reads a resource. Nothing where two readers could take it for different things: with a query or a fragment, with
    /// empty segments, or with a slash or backslash in disguise.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > limits::MEMBER_BYTES_MAX || text.contains(['?', '#']) {
            return None;
        }
        let address = htu::normalise(text).ok()?;
        let (scheme, rest) = address.split_once("://")?;
        let (authority, path) = rest.split_once('/')?;
        Some(Self { origin: format!("{scheme}://{authority}"), path: plain_path(path)? })
    }

    /// Whether this is `base`, or lies under it at the boundary of a segment.
    pub fn is_under(&self, base: &Self) -> bool {
        let Some(rest) = self.path.strip_prefix(&base.path) else { return false };
        self.origin == base.origin && (rest.is_empty() || base.path.ends_with('/') || rest.starts_with('/'))
    }
}

/// The path without dot segments and needless escapes. `path` is what follows the first slash.
fn plain_path(path: &str) -> Option<String> {
    let mut kept = Vec::new();
    let mut segments = path.split('/').peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        let segment = plain_segment(segment)?;
        match segment.as_str() {
            "" if !last => return None,
            "." | ".." => {
                if segment == ".." {
                    kept.pop();
                }
                if last {
                    kept.push(String::new());
                }
            }
            _ => kept.push(segment),
        }
    }
    Some(format!("/{}", kept.join("/")))
}

/// A segment with unreserved characters plain and all other escapes in capitals.
fn plain_segment(segment: &str) -> Option<String> {
    let mut plain = String::with_capacity(segment.len());
    let mut rest = segment;
    while let Some((before, escaped)) = rest.split_once('%') {
        plain.push_str(before);
        let (digits, after) = escaped.split_at_checked(2)?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        match u8::from_str_radix(digits, 16).ok()? {
            b'/' | b'\\' | 0..=0x1f | 0x7f => return None,
            byte if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') => {
                plain.push(char::from(byte));
            }
            _ => {
                plain.push('%');
                plain.push_str(&digits.to_ascii_uppercase());
            }
        }
        rest = after;
    }
    plain.push_str(rest);
    Some(plain)
}
