//! People: owners, approvers, reviewers, administrators. Local for now.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Actor, Edit, Event, Moment, OperationName, OperationPattern, PersonId, Refusal, State, Timestamp, change, limits,
};

#[cfg(test)]
mod tests;

/// The group whose members administer the realm.
pub const ADMINISTRATORS: &str = "administrators";

/// A named human.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    pub id: PersonId,
    pub name: String,
    pub groups: Vec<String>,
    /// User id of the operating system that is this person on the data directory's socket.
    pub uid: Option<u32>,
    pub added_at: Timestamp,
    /// What they may reach directly, as far as that is on record here; nothing if it is not.
    #[serde(default)]
    pub entitlements: Option<Vec<OperationPattern>>,
    /// Who answers in their place, and when.
    #[serde(default)]
    pub absence: Option<Absence>,
}

/// A time in which somebody else answers in a person's place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Absence {
    pub deputy: PersonId,
    pub from: Timestamp,
    pub until: Timestamp,
}

impl Absence {
    fn holds(&self, now: Timestamp) -> bool {
        self.from <= now && now < self.until
    }
}

impl Person {
    /// Whether they may use `operation` directly; nothing if that is not on record.
    pub fn is_entitled(&self, operation: &OperationName) -> Option<bool> {
        self.entitlements.as_ref().map(|own| own.iter().any(|pattern| pattern.covers(operation)))
    }

    pub fn is_administrator(&self) -> bool {
        self.in_group(ADMINISTRATORS)
    }

    pub fn in_group(&self, group: &str) -> bool {
        self.groups.iter().any(|own| own == group)
    }
}

/// Adds a person to the realm.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddPerson {
    pub name: String,
    #[serde(default)]
    pub groups: Vec<String>,
}

/// A person has been added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PersonAdded {
    pub person: PersonId,
    pub name: String,
    pub groups: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<u32>,
}

/// Names are used in addresses, SPIFFE ids and policies, so they have one plain form.
pub(crate) fn check_name(field: &str, name: &str) -> Result<(), Refusal> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_' | b'.');
    let starts_well = name.as_bytes().first().is_some_and(|first| first.is_ascii_lowercase() || first.is_ascii_digit());
    // `__` joins connector and tool at the joined address, so no name may hold it.
    if starts_well && name.len() <= limits::NAME_BYTES_MAX && name.bytes().all(plain) && !name.contains("__") {
        return Ok(());
    }
    let shown: String = name.chars().take(limits::NAME_BYTES_MAX).collect();
    let article = if field.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    Err(Refusal::new("bad_name", format!("`{shown}` is not a name for {article} {field}")).help(
        "use up to 64 lower-case letters, digits, `-`, `_` and `.`, starting with a letter or digit, without `__`",
    ))
}

/// Free text is bounded and has no control characters, since people decide by what they read on pages and terminals.
pub(crate) fn check_text(field: &str, text: &str) -> Result<(), Refusal> {
    if text.trim().is_empty() {
        return Err(Refusal::new("missing_text", format!("the {field} is empty"))
            .help(format!("say the {field} in a sentence")));
    }
    check_note(field, text)
}

/// As [`check_text`], but may be empty.
pub(crate) fn check_note(field: &str, text: &str) -> Result<(), Refusal> {
    if text.len() > limits::TEXT_BYTES_MAX {
        return Err(Refusal::new(
            "text_too_long",
            format!("the {field} is longer than {} bytes", limits::TEXT_BYTES_MAX),
        ));
    }
    if text.contains(crate::refusal::is_unsafe_to_show) {
        return Err(Refusal::new("bad_text", format!("the {field} holds control characters")).help("use plain text"));
    }
    Ok(())
}

fn check_groups(groups: &[String]) -> Result<(), Refusal> {
    if groups.len() > limits::PERSON_GROUPS_MAX {
        return Err(Refusal::new(
            "too_many_groups",
            format!("a person is in at most {} groups", limits::PERSON_GROUPS_MAX),
        ));
    }
    groups.iter().try_for_each(|group| check_name("group", group))?;
    match groups.iter().find(|group| matches!(group.as_str(), "owner" | "approver")) {
        Some(reserved) => Err(Refusal::new("reserved_group", format!("the group name `{reserved}` is reserved"))
            .help("`owner` and `approver` are roles that each agent's own record gives")),
        None => Ok(()),
    }
}

