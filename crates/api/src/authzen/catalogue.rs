//! From the names in a question to what is known here: people, agents, and the things in a connector's catalogue.

use remit_domain::{AgentId, ConnectorSpec, External, PersonId, Refusal, State, Thing};
use remit_identity::SpiffeId;
use serde_json::{Map, Value};

use super::question::Entity;
use crate::{Settings, limits, names};

/// What people are called: by this standard's examples, and by COAZ.
const PEOPLE: [&str; 2] = ["user", "identity"];
pub(super) const AGENT: &str = "agent";

/// What a connector knows whose answers are enforced elsewhere.
#[derive(Debug, Clone, Copy)]
pub(super) struct Catalogue<'a> {
    pub connector: &'a str,
    pub subjects: &'a [Thing],
    pub resources: &'a [Thing],
    pub trusts_properties: bool,
}

impl<'a> Catalogue<'a> {
    /// The catalogue of the connector named `name`, if it is one that is enforced elsewhere.
    pub fn of(state: &'a State, name: &str) -> Option<Self> {
        let connector = state.connector_named(name).ok()?;
        match &connector.spec {
            ConnectorSpec::Elsewhere { subjects, resources, trusts_properties } => {
                Some(Self { connector: &connector.name, subjects, resources, trusts_properties: *trusts_properties })
            }
            ConnectorSpec::Stdio { .. } | ConnectorSpec::Http { .. } => None,
        }
    }
}

/// The thing of this name.
pub(super) fn thing<'a>(things: &'a [Thing], id: &str) -> Option<&'a Thing> {
    things.iter().find(|thing| thing.id == id)
}

/// Who a subject is here.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Subject<'a> {
    pub person: Option<PersonId>,
    pub agent: Option<AgentId>,
    /// What a catalogue says of it.
    pub thing: Option<&'a Thing>,
}

/// Whether anybody here can be of this kind.
pub(super) fn is_kind(kind: &str) -> bool {
    PEOPLE.contains(&kind) || kind == AGENT
}

/// Who `subject` is: a person of the realm, an agent of it, or else somebody of whom a catalogue knows.
///
/// # Errors
/// If it is nobody: whoever is unknown is allowed nothing, whatever the policies leave open.
pub(super) fn subject<'a>(
    state: &State,
    settings: &Settings,
    things: &'a [Thing],
    subject: &Entity,
) -> Result<Subject<'a>, Refusal> {
    let vouched = Vouched::of(state, subject);
    if subject.kind == AGENT {
        if !vouched.may_be_ours() {
            return Err(Refusal::new(
                "agent_unknown",
                "another issuer vouches for this agent, and it is none of this realm",
            )
            .help("leave `properties.iss` out, or name this realm's issuer"));
        }
        return agent(state, &subject.id).map(|agent| Subject { agent: Some(agent), ..Subject::default() });
    }
    if !PEOPLE.contains(&subject.kind.as_str()) {
        let sentence = format!("nobody is known here of the type `{}`", shown(&subject.kind));
        return Err(
            Refusal::new("subject_unknown", sentence).help("send a subject of the type `user`, `identity` or `agent`")
        );
    }
    let thing = thing(things, &subject.id);
    let person = person(state, settings, subject, vouched);
    if person.is_some() || thing.is_some() {
        return Ok(Subject { person, agent: None, thing });
    }
    // The subject of a token that an agent holds for itself is its SPIFFE ID.
    if let Ok(agent) = agent(state, &subject.id)
        && SpiffeId::parse(&subject.id).is_ok()
        && vouched.may_be_ours()
    {
        return Ok(Subject { agent: Some(agent), ..Subject::default() });
    }
    let sentence = format!("the subject `{}` is not known here", shown(&subject.id));
    Err(Refusal::new("subject_unknown", sentence)
        .help("add the person with `remit person add`, link their account, or name them in the connector's catalogue"))
}

