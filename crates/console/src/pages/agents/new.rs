//! A new agent, as a form describes it.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use remit_domain::{AgentProfile, Command, Event, Refusal, RegisterAgent, State as Realm, Timestamp};

use super::address;
use super::profile::{Form, Typed};
use crate::errors::{PageError, status_of};
use crate::layout::{self, Frame, Place};
use crate::pages::control;
use crate::session::{SentForm, Viewer};
use crate::{Console, answers};

/// The name in the address of this page, which an agent may have as well.
pub(super) const NAME: &str = "new";

pub(crate) async fn form(State(console): State<Console>, viewer: Viewer) -> Markup {
    let (state, now) = (console.engine.state(), console.engine.now());
    page(&state, &viewer, &Typed::for_new(&viewer.name, now), None, now)
}

pub(crate) async fn register(State(console): State<Console>, sent: SentForm<Typed>) -> Result<Response, PageError> {
    let (viewer, typed) = (sent.viewer, sent.fields);
    let name = typed.name.trim().to_owned();
    let profile = console.engine.read(|state| typed.profile(state, &AgentProfile::default()));
    let submitted = match profile {
        Ok(profile) => {
            let command = Command::RegisterAgent(Box::new(RegisterAgent { name, profile }));
            console.engine.submit(viewer.actor(), command).await.map_err(PageError::from)
        }
        Err(refusal) => Err(refusal.into()),
    };
    let (state, now) = (console.engine.state(), console.engine.now());
    match submitted {
        Ok(receipt) => {
            let made = receipt.events.iter().find_map(|event| match event {
                Event::AgentRegistered(registered) => state.agent(registered.agent).ok(),
                _ => None,
            });
            Ok(Redirect::to(&made.map_or_else(|| "/agents".to_owned(), |agent| address(agent))).into_response())
        }
        Err(PageError::Refused(refusal)) if refusal.code != "step_up_needed" => {
            Ok((status_of(&refusal), page(&state, &viewer, &typed, Some(&refusal), now)).into_response())
        }
        Err(other) => Err(other),
    }
}

fn page(state: &Realm, viewer: &Viewer, typed: &Typed, problem: Option<&Refusal>, now: Timestamp) -> Markup {
    let waiting = answers::waiting_count(state, &viewer.actor(), now);
    let frame = Frame { title: "Register an agent", place: Place::Agents, viewer, waiting, refreshes: false };
    let usable = may_register(state, viewer, now);
    let form = Form { typed, problem, is_usable: usable.is_ok() };
    layout::page(
        &frame,
        &html! {
            p .crumb { a href="/agents" { "Agents" } " / register" }
            h1 { "Register an agent" }
            p .lead { "A name of its own, somebody who answers for it, and bounds. It begins as a draft and can do nothing until it is activated; what you do not know yet can wait until then." }
            @if let Ok(other) = state.agent_named(NAME) {
                p .quiet { "The agent that is called like this page is " a href=(address(other)) { "here" } "." }
            }
            form .stack method="post" action="/agents/new" {
                (layout::token(viewer))
                (form.problem())
                (form.name())
                (form.record())
                button .primary type="submit" disabled[usable.is_err()] aria-describedby="register-why" { "Register" }
                (control::why("register-why", &usable))
            }
        },
    )
}

/// Whether `viewer` could register some agent.
pub(super) fn may_register(state: &Realm, viewer: &Viewer, now: Timestamp) -> Result<(), Refusal> {
    let some = RegisterAgent { name: "some-agent".to_owned(), profile: AgentProfile::default() };
    match control::may(state, viewer, &Command::RegisterAgent(Box::new(some)), now) {
        // There is one of that name, which is no reason against another.
        Err(refusal) if refusal.code == "name_taken" => Ok(()),
        other => other,
    }
}
