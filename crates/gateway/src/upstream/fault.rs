//! How reaching an upstream can fail, by what it means for the effect of the call.

/// What is known about whether the call ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// Nothing of it has left the house.
    NotSent,
    /// It was sent, and the upstream said that it failed.
    Failed,
    /// It was sent, and nobody knows what became of it.
    Unknown,
}

/// An upstream that could not be reached, or a call that gave no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct UpstreamFault {
    pub kind: FaultKind,
    /// What happened, in our words: it is recorded for ever, so it has none of the upstream's.
    pub reason: String,
    /// What the upstream or the operating system said, for the people who run it.
    pub detail: Option<String>,
}

impl UpstreamFault {
    pub(crate) fn not_sent(reason: impl Into<String>) -> Self {
        Self { kind: FaultKind::NotSent, reason: reason.into(), detail: None }
    }

    pub(crate) fn failed(reason: impl Into<String>) -> Self {
        Self { kind: FaultKind::Failed, reason: reason.into(), detail: None }
    }

    pub(crate) fn unknown(reason: impl Into<String>) -> Self {
        Self { kind: FaultKind::Unknown, reason: reason.into(), detail: None }
    }

    /// With what was said about it, cut to [`crate::limits::DETAIL_BYTES_MAX`].
    #[must_use]
    pub(crate) fn detail(mut self, detail: impl std::fmt::Display) -> Self {
        let mut detail = detail.to_string();
        let end = (0..=crate::limits::DETAIL_BYTES_MAX).rev().find(|end| detail.is_char_boundary(*end));
        detail.truncate(end.unwrap_or(0));
        self.detail = Some(detail);
        self
    }

    /// The same, with the reason for which we gave up ourselves.
    #[must_use]
    pub(crate) fn because(mut self, reason: String) -> Self {
        self.reason = reason;
        self
    }

    /// What the people who run it should do next.
    pub fn help(&self) -> &'static str {
        "check the connector's command or address, and that its server runs"
    }
}
