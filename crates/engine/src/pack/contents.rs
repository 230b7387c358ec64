//! Which content records refer to, and whether what a pack holds of it is that.

use std::collections::{HashMap, HashSet};

use remit_domain::{ApprovalId, ContentRef, Digest, Event, TaskId, referred};
use remit_identity::json;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::answers::Question;

#[cfg(test)]
mod tests;

/// Content and what proves that it is what the ledger commits to.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PackContent {
    pub(super) commitment: Digest,
    pub(super) task: TaskId,
    /// Hexadecimal, 32 bytes.
    pub(super) salt: Digest,
    pub(super) content: String,
}

/// Finds the content that records refer to.
#[derive(Debug, Default)]
pub(super) struct References {
    /// The task of each question: what is shown of it is kept with that.
    tasks: HashMap<ApprovalId, TaskId>,
    /// What each commitment is to.
    pub(super) known: HashMap<Digest, &'static str>,
}

impl References {
    /// What the next record refers to.
    pub(super) fn of(&mut self, event: &Event) -> Vec<(TaskId, ContentRef)> {
        if let Event::ApprovalRequested(requested) = event {
            self.tasks.insert(requested.approval, requested.facts.task);
        }
        if let Event::ApprovalShown(shown) = event {
            self.known.insert(shown.shown.commitment, "what a person was shown");
            return self.tasks.get(&shown.approval).map(|task| (*task, shown.shown.clone())).into_iter().collect();
        }
        let referred = referred(event);
        self.known.extend(referred.iter().map(|one| (one.content.commitment, one.what)));
        referred.into_iter().map(|one| (one.task, one.content.clone())).collect()
    }

    /// Whether `content` is what its commitment says, and a record refers to it.
    pub(super) fn faults_of(&self, content: &PackContent) -> Vec<String> {
        let mut faults = Vec::new();
        let commitment = content.commitment;
        let known = self.known.get(&commitment);
        if Digest::of_parts(&[content.salt.as_bytes(), content.content.as_bytes()]) != commitment {
            let what = known.map_or_else(String::new, |what| format!(", {what},"));
            faults.push(format!("the content for `{commitment}`{what} is not what the ledger commits to"));
        }
        if known.is_none() {
            faults.push(format!("no record in the pack refers to the content `{commitment}`"));
        }
        faults
    }
}

/// What people were shown, as a pack holds it.
#[derive(Debug, Default)]
pub(super) struct Documents {
    pub(super) faults: Vec<String>,
    /// How many were held against what they are about.
    pub(super) checked: usize,
    seen: HashSet<(ApprovalId, Digest)>,
}

impl Documents {
    /// Holds every document that was shown about `question` against the question itself: it has to name its action, and to show exactly the
    /// arguments that were decided about.
    pub(super) fn check(&mut self, approval: ApprovalId, question: &Question, contents: &HashMap<Digest, &str>) {
        for document in &question.documents {
            let Some(text) = contents.get(document) else { continue };
            if !self.seen.insert((approval, *document)) {
                continue;
            }
            self.checked += 1;
            if let Err(what) = must_show(text, approval, question, contents) {
                self.faults.push(format!("what was shown about `{approval}` {what}"));
            }
        }
    }
}

fn must_show(
    text: &str,
    approval: ApprovalId,
    question: &Question,
    contents: &HashMap<Digest, &str>,
) -> Result<(), &'static str> {
    let document = json::parse(text.as_bytes()).map_err(|_| "cannot be read")?;
    let says = |name: &str, value: &str| document.get(name).and_then(Value::as_str) == Some(value);
    if !says("approval", &approval.to_string()) {
        return Err("is about another question");
    }
    if !says("action_digest", &question.digest.to_string()) {
        return Err("is about another action");
    }
    let differs = |name: &str, commitment: &Digest| {
        let content = contents.get(commitment).map(|text| json::parse(text.as_bytes()).ok());
        content.is_some_and(|content| content.as_ref() != document.get(name))
    };
    if differs("arguments", &question.arguments) {
        return Err("has other arguments than the action");
    }
    match &question.beside {
        Some(beside) if differs("beside", beside) => Err("has something else beside the arguments than the action"),
        None if document.get("beside").is_some() => {
            Err("has something beside the arguments, and the action has nothing")
        }
        _ => Ok(()),
    }
}
