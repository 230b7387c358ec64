//! Looking at a page again and again.

use std::time::Instant;

use anyhow::{Context, ensure};
use serde::Serialize;

use super::places::{ASSETS, Place, Who};
use super::present::Present;
use super::visitor::Visitor;
use crate::bench::identity::quantiles::Quantiles;

/// Times that are not counted, before those that are.
const WARM_UP: usize = 5;

/// What looking at one page gave.
#[derive(Debug, Serialize)]
pub struct Looked {
    pub what: &'static str,
    /// 200, or what it answered instead; then it was looked at once.
    pub status: u16,
    pub lists: bool,
    pub ms: Quantiles,
    /// Size of the body as it was sent, on average.
    pub kib: f64,
}

/// Who looks.
#[derive(Debug)]
pub struct Visitors {
    pub administrator: Visitor,
    pub owner: Visitor,
}

impl Visitors {
    /// Looks at `place` so many `times`, on a connection that is kept.
    ///
    /// # Errors
    /// If a page is there once and then no more.
    pub async fn look(&mut self, place: &Place, present: &Present, times: usize) -> anyhow::Result<Looked> {
        let visitor = match place.who {
            Who::Administrator => &mut self.administrator,
            Who::Owner => &mut self.owner,
        };
        let (mut took, mut bytes, mut status) = (Vec::with_capacity(times), 0, 200);
        for number in 0..WARM_UP + times {
            let path = (place.path)(present, number);
            let began = Instant::now();
            let answer = visitor.get(&path).await.with_context(|| path.clone())?;
            let elapsed = began.elapsed();
            if answer.status != 200 {
                ensure!(number == 0, "`{path}` is not a page: {}", answer.shown());
                (took, status) = (vec![elapsed], answer.status);
                break;
            }
            if number >= WARM_UP {
                took.push(elapsed);
                bytes += answer.body.len();
            }
        }
        let kib = bytes as f64 / took.len().max(1) as f64 / 1_024.0;
        Ok(Looked { what: place.what, status, lists: place.lists, ms: Quantiles::of(took), kib })
    }

    /// Fetches the files that every page needs.
    ///
    /// # Errors
    /// If one is not there.
    pub async fn fetch_assets(&mut self) -> anyhow::Result<Assets> {
        let (mut bytes, mut compressed) = (0, false);
        for path in ASSETS {
            let answer = self.administrator.get(path).await?;
            ensure!(answer.status == 200, "`{path}` is not there: {}", answer.shown());
            compressed |= answer.header("content-encoding").is_some();
            bytes += answer.body.len();
        }
        let pages_compressed = self.administrator.get("/ledger").await?.header("content-encoding").is_some();
        Ok(Assets { kib: bytes as f64 / 1_024.0, compressed, pages_compressed })
    }
}

/// What a browser fetches beside its first page, and keeps.
#[derive(Debug, Serialize)]
pub struct Assets {
    /// As they were sent.
    pub kib: f64,
    /// Whether any of them was compressed.
    pub compressed: bool,
    /// Whether pages are.
    pub pages_compressed: bool,
}
