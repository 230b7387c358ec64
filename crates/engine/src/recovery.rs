//! Folding the log at start: from the newest snapshot that belongs to it, or from its first entry.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use remit_domain::{State, Timestamp};
use remit_ledger::chain::{ChainChecker, Chains};
use remit_ledger::{Checkpoint, Frontier, NoteVerifier, leaf_hash};

use crate::error::OpenError;
use crate::record::Committed;
use crate::sequencer::Position;
use crate::snapshots::{Image, Snapshots};
use crate::store::{Options as LogOptions, Recovered, SegmentLog, anchor};

/// What is known from outside the directory to have been committed.
#[derive(Debug)]
pub(crate) struct Anchor {
    pub path: PathBuf,
    pub checkpoint: Checkpoint,
}

impl Anchor {
    /// Reads and verifies the anchor, if there is one. One that does not verify is refused: it is there to be believed.
    pub(crate) fn read(path: &Path, verifier: &NoteVerifier, origin: &str) -> Result<Option<Self>, OpenError> {
        let Some(bytes) = anchor::read(path)? else { return Ok(None) };
        let refused = |reason: String| OpenError::Layout(format!("the anchor `{}` {reason}", path.display()));
        let note = String::from_utf8(bytes).map_err(|_| refused("is not text".to_owned()))?;
        let checkpoint =
            verifier.verify_checkpoint(&note, origin).map_err(|error| refused(format!("does not verify: {error}")))?;
        Ok(Some(Self { path: path.to_owned(), checkpoint }))
    }
}

/// The log, opened, and what it folds to.
#[derive(Debug)]
pub(crate) struct Folded {
    pub log: SegmentLog,
    pub position: Position,
    pub last_at: Timestamp,
}

/// Where and how to read.
#[derive(Debug)]
pub(crate) struct Source<'a> {
    pub segments: &'a Path,
    pub realm: &'a str,
    pub origin: &'a str,
    pub segment_bytes: u64,
    pub verifier: &'a NoteVerifier,
    pub anchor: Option<&'a Anchor>,
}

/// Opens the log and folds it. A snapshot that does not belong to this log is discarded and everything is folded.
pub(crate) fn recover(source: &Source<'_>, snapshots: &Snapshots) -> Result<Folded, OpenError> {
    while let Some(image) = snapshots.newest()? {
        let size = image.frontier.size();
        if let Some(recovered) = fold(source, Some(image))? {
            return Ok(recovered);
        }
        tracing::warn!(size, "a snapshot does not belong to this log and is discarded");
        snapshots.discard(size)?;
    }
    match fold(source, None)? {
        Some(recovered) => Ok(recovered),
        None => Err(OpenError::Layout("the log cannot be folded".to_owned())),
    }
}

struct Fold<'a> {
    source: &'a Source<'a>,
    state: State,
    chains: ChainChecker,
    frontier: Frontier,
    last_at: Timestamp,
    last_commit: Option<Vec<u8>>,
    /// Size of the snapshot, until the commit that confirms it was seen.
    unconfirmed: Option<u64>,
    fault: Option<OpenError>,
}

