//! Questions that run the other way: who can call an operation or see a class of data, what an agent or a person reaches.

mod answer;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use maud::{Markup, html};
use remit_domain::{DataClass, PersonId, Refusal, Right, State as Realm, may};
use serde::Deserialize;

use self::answer::Answer;
use crate::errors::PageError;
use crate::layout::{self, Frame, Place};
use crate::parts::filters;
use crate::parts::text::{shown, told};
use crate::session::Viewer;
use crate::{Console, answers, limits};

/// What may be asked.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Ask {
    #[default]
    Call,
    See,
    Agent,
    Person,
}

impl Ask {
    const EACH: [Self; 4] = [Self::Call, Self::See, Self::Agent, Self::Person];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Call => "call",
            Self::See => "see",
            Self::Agent => "agent",
            Self::Person => "person",
        }
    }

    const fn label(self) -> &'static str {
        match self {
            Self::Call => "Who can call an operation",
            Self::See => "Who can see data",
            Self::Agent => "What an agent reaches",
            Self::Person => "What a person reaches",
        }
    }

    /// What stands beside the field, and in it.
    const fn field(self) -> (&'static str, &'static str) {
        match self {
            Self::Call => ("Operation", "connector/tool"),
            Self::See => ("Class of data, and above", ""),
            Self::Agent => ("Agent", "its name"),
            Self::Person => ("Person, beyond what they may use themselves", "their name"),
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Question {
    ask: Ask,
    about: String,
    /// Where the page before stopped.
    after: String,
}

impl Question {
    fn about(&self) -> &str {
        self.about.trim()
    }

    fn after(&self) -> Option<&str> {
        Some(self.after.as_str()).filter(|after| !after.is_empty())
    }

    /// The address at which the same question goes on after `place`.
    fn onwards(&self, place: &str) -> String {
        filters::address("/who", &[("ask", self.ask.as_str()), ("about", self.about()), ("after", place)])
    }
}

pub(crate) async fn who(
    State(console): State<Console>,
    viewer: Viewer,
    question: Result<Query<Question>, QueryRejection>,
) -> Result<Markup, PageError> {
    let Query(question) = question.map_err(|_| Refusal::new("bad_query", "this is not a question of this page"))?;
    let state = console.engine.state();
    let now = console.engine.now();
    let waiting = answers::waiting_count(&state, &viewer.actor(), now);
    let frame = Frame { title: "Who can", place: Place::Who, viewer: &viewer, waiting, refreshes: false };
    may_ask(&state, viewer.person, &question)?;
    let form = form(&state, &question);
    let answer =
        if question.about().is_empty() { nothing_asked() } else { answered(&console, &state, question).await? };
    let lead = "Answered by the policies as they are now, one agent and one operation at a time. Nothing is looked up in a list that could be old.";
    Ok(layout::page(
        &frame,
        &html! {
            div .page-head { div { h1 { "Who can" } p { (lead) } } }
            (form)
            (answer)
        },
    ))
}

/// Asks on a thread that may take its time, since a question may take all that a page has.
async fn answered(console: &Console, state: &Arc<Realm>, question: Question) -> Result<Markup, PageError> {
    let (engine, state) = (console.engine.clone(), Arc::clone(state));
    let asked = tokio::task::spawn_blocking(move || {
        let clock = || engine.now();
        let answer = Answer { state: &state, question: &question, now: engine.now(), clock: &clock };
        answer.render().unwrap_or_else(|refusal| refused(&refusal))
    });
    let failed = |_| Refusal::new("unanswered", "the question was not answered").help("ask it again");
    asked.await.map_err(|error| PageError::Unavailable(failed(error)))
}

fn refused(refusal: &Refusal) -> Markup {
    html! {
        div .notice {
            p .sentence { (told(&refusal.sentence)) }
            @if let Some(help) = &refusal.help { p .quiet { (told(help)) } }
        }
    }
}

fn nothing_asked() -> Markup {
    html! {
        div .empty {
            p { "Ask the question that an auditor asks." }
            p { "The answer names the policy and the grant, and says what it depends on. On the command line: " code { "remit who can call helpdesk/refund" } }
        }
    }
}

/// Refuses who may not know the answer: of an agent of theirs, and of themselves, everybody may.
fn may_ask(state: &Realm, person: PersonId, question: &Question) -> Result<(), Refusal> {
    let about = question.about();
    match question.ask {
        _ if about.is_empty() => Ok(()),
        Ask::Agent => {
            let agent = state.agent_named(about).map(|agent| agent.id);
            may(state, person, agent.map_or(Right::ReadRecords, Right::ReadAgent))
        }
        Ask::Person if state.person_named(about).is_ok_and(|named| named.id == person) => Ok(()),
        Ask::Call | Ask::See | Ask::Person => may(state, person, Right::ReadRecords),
    }
}

fn form(state: &Realm, question: &Question) -> Markup {
    let ask = question.ask;
    let (label, hint) = ask.field();
    html! {
        nav .tabs aria-label="Which question" {
            @for each in Ask::EACH {
                a href={ "/who?ask=" (each.as_str()) } aria-current=[(each == ask).then_some("page")] { (each.label()) }
            }
        }
        form .filters method="get" action="/who" aria-label=(ask.label()) {
            input type="hidden" name="ask" value=(ask.as_str());
            label {
                (label)
                @if ask == Ask::See {
                    select name="about" required { @for class in data_classes() { option value=(class) selected[question.about() == class] { (class) } } }
                } @else {
                    input type="text" name="about" value=(question.about) maxlength="256" required autocomplete="off" list="names" placeholder=(hint);
                }
            }
            @if ask != Ask::See { datalist #names { @for name in names(state, ask) { option value=(name) {} } } }
            button type="submit" { "Ask" }
            p .quiet { "Where there is much to ask, it may take a second, and the page says how far it came." }
        }
    }
}

fn data_classes() -> impl Iterator<Item = String> {
    [DataClass::D0, DataClass::D1, DataClass::D2, DataClass::D3].into_iter().map(|class| format!("{class:?}"))
}

/// What can be asked about, as far as a list goes.
fn names(state: &Realm, ask: Ask) -> Vec<&str> {
    let mut names: Vec<&str> = match ask {
        Ask::Call => state.operations.keys().map(remit_domain::OperationName::as_str).collect(),
        Ask::See => Vec::new(),
        Ask::Agent => state.agents_by_name.keys().map(String::as_str).collect(),
        Ask::Person => state.people_by_name.keys().map(String::as_str).collect(),
    };
    names.sort_unstable();
    names.truncate(limits::LIST_ROWS_MAX);
    names
}

/// A name that somebody asked about, in a sentence.
fn quoted(about: &str) -> Markup {
    html! { "“" (shown(about)) "”" }
}
