//! Edits: what a change does to one artefact, who may propose it, and who may approve it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Absence, Actor, AddConnector, AgentId, Configuration, ConnectorId, Digest, Event, Moment, OperationChoice,
    OperationPattern, PersonId, PolicyEdit, Refusal, State, configuration, connector, operation, person,
};

/// What becomes of one artefact.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "artefact", rename_all = "snake_case")]
pub enum Edit {
    /// One text of the policies, set or removed.
    Policy(PolicyEdit),
    /// A connector is added, or the one of this name is reached in another way.
    Connector(Box<AddConnector>),
    /// An operation's definition and classification.
    Operation(Box<OperationEdit>),
    /// The groups that a person is in, which policies name as approvers.
    Groups { person: PersonId, groups: Vec<String> },
    /// Who answers and approves for an agent.
    Approvers { agent: AgentId, owner: PersonId, approvers: Vec<PersonId> },
    /// What a person may reach directly, as far as that is on record here.
    Entitlements { person: PersonId, operations: Option<Vec<OperationPattern>> },
    /// Who answers in a person's place, and when.
    Absence { person: PersonId, absence: Option<Absence> },
    /// The prompt, model and tools that an agent is approved with.
    Configuration { agent: AgentId, configuration: Option<Configuration> },
}

/// One operation of a connector as it shall be approved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OperationEdit {
    pub connector: ConnectorId,
    pub choice: OperationChoice,
}

impl Edit {
    /// The artefact that it is about, as people name it: `policy:NAME`, `operation:CONNECTOR/TOOL`.
    pub fn artefact(&self, state: &State) -> String {
        match self {
            Self::Policy(edit) => format!("policy:{}", edit.name),
            Self::Connector(add) => format!("connector:{}", add.name),
            Self::Operation(edit) => {
                format!("operation:{}/{}", connector_name(state, edit.connector), edit.choice.tool)
            }
            Self::Groups { person, .. } | Self::Entitlements { person, .. } | Self::Absence { person, .. } => {
                format!("person:{}", state.people.get(person).map_or_else(|| person.to_string(), |it| it.name.clone()))
            }
            Self::Approvers { agent, .. } | Self::Configuration { agent, .. } => {
                format!("agent:{}", state.agents.get(agent).map_or_else(|| agent.to_string(), |it| it.name.clone()))
            }
        }
    }

    /// Digest of the artefact as it is now: a change is about what its author saw.
    ///
    /// All policies are one artefact here, since each is checked together with the others.
    pub(crate) fn base(&self, state: &State) -> Digest {
        match self {
            Self::Policy(_) => state.policies.digest(),
            Self::Connector(add) => {
                let known = state.connector_named(&add.name).ok();
                Digest::of_document(&known.map(|known| (known.id, known.owner, &known.spec, known.sandbox)))
            }
            Self::Operation(edit) => {
                let name = format!("{}/{}", connector_name(state, edit.connector), edit.choice.tool);
                Digest::of_document(&state.operations.get(name.as_str()).map(|known| {
                    (
                        known.digest,
                        known.verb,
                        known.risk,
                        known.data,
                        known.external,
                        known.irreversible,
                        &known.projections,
                        &known.withdrawn,
                        state.connectors.get(&edit.connector).map(|connector| &connector.spec),
                    )
                }))
            }
            Self::Groups { person, .. } => Digest::of_document(&state.people.get(person).map(|person| &person.groups)),
            Self::Approvers { agent, .. } => {
                let profile = state.agents.get(agent).map(|agent| &agent.profile);
                Digest::of_document(&profile.map(|profile| (profile.owner, &profile.approvers)))
            }
            Self::Entitlements { person, .. } => {
                Digest::of_document(&state.people.get(person).map(|person| &person.entitlements))
            }
            Self::Absence { person, .. } => {
                Digest::of_document(&state.people.get(person).map(|person| &person.absence))
            }
            Self::Configuration { agent, .. } => {
                Digest::of_document(&state.agents.get(agent).map(|agent| &agent.configuration))
            }
        }
    }

    /// The edit that would bring its artefact back to what it is in `then`; nothing where what was added cannot be taken back by an
    /// edit, but is removed.
    pub fn as_it_was(&self, then: &State) -> Option<Self> {
        match self {
            Self::Policy(edit) => {
                let text = then.policies.sources.get(&edit.name).cloned();
                Some(Self::Policy(PolicyEdit { name: edit.name.clone(), text }))
            }
            Self::Connector(add) => then.connector_named(&add.name).ok().map(|known| {
                let (name, owner) = (known.name.clone(), Some(known.owner));
                Self::Connector(Box::new(AddConnector {
                    name,
                    owner,
                    spec: known.spec.clone(),
                    sandbox: known.sandbox,
                }))
            }),
            Self::Operation(edit) => {
                let name = format!("{}/{}", connector_name(then, edit.connector), edit.choice.tool);
                then.operations.get(name.as_str()).map(|known| {
                    Self::Operation(Box::new(OperationEdit { connector: edit.connector, choice: known.choice() }))
                })
            }
            Self::Groups { person, .. } => {
                let groups = then.people.get(person)?.groups.clone();
                Some(Self::Groups { person: *person, groups })
            }
            Self::Approvers { agent, .. } => {
                let profile = &then.agents.get(agent)?.profile;
                Some(Self::Approvers { agent: *agent, owner: profile.owner?, approvers: profile.approvers.clone() })
            }
            Self::Entitlements { person, .. } => {
                let operations = then.people.get(person)?.entitlements.clone();
                Some(Self::Entitlements { person: *person, operations })
            }
            Self::Absence { person, .. } => {
                let absence = then.people.get(person)?.absence.clone();
                Some(Self::Absence { person: *person, absence })
            }
            Self::Configuration { agent, .. } => {
                let configuration = then.agents.get(agent)?.configuration.clone();
                Some(Self::Configuration { agent: *agent, configuration })
            }
        }
    }

