//! What is read out of texts. Where two programs could read a text differently, it is refused: a policy must not see another
//! host, domain or statement than the tool will.

use std::net::{Ipv4Addr, Ipv6Addr};

type Read = Result<String, &'static str>;

/// The domain of `local@domain` or `Name <local@domain>`, in lower case.
pub(super) fn email_domain(text: &str) -> Read {
    const PROBLEM: &str = "is not one plain e-mail address";
    let text = text.trim();
    let address = match text.strip_suffix('>') {
        None => text,
        Some(named) => {
            let (name, address) = named.split_once('<').ok_or(PROBLEM)?;
            // Anything else in a name could hide a second address.
            if !name.chars().all(|letter| letter.is_alphanumeric() || matches!(letter, ' ' | '.' | '-' | '\'')) {
                return Err(PROBLEM);
            }
            address
        }
    };
    let (local, domain) = address.split_once('@').ok_or(PROBLEM)?;
    let in_local = |letter: char| letter.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(letter);
    if local.is_empty() || !local.chars().all(in_local) {
        return Err(PROBLEM);
    }
    name_of_host(domain).filter(|domain| domain.parse::<Ipv4Addr>().is_err()).ok_or(PROBLEM)
}

/// The host of `scheme://host:port/…`, in lower case; an address of the sixth version without its brackets.
pub(super) fn url_host(text: &str) -> Read {
    const PROBLEM: &str = "is not an address of the form `https://host/path`, in plain letters and without a user name";
    let (scheme, rest) = text.split_once("://").ok_or(PROBLEM)?;
    let starts_well = scheme.as_bytes().first().is_some_and(u8::is_ascii_alphabetic);
    let in_scheme = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
    // Some programs take a backslash for a slash, and pass over blanks and control characters.
    let unclear = text.contains(|letter: char| letter == '\\' || letter.is_whitespace() || letter.is_control());
    if !starts_well || !scheme.bytes().all(in_scheme) || unclear {
        return Err(PROBLEM);
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let (host, port) = match authority.strip_prefix('[') {
        Some(bracketed) => {
            let (host, port) = bracketed.split_once(']').ok_or(PROBLEM)?;
            let host: Ipv6Addr = host.parse().map_err(|_| PROBLEM)?;
            (host.to_string(), port)
        }
        None => {
            let end = authority.find(':').unwrap_or(authority.len());
            let (host, port) = authority.split_at(end);
            (name_of_host(host).ok_or(PROBLEM)?, port)
        }
    };
    let is_port = |port: &str| port.len() <= 5 && port.bytes().all(|byte| byte.is_ascii_digit());
    match port.strip_prefix(':') {
        None if port.is_empty() => Ok(host),
        Some(port) if is_port(port) => Ok(host),
        _ => Err(PROBLEM),
    }
}

/// A host's name in lower case, without the dot of the root. Names in other scripts have an ASCII form, and only that is unique;
/// a number that programs may take for an address (`127.1`, `0x7f.1`) must be written as four numbers.
fn name_of_host(host: &str) -> Option<String> {
    const NAME_BYTES_MAX: usize = 253;
    let host = host.strip_suffix('.').unwrap_or(host);
    let in_label = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let is_label = |label: &str| !label.is_empty() && label.bytes().all(in_label);
    if host.len() > NAME_BYTES_MAX || !host.split('.').all(is_label) {
        return None;
    }
    let host = host.to_ascii_lowercase();
    let last = host.rsplit('.').next().unwrap_or_default();
    let number = last.bytes().all(|byte| byte.is_ascii_digit()) || last.starts_with("0x");
    (!number || host.parse::<Ipv4Addr>().is_ok()).then_some(host)
}

/// A POSIX path without `.`, `..` and doubled slashes; `outside` if `..` leads above its start.
pub(super) fn path(text: &str) -> Read {
    if text.contains(|letter: char| letter == '\\' || letter.is_control()) {
        return Err("is not a path with plain slashes");
    }
    let mut kept: Vec<&str> = Vec::new();
    for part in text.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                if kept.pop().is_none() {
                    return Ok("outside".to_owned());
                }
            }
            name => kept.push(name),
        }
    }
    let joined = kept.join("/");
    Ok(match (text.starts_with('/'), joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".to_owned(),
        (false, false) => joined,
    })
}

/// The first keyword of an SQL text, in upper case.
///
/// A semicolon with anything after it counts as a second statement wherever it stands: where a quotation ends is not the same
/// for every database.
pub(super) fn sql_verb(text: &str) -> Read {
    let statement = text.trim_end_matches(|letter: char| letter == ';' || letter.is_whitespace());
    if statement.contains(';') {
        return Ok("MULTIPLE".to_owned());
    }
    if statement.contains("/*!") || statement.contains("/*M!") {
        return Err("holds a comment that some databases execute");
    }
    let mut rest = statement;
    loop {
        rest = rest.trim_start_matches(|letter: char| letter == '(' || letter.is_ascii_whitespace());
        rest = if let Some(comment) = rest.strip_prefix("/*") {
            let (comment, after) = comment.split_once("*/").ok_or("holds a comment without an end")?;
            // Some databases nest comments, some do not.
            if comment.contains("/*") {
                return Err("holds a comment within a comment");
            }
            after
        } else if let Some(comment) = rest.strip_prefix("--") {
            let (comment, after) = comment.split_once('\n').ok_or("is a comment only")?;
            if !comment.starts_with([' ', '\t', '\r']) && !comment.is_empty()
                || comment.trim_end_matches('\r').contains('\r')
            {
                return Err("begins with what is not a comment for every database");
            }
            after
        } else {
            break;
        };
    }
    let end = rest.find(|letter: char| !letter.is_ascii_alphabetic()).unwrap_or(rest.len());
    let (verb, after) = rest.split_at(end);
    let goes_on = after.starts_with(|letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '$'));
    if verb.is_empty() || goes_on { Err("does not begin with an SQL keyword") } else { Ok(verb.to_ascii_uppercase()) }
}
