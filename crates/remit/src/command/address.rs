//! Addresses of the control plane, put together from what people typed.

use std::fmt::Write as _;

/// `/v1/…` from parts, each of which becomes exactly one segment, whatever it holds.
pub fn path(parts: &[&str]) -> String {
    let mut path = String::from("/v1");
    for part in parts {
        path.push('/');
        for byte in part.bytes() {
            if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
                path.push(char::from(byte));
            } else {
                // Writing to a string cannot fail.
                let _ = write!(path, "%{byte:02X}");
            }
        }
    }
    path
}

/// `path` with those of `pairs` that have a value.
pub fn with_query(path: &str, pairs: &[(&str, Option<String>)]) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in pairs {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    let query = query.finish();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

/// `path` with one more pair, whether or not it has some.
pub fn also(path: &str, name: &str, value: &str) -> String {
    match path.split_once('?') {
        None => with_query(path, &[(name, Some(value.to_owned()))]),
        Some(_) => format!("{path}&{}", with_query("", &[(name, Some(value.to_owned()))]).trim_start_matches('?')),
    }
}
