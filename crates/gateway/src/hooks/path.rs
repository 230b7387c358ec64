//! Paths that mean the same to every server. Where one could be read in two ways, a rule about the one would be broken by the other.

#[cfg(test)]
mod tests;

/// The path and the query of a request's target, if the path is one that every server reads alike: from the root (RFC 9112 section 3.2.1),
/// without dot segments, empty segments or escapes that some readers undo and others do not (RFC 3986 section 6.2.2). Escapes are given
/// back in capital letters.
pub(super) fn plain(target: &str) -> Option<(String, Option<&str>)> {
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (target, None),
    };
    let visible = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#');
    let below = path.strip_prefix('/')?;
    // What stands behind `;` is left out by some servers and not by others.
    if !visible(target) || path.contains(['\\', ';']) || path.contains("//") || !below.split('/').all(stays) {
        return None;
    }
    Some((unescaped_alike(path)?, query))
}

/// Whether one segment leads nowhere else.
fn stays(segment: &str) -> bool {
    segment != "." && segment != ".."
}

/// The path with its escapes in capital letters; nothing if one of them is broken, or stands for what has a meaning of its own in paths or
/// for what needs no escape.
fn unescaped_alike(path: &str) -> Option<String> {
    let mut parts = path.split('%');
    let mut alike = parts.next()?.to_owned();
    let mut bytes = alike.clone().into_bytes();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2)?;
        let byte = u8::from_str_radix(digits, 16).ok().filter(|_| !digits.starts_with('+'))?;
        // Every character that may stand in a segment as it is (RFC 3986 section 3.3).
        let needless = byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,=:@".contains(&byte);
        if needless || byte.is_ascii_control() || b"/\\%;".contains(&byte) {
            return None;
        }
        alike.push('%');
        alike.push_str(&digits.to_ascii_uppercase());
        alike.push_str(rest);
        bytes.push(byte);
        bytes.extend_from_slice(rest.as_bytes());
    }
    // Bytes that are no text are read in as many ways as there are readers.
    std::str::from_utf8(&bytes).ok().map(|_| alike)
}
