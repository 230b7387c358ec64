//! Verifying a data directory at rest, without a server: every byte of the log, the tiles, and the anchor.

use std::ops::ControlFlow;
use std::path::Path;

use remit_ledger::chain::ChainChecker;
use remit_ledger::{Frontier, Hash, NoteVerifier, Tiles, leaf_hash};
use serde::Serialize;

use crate::answers::Answers;
use crate::error::OpenError;
use crate::open::{PLATE, Plate};
use crate::record::Committed;
use crate::recovery::Anchor;
use crate::store::tiles::{CHECKPOINT, TileDirectory};
use crate::store::{Recovered, StoreError, verify_walk};

/// Faults that are named before the rest is left out.
const FAULTS_MAX: usize = 100;
/// Length of a hash in a tile, in bytes.
const HASH_BYTES: usize = 32;

/// What was found.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    pub origin: String,
    pub entries: u64,
    pub commits: u64,
    pub segments: u64,
    pub agents: usize,
    /// Answers of people that their passkeys signed, over exactly the action and what they were shown, and that were verified.
    pub answers_signed: usize,
    /// Answers of people who had no passkey.
    pub answers_unsigned: usize,
    /// Root of the tree over all entries.
    pub root: String,
    /// Size of the published checkpoint.
    pub published: u64,
    /// Size at the anchor, if there is one.
    pub anchored: Option<u64>,
    /// Everything that is wrong, each with its place. Nothing: the ledger is intact.
    pub faults: Vec<String>,
}

/// Verifies the ledger in the data directory `data`.
///
/// `trusted_vkey` is the log's key as the reader knows it; without it the directory's own is taken. With `anchors` the log
/// is also held against the last checkpoint that was kept apart.
///
/// # Errors
///
/// Only if there is nothing to verify; what is wrong is in the report.
pub fn verify_directory(data: &Path, anchors: Option<&Path>, trusted_vkey: Option<&str>) -> Result<Report, OpenError> {
    let plate = Plate::read(data)?
        .ok_or_else(|| OpenError::Layout(format!("`{}` holds no ledger of Remit", data.display())))?;
    let mut faults = Vec::new();
    if trusted_vkey.is_some_and(|trusted| trusted != plate.log_key) {
        faults.push(format!("{PLATE}: the log's key is not the one that you trust"));
    }
    let vkey = trusted_vkey.unwrap_or(&plate.log_key);
    let verifier =
        NoteVerifier::parse(vkey).map_err(|error| OpenError::Layout(format!("{PLATE}: the log's key: {error}")))?;
    let anchor = match anchors.map(|anchors| Anchor::read(&plate.anchor(anchors), &verifier, &plate.origin)) {
        Some(Ok(anchor)) => anchor,
        Some(Err(error)) => {
            faults.push(error.to_string());
            None
        }
        None => None,
    };
    let directory = TileDirectory::open(&data.join("ledger"))?;
    let published = published(&directory, &verifier, &plate.origin, &mut faults);
    let mut walk = Walker {
        origin: &plate.origin,
        verifier: &verifier,
        directory: &directory,
        published,
        anchor: anchor.as_ref(),
        chains: ChainChecker::default(),
        answers: Answers::new(true),
        frontier: Frontier::default(),
        tiles: Tiles::default(),
        faults,
    };
    let walked = verify_walk(&data.join("segments"), &mut |read| walk.visit(read));
    walk.finish(walked, &plate)
}

/// Size and root of the published checkpoint.
fn published(
    directory: &TileDirectory,
    verifier: &NoteVerifier,
    origin: &str,
    faults: &mut Vec<String>,
) -> Option<(u64, Hash)> {
    let note = match directory.read(CHECKPOINT) {
        Ok(Some(note)) => note,
        Ok(None) => {
            faults.push(format!("ledger/{CHECKPOINT}: it is missing"));
            return None;
        }
        Err(error) => {
            faults.push(format!("ledger/{CHECKPOINT}: {error}"));
            return None;
        }
    };
    let verified = String::from_utf8(note).map_err(|_| "it is not text".to_owned());
    match verified.and_then(|note| verifier.verify_checkpoint(&note, origin).map_err(|error| error.to_string())) {
        Ok(checkpoint) => Some((checkpoint.size, checkpoint.root)),
        Err(reason) => {
            faults.push(format!("ledger/{CHECKPOINT}: {reason}"));
            None
        }
    }
}

struct Walker<'a> {
    origin: &'a str,
    verifier: &'a NoteVerifier,
    directory: &'a TileDirectory,
    published: Option<(u64, Hash)>,
    anchor: Option<&'a Anchor>,
    chains: ChainChecker,
    answers: Answers,
    frontier: Frontier,
    tiles: Tiles,
    faults: Vec<String>,
}

