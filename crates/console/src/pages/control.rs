//! Whether a control can be used, asked of the function that will decide what it asks for.

use maud::{Markup, html};
use remit_domain::{Actor, Command, Moment, Refusal, SignInMethod, State, Timestamp, decide};

use crate::parts::text::told;
use crate::session::Viewer;

/// Decides `command` without doing it. That a passkey has to be shown first is no reason to switch a control off: the console leads
/// there on the way.
pub(super) fn may(state: &State, viewer: &Viewer, command: &Command, now: Timestamp) -> Result<(), Refusal> {
    let actor = Actor::Person { person: viewer.person, method: SignInMethod::FreshPasskey };
    // The ids that this moment makes are thrown away with the events.
    decide(state, &actor, command, &Moment::new(now, 0)).map(|_| ())
}

/// Why the control that names `id` as its description cannot be used.
pub(super) fn why(id: &str, usable: &Result<(), Refusal>) -> Markup {
    html! {
        @if let Err(refusal) = usable {
            p .reason #(id) {
                (told(&refusal.sentence))
                @if let Some(help) = &refusal.help { "; " (told(help)) }
            }
        }
    }
}

/// What somebody wrote into a form. Browsers write line ends as two characters, of which the record keeps one.
pub(super) fn written(text: &str) -> String {
    text.trim().replace("\r\n", "\n")
}
