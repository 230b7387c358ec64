//! Documents of clients and their keys, kept for as long as their servers say. Failures are never kept.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use remit_domain::{Refusal, Timestamp};
use url::Url;

use super::fetch::Fetcher;
use crate::limits;

#[cfg(test)]
mod tests;

/// The documents.
#[derive(Debug)]
pub(crate) struct Documents {
    fetcher: Fetcher,
    kept: Mutex<HashMap<String, Kept>>,
}

#[derive(Debug)]
struct Kept {
    body: Arc<Vec<u8>>,
    until: Timestamp,
}

/// The host of an address: whoever has one has as many addresses as they like.
fn host_of(address: &str) -> Option<String> {
    Url::parse(address).ok()?.host_str().map(str::to_owned)
}

impl Documents {
    pub fn new(fetcher: Fetcher) -> Self {
        Self { fetcher, kept: Mutex::default() }
    }

    /// The document at `address`. It is kept only once `accept` finds it usable: a client that mends its document is not refused
    /// for what stood there before.
    pub async fn document<T>(
        &self,
        address: &str,
        now: Timestamp,
        accept: impl Fn(&[u8]) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        if let Some(kept) = self.fresh(address, now) {
            return accept(&kept);
        }
        let url = Url::parse(address).map_err(|_| Refusal::new("client_document_refused", "this is not an address"))?;
        let fetched = self.fetcher.fetch(&url).await?;
        let accepted = accept(&fetched.body)?;
        if fetched.fresh_seconds > 0 {
            self.keep(
                address,
                Kept { body: Arc::new(fetched.body), until: now.plus_seconds(fetched.fresh_seconds) },
                now,
            );
        }
        Ok(accepted)
    }

    fn fresh(&self, address: &str, now: Timestamp) -> Option<Arc<Vec<u8>>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(address).filter(|kept| now < kept.until).map(|kept| Arc::clone(&kept.body))
    }

    fn keep(&self, address: &str, document: Kept, now: Timestamp) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let host = host_of(address);
        let of_host = |kept: &HashMap<String, Kept>| kept.keys().filter(|other| host_of(other) == host).count();
        if kept.len() >= limits::DOCUMENTS_MAX || of_host(&kept) >= limits::DOCUMENTS_PER_HOST_MAX {
            kept.retain(|_, other| now < other.until);
        }
        // Where all are in use, this one is fetched again next time.
        if kept.len() < limits::DOCUMENTS_MAX && of_host(&kept) < limits::DOCUMENTS_PER_HOST_MAX {
            kept.insert(address.to_owned(), document);
        }
    }
}
