//! Policies: their texts, what they were, what they would say, and proposing other ones.

pub(crate) mod checks;
pub(crate) mod diff;
pub(crate) mod edit;
mod editor;
pub(crate) mod history;
pub(crate) mod list;
pub(crate) mod preview;
pub(crate) mod remove;
pub(crate) mod show;
#[cfg(test)]
mod tests;
mod text;
pub(crate) mod versions;

use maud::{Markup, html};
use remit_domain::{Event, Explained, Refusal, State};
use remit_engine::Receipt;

use crate::parts::text::shown;

/// A page of one policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tab {
    Text,
    History,
    Diff,
    Edit,
}

/// The pages of the policy `name`, the one that is shown marked. What it was is for those who may read that.
fn tabs(name: &str, current: Tab, may_read: &Result<(), Refusal>) -> Markup {
    let pages = [
        (Tab::Text, "", "Text"),
        (Tab::History, "/history", "History"),
        (Tab::Diff, "/diff", "Newest difference"),
        (Tab::Edit, "/edit", "Propose another text"),
    ];
    html! {
        nav .tabs aria-label={ "The policy " (name) } {
            @for (tab, end, words) in pages {
                @match may_read {
                    Err(refusal) if matches!(tab, Tab::History | Tab::Diff) => {
                        span .off role="link" aria-disabled="true" title=(refusal.sentence) { (words) }
                    }
                    _ => a href={ "/policies/" (name) (end) } aria-current=[(tab == current).then_some("page")] { (words) },
                }
            }
        }
    }
}

fn crumb(name: &str) -> Markup {
    html! { p .crumb { a href="/policies" { "Policies" } " / " (shown(name)) } }
}

/// What a rule does, in a word.
fn does(rule: &Explained) -> &'static str {
    match rule.effect {
        "permit" => "permits",
        // A forbid that names approvers is a question.
        _ if rule.text.contains("@approvers") => "asks",
        _ => "forbids",
    }
}

/// Where a rule stands: the policy and the line.
fn place(source: &str, line: Option<usize>) -> String {
    format!("/policies/{source}#L{}", line.unwrap_or(1))
}

/// The refusal for a policy that is not there and never was, as far as whoever asks may know.
fn unknown(name: &str) -> Refusal {
    Refusal::unknown("policy", name.chars().take(remit_domain::limits::NAME_BYTES_MAX).collect::<String>())
}

/// Where to go once something was proposed: to its page where somebody else has to agree, else to `otherwise`.
fn onwards(receipt: &Receipt, otherwise: String) -> String {
    let proposed = receipt.events.iter().find_map(|event| match event {
        Event::ChangeProposed(proposed) => Some(proposed.change),
        _ => None,
    });
    proposed.map_or(otherwise, |change| format!("/changes/{change}"))
}

/// The changes that wait and would make something else of the policy `name`.
fn waiting_changes<'a>(state: &'a State, name: &str) -> Vec<&'a remit_domain::Change> {
    let is_about = |change: &&std::sync::Arc<remit_domain::Change>| {
        change.status == remit_domain::ChangeStatus::Pending
            && change.edits.iter().any(|one| matches!(&one.edit, remit_domain::Edit::Policy(edit) if edit.name == name))
    };
    let mut waiting: Vec<_> = state.changes.values().filter(is_about).map(AsRef::as_ref).collect();
    waiting.sort_by_key(|change: &&remit_domain::Change| (change.proposed_at, change.id));
    waiting
}