/// Folds the log from `image` on. Nothing if the image is not of this log.
fn fold(source: &Source<'_>, image: Option<Image>) -> Result<Option<Folded>, OpenError> {
    let from_index = image.as_ref().map_or(0, |image| image.frontier.size());
    let Image { state, chains, frontier, last_at } = image.unwrap_or_else(|| Image {
        state: State::default(),
        chains: Chains::default(),
        frontier: Frontier::default(),
        last_at: Timestamp::default(),
    });
    let mut fold = Fold {
        source,
        state,
        chains: ChainChecker::starting_at(chains),
        frontier,
        last_at,
        last_commit: None,
        unconfirmed: (from_index > 0).then_some(from_index),
        fault: None,
    };
    let known_entries = source.anchor.map_or(0, |anchor| anchor.checkpoint.size);
    let options = LogOptions { segment_bytes: source.segment_bytes, from_index, known_entries };
    let opened = SegmentLog::open(source.segments, source.realm, options, &mut |read| fold.visit(read));
    if let Some(fault) = fold.fault {
        return Err(fault);
    }
    let log = match opened {
        Ok(log) => log,
        // A snapshot that is ahead of a log which is otherwise complete was made of another log.
        Err(crate::store::StoreError::Missing { held, .. }) if from_index > 0 && held >= known_entries => {
            return Ok(None);
        }
        Err(crate::store::StoreError::Missing { held, known }) => {
            let anchor = source.anchor.map(|anchor| anchor.path.clone()).unwrap_or_default();
            return Err(OpenError::RolledBack { held, known, anchor });
        }
        Err(crate::store::StoreError::Stopped) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    if fold.unconfirmed.is_some() {
        return Ok(None);
    }
    if let Some(commit) = &fold.last_commit {
        fold.verify_last(commit)?;
    }
    let position = Position { state: fold.state, chains: fold.chains.chains().clone(), frontier: fold.frontier };
    Ok(Some(Folded { log, position, last_at: fold.last_at }))
}

impl Fold<'_> {
    fn visit(&mut self, read: Recovered<'_>) -> ControlFlow<()> {
        let step = match read {
            Recovered::Entry { index, entry } => self.entry(index, entry),
            Recovered::Commit { entries_total, bytes } => self.commit(entries_total, bytes),
        };
        match step {
            Ok(true) => ControlFlow::Continue(()),
            Ok(false) => ControlFlow::Break(()),
            Err(fault) => {
                self.fault = Some(fault);
                ControlFlow::Break(())
            }
        }
    }

    fn entry(&mut self, index: u64, entry: &[u8]) -> Result<bool, OpenError> {
        let damaged = |reason: String| OpenError::Damaged { index, reason };
        let committed = Committed::parse(index, entry).map_err(damaged)?;
        let event = &committed.record.event;
        let leaf = leaf_hash(entry);
        match (event.agent(), &committed.record.link) {
            (Some(agent), Some(link)) => {
                self.chains.check(&agent.to_string(), link, leaf).map_err(|fault| damaged(fault.to_string()))?;
            }
            (None, None) => {}
            _ => return Err(damaged("its link and its agent do not belong together".to_owned())),
        }
        self.state.apply(event, committed.at);
        self.frontier.push(leaf);
        self.last_at = self.last_at.max(committed.at);
        Ok(true)
    }

    fn commit(&mut self, size: u64, bytes: &[u8]) -> Result<bool, OpenError> {
        let damaged = |reason: &str| OpenError::Damaged { index: size.saturating_sub(1), reason: reason.to_owned() };
        let checkpoint = body(bytes).ok_or_else(|| damaged("its commit carries no checkpoint"))?;
        if self.unconfirmed == Some(size) {
            // The first commit that is delivered is the snapshot's own, and either confirms it or not.
            if checkpoint.root != self.frontier.root() {
                return Ok(false);
            }
            self.unconfirmed = None;
        }
        if checkpoint.size != self.frontier.size() || checkpoint.root != self.frontier.root() {
            return Err(damaged("the entries up to here are not what its commit was signed for"));
        }
        if let Some(anchor) = self.source.anchor
            && anchor.checkpoint.size == size
            && anchor.checkpoint.root != checkpoint.root
        {
            return Err(OpenError::Forked { size, anchor: anchor.path.clone() });
        }
        self.last_commit = Some(bytes.to_vec());
        Ok(true)
    }

    /// The newest checkpoint's signature vouches for everything before it, since its root does.
    fn verify_last(&self, commit: &[u8]) -> Result<(), OpenError> {
        let index = self.frontier.size().saturating_sub(1);
        let damaged = |reason: String| OpenError::Damaged { index, reason };
        let note = std::str::from_utf8(commit).map_err(|_| damaged("its checkpoint is not text".to_owned()))?;
        let checkpoint = self
            .source
            .verifier
            .verify_checkpoint(note, self.source.origin)
            .map_err(|error| damaged(error.to_string()))?;
        match checkpoint.root == self.frontier.root() && checkpoint.size == self.frontier.size() {
            true => Ok(()),
            false => Err(damaged("the newest checkpoint is of another tree".to_owned())),
        }
    }
}

/// The three lines of a checkpoint's body, before its signatures.
pub(crate) fn body(note: &[u8]) -> Option<Checkpoint> {
    let text = std::str::from_utf8(note).ok()?;
    let (body, _) = text.split_once("\n\n")?;
    format!("{body}\n").parse().ok()
}
