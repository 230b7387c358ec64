//! Documents of others that identities are verified with, kept fresh: bundles of trust domains and key sets of issuers. What was
//! read last stays good while its source cannot be asked.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use arc_swap::ArcSwap;
use bytes::BytesMut;
use remit_identity::Bundle;
use remit_identity::foreign::KeySet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::{Config, Source};

#[cfg(test)]
mod tests;

/// Length of a document: the keys of a large trust domain fit many times.
const DOCUMENT_BYTES_MAX: usize = 1 << 20;
/// How long a server may take for one.
const FETCH_SECONDS_MAX: u64 = 10;
/// How often a file is read again, and a server asked again that did not answer.
const LOOK_SECONDS: u64 = 60;
/// How often a server is asked that does not say (SPIFFE Trust Domain and Bundle, section 4.1.2).
const REFRESH_SECONDS_DEFAULT: u64 = 300;
/// A bundle may say otherwise, but not more seldom than a revoked key may be believed.
const REFRESH_SECONDS_MAX: u64 = 86_400;

/// Documents of one kind, by whom they are of. Clones share what is kept.
#[derive(Debug)]
pub struct Kept<T>(Arc<ArcSwap<BTreeMap<String, Arc<T>>>>);

impl<T> Clone for Kept<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T> Kept<T> {
    /// The document of `name`, if it is known and was read at least once.
    pub fn of(&self, name: &str) -> Option<Arc<T>> {
        self.0.load().get(name).cloned()
    }

    fn put(&self, name: &str, document: T) {
        let document = Arc::new(document);
        self.0.rcu(|kept| {
            let mut kept = BTreeMap::clone(kept);
            kept.insert(name.to_owned(), Arc::clone(&document));
            kept
        });
    }
}

/// Every document of others.
#[derive(Debug, Clone, Default)]
pub struct Foreign {
    /// Bundles, by trust domain.
    pub bundles: Kept<Bundle>,
    /// Key sets of OpenID Connect issuers.
    pub oidc: Kept<KeySet>,
    /// Key sets of transmitters of signals.
    pub transmitters: Kept<KeySet>,
}

impl Foreign {
    /// Reads what is in files, begins to ask for the rest, and keeps at it until `stopping`.
    ///
    /// # Errors
    /// If a file cannot be read, or does not hold what it should.
    pub async fn open(config: &Config, stopping: &CancellationToken, tasks: &TaskTracker) -> anyhow::Result<Self> {
        let foreign = Self::default();
        let http = reqwest::Client::builder()
            // What a variable of the environment names must not stand between us and who is asked or told.
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(FETCH_SECONDS_MAX))
            .build()
            .context("cannot prepare to fetch bundles and keys")?;
        let start = Start { http, stopping, tasks };
        for table in &config.identity.federation {
            start.watch(&table.trust_domain, table.source()?, bundle, &foreign.bundles).await?;
        }
        for table in &config.identity.oidc {
            start.watch(&table.issuer, table.source()?, key_set, &foreign.oidc).await?;
        }
        for table in &config.signals.transmitter {
            start.watch(&table.issuer, table.source()?, key_set, &foreign.transmitters).await?;
        }
        Ok(foreign)
    }
}

/// Reads a document of somebody: it, and after how many seconds it may be another.
type Parse<T> = fn(&str, &str) -> Result<(T, Option<u64>), String>;

fn bundle(trust_domain: &str, text: &str) -> Result<(Bundle, Option<u64>), String> {
    let bundle = Bundle::parse(trust_domain, text.as_bytes()).map_err(|error| error.to_string())?;
    let hint = bundle.refresh_hint_seconds();
    Ok((bundle, hint))
}

fn key_set(_: &str, text: &str) -> Result<(KeySet, Option<u64>), String> {
    KeySet::parse(text.as_bytes()).map(|keys| (keys, None)).map_err(|error| error.to_string())
}

/// What all watchers begin with.
struct Start<'a> {
    http: reqwest::Client,
    stopping: &'a CancellationToken,
    tasks: &'a TaskTracker,
}

impl Start<'_> {
    async fn watch<T: Send + Sync + 'static>(
        &self,
        name: &str,
        source: Source,
        parse: Parse<T>,
        kept: &Kept<T>,
    ) -> anyhow::Result<()> {
        let watcher = Watcher { name: name.to_owned(), source, parse, kept: kept.clone(), http: self.http.clone() };
        let first = match &watcher.source {
            // A file that is not there is a mistake; a server that does not answer yet is an ordinary day.
            Source::File(_) => watcher.look().await?,
            Source::Url(_) => Duration::ZERO,
        };
        let stopping = self.stopping.clone();
        self.tasks.spawn(async move { watcher.keep(first, stopping).await });
        Ok(())
    }
}

/// Keeps one document fresh.
struct Watcher<T> {
    name: String,
    source: Source,
    parse: Parse<T>,
    kept: Kept<T>,
    http: reqwest::Client,
}

impl<T> Watcher<T> {
    async fn keep(self, first: Duration, stopping: CancellationToken) {
        let mut wait = first;
        loop {
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = stopping.cancelled() => return,
            }
            wait = match self.look().await {
                Ok(wait) => wait,
                Err(error) => {
                    tracing::warn!(of = self.name, error = format!("{error:#}"), "what was read last stays in use");
                    Duration::from_secs(LOOK_SECONDS)
                }
            };
        }
    }

    /// Reads the document, keeps it, and says when to look again.
    async fn look(&self) -> anyhow::Result<Duration> {
        let (text, usual_seconds) = match &self.source {
            Source::File(path) => (read(path).await?, LOOK_SECONDS),
            Source::Url(url) => (fetch(&self.http, url.as_str()).await?, REFRESH_SECONDS_DEFAULT),
        };
        let (document, hint) = (self.parse)(&self.name, &text)
            .map_err(anyhow::Error::msg)
            .with_context(|| format!("what was found for `{}` cannot be used", self.name))?;
        self.kept.put(&self.name, document);
        let seconds = match self.source {
            Source::File(_) => usual_seconds,
            Source::Url(_) => hint.unwrap_or(usual_seconds).clamp(LOOK_SECONDS, REFRESH_SECONDS_MAX),
        };
        Ok(Duration::from_secs(seconds))
    }
}

async fn read(path: &Path) -> anyhow::Result<String> {
    let about = || format!("cannot read `{}`", path.display());
    let length = tokio::fs::metadata(path).await.with_context(about)?.len();
    anyhow::ensure!(
        length <= DOCUMENT_BYTES_MAX as u64,
        "`{}` is longer than {DOCUMENT_BYTES_MAX} bytes",
        path.display()
    );
    tokio::fs::read_to_string(path).await.with_context(about)
}

async fn fetch(http: &reqwest::Client, url: &str) -> anyhow::Result<String> {
    let mut response = http.get(url).send().await.with_context(|| format!("`{url}` cannot be fetched"))?;
    let status = response.status();
    anyhow::ensure!(status == http::StatusCode::OK, "`{url}` answered {status}");
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.with_context(|| format!("`{url}` broke off"))? {
        anyhow::ensure!(
            body.len() + chunk.len() <= DOCUMENT_BYTES_MAX,
            "`{url}` is longer than {DOCUMENT_BYTES_MAX} bytes"
        );
        body.extend_from_slice(&chunk);
    }
    String::from_utf8(body.into()).with_context(|| format!("`{url}` is not text"))
}
