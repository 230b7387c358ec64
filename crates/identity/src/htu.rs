//! The address that a DPoP proof is for (`htu`, RFC 9449 section 4.3), in one comparable form.

use crate::limits;

#[cfg(test)]
mod tests;

/// A text that is not an absolute `http` or `https` address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is not an absolute http or https address")]
pub struct AddressError;

/// The address without query and fragment, with scheme and host in lower case, without the scheme's own port, and with
/// at least `/` as its path (RFC 3986 sections 6.2.2.1 and 6.2.3).
///
/// The path stays as it is: two spellings of one path are taken for two addresses, which refuses rather than permits.
/// User names, white space, control characters, backslashes and characters beyond ASCII are refused, since readers
/// disagree about them.
pub fn normalise(address: &str) -> Result<String, AddressError> {
    let odd = |byte: u8| !byte.is_ascii_graphic() || matches!(byte, b'\\' | b'"' | b'<' | b'>');
    if address.len() > limits::ADDRESS_BYTES_MAX || address.bytes().any(odd) {
        return Err(AddressError);
    }
    let address = address.split(['?', '#']).next().unwrap_or_default();
    let (scheme, rest) = address.split_once("://").ok_or(AddressError)?;
    let scheme = scheme.to_ascii_lowercase();
    let own_port = match scheme.as_str() {
        "https" => "443",
        "http" => "80",
        _ => return Err(AddressError),
    };
    let (authority, path) = match rest.find('/') {
        Some(at) => rest.split_at_checked(at).ok_or(AddressError)?,
        None => (rest, "/"),
    };
    let (host, port) = split_port(authority)?;
    let host = host.to_ascii_lowercase();
    if port.is_empty() || port == own_port {
        Ok(format!("{scheme}://{host}{path}"))
    } else {
        Ok(format!("{scheme}://{host}:{port}{path}"))
    }
}

/// Host and port of an authority, the port without leading zeros. An IPv6 address stands in brackets.
fn split_port(authority: &str) -> Result<(&str, String), AddressError> {
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port),
        _ => (authority, ""),
    };
    let bracketed = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    let good = match bracketed {
        Some(inside) => inside.parse::<std::net::Ipv6Addr>().is_ok(),
        None => !host.is_empty() && host.bytes().all(plain),
    };
    if !good {
        return Err(AddressError);
    }
    if port.is_empty() {
        return Ok((host, String::new()));
    }
    if !port.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(AddressError);
    }
    port.parse::<u16>().map(|port| (host, port.to_string())).map_err(|_| AddressError)
}
