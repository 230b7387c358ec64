//! Who reaches what: people, the agents that they reach through, and the connectors that these reach, with lines between them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use maud::{Markup, html};
use remit_domain::{Agent, AgentId, Beyond, Caller, PersonId, Reachable, Reached, State, people_through};

use crate::parts::text::shown;

#[cfg(test)]
mod tests;

/// What one column shows; the rest is counted.
const ROWS_MAX: usize = 8;
/// How tall a row is, in pixels: as the style has it.
const ROW_HEIGHT: usize = 44;

/// Who may be in the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Who<'a> {
    Person(PersonId),
    Agent(AgentId),
    Connector(&'a str),
}

/// One column: those that are shown, in the order in which they came, and those that are only counted.
#[derive(Debug, Default)]
struct Column<'a> {
    rows: Vec<Who<'a>>,
    places: HashMap<Who<'a>, usize>,
    beyond: BTreeSet<Who<'a>>,
}

impl<'a> Column<'a> {
    /// Its place, if there is one for it.
    fn place(&mut self, who: Who<'a>) -> Option<usize> {
        if let Some(place) = self.places.get(&who) {
            return Some(*place);
        }
        if self.rows.len() == ROWS_MAX {
            self.beyond.insert(who);
            return None;
        }
        self.places.insert(who, self.rows.len());
        self.rows.push(who);
        Some(self.rows.len() - 1)
    }
}

/// Lines between the places of two columns, and whether each always holds.
type Lines = BTreeMap<(usize, usize), bool>;

/// A picture that grows by what was found.
#[derive(Debug)]
pub(crate) struct Reach<'a> {
    state: &'a State,
    people: Column<'a>,
    agents: Column<'a>,
    connectors: Column<'a>,
    through: Lines,
    reached: Lines,
}

/// What one agent reaches, and who reaches it through that agent.
pub(crate) fn of_agent<'a>(state: &'a State, agent: &Agent, found: &'a [Reached]) -> Reach<'a> {
    let mut reach = Reach::new(state);
    found.iter().for_each(|reached| reach.add_reached(agent.id, reached));
    reach.add_people(agent);
    reach
}

/// What one person reaches through agents.
pub(crate) fn of_person<'a>(state: &'a State, person: PersonId, found: &'a [Beyond]) -> Reach<'a> {
    let mut reach = Reach::new(state);
    for (agent, reached) in found.iter().flat_map(|beyond| &beyond.through) {
        reach.add_reached(*agent, reached);
        reach.add_person(person, *agent);
    }
    reach
}

/// The agents that can call what was asked about, and the people behind them.
pub(crate) fn of_callers<'a>(state: &'a State, found: &'a [Caller]) -> Reach<'a> {
    let mut reach = Reach::new(state);
    for caller in found {
        caller.reaches.iter().for_each(|reached| reach.add_reached(caller.agent.id, reached));
        reach.add_people(&caller.agent);
    }
    reach
}

impl<'a> Reach<'a> {
    fn new(state: &'a State) -> Self {
        let (people, agents, connectors) = (Column::default(), Column::default(), Column::default());
        Self { state, people, agents, connectors, through: Lines::new(), reached: Lines::new() }
    }

    fn add_reached(&mut self, agent: AgentId, reached: &'a Reached) {
        let from = self.agents.place(Who::Agent(agent));
        let to = self.connectors.place(Who::Connector(reached.operation.connector()));
        if let (Some(from), Some(to)) = (from, to) {
            *self.reached.entry((from, to)).or_default() |= reached.prospect.reachable == Reachable::Always;
        }
    }

    fn add_people(&mut self, agent: &Agent) {
        let (people, _) = people_through(self.state, agent);
        people.iter().for_each(|through| self.add_person(through.person, agent.id));
    }

    fn add_person(&mut self, person: PersonId, agent: AgentId) {
        let (from, to) = (self.people.place(Who::Person(person)), self.agents.place(Who::Agent(agent)));
        if let (Some(from), Some(to)) = (from, to) {
            self.through.insert((from, to), true);
        }
    }

