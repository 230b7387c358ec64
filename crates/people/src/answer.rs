//! A question as it is shown to one person, and the yes that they sign over exactly that.

use remit_domain::{
    Actor, Approval, ApprovalId, Approve, Command, ContentRef, Digest, Moment, PersonId, Refusal, ShowApproval, Signed,
    State, TaskId, answer_challenge, decide, shown,
};
use remit_engine::Receipt;
use remit_identity::base64url;
use remit_identity::webauthn::Assertion;
use serde_json::Value;

use crate::pace::Origin;
use crate::{People, PeopleError};

/// What content of this kind is called where it is kept.
const KIND: &str = "shown";

/// A question that somebody is looking at.
#[derive(Debug, Clone)]
pub struct Question {
    /// Everything that they are shown. Pages are made from this and nothing else.
    pub shown: Value,
    /// What the record, and the answer, commit to it by.
    pub commitment: Digest,
    /// The digest of the action that is asked about.
    pub digest: Digest,
}

impl People {
    /// Shows a question to whoever acts, and records that.
    ///
    /// # Errors
    /// If it waits for an answer no longer, or they could not give one; if what it is about is not there any more.
    pub async fn show(&self, actor: Actor, id: ApprovalId) -> Result<Question, PeopleError> {
        let state = self.engine.state();
        let approval = state.approval(id)?;
        let task = approval.facts.task;
        let shown = self.document(&state, approval).await?;
        let canonical = serde_json_canonicalizer::to_vec(&shown)
            .map_err(|_| Refusal::new("not_canonical", "what this question is about has no canonical form"))?;
        let (reference, content) = self.engine.commitment(task, KIND, canonical).await?;
        let question = Question { shown, commitment: reference.commitment, digest: approval.digest };
        let show = Command::ShowApproval(ShowApproval { approval: id, shown: reference });
        // Decided here first, because looking again at the same is no news and need not be submitted. The ids that this moment makes
        // are thrown away with the events.
        let news = decide(&state, &actor, &show, &Moment::new(self.engine.now(), 0))?;
        if !news.is_empty() {
            self.engine.submit_with(actor, show, vec![content]).await?;
        }
        Ok(question)
    }

    /// Refuses an answer to what a question no longer says: somebody else said no meanwhile, or what is known of the agent changed.
    async fn must_be_current(&self, id: ApprovalId, was_shown: Digest) -> Result<(), PeopleError> {
        let state = self.engine.state();
        let approval = state.approval(id)?;
        if !approval.is_pending() {
            // The domain says what became of it.
            return Ok(());
        }
        let now = self.document(&state, approval).await?;
        let canonical = serde_json_canonicalizer::to_vec(&now)
            .map_err(|_| Refusal::new("not_canonical", "what this question is about has no canonical form"))?;
        let (reference, _) = self.engine.commitment(approval.facts.task, KIND, canonical).await?;
        if reference.commitment == was_shown {
            return Ok(());
        }
        Err(Refusal::new("approval_shown", "what you were shown is not what this question says now")
            .help("look at it again before answering")
            .into())
    }

    async fn document(&self, state: &State, approval: &Approval) -> Result<Value, PeopleError> {
        let task = approval.facts.task;
        let arguments = self.content(&approval.facts.arguments, task).await?;
        let beside = match &approval.facts.beside {
            Some(beside) => Some(self.content(beside, task).await?),
            None => None,
        };
        Ok(shown(state, approval, &arguments, beside.as_ref()))
    }

    /// INVARIANT: nobody is asked about what cannot be shown to them.
    async fn content(&self, reference: &ContentRef, task: TaskId) -> Result<Value, PeopleError> {
        let bytes = self.engine.content(reference, task).await?;
        let value = bytes.as_deref().and_then(|bytes| serde_json::from_slice(bytes).ok());
        let gone = || {
            Refusal::new("content_missing", "what this question is about was erased or never kept")
                .help("say no; the agent has to ask again")
        };
        value.ok_or_else(|| gone().into())
    }

    /// Options for `navigator.credentials.get()` with which `person` says yes, by any of their passkeys.
    ///
    /// # Errors
    /// If they have no passkey.
    pub fn answer_options(&self, person: PersonId, challenge: Digest) -> Result<Value, PeopleError> {
        self.request_of(person, &base64url::encode(challenge.as_bytes()))
    }

    /// As [`People::answer_options`], to say yes to `question` with `note`.
    ///
    /// # Errors
    /// If they have no passkey.
    pub fn yes_options(
        &self,
        person: PersonId,
        approval: ApprovalId,
        digest: Digest,
        shown: Digest,
        note: &str,
    ) -> Result<Value, PeopleError> {
        self.answer_options(person, answer_challenge(approval, digest, shown, person, note))
    }

    /// Says yes, by a signature over what was shown if there is one. Whether it takes one is for the domain.
    ///
    /// # Errors
    /// If the signature is not that of a passkey of whoever acts, over this answer and nothing else; whatever the domain refuses.
    pub async fn approve(
        &self,
        actor: Actor,
        approval: ApprovalId,
        digest: Digest,
        shown: Option<Digest>,
        note: &str,
        assertion: Option<&Assertion>,
    ) -> Result<Receipt, PeopleError> {
        let (person, now) = (actor.person()?, self.engine.now());
        let mut approve = Approve { shown, ..Approve::unsigned(approval, digest, note.to_owned()) };
        if let Some(assertion) = assertion {
            let shown = shown.ok_or_else(|| {
                Refusal::new("approval_shown", "this signed answer does not say what was shown")
                    .help("look at the question again before answering")
            })?;
            let origin = Some(Origin::Person(person));
            let challenge = answer_challenge(approval, digest, shown, person, note);
            let verified = self.verify_of(person, assertion, challenge.as_bytes());
            let used = self.pace.count(origin, verified, now)?;
            approve.signed = Some(Signed {
                credential: used.credential,
                authenticator_data: base64url::encode(&assertion.authenticator_data),
                client_data: base64url::encode(&assertion.client_data),
                signature: base64url::encode(&assertion.signature),
                sign_count: used.sign_count,
            });
        }
        if let Some(shown) = shown {
            self.must_be_current(approval, shown).await?;
        }
        Ok(self.engine.submit(actor, Command::Approve(approve)).await?)
    }
}
