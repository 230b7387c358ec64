//! Evidence packs: records with their proofs, in one file that verifies offline with nothing else at hand.

use std::collections::{BTreeMap, HashMap, HashSet};

use remit_domain::{ActionId, AgentId, ContentRef, Digest, Event, Refusal, TaskId, Timestamp};
use remit_ledger::chain::ChainChecker;
use remit_ledger::leaf_hash;
pub use remit_ledger::pack::PackFault;
use remit_ledger::pack::{PackEntry, PackProofs};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::answers::Answers;
use crate::engine::Engine;
use crate::error::SubmitError;
use crate::prove::{Prover, read_entry};
use crate::record::Committed;

mod contents;
mod context;

use contents::{Documents, PackContent, References};
use context::Context;

/// Names the form of a pack.
pub const PACK_FORM: &str = "remit-evidence-pack-1";
/// Records that one pack holds.
pub const PACK_RECORDS_MAX: usize = 200_000;

/// What goes into a pack.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PackSelect {
    /// Only this agent's records, with what everybody shares (people, connectors, policies).
    pub agent: Option<AgentId>,
    pub since: Option<Timestamp>,
    pub until: Option<Timestamp>,
    /// Whether content goes in, with the salts that prove it. A right of its own; what is erased is left out.
    pub contents: bool,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pack {
    format: String,
    made_at: Timestamp,
    selection: Selection,
    proofs: PackProofs,
    contents: Vec<PackContent>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Selection {
    agent: Option<AgentId>,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    /// Whether an agent's whole sequence is in the pack, from its first record.
    complete_from_first: bool,
}

/// What a pack has proved.
#[derive(Debug, Clone, Serialize)]
pub struct PackReport {
    pub origin: String,
    pub size: u64,
    pub records: usize,
    pub agents: usize,
    pub allowed: usize,
    pub denied: usize,
    pub asked: usize,
    pub approvals_used: usize,
    /// Answers that a passkey signed, over exactly the action and what its person was shown, and that were verified.
    pub answers_signed: usize,
    /// Answers of people who had no passkey.
    pub answers_unsigned: usize,
    /// Documents that people were shown, in this pack, and held against the actions that they are about.
    pub documents_shown: usize,
    pub outcomes: usize,
    /// Allowed actions without an outcome in this pack.
    pub without_outcome: usize,
    pub contents: usize,
    /// Whether the log's key came from the reader; if not, the pack agrees with itself.
    pub trusted: bool,
}

impl Engine {
    /// Makes an evidence pack of what `select` names.
    pub async fn pack(&self, select: PackSelect) -> Result<Value, SubmitError> {
        let head = self.head();
        self.wait_published(head).await?;
        let engine = self.clone();
        self.blocking(move || engine.make_pack(&select)).await
    }

    fn make_pack(&self, select: &PackSelect) -> Result<Value, SubmitError> {
        let prover = Prover::open(self)?;
        let mut entries = Vec::new();
        let mut wanted: Vec<(TaskId, ContentRef)> = Vec::new();
        let mut references = References::default();
        for seq in self.selected(select, prover.size)? {
            let entry = read_entry(&self.inner.reader, seq)?;
            if select.contents {
                let committed = Committed::parse(seq, entry.as_bytes()).map_err(|error| SubmitError::ledger(&error))?;
                wanted.extend(references.of(&committed.record.event));
            }
            let proof = prover.prove(seq, entry)?;
            entries.push(PackEntry { index: seq, entry: proof.entry, proof: proof.proof });
        }
        let pack = Pack {
            format: PACK_FORM.to_owned(),
            made_at: self.now(),
            selection: Selection {
                agent: select.agent,
                since: select.since,
                until: select.until,
                complete_from_first: select.since.is_none(),
            },
            proofs: PackProofs {
                origin: self.inner.realm.origin.clone(),
                vkey: self.inner.realm.log_key.clone(),
                checkpoint: prover.note.clone(),
                entries,
                previous: None,
            },
            contents: self.contents_of(wanted)?,
        };
        serde_json::to_value(&pack).map_err(|error| SubmitError::ledger(&error.to_string()))
    }

    fn selected(&self, select: &PackSelect, size: u64) -> Result<Vec<u64>, SubmitError> {
        let mut selected = Vec::new();
        let mut context = Context::default();
        let mut fault = None;
        self.inner
            .reader
            .read_range(0, size, &mut |read| {
                let crate::store::Recovered::Entry { index, entry } = read else {
                    return std::ops::ControlFlow::Continue(());
                };
                match Committed::parse(index, entry) {
                    Ok(committed) if is_selected(&committed, select) => {
                        selected.extend(context.take(&committed.record.event));
                        selected.push(index);
                    }
                    Ok(committed) if is_too_early(&committed, select) => context.keep(index, &committed.record.event),
                    Ok(_) => {}
                    Err(error) => fault = Some(SubmitError::ledger(&error)),
                }
                if selected.len() > PACK_RECORDS_MAX {
                    fault = Some(too_many().into());
                }
                if fault.is_some() { std::ops::ControlFlow::Break(()) } else { std::ops::ControlFlow::Continue(()) }
            })
            .map_err(|error| SubmitError::storage("read the ledger", &error))?;
        match fault {
            Some(fault) => Err(fault),
            None => {
                selected.sort_unstable();
                Ok(selected)
            }
        }
    }

    fn contents_of(&self, wanted: Vec<(TaskId, ContentRef)>) -> Result<Vec<PackContent>, SubmitError> {
        let mut seen = HashSet::new();
        let mut contents = Vec::new();
        for (task, reference) in wanted {
            if !seen.insert(reference.commitment) {
                continue;
            }
            let (Some(plain), Some(salt)) = (self.vault().open(task, &reference)?, self.vault().salt(task)?) else {
                continue;
            };
            let content =
                String::from_utf8(plain.to_vec()).map_err(|_| SubmitError::ledger("kept content is not text"))?;
            contents.push(PackContent {
                commitment: reference.commitment,
                task,
                salt: Digest::from_bytes(salt),
                content,
            });
        }
        Ok(contents)
    }
}

fn too_many() -> Refusal {
    Refusal::new("pack_too_large", format!("this selects more than {PACK_RECORDS_MAX} records"))
        .help("choose an agent or a shorter time")
}

fn is_selected(committed: &Committed, select: &PackSelect) -> bool {
    match committed.record.event.agent() {
        // What everybody shares is needed to read the rest, whenever it was recorded.
        None => select.until.is_none_or(|until| committed.at < until),
        Some(agent) => {
            select.agent.is_none_or(|wanted| wanted == agent)
                && select.since.is_none_or(|since| committed.at >= since)
                && select.until.is_none_or(|until| committed.at < until)
        }
    }
}

/// Whether a record is of the agent that was asked for, from before the time that was asked for.
fn is_too_early(committed: &Committed, select: &PackSelect) -> bool {
    let agent = committed.record.event.agent();
    agent.is_some_and(|agent| select.agent.is_none_or(|wanted| wanted == agent))
        && select.since.is_some_and(|since| committed.at < since)
}

/// Verifies a pack with nothing but the pack, and the log's key if the reader has it from elsewhere.
///
/// # Errors
///
/// Every fault that was found, each with the entry that it is in.
pub fn verify_pack(pack: &Value, trusted_vkey: Option<&str>) -> Result<PackReport, Vec<PackFault>> {
    let pack: Pack = serde_json::from_value(pack.clone())
        .map_err(|error| vec![whole(format!("this is not an evidence pack: {error}"))])?;
    if pack.format != PACK_FORM {
        return Err(vec![whole(format!(
            "the pack has the form `{}`, and this program knows `{PACK_FORM}`",
            pack.format
        ))]);
    }
    let (verified, mut faults) = match pack.proofs.verify(trusted_vkey) {
        Ok(verified) => (Some(verified), Vec::new()),
        Err(faults) => (None, faults),
    };
    let mut reader = PackReader::new(pack.selection.complete_from_first);
    // As they were committed, however they are listed.
    let mut entries: Vec<&PackEntry> = pack.proofs.entries.iter().collect();
    entries.sort_by_key(|entry| entry.index);
    entries.into_iter().for_each(|entry| reader.read(entry));
    if pack.selection.complete_from_first {
        reader.check_sequences();
    }
    let documents = reader.check_contents(&pack.contents);
    faults.append(&mut reader.faults);
    match verified {
        Some(verified) if faults.is_empty() => Ok(PackReport {
            origin: pack.proofs.origin,
            size: verified.size,
            records: verified.entries,
            agents: reader.sequences.len(),
            allowed: reader.allowed.len(),
            denied: reader.denied,
            asked: reader.answers.questions().len(),
            approvals_used: reader.answers.used(),
            answers_signed: reader.answers.signed(),
            answers_unsigned: reader.answers.unsigned(),
            documents_shown: documents,
            outcomes: reader.outcomes.len(),
            without_outcome: reader.allowed.iter().filter(|action| !reader.outcomes.contains(*action)).count(),
            contents: pack.contents.len(),
            trusted: verified.trusted,
        }),
        _ => Err(faults),
    }
}

fn whole(sentence: String) -> PackFault {
    PackFault { index: None, sentence }
}

/// Holds the records of a pack against each other: what was decided, asked, answered and used.
struct PackReader {
    faults: Vec<PackFault>,
    sequences: BTreeMap<String, Vec<(u64, remit_ledger::chain::Link, remit_ledger::Hash)>>,
    allowed: HashSet<ActionId>,
    denied: usize,
    outcomes: HashSet<ActionId>,
    answers: Answers,
    references: References,
}

impl PackReader {
    fn new(is_whole: bool) -> Self {
        Self {
            faults: Vec::new(),
            sequences: BTreeMap::new(),
            allowed: HashSet::new(),
            denied: 0,
            outcomes: HashSet::new(),
            answers: Answers::new(is_whole),
            references: References::default(),
        }
    }

    fn fault(&mut self, index: u64, sentence: String) {
        self.faults.push(PackFault { index: Some(index), sentence });
    }

    fn read(&mut self, entry: &PackEntry) {
        let committed = match Committed::parse(entry.index, entry.entry.as_bytes()) {
            Ok(committed) => committed,
            Err(reason) => return self.fault(entry.index, reason),
        };
        let event = &committed.record.event;
        if let (Some(agent), Some(link)) = (event.agent(), &committed.record.link) {
            let leaf = leaf_hash(entry.entry.as_bytes());
            self.sequences.entry(agent.to_string()).or_default().push((entry.index, *link, leaf));
        }
        self.references.of(event);
        if let Err(sentence) = self.answers.read(event) {
            self.fault(entry.index, sentence);
        }
        match event {
            Event::ActionDenied(_) => self.denied += 1,
            Event::ActionAllowed(allowed) => {
                if allowed.facts.digest() != allowed.digest {
                    self.fault(entry.index, "the digest of the allowed action is not of this action".to_owned());
                }
                self.allowed.insert(allowed.action);
            }
            Event::OutcomeRecorded(recorded) => {
                self.outcomes.insert(recorded.action);
            }
            _ => {}
        }
    }

    /// From an agent's first record on, nothing of its own sequence may be missing.
    fn check_sequences(&mut self) {
        let mut faults = Vec::new();
        for (agent, links) in &self.sequences {
            let mut checker = ChainChecker::default();
            for (index, link, leaf) in links {
                if let Err(fault) = checker.check(agent, link, *leaf) {
                    faults.push(PackFault { index: Some(*index), sentence: fault.to_string() });
                    break;
                }
            }
        }
        self.faults.append(&mut faults);
    }

    /// Holds content against the records, and what people were shown against what it is about. How many documents that were.
    fn check_contents(&mut self, contents: &[PackContent]) -> usize {
        let faults = contents.iter().flat_map(|content| self.references.faults_of(content));
        self.faults.extend(faults.map(whole));
        let by_commitment: HashMap<Digest, &str> =
            contents.iter().map(|content| (content.commitment, content.content.as_str())).collect();
        let mut documents = Documents::default();
        for (approval, question) in self.answers.questions() {
            documents.check(*approval, question, &by_commitment);
        }
        self.faults.extend(documents.faults.into_iter().map(whole));
        documents.checked
    }
}
