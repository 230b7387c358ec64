//! What can be done with an agent, on each of its pages, and what comes next in its life.

use maud::{Markup, html};
use remit_domain::{AgentStatus, Command, Refusal};

use super::{About, enrolment};
use crate::layout;
use crate::pages::control;
use crate::parts::text::{shown, told};

/// One way to change the agent's standing.
struct Way {
    verb: &'static str,
    label: &'static str,
    means: &'static str,
    /// Whether somebody has to say why.
    reason: bool,
    danger: bool,
    usable: Result<(), Refusal>,
}

/// Everything that can be done with it now, what cannot be used among it, with the reason.
pub(super) fn bar(about: &About<'_>) -> Markup {
    if about.agent.is_gone() {
        return html! {};
    }
    html! {
        div .actions {
            a .button href=(about.address("describe")) { "Change its record" }
            (enrolment::action(about))
            @for way in ways(about) { (form(about, &way)) }
        }
    }
}

fn ways(about: &About<'_>) -> Vec<Way> {
    let agent = about.agent.id;
    let why = || "as asked".to_owned();
    let begin = |verb, label, means, command: &Command| Way {
        verb,
        label,
        means,
        reason: false,
        danger: false,
        usable: about.can(command),
    };
    let stop = |verb, label, means, command: &Command| Way {
        reason: true,
        danger: true,
        ..begin(verb, label, means, command)
    };
    let end = || {
        stop(
            "end",
            "End for good",
            "Its tasks, tokens, grants and keys end at once. Nothing brings it back, and its name is never given again.",
            &Command::DecommissionAgent { agent, reason: why() },
        )
    };
    match about.agent.status {
        AgentStatus::Quarantined | AgentStatus::Draft => {
            let means = "From then on it may act, as far as grants and rules go.";
            vec![begin("activate", "Activate", means, &Command::ActivateAgent { agent }), end()]
        }
        AgentStatus::Active => {
            let means = "Every task of it ends at once, with all tokens. Somebody can resume it later.";
            vec![stop("suspend", "Suspend", means, &Command::SuspendAgent { agent, reason: why() }), end()]
        }
        AgentStatus::Suspended => {
            let means = "It may act again. What was ended stays ended: its work begins with new tasks.";
            vec![begin("resume", "Resume", means, &Command::ResumeAgent { agent }), end()]
        }
        AgentStatus::Decommissioned => Vec::new(),
    }
}

fn form(about: &About<'_>, way: &Way) -> Markup {
    let Way { verb, label, usable, .. } = way;
    html! {
        details name="action" {
            summary .danger[way.danger] { (label) }
            form method="post" action=(about.address(verb)) {
                (layout::token(about.viewer))
                p .quiet { (way.means) }
                @if way.reason {
                    label for={ (verb) "-reason" } { "Why" }
                    textarea id={ (verb) "-reason" } name="reason" rows="2" required
                        maxlength=(remit_domain::limits::TEXT_BYTES_MAX) disabled[usable.is_err()] {}
                }
                button .danger[way.danger] .primary[!way.danger] type="submit" disabled[usable.is_err()]
                    aria-describedby={ (verb) "-why" } { (label) }
                (control::why(&format!("{verb}-why"), usable))
            }
        }
    }
}

/// What is missing until the agent does its work, and where that is done.
pub(super) fn next_step(about: &About<'_>) -> Markup {
    let agent = about.agent;
    match agent.status {
        AgentStatus::Quarantined | AgentStatus::Draft => to_activate(about),
        AgentStatus::Active => to_work(about),
        AgentStatus::Suspended => html! {
            div .notice {
                p .sentence { "it is suspended and can do nothing until somebody resumes it" }
                @if about.may_read().is_ok() { p { a href=(about.address("receipt")) { "Receipt of what was ended" } } }
            }
        },
        AgentStatus::Decommissioned => html! {
            div .notice {
                p .sentence { "it was ended for good; its record stays" }
                @if about.may_read().is_ok() { p { a href=(about.address("receipt")) { "Receipt of what was ended" } } }
            }
        },
    }
}

fn to_activate(about: &About<'_>) -> Markup {
    let activate = about.can(&Command::ActivateAgent { agent: about.agent.id });
    html! {
        div .notice {
            @if about.agent.status == AgentStatus::Quarantined {
                p .sentence { "it arrived by itself and can do nothing: nobody answers for it yet" }
            } @else {
                p .sentence { "it is a draft and can do nothing yet" }
            }
            @match &activate {
                Ok(()) => p { "Its record is complete. Next: activate it." },
                Err(refusal) if !refusal.fields.is_empty() => {
                    p { "Next: complete " a href=(about.address("describe")) { "its record" } ", then activate it. What is missing:" }
                    ul .rules { @for field in &refusal.fields { li { (told(&field.sentence)) } } }
                }
                Err(refusal) => p { "Next: somebody activates it. For you: " (told(&refusal.sentence)) "." },
            }
        }
    }
}

fn to_work(about: &About<'_>) -> Markup {
    let (state, agent) = (about.state, about.agent);
    let has_grant = state.grants_of(agent.id).any(|grant| about.now < grant.expires_at);
    let is_asked = state.grant_requests.values().any(|request| request.agent == agent.id && request.task.is_none());
    let may_use = has_grant || state.sandbox_permit(agent).is_some();
    html! {
        @if !may_use && is_asked {
            div .notice { p { "Next: one of its approvers answers the " a href=(about.address("grants")) { "request for a grant" } "." } }
        } @else if !may_use {
            div .notice { p { "It has no grant, so it may use nothing. Next: " a href={ (about.address("grants")) "#ask" } { "ask for a grant" } "." } }
        } @else if about.may_read().is_ok() && state.live_tasks_of(agent.id).next().is_none() {
            div .notice {
                p { "It has no live task, so it does nothing now. Next: " a href={ "/connect?agent=" (agent.name) } { "connect a client" } ", or" }
                pre { "remit run --agent " (shown(&agent.name)) " --purpose \"answer ticket 17\" -- my-agent" }
            }
        }
    }
}
