//! Forms that were refused for want of a passkey, kept for a while, so that nobody types anything twice.
//!
//! INVARIANT: a form is kept only once it was found to be from a page of ours and for the session that sent it. It goes back to that
//! session alone, into a page with a button, never into an address, and is never sent by itself.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use remit_domain::{SessionId, Timestamp};
use remit_identity::code::OneTimeCode;

use crate::limits;
use crate::pages::sign_in::leads_here;

#[cfg(test)]
mod tests;

/// What a passkey has signed is in such a field, and counts once: sending it again is of no use.
const SIGNED_FIELD: &str = "ceremony";

/// A form as a signed-in person sent it, without what proves that it was ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) session: SessionId,
    pub(crate) fields: Vec<(String, String)>,
}

/// Where the form of one request is put once it was found to be ours, for whoever leads to the passkey afterwards.
#[derive(Debug, Clone, Default)]
pub(crate) struct Slot(Arc<OnceLock<Sent>>);

impl Slot {
    pub(crate) fn put(&self, sent: Sent) {
        // A request has one form.
        drop(self.0.set(sent));
    }

    pub(crate) fn sent(&self) -> Option<&Sent> {
        self.0.get()
    }
}

/// A form that waits for its person to show a passkey.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kept {
    id: String,
    session: SessionId,
    kept_until: Timestamp,
    /// The address that it was sent to: one of ours.
    pub(crate) address: String,
    pub(crate) fields: Vec<(String, String)>,
}

impl Kept {
    fn bytes(&self) -> usize {
        self.address.len() + self.fields.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>()
    }
}

/// All that are kept, oldest first. In memory only: after a restart a form is filled in again.
#[derive(Debug, Clone, Default)]
pub(crate) struct KeptForms(Arc<Mutex<VecDeque<Arc<Kept>>>>);

impl KeptForms {
    /// Keeps what was sent to `address`, and says under which name it is found; nothing where it cannot be sent again.
    pub(crate) fn keep(&self, sent: &Sent, address: &str, now: Timestamp) -> Option<String> {
        if !leads_here(address) || sent.fields.iter().any(|(name, _)| name == SIGNED_FIELD) {
            return None;
        }
        let id = OneTimeCode::generate("").ok()?.expose().to_owned();
        let new = Kept {
            id: id.clone(),
            session: sent.session,
            kept_until: now.plus_seconds(limits::FORM_SECONDS_KEPT),
            address: address.to_owned(),
            fields: sent.fields.clone(),
        };
        let mut forms = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        forms.retain(|kept| now < kept.kept_until);
        // Each session has its own share, so that nobody crowds out many others.
        while forms.iter().filter(|kept| kept.session == new.session).count() >= limits::FORMS_KEPT_EACH_MAX {
            let oldest = forms.iter().position(|kept| kept.session == new.session)?;
            forms.remove(oldest);
        }
        while forms.iter().map(|kept| kept.bytes()).sum::<usize>() + new.bytes() > limits::FORMS_KEPT_BYTES_MAX {
            forms.pop_front()?;
        }
        forms.push_back(Arc::new(new));
        Some(id)
    }

    /// The form that is kept under `id` for `session`.
    pub(crate) fn find(&self, id: &str, session: SessionId, now: Timestamp) -> Option<Arc<Kept>> {
        let forms = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = forms.iter().find(|kept| kept.id == id && kept.session == session && now < kept.kept_until);
        found.cloned()
    }
}