    /// The same edit in the terms of `now`: of the connector that bears the name which its own bore `then`. One that is reached in
    /// another way, or was removed and added again, has another id.
    #[must_use]
    pub fn moved_on(self, then: &State, now: &State) -> Self {
        match self {
            Self::Operation(edit) if !now.connectors.contains_key(&edit.connector) => {
                let name = connector_name(then, edit.connector);
                let connector = now.connector_named(&name).map_or(edit.connector, |known| known.id);
                Self::Operation(Box::new(OperationEdit { connector, ..*edit }))
            }
            other => other,
        }
    }

    /// Whether whoever acts may propose this at all.
    pub(crate) fn may_be_proposed(&self, state: &State, actor: &Actor) -> Result<(), Refusal> {
        match self {
            Self::Policy(_) => actor.person().map(|_| ()),
            Self::Connector(add) => {
                actor.administrator(state)?;
                // Where a process would be started, being on this machine counts, and that is the author's to show.
                connector::check_spec(actor, &add.spec)
            }
            Self::Operation(edit) => {
                let known = state.connectors.get(&edit.connector);
                let known = known.ok_or_else(|| Refusal::unknown("connector", edit.connector))?;
                match actor.person()? {
                    owner if owner == known.owner => Ok(()),
                    _ => actor.administrator(state).map(|_| ()),
                }
            }
            Self::Groups { .. } | Self::Entitlements { .. } => actor.administrator(state).map(|_| ()),
            Self::Absence { person, .. } if actor.person()? == *person => Ok(()),
            Self::Absence { .. } => actor.administrator(state).map(|_| ()),
            Self::Approvers { agent, .. } | Self::Configuration { agent, .. } => {
                actor.owner_of(state, *agent).map(|_| ())
            }
        }
    }

    /// Whether this gives `person` something, or is about what they have been given.
    pub(crate) fn gives_to(&self, state: &State, person: PersonId) -> bool {
        match self {
            Self::Policy(_) | Self::Operation(_) | Self::Configuration { .. } => false,
            Self::Connector(add) => {
                add.owner == Some(person) && state.connector_named(&add.name).is_ok_and(|known| known.owner != person)
            }
            Self::Groups { person: given, .. } | Self::Entitlements { person: given, .. } => *given == person,
            Self::Absence { person: absent, absence } => {
                *absent == person || absence.as_ref().is_some_and(|absence| absence.deputy == person)
            }
            Self::Approvers { agent, owner, approvers } => {
                let profile = state.agents.get(agent).map(|agent| &agent.profile);
                let was_owner = profile.is_some_and(|known| known.owner == Some(person));
                let was_named = was_owner || profile.is_some_and(|known| known.approvers.contains(&person));
                (*owner == person && !was_owner) || (approvers.contains(&person) && !was_named)
            }
        }
    }

    /// Whether `person` may approve this, if they did not propose it. Nobody approves what gives something to themselves.
    pub(crate) fn may_be_approved_by(&self, state: &State, person: PersonId) -> bool {
        if self.gives_to(state, person) {
            return false;
        }
        let is_administrator = state.people.get(&person).is_some_and(|person| person.is_administrator());
        match self {
            Self::Policy(_) | Self::Connector(_) => is_administrator,
            Self::Operation(edit) => {
                is_administrator || state.connectors.get(&edit.connector).is_some_and(|known| known.owner == person)
            }
            Self::Groups { .. } | Self::Entitlements { .. } | Self::Absence { .. } => is_administrator,
            Self::Approvers { agent, .. } | Self::Configuration { agent, .. } => {
                is_administrator || state.agents.get(agent).is_some_and(|agent| agent.profile.owner == Some(person))
            }
        }
    }

    /// The same, with whoever shall own a connector named before anybody approves it: who is its owner, or else the author.
    pub(crate) fn with_owner(self, state: &State, author: PersonId) -> Self {
        match self {
            Self::Connector(add) => {
                let known = state.connector_named(&add.name).ok().map(|known| known.owner);
                let owner = add.owner.or(known).or(Some(author));
                Self::Connector(Box::new(AddConnector { owner, ..*add }))
            }
            other => other,
        }
    }

    /// What happens if this comes about. Policies are left out: all that one change edits are activated together.
    pub(crate) fn deed(&self, state: &State, by: PersonId, at: &Moment) -> Result<Vec<Event>, Refusal> {
        Ok(match self {
            Self::Policy(_) => Vec::new(),
            Self::Connector(add) => connector::added(state, add, by, at)?,
            Self::Operation(edit) => vec![operation::approved(state, edit, by)?],
            Self::Groups { person, groups } => vec![person::groups_set(state, *person, groups)?],
            Self::Approvers { agent, owner, approvers } => {
                vec![crate::agent::approvers_set(state, *agent, *owner, approvers)?]
            }
            Self::Entitlements { person, operations } => {
                vec![person::entitled(state, *person, operations.as_deref(), by)?]
            }
            Self::Absence { person, absence } => {
                vec![person::absence_set(state, *person, absence.as_ref(), by, at.now)?]
            }
            Self::Configuration { agent, configuration } => {
                vec![configuration::approved(state, *agent, configuration.as_ref(), by)?]
            }
        })
    }
}

fn connector_name(state: &State, connector: ConnectorId) -> String {
    state.connectors.get(&connector).map_or_else(|| connector.to_string(), |connector| connector.name.clone())
}
