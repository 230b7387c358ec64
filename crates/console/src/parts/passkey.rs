//! A form that a passkey signs before it is sent: what the browser is asked stands in it, and its answer goes into a hidden field.

use maud::{Markup, html};
use serde_json::Value;

use crate::parts::text::told;

/// What stands in a form with these options besides its fields: where the credential goes, and where problems are told.
///
/// The form itself says `data-passkey` and `data-options`; the console's script does the rest.
pub(crate) fn fields(ceremony: Option<&str>) -> Markup {
    html! {
        @if let Some(ceremony) = ceremony { input type="hidden" name="ceremony" value=(ceremony); }
        input type="hidden" name="credential" value="";
        p .notice .bad role="alert" data-problem hidden {}
        noscript { p .notice { "A passkey needs this browser's scripts, which are off." } }
    }
}

/// Options as a form carries them.
pub(crate) fn options(options: &Value) -> String {
    options.to_string()
}

/// A sentence and what to do next.
pub(crate) fn problem(refusal: &remit_domain::Refusal) -> Markup {
    html! {
        div .notice .bad role="alert" {
            p .sentence { (told(&refusal.sentence)) }
            @if let Some(help) = &refusal.help { p .help { (told(help)) } }
        }
    }
}
