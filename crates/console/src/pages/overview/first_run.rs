//! The way from an empty realm to the first governed call, as steps that are done or not.

use maud::{Markup, html};
use remit_domain::{Agent, AgentStatus, SANDBOX, State};

use crate::parts::pill::{Tone, pill};
use crate::parts::text::shown;
use crate::session::Viewer;

/// One step on the way.
struct Step {
    is_done: bool,
    title: &'static str,
    means: &'static str,
    /// Where it is done, and what the link says.
    link: (String, &'static str),
    /// The same on the command line, where it is there.
    command: Option<&'static str>,
}

/// What is done and what is next, for who administers the realm. Once a call was governed, the realm is begun: then only a missing passkey
/// is still told, to whoever has none.
pub(super) fn guide(state: &State, viewer: &Viewer, has_calls: bool) -> Markup {
    let administers = state.person(viewer.person).is_ok_and(|person| person.is_administrator());
    let steps = steps(state, viewer, has_calls);
    let (passkey, others) = (steps.first(), steps.get(1..).unwrap_or_default());
    if administers && others.iter().any(|step| !step.is_done) {
        return way(&steps);
    }
    match passkey {
        Some(step) if !step.is_done => html! {
            div .notice {
                p { "You have no passkey, so what you approve is not signed. " a href="/passkeys" { "Add one" } }
            }
        },
        _ => html! {},
    }
}

fn way(steps: &[Step]) -> Markup {
    let done = steps.iter().filter(|step| step.is_done).count();
    let next = steps.iter().position(|step| !step.is_done);
    html! {
        section .panel .first-run aria-labelledby="first-run-head" {
            h2 #first-run-head { "From here to the first governed call" }
            p .quiet {
                progress max=(steps.len()) value=(done) aria-label="steps done" {} " "
                (done) " of " (steps.len()) " steps are done."
            }
            ol .steps {
                @for (place, step) in steps.iter().enumerate() { (drawn(step, next == Some(place))) }
            }
        }
    }
}

fn drawn(step: &Step, is_next: bool) -> Markup {
    let (address, label) = &step.link;
    html! {
        li .done[step.is_done] .next[is_next] aria-current=[is_next.then_some("step")] {
            p .title {
                (step.title) " "
                @if step.is_done { (pill(Tone::Good, "done")) } @else if is_next { (pill(Tone::Waits, "next")) }
            }
            @if !step.is_done {
                p .quiet { (step.means) }
                p { a .button .primary[is_next] href=(address) { (label) } }
                @if let Some(command) = step.command.filter(|_| is_next) { pre { (shown(command)) } }
            }
        }
    }
}

fn steps(state: &State, viewer: &Viewer, has_calls: bool) -> [Step; 7] {
    let is_own = |agent: &&std::sync::Arc<Agent>| agent.name != SANDBOX && agent.status == AgentStatus::Active;
    let agent = state.agents.values().filter(is_own).min_by_key(|agent| (agent.registered_at, agent.id));
    let connect = agent.map_or_else(|| "/connect".to_owned(), |agent| format!("/connect?agent={}", agent.name));
    let grants = agent.map_or_else(|| "/grants".to_owned(), |agent| format!("/agents/{}/grants", agent.name));
    // What was begun before the realm forgot its tasks shows in its calls.
    let has_task = has_calls || !state.tasks.is_empty();
    [
        Step {
            is_done: state.has_passkey(viewer.person),
            title: "Add a passkey",
            means: "You sign in with it, and it signs what you approve, so that nobody answers in your name.",
            link: ("/passkeys".to_owned(), "Add a passkey"),
            command: None,
        },
        Step {
            is_done: state.people.len() > 1,
            title: "Add a second person",
            means: "Nobody says yes to what they asked for themselves: one asks for a grant, another gives it.",
            link: ("/people".to_owned(), "People"),
            command: None,
        },
        Step {
            is_done: state.operations.values().any(|operation| operation.withdrawn.is_none()),
            title: "Add a connector and approve its operations",
            means: "A connector is a server whose tools agents are to reach. Nothing of it can be called before somebody has looked at it.",
            link: ("/connectors".to_owned(), "Connectors"),
            command: Some("remit connector add helpdesk --stdio -- remit sample helpdesk"),
        },
        Step {
            is_done: agent.is_some(),
            title: "Register an agent",
            means: "A name, an owner and a purpose: whatever the agent does stands under it.",
            link: ("/agents/new".to_owned(), "Register an agent"),
            command: None,
        },
        Step {
            is_done: !state.grants.is_empty() || has_calls,
            title: "Give it a grant",
            means: "Which operations it may use, and until when. Its owner or one of its approvers says yes.",
            link: (grants, "Ask for a grant"),
            command: Some("remit grant request support 'helpdesk/*' --for 30d --reason \"to answer customers\""),
        },
        Step {
            is_done: has_task,
            title: "Connect your agent",
            means: "Settings to paste into the client that it runs in.",
            link: (connect, "Connect a client"),
            command: None,
        },
        Step {
            is_done: has_calls,
            title: "Make the first call",
            means: "Let the agent use a tool. Its record appears below by itself.",
            link: ("/ledger".to_owned(), "Ledger"),
            command: None,
        },
    ]
}
