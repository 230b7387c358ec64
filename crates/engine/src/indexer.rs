//! Fills the search index from the committed log. The index can be lost: it is filled again.

use std::sync::Arc;

use remit_domain::{Actor, Event, Verdict};
use tokio::sync::watch;

use crate::followers::Follow;
use crate::record::Committed;
use crate::store::StoreError;
use crate::store::index::{IndexRow, IndexStore};

#[derive(Debug)]
pub(crate) struct Indexer {
    store: IndexStore,
    next: u64,
    rows: Vec<IndexRow>,
    /// How far the index has come, for whoever wants to find what was just recorded.
    indexed: Arc<watch::Sender<u64>>,
}

impl Indexer {
    /// Continues after the newest indexed record; an index that is ahead of the log belongs to another one.
    pub(crate) fn open(mut store: IndexStore, head: u64, indexed: Arc<watch::Sender<u64>>) -> Result<Self, StoreError> {
        let mut next = store.head()?.map_or(0, |newest| newest + 1);
        if next > head {
            store.reset()?;
            next = 0;
        }
        indexed.send_replace(next);
        Ok(Self { store, next, rows: Vec::new(), indexed })
    }
}

impl Follow for Indexer {
    const NAME: &'static str = "indexer";

    fn next(&self) -> u64 {
        self.next
    }

    fn entry(&mut self, index: u64, entry: &[u8]) -> Result<(), StoreError> {
        let committed =
            Committed::parse(index, entry).map_err(|reason| StoreError::Invalid(format!("entry {index}: {reason}")))?;
        self.rows.push(row_of(&committed));
        self.next = index + 1;
        Ok(())
    }

    fn flush(&mut self) -> Result<(), StoreError> {
        if self.rows.is_empty() {
            return Ok(());
        }
        self.store.put_batch(&self.rows)?;
        self.rows.clear();
        self.indexed.send_replace(self.next);
        Ok(())
    }
}

/// What of a record can be searched for. No content: the ledger has none.
fn row_of(committed: &Committed) -> IndexRow {
    let event = &committed.record.event;
    let value = serde_json::to_value(event).unwrap_or_default();
    let text_of = |name: &str| value.get(name).and_then(serde_json::Value::as_str).map(str::to_owned);
    let person = match &committed.record.actor {
        Actor::Person { person, .. } => Some(person.to_string()),
        Actor::Agent { .. } | Actor::Remit => text_of("acting_for"),
    };
    let outcome = match (Verdict::among(std::slice::from_ref(event)), event) {
        (Some(Verdict::Allowed(_)), _) => Some("allowed".to_owned()),
        (Some(Verdict::Denied(_)), _) => Some("denied".to_owned()),
        (Some(Verdict::Asked(_)), _) => Some("asked".to_owned()),
        (None, Event::OutcomeRecorded(recorded)) => {
            let kind = serde_json::to_value(&recorded.outcome).unwrap_or_default();
            kind.get("kind").and_then(serde_json::Value::as_str).map(str::to_owned)
        }
        _ => None,
    };
    let words = ["name", "reason", "purpose", "note"];
    let refusal = value.get("refusal").and_then(|refusal| refusal.get("code")).and_then(serde_json::Value::as_str);
    let text: Vec<String> = words.iter().filter_map(|word| text_of(word)).chain(refusal.map(str::to_owned)).collect();
    IndexRow {
        seq: committed.seq,
        at: committed.at.as_millis(),
        kind: text_of("type").unwrap_or_default(),
        agent: event.agent().map(|agent| agent.to_string()),
        task: text_of("task"),
        person,
        operation: text_of("operation"),
        action: text_of("action"),
        approval: text_of("approval"),
        outcome,
        text: text.join(" "),
    }
}