/// Adds a person. Groups make them an approver or an administrator, and so are for somebody else to approve once somebody can.
pub(crate) fn decide_add(state: &State, actor: &Actor, add: &AddPerson, at: &Moment) -> Result<Vec<Event>, Refusal> {
    actor.administrator(state)?;
    check_name("person", &add.name)?;
    check_groups(&add.groups)?;
    if state.people_by_name.contains_key(&add.name) {
        return Err(Refusal::new("name_taken", format!("there is already a person `{}`", add.name)));
    }
    let (person, name, groups) = (at.fresh_id(), add.name.clone(), add.groups.clone());
    if groups.is_empty() || state.is_founding() {
        return Ok(vec![Event::PersonAdded(PersonAdded { person, name, groups, uid: None })]);
    }
    let added = Event::PersonAdded(PersonAdded { person, name, groups: Vec::new(), uid: None });
    let mut after = state.clone();
    after.apply(&added, at.now);
    let reason = format!("put `{}` into `{}`", add.name, groups.join("`, `"));
    let mut events = vec![added];
    events.extend(change::settle(&after, actor, vec![Edit::Groups { person, groups }], &reason, at)?);
    Ok(events)
}

/// Sets the groups of a person: leaving one is done at once, joining one is for somebody else to approve.
pub(crate) fn decide_set_groups(
    state: &State,
    actor: &Actor,
    id: PersonId,
    groups: &[String],
    at: &Moment,
) -> Result<Vec<Event>, Refusal> {
    actor.administrator(state)?;
    let set = groups_set(state, id, groups)?;
    let person = state.person(id)?;
    if groups.iter().all(|group| person.in_group(group)) {
        return Ok(vec![set]);
    }
    let edit = Edit::Groups { person: id, groups: groups.to_vec() };
    change::settle(state, actor, vec![edit], &format!("set the groups of `{}`", person.name), at)
}

/// What happens if `groups` become those of a person.
pub(crate) fn groups_set(state: &State, id: PersonId, groups: &[String]) -> Result<Event, Refusal> {
    check_groups(groups)?;
    let person = state.person(id)?;
    if person.is_administrator() && !groups.iter().any(|group| group == ADMINISTRATORS) {
        keep_one_administrator(state, id)?;
    }
    Ok(Event::PersonGroupsSet { person: id, groups: groups.to_vec() })
}

/// What happens if this is what a person may reach directly.
pub(crate) fn entitled(
    state: &State,
    id: PersonId,
    operations: Option<&[OperationPattern]>,
    by: PersonId,
) -> Result<Event, Refusal> {
    state.person(id)?;
    if operations.is_some_and(|operations| operations.len() > limits::ENTITLEMENTS_MAX) {
        let sentence = format!("a person has at most {} entitlements", limits::ENTITLEMENTS_MAX);
        return Err(Refusal::new("too_many_entitlements", sentence).help("name `connector/*` for all of a connector"));
    }
    Ok(Event::PersonEntitled { person: id, operations: operations.map(<[_]>::to_vec), by })
}

impl State {
    /// The people in whose place `deputy` answers at `now`, by name.
    pub fn absent_for(&self, deputy: PersonId, now: Timestamp) -> Vec<&Arc<Person>> {
        let names = |person: &&Arc<Person>| {
            person.absence.as_ref().is_some_and(|absence| absence.deputy == deputy && absence.holds(now))
        };
        let mut absent: Vec<_> = self.people.values().filter(names).collect();
        absent.sort_by(|one, other| one.name.cmp(&other.name));
        absent
    }
}

/// What happens if `absence` becomes that of a person. A deputy of somebody absent never answers for those whom that one answers for.
pub(crate) fn absence_set(
    state: &State,
    id: PersonId,
    absence: Option<&Absence>,
    by: PersonId,
    now: Timestamp,
) -> Result<Event, Refusal> {
    let person = state.person(id)?;
    if let Some(absence) = absence {
        state.person(absence.deputy)?;
        if absence.deputy == id {
            return Err(Refusal::new("bad_deputy", format!("`{}` cannot be their own deputy", person.name))
                .help("name somebody else"));
        }
        let seconds = absence.until.millis_since(absence.from) / 1_000;
        if absence.until <= absence.from || absence.until <= now || seconds > limits::ABSENCE_SECONDS_MAX {
            let days = limits::ABSENCE_SECONDS_MAX / 86_400;
            return Err(Refusal::new(
                "bad_absence",
                format!("an absence ends after it begins, in the future, within {days} days"),
            )
            .help("say from when until when"));
        }
    }
    Ok(Event::AbsenceSet { person: id, absence: absence.cloned(), by })
}