impl Walker<'_> {
    fn visit(&mut self, read: Recovered<'_>) -> ControlFlow<()> {
        match read {
            Recovered::Entry { index, entry } => self.entry(index, entry),
            Recovered::Commit { entries_total, bytes } => self.commit(entries_total, bytes),
        }
        if self.faults.len() >= FAULTS_MAX { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn entry(&mut self, index: u64, entry: &[u8]) {
        let leaf = leaf_hash(entry);
        match Committed::parse(index, entry) {
            Ok(committed) => {
                match (committed.record.event.agent(), &committed.record.link) {
                    (Some(agent), Some(link)) => {
                        if let Err(fault) = self.chains.check(&agent.to_string(), link, leaf) {
                            self.faults.push(format!("entry {index}: {fault}"));
                        }
                    }
                    (None, None) => {}
                    _ => self.faults.push(format!("entry {index}: its link and its agent do not belong together")),
                }
                if let Err(fault) = self.answers.read(&committed.record.event) {
                    self.faults.push(format!("entry {index}: {fault}"));
                }
            }
            Err(reason) => self.faults.push(format!("entry {index}: {reason}")),
        }
        self.frontier.push(leaf);
        let within = self.published.is_some_and(|(size, _)| index < size);
        if !within {
            return;
        }
        match self.tiles.push(entry, leaf) {
            Ok(full) => full.into_iter().for_each(|tile| self.compare(&tile.path, &tile.bytes)),
            Err(error) => self.faults.push(format!("entry {index}: {error}")),
        }
        if self.published.is_some_and(|(size, _)| size == index + 1) {
            let partial = self.tiles.partial();
            partial.into_iter().for_each(|tile| self.compare(&tile.path, &tile.bytes));
        }
    }

    /// Holds the tile at `path` against what it should be, and with it the partial tiles that came before it: each holds
    /// the beginning of this one.
    fn compare(&mut self, path: &str, expected: &[u8]) {
        self.compare_file(path, expected);
        match self.directory.partials(path) {
            Ok(partials) => {
                for (width, partial) in partials.iter().filter(|(_, partial)| partial != path) {
                    // A wider one is of a checkpoint that was never published.
                    if let Some(expected) = beginning(path, expected, *width) {
                        self.compare_file(partial, expected);
                    }
                }
            }
            Err(error) => self.faults.push(format!("ledger/{path}: {error}")),
        }
    }

    fn compare_file(&mut self, path: &str, expected: &[u8]) {
        match self.directory.read(path) {
            Ok(Some(found)) if found == expected => {}
            Ok(Some(found)) => {
                let at = found
                    .iter()
                    .zip(expected)
                    .position(|(found, expected)| found != expected)
                    .unwrap_or(found.len().min(expected.len()));
                self.faults.push(format!("ledger/{path} at byte {at}: it is not what the log holds"));
            }
            Ok(None) => self.faults.push(format!("ledger/{path}: it is missing")),
            Err(error) => self.faults.push(format!("ledger/{path}: {error}")),
        }
    }

    fn commit(&mut self, size: u64, note: &[u8]) {
        let root = self.frontier.root();
        let verified = std::str::from_utf8(note).map_err(|_| "it is not text".to_owned());
        match verified
            .and_then(|note| self.verifier.verify_checkpoint(note, self.origin).map_err(|error| error.to_string()))
        {
            Ok(checkpoint) if checkpoint.size == size && checkpoint.root == root => {}
            Ok(_) => self.faults.push(format!("the commit at {size} entries was signed for other entries")),
            Err(reason) => self.faults.push(format!("the checkpoint of the commit at {size} entries: {reason}")),
        }
        if self.published.is_some_and(|(published, published_root)| published == size && published_root != root) {
            self.faults.push(format!("ledger/{CHECKPOINT}: it was signed for other entries than the log holds"));
        }
        if let Some(anchor) = self.anchor
            && anchor.checkpoint.size == size
            && anchor.checkpoint.root != root
        {
            self.faults
                .push(format!("the log is a fork: at {size} entries it is not what `{}` says", anchor.path.display()));
        }
    }

    fn finish(mut self, walked: Result<crate::store::Walk, StoreError>, plate: &Plate) -> Result<Report, OpenError> {
        let (entries, commits, segments) = match walked {
            Ok(walk) => {
                if walk.realm != plate.realm {
                    let fault =
                        format!("{PLATE}: it names realm `{}`, and the log is of `{}`", plate.realm, walk.realm);
                    self.faults.push(fault);
                }
                (walk.entries_total, walk.commits, walk.segments)
            }
            Err(StoreError::Stopped) => (self.frontier.size(), 0, 0),
            Err(fault) => {
                self.faults.push(fault.to_string());
                (self.frontier.size(), 0, 0)
            }
        };
        let (published, anchored) =
            (self.published.map_or(0, |(size, _)| size), self.anchor.map(|anchor| anchor.checkpoint.size));
        for (known, whose) in [(published, "the published checkpoint"), (anchored.unwrap_or(0), "the anchor")] {
            if known > entries {
                self.faults
                    .push(format!("the log holds {entries} entries, yet {whose} says that {known} were committed"));
            }
        }
        Ok(Report {
            origin: plate.origin.clone(),
            entries,
            commits,
            segments,
            agents: self.chains.chains().heads().count(),
            answers_signed: self.answers.signed(),
            answers_unsigned: self.answers.unsigned(),
            root: self.frontier.root().to_string(),
            published,
            anchored,
            faults: self.faults,
        })
    }
}

/// The first `width` entries of a bundle, or hashes of a tile; nothing if it has not as many.
fn beginning<'a>(path: &str, tile: &'a [u8], width: usize) -> Option<&'a [u8]> {
    if !path.starts_with("tile/entries/") {
        return tile.get(..width.checked_mul(HASH_BYTES)?);
    }
    let mut end = 0_usize;
    for _ in 0..width {
        let (length, _) = tile.get(end..)?.split_first_chunk()?;
        end = end.checked_add(length.len() + usize::from(u16::from_be_bytes(*length)))?;
    }
    tile.get(..end)
}
