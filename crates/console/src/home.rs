//! Where the console is at home: browsers use passkeys at a name alone, so an address of this machine leads to its name.

use std::net::IpAddr;

use http::header::HOST;
use http::uri::{Authority, PathAndQuery};
use http::{HeaderMap, Uri};

#[cfg(test)]
mod tests;

/// The address under `origin`, the console's own, that somebody meant who asked for `uri` at an address of this machine. Nothing if they
/// are at home already, or came by a way of which Remit does not know where it leads.
pub(crate) fn leading_home(origin: &str, uri: &Uri, headers: &HeaderMap) -> Option<String> {
    let home: Authority = origin.strip_prefix("http://")?.parse().ok()?;
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let asked: Authority = match host {
        Some(host) => host.parse().ok()?,
        None => uri.authority()?.clone(),
    };
    // Only from one form of this machine's own address to the other: the same port, hence the same listener.
    if home.host() != "localhost" || asked.port_u16() != home.port_u16() || !is_loopback(asked.host()) {
        return None;
    }
    let path = uri.path_and_query().map_or("/", PathAndQuery::as_str);
    path.starts_with('/').then(|| format!("{origin}{path}"))
}

fn is_loopback(host: &str) -> bool {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    bare.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}
