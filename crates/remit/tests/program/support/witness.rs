//! Reads the ledger in its directory, from outside the process that writes it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::path::PathBuf;

use remit_engine::store::{LogReader, Recovered};
use serde::Deserialize;

use super::Place;

/// What the ledger says about calls, as far as it was read. Only whole committed batches count.
#[derive(Debug)]
pub struct Witness {
    segments: PathBuf,
    reader: LogReader,
    next: u64,
    /// The actions that were allowed.
    pub allowed: BTreeSet<String>,
    /// How actions ended: `succeeded`, `unknown` and so on.
    pub outcomes: BTreeMap<String, String>,
}

/// As much of an entry as matters here.
#[derive(Debug, Deserialize)]
struct Entry {
    event: EventRead,
}

#[derive(Debug, Deserialize)]
struct EventRead {
    #[serde(rename = "type")]
    kind: String,
    action: Option<String>,
    outcome: Option<OutcomeRead>,
}

#[derive(Debug, Deserialize)]
struct OutcomeRead {
    kind: String,
}

impl Witness {
    /// A witness who has read nothing yet.
    pub fn of(place: &Place) -> Self {
        let segments = place.segments();
        let reader = open(&segments);
        Self { segments, reader, next: 0, allowed: BTreeSet::new(), outcomes: BTreeMap::new() }
    }

    /// Everything that is in the ledger of `place` now, read from its first byte.
    pub fn of_all(place: &Place) -> Self {
        let mut witness = Self::of(place);
        witness.look();
        witness
    }

    /// Whether a committed entry says that `action` is allowed; reads on if it is not known yet.
    pub fn has_allowed(&mut self, action: &str) -> bool {
        if !self.allowed.contains(action) {
            self.look();
        }
        self.allowed.contains(action)
    }

    /// Reads what was committed since the last look.
    pub fn look(&mut self) {
        let Self { reader, next, allowed, outcomes, .. } = self;
        let from = *next;
        let read = reader.read_range(from, u64::MAX, &mut |read| {
            if let Recovered::Entry { index, entry } = read {
                assert_eq!(index, *next, "an entry is missing");
                *next += 1;
                note(entry, allowed, outcomes);
            }
            ControlFlow::Continue(())
        });
        read.expect("the ledger cannot be read");
    }

    /// Reads anew what may have changed its place: after a restart.
    pub fn look_again(&mut self) {
        self.reader = open(&self.segments);
        self.look();
    }

    /// Entries that were read.
    pub fn entries(&self) -> u64 {
        self.next
    }

    /// Allowed actions of which nothing is known to have become.
    pub fn without_outcome(&self) -> Vec<&String> {
        self.allowed.iter().filter(|action| !self.outcomes.contains_key(*action)).collect()
    }
}

fn open(segments: &std::path::Path) -> LogReader {
    LogReader::open(segments).expect("the segments cannot be listed")
}

fn note(entry: &[u8], allowed: &mut BTreeSet<String>, outcomes: &mut BTreeMap<String, String>) {
    let Entry { event } = serde_json::from_slice(entry).expect("an entry is no record");
    match (event.kind.as_str(), event.action, event.outcome) {
        ("ActionAllowed", Some(action), _) => {
            assert!(allowed.insert(action), "an action was allowed twice");
        }
        ("OutcomeRecorded", Some(action), Some(outcome)) => {
            assert!(allowed.contains(&action), "the outcome of `{action}` stands before its decision");
            assert!(outcomes.insert(action, outcome.kind).is_none(), "an outcome was recorded twice");
        }
        _ => {}
    }
}
