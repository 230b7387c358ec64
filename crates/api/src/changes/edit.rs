//! Edits as people write them: names instead of ids, and only what changes.

use remit_domain::{
    Absence, Configuration, DataClass, Definition, Edit, OperationChoice, OperationEdit, OperationPattern, PersonId,
    PolicyEdit, Projection, Refusal, State, Verb,
};
use serde::Deserialize;
use serde_json::Value;

use crate::{connectors, names, time};

/// What is to become of one artefact.
#[derive(Debug, Deserialize)]
#[serde(tag = "artefact", rename_all = "snake_case")]
pub(crate) enum EditInput {
    Policy(PolicyEdit),
    Connector(connectors::Add),
    Operation(Box<OperationInput>),
    Groups(GroupsInput),
    Approvers(ApproversInput),
    Entitlements(EntitlementsInput),
    Absence(AbsenceInput),
    Configuration(ConfigurationInput),
}

/// An operation; what is left out stays as it is pinned.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OperationInput {
    /// `connector/tool`
    operation: String,
    verb: Option<Verb>,
    risk: Option<u8>,
    data: Option<DataClass>,
    external: Option<bool>,
    irreversible: Option<bool>,
    projections: Option<Vec<Projection>>,
    /// The definition, for what no server lists.
    definition: Option<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct GroupsInput {
    /// Id or name.
    person: String,
    groups: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ApproversInput {
    /// Id or name.
    agent: String,
    /// Id or name of a person; as it is if left out.
    owner: Option<String>,
    /// Ids or names of people; as they are if left out.
    approvers: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EntitlementsInput {
    /// Id or name.
    person: String,
    /// Nothing: what they may reach directly is not on record here.
    operations: Option<Vec<OperationPattern>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AbsenceInput {
    /// Id or name.
    person: String,
    /// Nothing: they are there.
    absence: Option<AwayInput>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AwayInput {
    /// Id or name of whoever answers meanwhile.
    deputy: String,
    /// RFC 3339.
    from: String,
    until: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConfigurationInput {
    /// Id or name.
    agent: String,
    /// Nothing: it may run with any.
    configuration: Option<Configuration>,
}

impl EditInput {
    /// The edit that is meant in `state`.
    ///
    /// # Errors
    /// If it names what is not there.
    pub fn resolve(self, state: &State) -> Result<Edit, Refusal> {
        let person = |text: &str| names::person(state, text).map(|person| person.id);
        Ok(match self {
            Self::Policy(edit) => Edit::Policy(edit),
            Self::Connector(add) => Edit::Connector(Box::new(add.resolve(state)?)),
            Self::Operation(edit) => Edit::Operation(Box::new(edit.resolve(state)?)),
            Self::Groups(edit) => Edit::Groups { person: person(&edit.person)?, groups: edit.groups },
            Self::Approvers(edit) => {
                let agent = names::agent(state, &edit.agent)?;
                let owner = edit.owner.as_deref().map(person).transpose()?.or(agent.profile.owner);
                let owner = owner.ok_or_else(|| {
                    Refusal::new("missing_owner", format!("nobody owns the agent `{}`", agent.name))
                        .help("name the `owner` as well")
                })?;
                let named = edit
                    .approvers
                    .map(|list| list.iter().map(|text| person(text)).collect::<Result<Vec<PersonId>, _>>());
                let approvers = named.transpose()?.unwrap_or_else(|| agent.profile.approvers.clone());
                Edit::Approvers { agent: agent.id, owner, approvers }
            }
            Self::Entitlements(edit) => {
                Edit::Entitlements { person: person(&edit.person)?, operations: edit.operations }
            }
            Self::Absence(edit) => {
                let away = |away: AwayInput| {
                    let (from, until) = (time::parse(&away.from)?, time::parse(&away.until)?);
                    Ok::<_, Refusal>(Absence { deputy: person(&away.deputy)?, from, until })
                };
                Edit::Absence { person: person(&edit.person)?, absence: edit.absence.map(away).transpose()? }
            }
            Self::Configuration(edit) => {
                Edit::Configuration { agent: names::agent(state, &edit.agent)?.id, configuration: edit.configuration }
            }
        })
    }
}

impl OperationInput {
    fn resolve(self, state: &State) -> Result<OperationEdit, Refusal> {
        let name = names::operation(&self.operation)?;
        let connector = names::connector(state, name.connector())?;
        let known = state.operations.get(&name).map(|known| known.choice());
        let missing = |what: &str| {
            Refusal::new("missing_member", format!("`{name}` is not approved yet, and its `{what}` is not given"))
                .help("`remit connector approve-tools` proposes what its server lists; for what no server lists, give all of it")
        };
        let tool = name.tool().to_owned();
        let given = self.definition.map(|document| Definition { document });
        let definition = given.or_else(|| known.as_ref().map(|known| known.definition.clone()));
        let verb = self.verb.or(known.as_ref().map(|known| known.verb)).ok_or_else(|| missing("verb"))?;
        let risk = self.risk.or(known.as_ref().map(|known| known.risk)).ok_or_else(|| missing("risk"))?;
        let data = self.data.or(known.as_ref().map(|known| known.data)).ok_or_else(|| missing("data"))?;
        let before = |flag: fn(&OperationChoice) -> bool| known.as_ref().is_some_and(flag);
        let choice = OperationChoice {
            tool,
            verb,
            risk,
            data,
            external: self.external.unwrap_or_else(|| before(|known| known.external)),
            irreversible: self.irreversible.unwrap_or_else(|| before(|known| known.irreversible)),
            definition: definition.ok_or_else(|| missing("definition"))?,
            projections: self
                .projections
                .or_else(|| known.as_ref().map(|known| known.projections.clone()))
                .unwrap_or_default(),
        };
        Ok(OperationEdit { connector: connector.id, choice })
    }
}
