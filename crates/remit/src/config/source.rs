//! Where a document of somebody else is found: in a file, or at an address that cannot be forged on the way.

use std::path::PathBuf;

use remit_domain::Refusal;
use serde::{Deserialize, Serialize};
use url::{Host, Url};

use super::CODE;

/// A file of this machine, or an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Source {
    File(PathBuf),
    Url(Url),
}

/// The one source of the two that a table `table` names as `KIND_file` and `KIND_url`.
pub(super) fn one(table: &str, kind: &str, file: Option<&PathBuf>, url: Option<&Url>) -> Result<Source, Refusal> {
    match (file, url) {
        (Some(file), None) => Ok(Source::File(file.clone())),
        (None, Some(url)) => is_safe(&format!("`{kind}_url` of {table}"), url).map(|()| Source::Url(url.clone())),
        _ => Err(Refusal::new(CODE, format!("{table} has to name one source of its keys"))
            .help(format!("give either `{kind}_file` or `{kind}_url`"))),
    }
}

/// Whether nobody on the way can change what is said there: https, or a server of this machine.
pub(super) fn is_safe(what: &str, url: &Url) -> Result<(), Refusal> {
    let local = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    let plain = url.username().is_empty() && url.password().is_none();
    if plain && url.has_host() && (url.scheme() == "https" || (url.scheme() == "http" && local)) {
        return Ok(());
    }
    Err(Refusal::new(CODE, format!("{what} is `{url}`, which anybody on the way could change"))
        .help("use an `https://` address; `http://` is for servers of this machine only"))
}

/// Refuses a second table of the same name.
pub(super) fn once<'a>(table: &str, member: &str, names: impl Iterator<Item = &'a str>) -> Result<(), Refusal> {
    let mut seen = std::collections::BTreeSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(
                Refusal::new(CODE, format!("two tables `{table}` have the {member} `{name}`")).help("keep one of them")
            );
        }
    }
    Ok(())
}
