//! Content that the ledger proves but does not hold: sealed under a key per task, and gone when that key is erased.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use remit_domain::{ContentRef, Digest, Refusal, TaskId, Timestamp};
use remit_identity::{Committer, DataKey, Kek};
use zeroize::Zeroizing;

use crate::error::SubmitError;
use crate::store::StoreError;
use crate::store::content::{ContentReader, ContentRow, ContentStore};

/// Data keys kept open at a time; the least recently opened is dropped and opened again when needed.
const OPEN_KEYS_MAX: usize = 4_096;

/// One sealed piece of content, ready to be kept with the command that refers to it.
#[derive(Debug, Clone)]
pub struct Content {
    pub(crate) id: String,
    pub(crate) task: TaskId,
    pub(crate) kind: &'static str,
    pub(crate) sealed: Vec<u8>,
    pub(crate) bytes: u64,
}

impl Content {
    pub(crate) fn into_row(self, seq: u64, at: Timestamp) -> ContentRow {
        ContentRow {
            id: self.id,
            subject: self.task.to_string(),
            seq,
            kind: self.kind.to_owned(),
            sealed: self.sealed,
            size_bytes: self.bytes,
            created_at: at.as_millis(),
        }
    }
}

/// Seals and opens content. Shared by everybody; the database has one writer behind a lock.
#[derive(Debug)]
pub(crate) struct Vault {
    kek: Kek,
    store: Arc<Mutex<ContentStore>>,
    open: Mutex<HashMap<TaskId, Arc<Committer>>>,
}

impl Vault {
    pub(crate) fn new(kek: &Kek, store: Arc<Mutex<ContentStore>>) -> Self {
        Self { kek: kek.derive("content"), store, open: Mutex::new(HashMap::new()) }
    }

    /// Commits to `canonical` and seals it, under the key of `task`.
    pub(crate) fn seal(
        &self,
        task: TaskId,
        kind: &'static str,
        canonical: &[u8],
        now: Timestamp,
    ) -> Result<(ContentRef, Content), SubmitError> {
        let key = self.key(task, now)?;
        let commitment = commit(key.salt(), canonical);
        let id = commitment.to_string();
        let sealed = key.seal(id.as_bytes(), canonical).map_err(|error| SubmitError::ledger(&error.to_string()))?;
        let bytes = canonical.len() as u64;
        Ok((ContentRef { commitment, bytes }, Content { id, task, kind, sealed, bytes }))
    }

    /// The content behind `reference`, if it was kept and not erased.
    pub(crate) fn open(&self, task: TaskId, reference: &ContentRef) -> Result<Option<Zeroizing<Vec<u8>>>, SubmitError> {
        let failed = |error: StoreError| SubmitError::storage("read content", &error);
        let (subject, id) = (task.to_string(), reference.commitment.to_string());
        let store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        let wrapped = store.key(&subject).map_err(failed)?.filter(|wrapped| !wrapped.is_empty());
        let Some(wrapped) = wrapped else { return Ok(None) };
        let Some(row) = store.fetch(&subject, &id).map_err(failed)? else { return Ok(None) };
        drop(store);
        let key = self.unwrap(task, &wrapped)?;
        let plain = key.open(id.as_bytes(), &row.sealed).map_err(|error| SubmitError::ledger(&error.to_string()))?;
        match commit(&key.salt(), &plain) == reference.commitment {
            true => Ok(Some(plain)),
            false => Err(SubmitError::ledger("kept content does not match its commitment")),
        }
    }

    /// The salt of `task`'s commitments, for whoever may check them. Nothing once it was erased.
    pub(crate) fn salt(&self, task: TaskId) -> Result<Option<[u8; 32]>, SubmitError> {
        let store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        let wrapped = store.key(&task.to_string()).map_err(|error| SubmitError::storage("read content", &error))?;
        drop(store);
        let wrapped = wrapped.filter(|wrapped| !wrapped.is_empty());
        wrapped.map(|wrapped| self.unwrap(task, &wrapped).map(|key| key.salt())).transpose()
    }

