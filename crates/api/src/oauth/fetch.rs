//! Fetches documents from addresses that strangers name, and from nowhere that they should not reach.
//!
//! INVARIANT: the address that is connected to is the one that was checked. The name is resolved here, every address that it
//! has is looked at, and the connection is pinned to them; no proxy and no redirect leads elsewhere.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use http::{HeaderMap, StatusCode, header};
use remit_domain::Refusal;
use remit_identity::cimd::private_address;
use tokio::sync::Semaphore;
use url::{Host, Url};

use crate::limits;

#[cfg(test)]
mod tests;

/// A range of addresses: whatever begins with the first `bits` bits of `address`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// Its first address.
    pub address: IpAddr,
    /// How many of its bits count.
    pub bits: u8,
}

impl Range {
    /// Whether `address` lies in it.
    pub fn contains(&self, address: IpAddr) -> bool {
        let bits = u32::from(self.bits);
        match (self.address, address) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                bits <= 32 && (u32::from(own) ^ u32::from(other)).checked_shr(32 - bits).unwrap_or(0) == 0
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                bits <= 128 && (u128::from(own) ^ u128::from(other)).checked_shr(128 - bits).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}

/// What came back.
#[derive(Debug, Clone)]
pub(crate) struct Fetched {
    pub body: Vec<u8>,
    /// For how long it may be used, in seconds; zero: only this once.
    pub fresh_seconds: u64,
}

/// Fetches documents, a few at a time.
#[derive(Debug)]
pub(crate) struct Fetcher {
    /// Ranges that are allowed although they are not public.
    networks: Vec<Range>,
    roots: Vec<reqwest::Certificate>,
    under_way: Semaphore,
    /// How many of each host, where there are any.
    by_host: Mutex<HashMap<String, usize>>,
}

/// A place among the fetches of one host, given back when dropped.
#[derive(Debug)]
struct Place<'a> {
    by_host: &'a Mutex<HashMap<String, usize>>,
    host: String,
}

impl<'a> Place<'a> {
    fn take(by_host: &'a Mutex<HashMap<String, usize>>, host: &str) -> Option<Self> {
        let mut all = by_host.lock().unwrap_or_else(PoisonError::into_inner);
        let own = all.get(host).copied().unwrap_or(0);
        if own >= limits::FETCHES_PER_HOST_MAX {
            return None;
        }
        all.insert(host.to_owned(), own + 1);
        Some(Self { by_host, host: host.to_owned() })
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut all = self.by_host.lock().unwrap_or_else(PoisonError::into_inner);
        match all.get_mut(&self.host) {
            Some(own) if *own > 1 => *own -= 1,
            _ => drop(all.remove(&self.host)),
        }
    }
}

fn refused(sentence: impl Into<String>) -> Refusal {
    Refusal::new("client_document_refused", sentence)
        .help("the document is at a public `https` address, without redirects")
}

impl Fetcher {
    /// One that also reaches `networks`, and also believes authorities in `roots` (PEM).
    pub fn new(networks: Vec<Range>, roots: &[u8]) -> Self {
        let roots = reqwest::Certificate::from_pem_bundle(roots).unwrap_or_else(|error| {
            tracing::warn!(%error, "further authorities for client documents cannot be read and are left out");
            Vec::new()
        });
        Self { networks, roots, under_way: Semaphore::new(limits::FETCHES_MAX), by_host: Mutex::default() }
    }

    /// The JSON document at `url`, an `https` address.
    pub async fn fetch(&self, url: &Url) -> Result<Fetched, Refusal> {
        // Whoever is the next to ask does not wait: a slow server must not make a queue of everybody.
        let _one = self.under_way.try_acquire().map_err(|_| refused("too many documents are being fetched"))?;
        let host = url.host_str().unwrap_or_default();
        let _of_host = Place::take(&self.by_host, host)
            .ok_or_else(|| refused(format!("too many documents of `{host}` are being fetched")))?;
        let all = async {
            let (host, addresses) = self.resolve(url).await?;
            self.get(url, &host, &addresses).await
        };
        let limit = Duration::from_secs(limits::FETCH_SECONDS_MAX);
        tokio::time::timeout(limit, all).await.map_err(|_| refused("the document takes too long to come"))?
    }

    async fn resolve(&self, url: &Url) -> Result<(String, Vec<SocketAddr>), Refusal> {
        let port = url.port_or_known_default().filter(|_| url.scheme() == "https");
        let port = port.ok_or_else(|| refused("the document's address is not an `https` address"))?;
        let (host, addresses) = match url.host() {
            Some(Host::Domain(name)) => {
                let found = tokio::net::lookup_host((name, port)).await;
                let found = found.map_err(|_| refused(format!("the name `{name}` leads nowhere")))?;
                (name.to_owned(), found.collect::<Vec<_>>())
            }
            Some(Host::Ipv4(address)) => (address.to_string(), vec![SocketAddr::from((address, port))]),
            Some(Host::Ipv6(address)) => (format!("[{address}]"), vec![SocketAddr::from((address, port))]),
            None => return Err(refused("the document's address names no host")),
        };
        let allowed = |address: &SocketAddr| {
            // An IPv4 address in the dress of an IPv6 one is what it is.
            let address = address.ip().to_canonical();
            !private_address(address) || self.networks.iter().any(|network| network.contains(address))
        };
        // One bad address refuses all: a name that is both inside and outside has no honest use.
        if addresses.is_empty() || !addresses.iter().all(allowed) {
            return Err(refused(format!("`{host}` is not on the public internet")));
        }
        Ok((host, addresses))
    }

    async fn get(&self, url: &Url, host: &str, addresses: &[SocketAddr]) -> Result<Fetched, Refusal> {
        let client = reqwest::Client::builder()
            .https_only(true)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .resolve_to_addrs(host, addresses)
            .tls_certs_merge(self.roots.clone())
            .user_agent(concat!("remit/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|_| refused("nothing can be fetched at the moment"))?;
        let asked = client.get(url.clone()).header(header::ACCEPT, "application/json").send().await;
        let mut response =
            asked.map_err(|error| refused(format!("the document cannot be fetched: {}", cause(&error))))?;
        if response.status() != StatusCode::OK {
            return Err(refused(format!("the document's server answered {}", response.status())));
        }
        let fresh_seconds = fresh_seconds(response.headers());
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|_| refused("the document broke off"))? {
            if body.len() + chunk.len() > limits::DOCUMENT_BYTES_MAX {
                return Err(refused(format!("the document is longer than {} bytes", limits::DOCUMENT_BYTES_MAX)));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Fetched { body, fresh_seconds })
    }
}

/// The innermost cause, without the address that everybody knows.
fn cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

/// How long an answer may be kept (RFC 9111 section 5.2.2), never longer than our own bound.
fn fresh_seconds(headers: &HeaderMap) -> u64 {
    let said = headers.get_all(header::CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok());
    let directives: Vec<String> =
        said.flat_map(|value| value.split(',')).map(|one| one.trim().to_ascii_lowercase()).collect();
    if directives.iter().any(|one| matches!(one.as_str(), "no-store" | "no-cache") || one.starts_with("private")) {
        return 0;
    }
    let age = directives.iter().find_map(|one| one.strip_prefix("max-age=")?.trim_matches('"').parse().ok());
    age.unwrap_or(limits::DOCUMENT_SECONDS_DEFAULT).min(limits::DOCUMENT_SECONDS_MAX)
}
