//! What a question is answered with: a picture, and a table that says why.

use maud::{Markup, html};
use remit_domain::{
    ASSUMPTION, Beyond, Caller, Callers, DataClass, OperationName, RULE, Reachable, Reached, Refusal, State, Timestamp,
    Walk, people_through, what_agent_reaches, what_person_reaches, who_can_call, who_can_see,
};

use super::{Ask, Question, quoted};
use crate::limits;
use crate::names::Names;
use crate::parts::chart::reach;
use crate::parts::id;
use crate::parts::pill::{Tone, pill};
use crate::parts::text::{shown, told};

/// A question with what it is answered from.
pub(super) struct Answer<'a> {
    pub(super) state: &'a State,
    pub(super) question: &'a Question,
    pub(super) now: Timestamp,
    /// What time it is by now: a page stops asking when its time is over.
    pub(super) clock: &'a dyn Fn() -> Timestamp,
}

/// How far a page came.
struct Walked<Found> {
    found: Vec<Found>,
    asked: usize,
    total: usize,
    /// Where it goes on, if it did not come to the end.
    place: Option<String>,
    is_slow: bool,
}

impl Answer<'_> {
    /// # Errors
    /// If it asks about what is not there.
    pub(super) fn render(&self) -> Result<Markup, Refusal> {
        let (state, about, after) = (self.state, self.question.about(), self.question.after());
        match self.question.ask {
            Ask::Call => {
                let named = about.split_once('/').filter(|(connector, tool)| !connector.is_empty() && !tool.is_empty());
                let (connector, tool) = named.ok_or_else(|| {
                    Refusal::new("bad_operation", "that is not an operation").help("write `connector/tool`")
                })?;
                let operation = OperationName::new(connector, tool);
                Ok(self.callers(who_can_call(state, &operation, after, self.now)?, "remit who can call"))
            }
            Ask::See => {
                let data = match about {
                    "D0" => DataClass::D0,
                    "D1" => DataClass::D1,
                    "D2" => DataClass::D2,
                    "D3" => DataClass::D3,
                    _ => return Err(Refusal::new("bad_data_class", "a class of data is one of `D0` to `D3`")),
                };
                Ok(self.callers(who_can_see(state, data, after, self.now)?, "remit who can see"))
            }
            Ask::Agent => {
                let agent = state.agent_named(about)?;
                let walked = self.walk(what_agent_reaches(state, agent.id, after, self.now)?);
                let picture = reach::of_agent(state, agent, &walked.found).picture();
                let row = |reached: &Reached| html! { tr { (cells(reached)) } };
                let heads = ["Operation", "Reach", "If", "Grant", "By policy"];
                Ok(self.page(&picture, &html! {}, &self.table(&walked, &heads, row, "remit what agent")))
            }
            Ask::Person => self.person(about, after),
        }
    }

    fn person(&self, about: &str, after: Option<&str>) -> Result<Markup, Refusal> {
        let person = self.state.person_named(about)?;
        let walk = what_person_reaches(self.state, person.id, after, self.now)?;
        let note = match walk.entitlements() {
            Some(_) => "What their own entitlements cover is left out.",
            None => "No entitlements are on record, so everything below is beyond them.",
        };
        let walked = self.walk(walk);
        let picture = reach::of_person(self.state, person.id, &walked.found).picture();
        let row = |beyond: &Beyond| {
            html! {
                @for (agent, reached) in beyond.through.iter().take(1) {
                    tr {
                        (cells(reached))
                        td { (Names(self.state).agent(*agent)) @if beyond.agents > 1 { " and " (beyond.agents - 1) " more" } }
                    }
                }
            }
        };
        let heads = ["Operation", "Reach", "If", "Grant", "By policy", "Through"];
        let table = self.table(&walked, &heads, row, "remit what person");
        Ok(self.page(&picture, &html! { p .notice { (note) } }, &table))
    }

    fn callers(&self, walk: Callers<'_>, command: &str) -> Markup {
        let (state, names) = (self.state, Names(self.state));
        let direct = walk.entitled();
        let walked = self.walk(walk);
        let picture = reach::of_callers(state, &walked.found).picture();
        let row = |caller: &Caller| {
            let (people, more) = people_through(state, &caller.agent);
            html! {
                @if let Some(reached) = caller.reaches.first() {
                    tr {
                        td { (names.agent(caller.agent.id)) }
                        td { @if let Some(owner) = caller.agent.profile.owner { (names.person(owner)) } }
                        (cells(reached))
                        td {
                            @for (place, through) in people.iter().enumerate() { @if place > 0 { ", " } (names.person(through.person)) }
                            @if more { " …" }
                        }
                    }
                }
            }
        };
        let heads = ["Agent", "Owner", "Operation", "Reach", "If", "Grant", "By policy", "People through it"];
        let table = self.table(&walked, &heads, row, command);
        let people = html! {
            @if !direct.is_empty() {
                section aria-labelledby="direct" {
                    h2 #direct { "People, directly" }
                    p {
                        @for (place, person) in direct.iter().take(limits::LIST_ROWS_MAX).enumerate() {
                            @if place > 0 { ", " } (names.person(person.person))
                        }
                        @if direct.len() > limits::LIST_ROWS_MAX { " and " (direct.len() - limits::LIST_ROWS_MAX) " more" }
                    }
                }
            }
        };
        html! { (self.page(&picture, &people, &table)) p .quiet { "People: " (RULE) "." } }
    }

    fn page(&self, picture: &Markup, beside: &Markup, table: &Markup) -> Markup {
        let heading = match self.question.ask {
            Ask::Call | Ask::See => "Through agents",
            Ask::Agent => "What it reaches, and who through it",
            Ask::Person => "What they reach through agents",
        };
        html! {
            (beside)
            section .stack aria-labelledby="reached" {
                h2 #reached { (heading) }
                (picture)
                (table)
            }
        }
    }

    /// Asks until a page is full or its time is over.
    fn walk<W: Walk>(&self, mut walk: W) -> Walked<W::Found> {
        let total = walk.total();
        let mut walked = Walked { found: Vec::new(), asked: 0, total, place: None, is_slow: false };
        while walked.found.len() < limits::LIST_ROWS_MAX && walked.asked < limits::WHO_STEPS_MAX && !walked.is_slow {
            let Some(step) = walk.step() else { return walked };
            walked.asked += 1;
            walked.found.extend(step);
            walked.is_slow = (self.clock)().millis_since(self.now) > limits::WHO_MILLISECONDS_MAX;
        }
        if walked.asked < total {
            walked.place = walk.place().map(str::to_owned);
        }
        walked
    }

    /// What was found, how far that is, and how to go on.
    fn table<F>(&self, walked: &Walked<F>, heads: &[&str], row: impl Fn(&F) -> Markup, command: &str) -> Markup {
        html! {
            @if walked.found.is_empty() {
                p .quiet { "Nothing was found about " (quoted(self.question.about())) ": of " (walked.asked) " that were asked, none." }
            } @else {
                div .scroll tabindex="0" {
                    table .list {
                        thead { tr { @for head in heads { th { (head) } } } }
                        tbody { @for one in &walked.found { (row(one)) } }
                    }
                }
            }
            @if let Some(place) = &walked.place {
                div .notice {
                    @if walked.is_slow { p { "This question takes long: there is much to ask, so the page stopped in between." } }
                    p {
                        (walked.asked) " of " (walked.total) " were asked. "
                        a rel="next" href=(self.question.onwards(place)) { "Go on from here" }
                        ", or ask for all of it: " code { (command) " " (shown(self.question.about())) }
                    }
                }
            }
            p .quiet { "Assumed: " (ASSUMPTION) "." }
        }
    }
}

/// What stands in a row about one operation.
fn cells(reached: &Reached) -> Markup {
    let prospect = &reached.prospect;
    html! {
        td {
            code { (shown(reached.operation.as_str())) }
            @if reached.enforced_elsewhere { " " span .quiet { "enforced elsewhere" } }
        }
        td {
            @match prospect.reachable {
                Reachable::Always => (pill(Tone::Good, "always")),
                Reachable::Depends => (pill(Tone::Waits, "it depends")),
                Reachable::Never => (pill(Tone::Bad, "never")),
            }
        }
        td {
            @if let Some(condition) = &prospect.condition { code { (shown(condition)) } }
            @for ask in &prospect.asks { " asks " (told(&ask.in_words())) }
        }
        td { @if let Some(grant) = reached.grant { a href={ "/grants/" (grant) } { (id::short(grant)) } } }
        td { (shown(&prospect.policies.join(", "))) }
    }
}