/// Who says what a subject is called: the issuer of the token that it comes from (`properties.iss`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Vouched<'a> {
    /// Nobody is named.
    Unsaid,
    /// This realm.
    Here,
    /// Somebody else.
    By(&'a str),
    /// What is named there can be nobody.
    Unreadable,
}

impl<'a> Vouched<'a> {
    fn of(state: &State, subject: &'a Entity) -> Self {
        match subject.properties.get("iss") {
            None | Some(Value::Null) => Self::Unsaid,
            Some(Value::String(issuer)) if state.realm.as_ref().is_some_and(|realm| realm.issuer == *issuer) => {
                Self::Here
            }
            Some(Value::String(issuer)) => Self::By(issuer),
            Some(_) => Self::Unreadable,
        }
    }

    /// INVARIANT: names that were given here are nobody's who was named elsewhere, however alike.
    fn may_be_ours(self) -> bool {
        matches!(self, Self::Unsaid | Self::Here)
    }
}

/// The person that `subject` is: by the id or name that this realm gave them, or by what an issuer that is known here calls them.
fn person(state: &State, settings: &Settings, subject: &Entity, vouched: Vouched<'_>) -> Option<PersonId> {
    if vouched.may_be_ours()
        && let Ok(person) = names::person(state, &subject.id)
    {
        return Some(person.id);
    }
    let named = |issuer: &str| state.people_by_external.get(&External::new(issuer, &subject.id)).copied();
    match vouched {
        Vouched::By(issuer) => return named(issuer),
        Vouched::Here | Vouched::Unreadable => return None,
        Vouched::Unsaid if state.people_by_external.is_empty() => return None,
        Vouched::Unsaid => {}
    }
    let configured = settings.oauth.issuers.iter().map(|issuer| issuer.issuer.as_str());
    let transmitters = settings.transmitters.iter();
    let transmitters = transmitters.flat_map(|(issuer, transmitter)| {
        std::iter::once(issuer.as_str()).chain(transmitter.subjects.iter().map(String::as_str))
    });
    let mut found = configured.chain(transmitters).filter_map(named);
    let first = found.next()?;
    // Two issuers that call different people the same: nobody can tell who is meant.
    found.all(|other| other == first).then_some(first)
}

/// The agent of this id, name or SPIFFE ID.
pub(super) fn agent(state: &State, text: &str) -> Result<AgentId, Refusal> {
    if let Ok(id) = SpiffeId::parse(text) {
        let named = id.agent_name().and_then(|name| state.agent_named(name.name).ok());
        let domain = state.realm.as_ref().map(|realm| realm.trust_domain.as_str()).unwrap_or_default();
        // A run's name begins with its agent's.
        let own = named.filter(|agent| {
            let rest = text.strip_prefix(&agent.spiffe_id(domain));
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("/run/"))
        });
        return own.map(|agent| agent.id).ok_or_else(|| agent_unknown(text));
    }
    names::agent(state, text).map(|agent| agent.id).map_err(|_| agent_unknown(text))
}

fn agent_unknown(text: &str) -> Refusal {
    Refusal::new("agent_unknown", format!("the agent `{}` is not known here", shown(text)))
        .help("send its name, its id or its SPIFFE ID; `remit agent list` shows them")
}

fn shown(text: &str) -> String {
    text.chars().take(limits::ECHO_CHARACTERS_MAX).collect()
}

/// What policies may read of a thing: what the catalogue says, and what the request says where it is believed. Its own name and
/// type come from neither.
pub(super) fn attributes(thing: Option<&Thing>, entity: &Entity, trusts_properties: bool) -> Map<String, Value> {
    let mut attributes = thing.map(|thing| thing.properties.clone()).unwrap_or_default();
    if trusts_properties {
        attributes.extend(entity.properties.clone());
    }
    attributes.insert("type".to_owned(), entity.kind.clone().into());
    attributes.insert("id".to_owned(), entity.id.clone().into());
    attributes
}
