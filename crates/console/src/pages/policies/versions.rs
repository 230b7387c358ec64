//! What a policy's text was: each version is the record with which it became active.

use std::collections::BTreeMap;

use remit_domain::{ChangeId, Digest, Event, PersonId, Refusal, State as Realm, Timestamp, may_read_history};
use remit_engine::{Committed, Engine, Filter};

use crate::errors::PageError;
use crate::{Console, limits};

/// What a policy was from one record on.
#[derive(Debug, Clone)]
pub(crate) struct Version {
    /// The record with which it became active: what it is called by.
    pub(crate) seq: u64,
    pub(crate) at: Timestamp,
    /// Its text; nothing where it was removed.
    pub(crate) text: Option<String>,
    /// Who approved it, or made it so where nobody had to.
    pub(crate) by: PersonId,
    pub(crate) change: Option<ChangeId>,
}

impl Version {
    /// What `committed` made of the policy `name`, if anything.
    fn of(committed: &Committed, name: &str) -> Option<Self> {
        let Event::PolicyActivated { change, by, edits, .. } = &committed.record.event else { return None };
        let edit = edits.iter().find(|edit| edit.name == name)?;
        let (seq, at) = (committed.seq, committed.at);
        Some(Self { seq, at, text: edit.text.clone(), by: *by, change: *change })
    }

    /// The text, none being the empty one: so they are compared.
    pub(super) fn text(&self) -> &str {
        self.text.as_deref().unwrap_or_default()
    }
}

/// Who proposed something, and why.
#[derive(Debug, Clone)]
pub(super) struct Proposal {
    pub(super) author: PersonId,
    pub(super) reason: String,
}

/// The versions of a policy, newest first, with the proposals that they came from.
#[derive(Debug)]
pub(super) struct Past {
    pub(super) versions: Vec<Version>,
    pub(super) proposals: BTreeMap<ChangeId, Proposal>,
    /// Where the next page begins, if there may be one.
    pub(super) older: Option<u64>,
}

/// Refuses who may not read what happened to the policy `name`.
pub(super) fn may_read(state: &Realm, person: PersonId, name: &str) -> Result<(), Refusal> {
    may_read_history(state, person, &format!("policy:{name}"))
}

/// What became of the policy `name` before the record `before`.
pub(super) async fn past(console: &Console, name: &str, before: Option<u64>) -> Result<Past, PageError> {
    let history = console.engine.history(&format!("policy:{name}"), limits::VERSIONS_SHOWN_MAX, before).await?;
    let versions = history.records.iter().filter_map(|committed| Version::of(committed, name)).collect();
    let proposals = history.records.iter().filter_map(|committed| match &committed.record.event {
        Event::ChangeProposed(proposed) => {
            Some((proposed.change, Proposal { author: proposed.author, reason: proposed.reason.clone() }))
        }
        Event::PolicyProposed(proposed) => {
            Some((proposed.change, Proposal { author: proposed.author, reason: proposed.reason.clone() }))
        }
        _ => None,
    });
    Ok(Past { versions, proposals: proposals.collect(), older: history.next })
}

/// The version of the policy `name` that became active with the record `seq`.
pub(super) async fn version(console: &Console, name: &str, seq: u64) -> Result<Version, PageError> {
    let committed = console.engine.record(seq).await?;
    let version = committed.and_then(|committed| Version::of(&committed, name));
    version.ok_or_else(|| {
        Refusal::new("not_found", format!("no version of the policy became active with the record {seq}"))
            .help("the policy's history lists its versions")
            .into()
    })
}

/// The newest version of the policy `name` before the record `before`, or of all.
pub(super) async fn newest(console: &Console, name: &str, before: Option<u64>) -> Result<Option<Version>, PageError> {
    let found = activations(&console.engine, name, before, 1).await?;
    Ok(found.first().and_then(|committed| Version::of(committed, name)))
}

/// The newest version of the policy `name` whose text has the digest `digest`, as far as one page of versions reaches.
pub(crate) async fn with_digest(engine: &Engine, name: &str, digest: Digest) -> Result<Option<Version>, PageError> {
    let found = activations(engine, name, None, limits::LIST_ROWS_MAX).await?;
    let mut versions = found.iter().filter_map(|committed| Version::of(committed, name));
    Ok(versions.find(|version| version.text.as_deref().is_some_and(|text| Digest::of_bytes(text.as_bytes()) == digest)))
}

async fn activations(
    engine: &Engine,
    name: &str,
    before_seq: Option<u64>,
    limit: usize,
) -> Result<Vec<Committed>, PageError> {
    let artefacts = vec![format!("policy:{name}")];
    let kind = Some("PolicyActivated".to_owned());
    Ok(engine.query(Filter { kind, artefacts, before_seq, limit, ..Filter::default() }).await?)
}
