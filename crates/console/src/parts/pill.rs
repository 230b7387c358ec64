//! One word with a colour that agrees with it. The word alone must say it all.

use maud::{Markup, html};
use remit_domain::{AgentStatus, ApprovalStatus};

use crate::parts::text::shown;

/// How a state feels to a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Good,
    Waits,
    Bad,
    Quiet,
}

impl Tone {
    pub(crate) const fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Waits => "waits",
            Self::Bad => "bad",
            Self::Quiet => "quiet",
        }
    }
}

pub(crate) fn pill(tone: Tone, word: &str) -> Markup {
    html! { span .pill .(tone.class()) { (shown(word)) } }
}

pub(crate) fn approval(status: &ApprovalStatus) -> Markup {
    match status {
        ApprovalStatus::Pending => pill(Tone::Waits, "waits"),
        ApprovalStatus::Granted { .. } => pill(Tone::Good, "approved"),
        ApprovalStatus::Denied { .. } => pill(Tone::Bad, "denied"),
        ApprovalStatus::Used { .. } => pill(Tone::Good, "used"),
        ApprovalStatus::Expired => pill(Tone::Quiet, "expired"),
        ApprovalStatus::Void { .. } => pill(Tone::Quiet, "void"),
    }
}

pub(crate) fn agent(status: AgentStatus) -> Markup {
    match status {
        AgentStatus::Quarantined => pill(Tone::Waits, "quarantined"),
        AgentStatus::Draft => pill(Tone::Quiet, "draft"),
        AgentStatus::Active => pill(Tone::Good, "active"),
        AgentStatus::Suspended => pill(Tone::Bad, "suspended"),
        AgentStatus::Decommissioned => pill(Tone::Quiet, "decommissioned"),
    }
}

/// A risk from 0 to 3 in a word.
pub(crate) fn risk(risk: u8) -> Markup {
    match risk {
        0 => pill(Tone::Quiet, "no risk"),
        1 => pill(Tone::Quiet, "low risk"),
        2 => pill(Tone::Waits, "medium risk"),
        _ => pill(Tone::Bad, "high risk"),
    }
}
