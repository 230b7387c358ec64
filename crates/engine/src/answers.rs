//! Questions to people and their answers, held against each other: who was shown what, who said yes to it, signed with which passkey, and
//! what then ran. The records alone are enough, in their order; nobody is asked.

use std::collections::{HashMap, HashSet};

use remit_domain::{
    ActionAllowed, ApprovalId, ApprovalRequested, ApprovalShown, Digest, Event, PasskeyEnrolled, PersonId, Signed,
    Vote, answer_challenge,
};
use remit_identity::base64url;
use remit_identity::webauthn::{PasskeyKey, check_signature};

#[cfg(test)]
pub(crate) mod tests;

/// Reads records, and says of each what is wrong with it.
///
/// INVARIANT: whether a signature is right follows from records that went before it, and from nothing that the program which wrote them says of
/// itself: the key is the one that its person enrolled, the digest is made again from the facts of the question.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    /// Whether nothing is missing from what is read. Else a question may have been asked before.
    is_whole: bool,
    passkeys: HashMap<String, PasskeyEnrolled>,
    questions: HashMap<ApprovalId, Question>,
    used: HashSet<ApprovalId>,
    signed: usize,
    unsigned: usize,
}

/// A question, as its records say.
#[derive(Debug)]
pub(crate) struct Question {
    /// Made again from the facts.
    pub(crate) digest: Digest,
    /// Commitments to what it is about.
    pub(crate) arguments: Digest,
    pub(crate) beside: Option<Digest>,
    /// Commitments to everything that anybody was shown of it.
    pub(crate) documents: HashSet<Digest>,
    /// What each person was shown last.
    shown: HashMap<PersonId, Digest>,
    quorum: usize,
    voters: HashSet<PersonId>,
    is_granted: bool,
}

impl Answers {
    pub(crate) fn new(is_whole: bool) -> Self {
        Self { is_whole, ..Self::default() }
    }

    /// Every question that was read.
    pub(crate) fn questions(&self) -> &HashMap<ApprovalId, Question> {
        &self.questions
    }

    /// How many approvals were used.
    pub(crate) fn used(&self) -> usize {
        self.used.len()
    }

    /// How many answers were signed, and verified.
    pub(crate) fn signed(&self) -> usize {
        self.signed
    }

    /// How many answers nobody signed: those of people without a passkey.
    pub(crate) fn unsigned(&self) -> usize {
        self.unsigned
    }

    /// Reads the next record.
    ///
    /// # Errors
    /// What is wrong with it, in a sentence.
    pub(crate) fn read(&mut self, event: &Event) -> Result<(), String> {
        match event {
            Event::PasskeyEnrolled(enrolled) => {
                self.passkeys.insert(enrolled.credential.clone(), (**enrolled).clone());
                Ok(())
            }
            Event::PasskeyRemoved { credential, .. } => {
                self.passkeys.remove(credential);
                Ok(())
            }
            Event::PersonRemoved { person } => {
                self.passkeys.retain(|_, enrolled| enrolled.person != *person);
                Ok(())
            }
            Event::ApprovalRequested(requested) => self.asked(requested),
            Event::ApprovalShown(shown) => self.shown(shown),
            Event::ApprovalVoted { approval, vote, .. } => self.voted(*approval, vote),
            Event::ApprovalGranted { approval, .. } => self.granted(*approval),
            Event::ApprovalDenied { approval, .. } | Event::ApprovalExpired { approval, .. } => {
                if let Some(question) = self.questions.get_mut(approval) {
                    question.is_granted = false;
                }
                Ok(())
            }
            Event::ActionAllowed(allowed) => self.allowed(allowed),
            _ => Ok(()),
        }
    }

    fn asked(&mut self, requested: &ApprovalRequested) -> Result<(), String> {
        let facts = &requested.facts;
        let question = Question {
            digest: facts.digest(),
            arguments: facts.arguments.commitment,
            beside: facts.beside.as_ref().map(|beside| beside.commitment),
            documents: HashSet::new(),
            shown: HashMap::new(),
            quorum: usize::try_from(requested.ask.quorum.max(1)).unwrap_or(usize::MAX),
            voters: HashSet::new(),
            is_granted: false,
        };
        let is_same = question.digest == requested.digest;
        if self.questions.insert(requested.approval, question).is_some() {
            return Err(format!("the question `{}` was asked before", requested.approval));
        }
        if is_same { Ok(()) } else { Err("the digest that was asked about is not of this action".to_owned()) }
    }

