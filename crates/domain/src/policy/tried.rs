//! Policies that were compiled a moment ago, so that whoever compiles the same again finds it done.
//!
//! A proposal is compiled and looked through before it is decided, beside the one writer; the writer then finds here what it came to.
//!
//! INVARIANT: what is found is what compiling would come to: all that it follows from is compared, and nobody sees a difference but
//! in time.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use imbl::HashMap as Map;

use super::{Compiled, compile};
use crate::{Digest, Operation, OperationName, State, limits};

#[cfg(test)]
mod tests;

/// What was compiled or asked for last, newest first, shared by all copies of a state.
#[derive(Debug, Clone, Default)]
pub(super) struct Tried {
    kept: Arc<Mutex<VecDeque<Kept>>>,
}

/// Texts and operations, and what compiling the one against the other came to.
#[derive(Debug, Clone)]
struct Kept {
    operations: Map<OperationName, Arc<Operation>>,
    digest: Digest,
    sources: Arc<BTreeMap<String, String>>,
    compiled: Arc<Compiled>,
}

impl Tried {
    /// What `sources` come to against the operations of `state`.
    pub(super) fn compiled(&self, state: &State, sources: &Arc<BTreeMap<String, String>>) -> Arc<Compiled> {
        let known = self.of_sources(sources);
        let same = known.iter().find(|kept| kept.operations.ptr_eq(&state.operations));
        if let Some(kept) = same {
            return self.found(kept);
        }
        let digest = operations_digest(&state.operations);
        if let Some(kept) = known.iter().find(|kept| kept.digest == digest) {
            return self.found(kept);
        }
        // Nobody waits meanwhile: at worst two do the same.
        let compiled = Arc::new(compile(state, sources));
        let (operations, sources) = (state.operations.clone(), Arc::clone(sources));
        self.keep(Kept { operations, digest, sources, compiled: Arc::clone(&compiled) });
        compiled
    }

    fn of_sources(&self, sources: &Arc<BTreeMap<String, String>>) -> Vec<Kept> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let of_them = |kept: &&Kept| Arc::ptr_eq(&kept.sources, sources) || kept.sources == *sources;
        kept.iter().filter(of_them).cloned().collect()
    }

    /// What `found` came to. It is the last to be forgotten from now on, unless it is forgotten already.
    fn found(&self, found: &Kept) -> Arc<Compiled> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let place = kept.iter().position(|known| Arc::ptr_eq(&known.compiled, &found.compiled));
        if let Some(known) = place.and_then(|place| kept.remove(place)) {
            kept.push_front(known);
        }
        Arc::clone(&found.compiled)
    }

    fn keep(&self, newest: Kept) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        // Where two compiled the same at the same time, it takes one place all the same.
        kept.retain(|known| known.digest != newest.digest || known.sources != newest.sources);
        kept.push_front(newest);
        kept.truncate(limits::POLICY_SETS_KEPT_MAX);
    }

    /// How many are kept.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.kept.lock().unwrap().len()
    }
}

/// Digest of all that policies are compiled against.
pub(crate) fn operations_digest(operations: &Map<OperationName, Arc<Operation>>) -> Digest {
    let mut known: Vec<_> = operations.values().collect();
    known.sort_by(|one, other| one.name.cmp(&other.name));
    let parts = known.iter().map(|known| (&known.name, known.verb, known.digest, &known.projections));
    Digest::of_document(&parts.collect::<Vec<_>>())
}