pub(crate) fn apply_absence(state: &mut State, id: PersonId, absence: Option<&Absence>) {
    if let Some(person) = state.people.get_mut(&id) {
        Arc::make_mut(person).absence = absence.cloned();
    }
}

/// Removes a person. Who still owns something cannot be removed: silent orphans are not possible.
pub(crate) fn decide_remove(state: &State, actor: &Actor, id: PersonId) -> Result<Vec<Event>, Refusal> {
    actor.administrator(state)?;
    let person = state.person(id)?;
    if person.is_administrator() {
        keep_one_administrator(state, id)?;
    }
    owns_nothing(state, person)?;
    let sessions = state.sessions.values().filter(|session| session.person == id).map(|session| session.id);
    let mut sessions: Vec<_> = sessions.collect();
    sessions.sort();
    // The cause first, so that a reader of the ledger sees it before its effects.
    let mut events = vec![Event::PersonRemoved { person: id }];
    events.extend(sessions.into_iter().map(|session| Event::SessionEnded { session }));
    let concerned = state.live_tasks().filter(|task| task.acting_for == Some(id) || task.started_by == Some(id));
    events.extend(crate::task::end_trees(state, concerned.map(|task| task.id), &crate::EndReason::PersonRemoved));
    Ok(events)
}

fn owns_nothing(state: &State, person: &Person) -> Result<(), Refusal> {
    let agents = state.agents.values().filter(|agent| agent.profile.owner == Some(person.id) && !agent.is_gone());
    if let Some(agent) = agents.map(|agent| &agent.name).min() {
        return Err(Refusal::new("still_owner", format!("`{}` owns the agent `{agent}`", person.name))
            .help("name another owner with `remit agent register` … `--owner`, or decommission the agent"));
    }
    if let Some(account) = state.legacy_accounts.values().find(|account| account.opened_by == person.id) {
        let sentence = format!("`{}` answers for the legacy account `{}`", person.name, account.name);
        return Err(Refusal::new("still_owner", sentence)
            .help("close the account; somebody else can open it again as their own debt"));
    }
    let connectors = state.connectors.values().filter(|connector| connector.owner == person.id);
    match connectors.map(|connector| &connector.name).min() {
        None => Ok(()),
        Some(connector) => {
            Err(Refusal::new("still_owner", format!("`{}` owns the connector `{connector}`", person.name))
                .help("remove the connector; somebody else can add it again as their own"))
        }
    }
}

fn keep_one_administrator(state: &State, leaving: PersonId) -> Result<(), Refusal> {
    match state.people.values().any(|person| person.id != leaving && person.is_administrator()) {
        true => Ok(()),
        false => Err(Refusal::new("last_administrator", "this is the last administrator of the realm")
            .help("add another person to the group `administrators` first")),
    }
}

pub(crate) fn apply_added(state: &mut State, added: &PersonAdded, at: Timestamp) {
    state.people_by_name.insert(added.name.clone(), added.person);
    let person = Person {
        id: added.person,
        name: added.name.clone(),
        groups: added.groups.clone(),
        uid: added.uid,
        added_at: at,
        entitlements: None,
        absence: None,
    };
    state.people.insert(added.person, Arc::new(person));
    note_second_administrator(state);
}

/// With a second administrator the founding is over, for ever: even if one of them leaves.
fn note_second_administrator(state: &mut State) {
    if !state.founded {
        state.founded = state.people.values().filter(|person| person.is_administrator()).count() > 1;
    }
}

pub(crate) fn apply_entitled(state: &mut State, id: PersonId, operations: Option<&[OperationPattern]>) {
    if let Some(person) = state.people.get_mut(&id) {
        Arc::make_mut(person).entitlements = operations.map(<[_]>::to_vec);
    }
}

pub(crate) fn apply_groups_set(state: &mut State, id: PersonId, groups: &[String]) {
    if let Some(person) = state.people.get_mut(&id) {
        Arc::make_mut(person).groups = groups.to_vec();
    }
    note_second_administrator(state);
}

pub(crate) fn apply_removed(state: &mut State, id: PersonId) {
    if let Some(person) = state.people.remove(&id) {
        state.people_by_name.remove(&person.name);
    }
    crate::signal::apply_person_removed(state, id);
    crate::passkey::apply_person_removed(state, id);
}
