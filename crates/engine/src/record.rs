//! The ledger entry: who, what, when, and its place in its agent's own sequence.

use std::borrow::Cow;

use remit_domain::{Actor, Event, Timestamp};
use remit_ledger::chain::Link;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

#[cfg(test)]
mod tests;

/// Version of the entry's form.
pub const RECORD_VERSION: u32 = 1;

/// One entry of the ledger. Its canonical JSON (RFC 8785) is what is hashed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    pub v: u32,
    /// Its index in the log, from 0.
    pub seq: u64,
    /// Milliseconds since 1970; never less than the entry before.
    pub at: Timestamp,
    pub actor: Actor,
    pub event: Event,
    /// Its place in the gap-free sequence of the agent that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<Link>,
}

/// What is serialised, without taking the event away from whoever waits for it.
#[derive(Serialize)]
pub(crate) struct RecordRef<'a> {
    pub v: u32,
    pub seq: u64,
    pub at: Timestamp,
    pub actor: &'a Actor,
    pub event: &'a Event,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<&'a Link>,
}

/// A record that is durable.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Committed {
    pub record: Record,
    #[serde(skip)]
    pub seq: u64,
    #[serde(skip)]
    pub at: Timestamp,
}

impl Committed {
    pub(crate) fn new(record: Record) -> Self {
        Self { seq: record.seq, at: record.at, record }
    }

    /// Reads an entry back.
    pub(crate) fn parse(index: u64, entry: &[u8]) -> Result<Self, String> {
        let record: Record = serde_json::from_slice(entry).map_err(|error| format!("it is not a record: {error}"))?;
        Self::checked(index, record)
    }

    /// As [`Committed::parse`], for whoever reads a whole ledger: what most of it is, calls and their outcomes, is read as what it is at
    /// once, and not first as anything that an event may be.
    pub(crate) fn parse_many(index: u64, entry: &[u8]) -> Result<Self, String> {
        let read = || -> Result<Record, serde_json::Error> {
            let Envelope { v, seq, at, actor, event, link } = serde_json::from_slice(entry)?;
            let Kind { kind } = serde_json::from_str(event.get())?;
            let event = match &*kind {
                "ActionAllowed" => Event::ActionAllowed(serde_json::from_str(event.get())?),
                "ActionDenied" => Event::ActionDenied(serde_json::from_str(event.get())?),
                "OutcomeRecorded" => Event::OutcomeRecorded(serde_json::from_str(event.get())?),
                _ => serde_json::from_str(event.get())?,
            };
            Ok(Record { v, seq, at, actor, event, link })
        };
        Self::checked(index, read().map_err(|error| format!("it is not a record: {error}"))?)
    }

    fn checked(index: u64, record: Record) -> Result<Self, String> {
        if record.v != RECORD_VERSION {
            return Err(format!("it has version {}, and this program knows {RECORD_VERSION}", record.v));
        }
        if record.seq != index {
            return Err(format!("it says that it is entry {}", record.seq));
        }
        Ok(Self::new(record))
    }
}

/// A record whose event has not been read yet.
#[derive(Deserialize)]
struct Envelope<'a> {
    v: u32,
    seq: u64,
    at: Timestamp,
    actor: Actor,
    #[serde(borrow)]
    event: &'a RawValue,
    #[serde(default)]
    link: Option<Link>,
}

/// What an event is.
#[derive(Deserialize)]
struct Kind<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
}
