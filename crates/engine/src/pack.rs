//! Evidence packs: records with their proofs, in one file that verifies offline with nothing else at hand.

use std::collections::{BTreeMap, HashMap, HashSet};

use remit_domain::{ActionFacts, ActionId, AgentId, ApprovalId, ContentRef, Digest, Event, Refusal, TaskId, Timestamp};
use remit_ledger::chain::ChainChecker;
use remit_ledger::leaf_hash;
pub use remit_ledger::pack::PackFault;
use remit_ledger::pack::{PackEntry, PackProofs};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::engine::Engine;
use crate::error::SubmitError;
use crate::prove::{Prover, read_entry};
use crate::record::Committed;

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

/// Content and what proves that it is what the ledger commits to.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PackContent {
    commitment: Digest,
    task: TaskId,
    /// Hexadecimal, 32 bytes.
    salt: Digest,
    content: String,
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
        for seq in self.selected(select, prover.size)? {
            let entry = read_entry(&self.inner.reader, seq)?;
            if select.contents {
                let committed = Committed::parse(seq, entry.as_bytes()).map_err(|error| SubmitError::ledger(&error))?;
                wanted.extend(content_of(&committed.record.event));
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
        let mut fault = None;
        self.inner
            .reader
            .read_range(0, size, &mut |read| {
                let crate::store::Recovered::Entry { index, entry } = read else {
                    return std::ops::ControlFlow::Continue(());
                };
                match Committed::parse(index, entry) {
                    Ok(committed) if is_selected(&committed, select) => selected.push(index),
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
            None => Ok(selected),
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

fn content_of(event: &Event) -> Vec<(TaskId, ContentRef)> {
    let of_action = |facts: &ActionFacts| facts.contents().map(|content| (facts.task, content.clone())).collect();
    match event {
        Event::ActionAllowed(allowed) => of_action(&allowed.facts),
        Event::ActionDenied(denied) => of_action(&denied.facts),
        Event::ApprovalRequested(requested) => of_action(&requested.facts),
        Event::OutcomeRecorded(recorded) => {
            recorded.result.iter().map(|result| (recorded.task, result.clone())).collect()
        }
        _ => Vec::new(),
    }
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
    let mut reader = PackReader::default();
    for entry in &pack.proofs.entries {
        reader.read(entry);
    }
    if pack.selection.complete_from_first {
        reader.check_sequences();
    }
    for content in &pack.contents {
        reader.check_content(content);
    }
    faults.append(&mut reader.faults);
    match verified {
        Some(verified) if faults.is_empty() => Ok(PackReport {
            origin: pack.proofs.origin,
            size: verified.size,
            records: verified.entries,
            agents: reader.sequences.len(),
            allowed: reader.allowed.len(),
            denied: reader.denied,
            asked: reader.asked.len(),
            approvals_used: reader.used.len(),
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
#[derive(Default)]
struct PackReader {
    faults: Vec<PackFault>,
    sequences: BTreeMap<String, Vec<(u64, remit_ledger::chain::Link, remit_ledger::Hash)>>,
    allowed: HashSet<ActionId>,
    denied: usize,
    asked: HashMap<ApprovalId, Digest>,
    granted: HashSet<ApprovalId>,
    used: HashSet<ApprovalId>,
    outcomes: HashSet<ActionId>,
    commitments: HashSet<Digest>,
}

impl PackReader {
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
        self.commitments.extend(content_of(event).into_iter().map(|(_, content)| content.commitment));
        self.decision(entry.index, event);
    }

    fn decision(&mut self, index: u64, event: &Event) {
        match event {
            Event::ActionDenied(_) => self.denied += 1,
            Event::ApprovalRequested(requested) => {
                if requested.facts.digest() != requested.digest {
                    self.fault(index, "the digest that was asked about is not of this action".to_owned());
                }
                self.asked.insert(requested.approval, requested.digest);
            }
            Event::ApprovalVoted { approval, vote, .. }
                if self.asked.get(approval).is_some_and(|digest| *digest != vote.digest) =>
            {
                self.fault(index, format!("the answer to `{approval}` is about another action"));
            }
            Event::ApprovalGranted { approval, .. } => {
                self.granted.insert(*approval);
            }
            Event::ActionAllowed(allowed) => {
                if allowed.facts.digest() != allowed.digest {
                    self.fault(index, "the digest of the allowed action is not of this action".to_owned());
                }
                self.allowed.insert(allowed.action);
                if let Some(approval) = allowed.approval {
                    self.use_approval(index, approval, allowed.digest);
                }
            }
            Event::OutcomeRecorded(recorded) => {
                self.outcomes.insert(recorded.action);
            }
            _ => {}
        }
    }

    fn use_approval(&mut self, index: u64, approval: ApprovalId, digest: Digest) {
        if !self.used.insert(approval) {
            self.fault(index, format!("the approval `{approval}` was used before"));
        }
        match self.asked.get(&approval) {
            // Asked for before the time that the pack covers.
            None => {}
            Some(asked) if *asked != digest => {
                self.fault(index, format!("the approval `{approval}` was for another action"))
            }
            Some(_) if !self.granted.contains(&approval) => {
                self.fault(index, format!("the approval `{approval}` was not given before it was used"))
            }
            Some(_) => {}
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

    fn check_content(&mut self, content: &PackContent) {
        let mut salted = content.salt.as_bytes().to_vec();
        salted.extend_from_slice(content.content.as_bytes());
        if Digest::of_bytes(&salted) != content.commitment {
            self.faults
                .push(whole(format!("the content for `{}` is not what the ledger commits to", content.commitment)));
        }
        if !self.commitments.contains(&content.commitment) {
            self.faults.push(whole(format!("no record in the pack refers to the content `{}`", content.commitment)));
        }
    }
}