    fn shown(&mut self, shown: &ApprovalShown) -> Result<(), String> {
        let Some(question) = self.questions.get_mut(&shown.approval) else {
            return self.unknown(shown.approval, "this shows");
        };
        let document = shown.shown.commitment;
        question.documents.insert(document);
        question.shown.insert(shown.person, document);
        Ok(())
    }

    fn voted(&mut self, approval: ApprovalId, vote: &Vote) -> Result<(), String> {
        let person = vote.person;
        let Some(question) = self.questions.get_mut(&approval) else {
            if vote.signed.is_some() {
                return Err(format!("the question `{approval}`, to which this is a signed answer, is missing"));
            }
            self.unsigned += 1;
            return self.unknown(approval, "this answers");
        };
        let is_first = question.voters.insert(person);
        if vote.digest != question.digest {
            return Err(format!("the answer to `{approval}` is about another action"));
        }
        if !is_first {
            return Err(format!("`{person}` answered `{approval}` before"));
        }
        if vote.shown.is_some() && vote.shown.as_ref() != question.shown.get(&person) {
            return Err(format!("the answer to `{approval}` is about something else than `{person}` was shown last"));
        }
        let digest = question.digest;
        match &vote.signed {
            Some(signed) => {
                self.must_be_signed(approval, digest, vote, signed)?;
                self.signed += 1;
                Ok(())
            }
            None if self.passkeys.values().any(|enrolled| enrolled.person == person) => {
                Err(format!("the answer to `{approval}` is not signed, and `{person}` has a passkey"))
            }
            None => {
                self.unsigned += 1;
                Ok(())
            }
        }
    }

    /// Whether the person's own passkey signed this answer, to this action, as it was shown to them.
    fn must_be_signed(&self, approval: ApprovalId, digest: Digest, vote: &Vote, signed: &Signed) -> Result<(), String> {
        let wrong = |what: &str| format!("the signed answer to `{approval}` {what}");
        let shown = vote.shown.ok_or_else(|| wrong("does not say what was shown"))?;
        let enrolled = self
            .passkeys
            .get(&signed.credential)
            .ok_or_else(|| wrong("is by a passkey that nobody had enrolled, or that was removed before"))?;
        if enrolled.person != vote.person {
            return Err(wrong("is by the passkey of somebody else"));
        }
        let key = PasskeyKey::parse(&enrolled.key).map_err(|error| wrong(&format!("cannot be verified: {error}")))?;
        let bytes = |text: &str| base64url::decode(text).map_err(|error| wrong(&format!("cannot be read: {error}")));
        let (data, client_data) = (bytes(&signed.authenticator_data)?, bytes(&signed.client_data)?);
        let (said, used) = check_signature(&key, &data, &client_data, &bytes(&signed.signature)?)
            .map_err(|error| wrong(&format!("does not hold: {error}")))?;
        if !enrolled.rp_id.is_empty() && !used.is_for(&enrolled.rp_id) {
            return Err(wrong("was signed for another address than its passkey is for"));
        }
        if used.sign_count != signed.sign_count {
            return Err(wrong("counts in another way than its authenticator did"));
        }
        let challenge = answer_challenge(approval, digest, shown, vote.person, &vote.note);
        if said.challenge != challenge.as_bytes() {
            return Err(wrong("was signed for another action, another document or another note"));
        }
        Ok(())
    }

    fn granted(&mut self, approval: ApprovalId) -> Result<(), String> {
        let Some(question) = self.questions.get_mut(&approval) else { return self.unknown(approval, "this grants") };
        question.is_granted = true;
        if question.voters.len() < question.quorum {
            let (count, quorum) = (question.voters.len(), question.quorum);
            return Err(format!("the approval `{approval}` was given with {count} answers, and {quorum} were needed"));
        }
        Ok(())
    }

    fn allowed(&mut self, allowed: &ActionAllowed) -> Result<(), String> {
        let Some(approval) = allowed.approval else { return Ok(()) };
        if !self.used.insert(approval) {
            return Err(format!("the approval `{approval}` was used before"));
        }
        let Some(question) = self.questions.get(&approval) else { return self.unknown(approval, "this uses") };
        if question.digest != allowed.facts.digest() || question.digest != allowed.digest {
            return Err(format!("the approval `{approval}` was for another action"));
        }
        if !question.is_granted {
            return Err(format!("the approval `{approval}` was not given before it was used"));
        }
        Ok(())
    }

    /// A record about a question that was not read: it came before, or is missing.
    fn unknown(&self, approval: ApprovalId, what: &str) -> Result<(), String> {
        if self.is_whole { Err(format!("the question `{approval}`, which {what}, was never asked")) } else { Ok(()) }
    }
}
