//! Who can change an artefact: who may propose it, who may approve what another proposed, and who may change it alone.
//!
//! The rules are those of [`change`](crate::Change) and are asked, not repeated: each person is put to them as if they tried.

use std::str::FromStr;

use serde::Serialize;

use crate::{
    Actor, AddConnector, AgentProfile, ChangeId, Edit, Moment, OperationEdit, OperationName, OperationPattern, Person,
    PersonId, PolicyEdit, Refusal, SignInMethod, State, Timestamp, agent, change, connector, limits, operation, person,
};

/// Something under change control, as people name it: `policy:NAME`, `connector:NAME`, `operation:CONNECTOR/TOOL`, `person:NAME`,
/// `agent:NAME`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Artefact {
    Policy(String),
    Connector(String),
    Operation(OperationName),
    Person(String),
    Agent(String),
}

impl FromStr for Artefact {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self, Refusal> {
        let shown: String = text.chars().take(limits::NAME_BYTES_MAX * 2).collect();
        let unknown = || {
            Refusal::new("bad_artefact", format!("`{shown}` is not an artefact")).help(
                "write `policy:NAME`, `connector:NAME`, `operation:CONNECTOR/TOOL`, `person:NAME` or `agent:NAME`",
            )
        };
        let (kind, name) = text.split_once(':').ok_or_else(unknown)?;
        if kind == "operation" {
            let pattern: OperationPattern = name.parse()?;
            let (connector, tool) =
                pattern.as_str().split_once('/').filter(|(_, tool)| *tool != "*").ok_or_else(unknown)?;
            return Ok(Self::Operation(OperationName::new(connector, tool)));
        }
        person::check_name(kind, name)?;
        let name = name.to_owned();
        match kind {
            "policy" => Ok(Self::Policy(name)),
            "connector" => Ok(Self::Connector(name)),
            "person" => Ok(Self::Person(name)),
            "agent" => Ok(Self::Agent(name)),
            _ => Err(unknown()),
        }
    }
}

/// Why somebody may change something without another person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Alone {
    /// The realm has never had a second administrator, so nobody could approve it.
    Founding,
    /// As an emergency, which two other people review afterwards.
    Emergency,
    /// It only takes something away.
    TakingAway,
}

/// Who may do what to one part of an artefact, as far as it is changed by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// What of it: `text`, `spec`, `classification`, `groups`, `entitlements`, `approvers`, `configuration`.
    pub part: &'static str,
    pub propose: Vec<PersonId>,
    /// Each of them, unless they proposed it.
    pub approve: Vec<PersonId>,
    pub alone: Vec<(PersonId, Alone)>,
    /// Whether there are more people in one of these than [`limits::WHO_PEOPLE_MAX`].
    pub more: bool,
}

/// Who can change an artefact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CanChange {
    /// Whether there is such a thing yet; if not, it can be added.
    pub is_there: bool,
    /// Whether the realm has never had a second administrator.
    pub founding: bool,
    /// The emergency change because of which nobody may make another.
    pub overdue: Option<ChangeId>,
    pub parts: Vec<Part>,
}

/// A part of an artefact, with an edit that stands for any of it.
struct Facet {
    part: &'static str,
    edit: Edit,
    takes_away: Option<TakesAway>,
}

/// Whether somebody may take something away, asked of whoever decides it.
type TakesAway = Box<dyn Fn(&State, &Actor, &Moment) -> Result<(), Refusal>>;

/// Who can change `artefact` at `now`.
///
/// # Errors
/// If there is no such connector, operation, person or agent. A policy that is not there can be added.
pub fn who_can_change(state: &State, artefact: &Artefact, now: Timestamp) -> Result<CanChange, Refusal> {
    let is_there = match artefact {
        Artefact::Policy(name) => state.policies.sources.contains_key(name),
        _ => true,
    };
    let mut people: Vec<_> = state.people.values().collect();
    people.sort_unstable_by(|one, other| one.name.cmp(&other.name));
    let moment = Moment::new(now, 0);
    let part = |facet: Facet| asked(state, &people, &facet, &moment);
    let parts = facets(state, artefact)?.into_iter().map(part).collect();
    Ok(CanChange { is_there, founding: state.is_founding(), overdue: change::overdue(state, now), parts })
}

