//! A page of an answer that is found step by step, within a time.

use std::time::{Duration, Instant};

use remit_domain::{Refusal, Walk};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::as_of::AsOf;
use crate::limits;

/// Steps after which the clock is looked at.
const STEPS: usize = 64;

/// Which page.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Within {
    /// As text, since a query that is part of a larger one is read without types.
    limit: Option<String>,
    /// Where the page before ended: its `next`.
    pub(super) after: Option<String>,
}

pub(super) fn bad_cursor() -> Refusal {
    Refusal::new("bad_cursor", "this is not where a page ended").help("use `next` as it came")
}

/// A page that is being filled.
#[derive(Debug)]
pub(super) struct Page {
    items: Vec<Value>,
    limit: usize,
    ends_at: Instant,
    asked: usize,
    of: usize,
    next: Option<String>,
    truncated: bool,
}

impl Page {
    /// # Errors
    /// `bad_limit` outside of 1 to [`limits::WHO_ROWS_MAX`].
    pub(super) fn begin(within: &Within) -> Result<Self, Refusal> {
        let limit = match within.limit.as_deref() {
            None => limits::PAGE_ROWS_DEFAULT,
            Some(limit) => {
                let limit = limit.parse().ok().filter(|limit| (1..=limits::WHO_ROWS_MAX).contains(limit));
                limit.ok_or_else(|| {
                    Refusal::new("bad_limit", format!("a page has between 1 and {} rows", limits::WHO_ROWS_MAX))
                })?
            }
        };
        let ends_at = Instant::now() + Duration::from_millis(limits::WHO_MILLISECONDS_MAX);
        Ok(Self { items: Vec::new(), limit, ends_at, asked: 0, of: 0, next: None, truncated: false })
    }

    fn is_full(&self) -> bool {
        self.items.len() >= self.limit
    }

    /// Takes rows that are at hand already, each with its cursor.
    pub(super) fn fill(&mut self, rows: impl Iterator<Item = (String, Value)>) {
        for (cursor, row) in rows {
            if self.is_full() {
                return;
            }
            self.items.push(row);
            self.next = Some(cursor);
        }
    }

    /// Goes on with `walk` until the page is full, its time is over, or nobody is left.
    pub(super) fn walk<W: Walk>(&mut self, mut walk: W, prefix: &str, show: impl Fn(&W::Found) -> Value) {
        self.of = walk.total();
        while !self.is_full() {
            let Some(step) = walk.step() else {
                self.next = None;
                return;
            };
            self.asked += 1;
            self.items.extend(step.as_ref().map(&show));
            if self.asked.is_multiple_of(STEPS) && self.asked < self.of && Instant::now() >= self.ends_at {
                self.truncated = true;
                break;
            }
        }
        if let Some(place) = walk.place() {
            self.next = Some(format!("{prefix}{place}")).filter(|_| self.asked < self.of);
        }
    }

    pub(super) fn end(self, at: &AsOf) -> Value {
        let Self { items, asked, of, next, truncated, .. } = self;
        json!({
            "as_of": at.now.to_string(),
            "items": items,
            "next": next,
            "asked": asked,
            "of": of,
            "truncated": truncated,
        })
    }
}