    /// A way to read much content beside everybody else, which waits for nobody and lets nobody wait.
    pub(crate) fn reading(&self) -> Result<Reading, StoreError> {
        let store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(Reading { kek: self.kek.clone(), store: store.reader()?, last: None })
    }

    /// Destroys the key of `task` and everything under it. Idempotent, so that the outbox may repeat it.
    pub(crate) fn erase(&self, task: TaskId) -> Result<(), StoreError> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(&task);
        let mut store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        let erased = store.erase_subject(&task.to_string())?;
        // Again: between the first time and the erasure somebody may have opened it.
        self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(&task);
        if erased.settled || store.settle()? {
            return Ok(());
        }
        Err(StoreError::Invalid("a reader holds the erased content open".to_owned()))
    }

    fn key(&self, task: TaskId, now: Timestamp) -> Result<Arc<Committer>, SubmitError> {
        if let Some(key) = self.open.lock().unwrap_or_else(PoisonError::into_inner).get(&task) {
            return Ok(Arc::clone(key));
        }
        let subject = task.to_string();
        let failed = |error: StoreError| SubmitError::storage("keep content", &error);
        let mut store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        let wrapped = match store.key(&subject).map_err(failed)? {
            Some(wrapped) if wrapped.is_empty() => {
                let refusal = Refusal::new("content_erased", format!("the content of the task `{task}` was erased"));
                return Err(refusal.help("start a new task").into());
            }
            Some(wrapped) => wrapped,
            None => {
                let fresh = DataKey::generate().map_err(|error| SubmitError::ledger(&error.to_string()))?;
                let wrapped = fresh
                    .wrap(&self.kek, subject.as_bytes())
                    .map_err(|error| SubmitError::ledger(&error.to_string()))?;
                store.put_key(&subject, &wrapped, now.as_millis()).map_err(failed)?
            }
        };
        let key = self.unwrap(task, &wrapped)?.committer();
        let key = Arc::new(key.map_err(|error| SubmitError::ledger(&error.to_string()))?);
        // Remembered while the store is held: an erasure comes wholly before this or wholly after it.
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.len() >= OPEN_KEYS_MAX {
            open.clear();
        }
        open.insert(task, Arc::clone(&key));
        Ok(key)
    }

    fn unwrap(&self, task: TaskId, wrapped: &[u8]) -> Result<DataKey, SubmitError> {
        DataKey::unwrap(&self.kek, task.to_string().as_bytes(), wrapped)
            .map_err(|error| SubmitError::ledger(&error.to_string()))
    }
}

/// Reads content by a connection of its own.
pub(crate) struct Reading {
    kek: Kek,
    store: ContentReader,
    /// The key of the task that was read last: what follows is mostly of the same.
    last: Option<(TaskId, Vec<u8>, DataKey)>,
}

impl std::fmt::Debug for Reading {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Reading").finish_non_exhaustive()
    }
}

impl Reading {
    /// The content behind `reference`, if it was kept and not erased, and is what the reference commits to.
    pub(crate) fn open(&mut self, task: TaskId, reference: &ContentRef) -> Option<Zeroizing<Vec<u8>>> {
        let (subject, id) = (task.to_string(), reference.commitment.to_string());
        // Asked each time: an erased key must not live on here.
        let wrapped = self.store.key(&subject).ok()?.filter(|wrapped| !wrapped.is_empty())?;
        let row = self.store.fetch(&subject, &id).ok()??;
        if !self.last.as_ref().is_some_and(|(last, known, _)| *last == task && *known == wrapped) {
            let key = DataKey::unwrap(&self.kek, subject.as_bytes(), &wrapped).ok()?;
            self.last = Some((task, wrapped, key));
        }
        let (_, _, key) = self.last.as_ref()?;
        let plain = key.open(id.as_bytes(), &row.sealed).ok()?;
        (commit(&key.salt(), &plain) == reference.commitment).then_some(plain)
    }
}

/// `SHA-256(salt ‖ canonical bytes)`.
fn commit(salt: &[u8; 32], canonical: &[u8]) -> Digest {
    Digest::of_parts(&[salt, canonical])
}