    /// The picture, with the same in words below it; nothing where nothing is reached.
    pub(crate) fn picture(&self) -> Markup {
        if self.agents.rows.is_empty() {
            return html! {};
        }
        html! {
            figure .picture {
                div .reach {
                    (self.column("People", &self.people))
                    (lines(&self.through, self.people.rows.len().max(self.agents.rows.len())))
                    (self.column("Agents", &self.agents))
                    (lines(&self.reached, self.agents.rows.len().max(self.connectors.rows.len())))
                    (self.column("Connectors", &self.connectors))
                }
                figcaption .legend { span .always { "at least something of it always" } span .depends { "only where a condition holds, or after asking a person" } }
                (self.in_words())
            }
        }
    }

    fn column(&self, heading: &str, column: &Column<'_>) -> Markup {
        html! {
            div .column {
                p .heading { (heading) }
                ul aria-label=(heading) { @for who in &column.rows { li { (self.link(*who)) } } }
                @if !column.beyond.is_empty() { p .quiet { "and " (column.beyond.len()) " more" } }
            }
        }
    }

    fn link(&self, who: Who<'_>) -> Markup {
        let (address, name) = match who {
            Who::Person(person) => {
                let name = self.state.people.get(&person).map_or("somebody who has left", |person| &person.name);
                (format!("/people/{name}"), name)
            }
            Who::Agent(agent) => {
                let name = self.state.agents.get(&agent).map_or("an agent that is gone", |agent| &agent.name);
                (format!("/agents/{name}"), name)
            }
            Who::Connector(name) => (format!("/connectors/{name}"), name),
        };
        html! { a href=(address) title=(name) { (shown(name)) } }
    }

    /// For who does not see lines: each agent that is shown, with who reaches through it and what it reaches.
    fn in_words(&self) -> Markup {
        let listed = |column: &Column<'a>, places: Vec<usize>| {
            let found: Vec<_> = places.iter().filter_map(|place| column.rows.get(*place)).collect();
            html! { @for (nth, who) in found.iter().enumerate() { @if nth > 0 { ", " } (self.link(**who)) } }
        };
        html! {
            details {
                summary { "The same as a table" }
                div .scroll {
                    table .list {
                        thead { tr { th { "Agent" } th { "People who reach through it" } th { "Reaches" } th { "Reaches on conditions" } } }
                        tbody {
                            @for (place, agent) in self.agents.rows.iter().enumerate() {
                                tr {
                                    th scope="row" { (self.link(*agent)) }
                                    td { (listed(&self.people, self.through.keys().filter(|(_, to)| *to == place).map(|(from, _)| *from).collect())) }
                                    @for always in [true, false] { td { (listed(&self.connectors, self.reached_from(place, always))) } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    fn reached_from(&self, agent: usize, always: bool) -> Vec<usize> {
        let of_it = self.reached.iter().filter(|((from, _), holds)| *from == agent && **holds == always);
        of_it.map(|((_, to), _)| *to).collect()
    }
}

/// The lines between two columns of at most `rows` rows.
fn lines(lines: &Lines, rows: usize) -> Markup {
    let middle = |place: usize| place * ROW_HEIGHT + ROW_HEIGHT / 2;
    let path = |always: bool| {
        let drawn = lines.iter().filter(|(_, holds)| **holds == always).map(|((from, to), _)| {
            let (from, to) = (middle(*from), middle(*to));
            format!("M0 {from}C50 {from} 50 {to} 100 {to}")
        });
        drawn.collect::<String>()
    };
    let height = rows * ROW_HEIGHT;
    html! {
        svg .links aria-hidden="true" viewBox={ "0 0 100 " (height) } height=(height) preserveAspectRatio="none" {
            @for (class, path) in [("always", path(true)), ("depends", path(false))] {
                @if !path.is_empty() { path .(class) d=(path) {} }
            }
        }
    }
}
