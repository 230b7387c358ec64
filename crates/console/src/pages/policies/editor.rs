//! The form in which a policy is written, and the page on which a passkey is shown for it.

use maud::{Markup, html};
use remit_domain::{Refusal, limits};
use remit_people::Ceremony;
use remit_review::has_unseen;

use super::checks::{self, Checked};
use super::edit::Draft;
use super::text::compared;
use super::{Tab, crumb, tabs};
use crate::layout;
use crate::parts::passkey;
use crate::parts::text::{shown, told};
use crate::session::Viewer;

/// Lines of the text that are seen at once.
const ROWS: u8 = 24;

/// Where a new policy may begin.
const EXAMPLE: &str = r#"// Why it is there, in a sentence for whoever reads it in a year.
@id("large-refunds-ask")
@reason("a refund above 100 needs the owner's yes")
@approvers("owner")
forbid (
  principal,
  action == Action::"helpdesk/refund",
  resource
)
when { context.arguments.amount > 100 }
unless { context has approval && context.approval.roles.contains("owner") };
"#;

/// All that the page is made from.
pub(super) struct Page<'a> {
    pub(super) viewer: &'a Viewer,
    pub(super) draft: &'a Draft,
    pub(super) is_new: bool,
    /// The text that is active under this name.
    pub(super) active: Option<&'a str>,
    /// Why nothing was done.
    pub(super) notice: Option<&'a Refusal>,
    pub(super) checked: Option<&'a Checked>,
}

impl Page<'_> {
    /// The page; `may_read` says whether whoever looks may see what the policy was.
    pub(super) fn render(&self, may_read: &Result<(), Refusal>) -> Markup {
        let Self { draft, is_new, active, .. } = *self;
        html! {
            @if is_new {
                p .crumb { a href="/policies" { "Policies" } " / new" }
                h1 { "New policy" }
            } @else {
                (crumb(&draft.name))
                h1 { (shown(&draft.name)) ": another text" }
                (tabs(&draft.name, Tab::Edit, may_read))
            }
            p .lead { "Write and check it as often as you like. Proposed, it waits for somebody else's yes, and then holds from the next call on." }
            (self.said())
            (self.form())
            @match self.checked {
                Some(checked) => (checks::section(checked, &draft.edit(), active)),
                // Where somebody else was faster, their text is what this one would replace.
                None if self.notice.is_some() && active.is_some() => section {
                    h2 { "How yours differs from the active text" }
                    (compared(active.unwrap_or_default(), draft.edit().text.as_deref().unwrap_or_default()))
                },
                None => {}
            }
        }
    }

    fn said(&self) -> Markup {
        html! {
            @if let Some(refusal) = self.notice {
                div .notice .bad role="alert" {
                    p .sentence { (told(&refusal.sentence)) }
                    @if let Some(help) = &refusal.help { p .help { (told(help)) } }
                    p .quiet { "Nothing was proposed, and what you typed is below." }
                }
            }
            @if has_unseen(&self.draft.text) {
                p .notice .bad { "The text holds characters that cannot be seen. The difference below shows where; the box does not." }
            }
        }
    }

    fn form(&self) -> Markup {
        let Self { viewer, draft, is_new, .. } = *self;
        html! {
            form method="post" action=(address(draft, is_new)) {
                (layout::token(viewer))
                input type="hidden" name="base" value=(draft.base);
                div .stack {
                    @if is_new {
                        div .field {
                            label for="name" { "Name" }
                            input #name name="name" value=(draft.name) required maxlength="64" autocomplete="off" spellcheck="false" aria-describedby="name-help";
                            p .help #name-help { "Small letters, digits, " code { "-" } ", " code { "_" } " and " code { "." } }
                        }
                    }
                    div .field {
                        label for="text" { "Text, in Cedar" }
                        // A browser drops the first line end in a box of text.
                        textarea #text .source name="text" rows=(ROWS) required spellcheck="false" autocomplete="off" autocapitalize="off" { "\n" (draft.text) }
                    }
                    @if is_new {
                        details { summary { "An example to begin with" } pre { (EXAMPLE) } }
                    }
                    div .field {
                        label for="reason" { "Why (whoever approves it reads this first)" }
                        textarea #reason name="reason" rows="2" maxlength=(limits::TEXT_BYTES_MAX) { "\n" (draft.reason) }
                    }
                    div .actions {
                        button type="submit" name="do" value="check" { "Check" }
                        button .primary type="submit" name="do" value="propose" { "Propose" }
                        a href=(if is_new { "/policies".to_owned() } else { format!("/policies/{}", draft.name) }) { "Leave it as it is" }
                    }
                    p .help { "Checking changes nothing. It compiles the text, looks for rules that never match or that others cover, and tries it on the calls of the last day." }
                }
            }
        }
    }
}

fn address(draft: &Draft, is_new: bool) -> String {
    if is_new { "/policies/new".to_owned() } else { format!("/policies/{}/edit", draft.name) }
}

/// The page on which a passkey is shown for what was written; the text goes along, and is proposed with it.
pub(super) fn confirm(viewer: &Viewer, ceremony: &Ceremony, draft: &Draft, is_new: bool) -> Markup {
    let typed = |action: &str| {
        html! {
            (layout::token(viewer))
            input type="hidden" name="do" value=(action);
            input type="hidden" name="base" value=(draft.base);
            input type="hidden" name="name" value=(draft.name);
            input type="hidden" name="text" value=(draft.text);
            input type="hidden" name="reason" value=(draft.reason);
        }
    };
    layout::bare(
        "Confirm with your passkey",
        &html! {
            h1 { "Confirm with your passkey" }
            p .lead { "You propose another text for " code { (shown(&draft.name)) } ". Nothing has been proposed yet, and nothing that you typed is lost." }
            form .panel method="post" action=(address(draft, is_new)) data-passkey="get" data-options=(passkey::options(&ceremony.options)) {
                (typed("propose"))
                p { "Signed in as " strong { (shown(&viewer.name)) } "." }
                (passkey::fields(Some(&ceremony.id)))
                button .primary type="submit" autofocus { "Confirm and propose" }
            }
            form method="post" action=(address(draft, is_new)) {
                (typed("back"))
                button .plain type="submit" { "Back to the text" }
            }
        },
    )
}