/// Puts everybody to the rules.
fn asked(state: &State, people: &[&std::sync::Arc<Person>], facet: &Facet, moment: &Moment) -> Part {
    let Facet { part, edit, takes_away } = facet;
    let mut answer = Part { part, propose: Vec::new(), approve: Vec::new(), alone: Vec::new(), more: false };
    for person in people {
        let person = person.id;
        let actor = Actor::Person { person, method: SignInMethod::LocalSocket };
        let can_propose = edit.may_be_proposed(state, &actor).is_ok();
        if can_propose {
            answer.propose.push(person);
        }
        if edit.may_be_approved_by(state, person) {
            answer.approve.push(person);
        }
        let edits = std::slice::from_ref(edit);
        let alone = [
            (can_propose && state.is_founding() && actor.administrator(state).is_ok(), Alone::Founding),
            (
                can_propose
                    && !state.is_founding()
                    && change::may_be_emergency(state, &actor, edits, moment.now).is_ok(),
                Alone::Emergency,
            ),
            (
                takes_away.as_ref().is_some_and(|takes_away| takes_away(state, &actor, moment).is_ok()),
                Alone::TakingAway,
            ),
        ];
        answer.alone.extend(alone.into_iter().filter(|(may, _)| *may).map(|(_, why)| (person, why)));
    }
    let max = limits::WHO_PEOPLE_MAX;
    answer.more = answer.propose.len() > max || answer.approve.len() > max || answer.alone.len() > max;
    answer.propose.truncate(max);
    answer.approve.truncate(max);
    answer.alone.truncate(max);
    answer
}

fn facets(state: &State, artefact: &Artefact) -> Result<Vec<Facet>, Refusal> {
    let facet = |part, edit, takes_away| Facet { part, edit, takes_away };
    Ok(match artefact {
        Artefact::Policy(name) => {
            vec![facet("text", Edit::Policy(PolicyEdit { name: name.clone(), text: None }), None)]
        }
        Artefact::Connector(name) => {
            let known = state.connector_named(name)?;
            let (id, name, owner, spec) = (known.id, known.name.clone(), Some(known.owner), known.spec.clone());
            let add = AddConnector { name, owner, spec, sandbox: known.sandbox };
            let remove: TakesAway =
                Box::new(move |state, actor, _| connector::decide_remove(state, actor, id).map(drop));
            vec![facet("spec", Edit::Connector(Box::new(add)), Some(remove))]
        }
        Artefact::Operation(name) => {
            let known = state.operations.get(name).ok_or_else(|| Refusal::unknown("operation", name))?;
            let connector = state.connector_named(name.connector())?.id;
            let edit = OperationEdit { connector, choice: known.choice() };
            let name = name.clone();
            let withdraw: TakesAway =
                Box::new(move |state, actor, _| operation::decide_withdraw(state, actor, &name, "asked").map(drop));
            vec![facet("classification", Edit::Operation(Box::new(edit)), Some(withdraw))]
        }
        Artefact::Person(name) => of_person(state.person_named(name)?),
        Artefact::Agent(name) => of_agent(state.agent_named(name)?),
    })
}

fn of_person(known: &Person) -> Vec<Facet> {
    let person = known.id;
    let leave: TakesAway =
        Box::new(move |state, actor, moment| person::decide_set_groups(state, actor, person, &[], moment).map(drop));
    let (operations, absence) = (known.entitlements.clone(), known.absence.clone());
    vec![
        Facet {
            part: "groups",
            edit: Edit::Groups { person, groups: known.groups.clone() },
            takes_away: Some(leave).filter(|_| !known.groups.is_empty()),
        },
        Facet { part: "entitlements", edit: Edit::Entitlements { person, operations }, takes_away: None },
        Facet { part: "absence", edit: Edit::Absence { person, absence }, takes_away: None },
    ]
}

fn of_agent(known: &agent::Agent) -> Vec<Facet> {
    let (agent, configuration) = (known.id, known.configuration.clone());
    let mut facets = Vec::new();
    if let Some(owner) = known.profile.owner {
        let fewer = AgentProfile { approvers: Vec::new(), ..known.profile.clone() };
        let drop_approvers: TakesAway =
            Box::new(move |state, actor, moment| agent::decide_describe(state, actor, agent, &fewer, moment).map(drop));
        let approvers = known.profile.approvers.clone();
        facets.push(Facet {
            part: "approvers",
            takes_away: Some(drop_approvers).filter(|_| !approvers.is_empty()),
            edit: Edit::Approvers { agent, owner, approvers },
        });
    }
    facets.push(Facet { part: "configuration", edit: Edit::Configuration { agent, configuration }, takes_away: None });
    facets
}
