//! One entry of an authority set: some actions on a resource, within bounds, perhaps to be passed on.

use std::collections::BTreeMap;

use serde::de::{DeserializeSeed, Deserializer, Error as _};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::constraint::Bound;
use super::resource::Resource;
use super::{MissionError, excerpt};
use crate::json::{JsonError, Members, Strict};
use crate::limits;
use crate::token::Profile;

const TYPE: &str = "mission_resource_access";

/// An entry of the type `mission_resource_access`. It serialises to exactly the value that it was read from, so that its
/// anchors stay what they were.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    #[serde(rename = "type")]
    kind: &'static str,
    resource: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_match: Option<ResourceMatch>,
    actions: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    constraints: Option<BTreeMap<String, Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delegation: Option<Delegation>,
    /// `resource`, for comparing.
    #[serde(skip)]
    pub(super) place: Resource,
    /// `constraints`, for comparing.
    #[serde(skip)]
    pub(super) bounds: BTreeMap<String, Bound>,
}

/// What `resource` stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ResourceMatch {
    /// The resource alone, as where nothing is said.
    Exact,
    /// The resource and everything under it.
    Prefix,
}

/// Whether, how often and to whom an entry may be passed on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Delegation {
    pub max_depth: u32,
    pub allowed_delegates: Vec<Delegate>,
}

/// Who may be a delegate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Delegate {
    /// The one with this name.
    #[serde(rename = "sub")]
    Subject(String),
    /// Anyone of this kind.
    #[serde(rename = "sub_profile")]
    Profile(Profile),
}

impl Entry {
    /// Reads an entry. A member that we do not know could narrow it, so it is refused and not passed over.
    pub fn parse(value: &Value) -> Result<Self, MissionError> {
        let members = Members::of(value)?;
        if members.text("type")? != TYPE {
            return Err(MissionError::Type);
        }
        members.only(&["type", "resource", "resource_match", "actions", "constraints", "delegation"])?;
        let resource = members.text("resource")?.to_owned();
        let place = Resource::parse(&resource).ok_or_else(|| MissionError::Resource(excerpt(&resource)))?;
        let actions = members.optional_texts("actions", limits::ACTIONS_MAX)?.ok_or(JsonError::Missing("actions"))?;
        if let Some(action) = actions.iter().find(|action| !is_action(action)) {
            return Err(MissionError::Action(excerpt(action)));
        }
        let constraints = members.value("constraints").map(read_constraints).transpose()?;
        let bounds = constraints.iter().flatten().map(|(name, value)| Ok((name.clone(), Bound::read(name, value)?)));
        Ok(Self {
            kind: TYPE,
            resource,
            resource_match: members.optional_text("resource_match")?.map(read_match).transpose()?,
            actions,
            bounds: bounds.collect::<Result<_, MissionError>>()?,
            constraints,
            delegation: members.optional_object("delegation")?.map(|members| read_delegation(&members)).transpose()?,
            place,
        })
    }

    /// The resource, as it was written.
    pub fn resource(&self) -> &str {
        &self.resource
    }

    /// Whether everything under the resource is meant too.
    pub fn is_prefix(&self) -> bool {
        self.resource_match == Some(ResourceMatch::Prefix)
    }

    /// The actions: names, families such as `invoices.*`, or `*`.
    pub fn actions(&self) -> &[String] {
        &self.actions
    }

    /// The bounds by name, as they were written.
    pub fn constraints(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.constraints.iter().flatten().map(|(name, value)| (name.as_str(), value))
    }

    /// Whether it may be passed on. Nothing: it may not.
    pub fn delegation(&self) -> Option<&Delegation> {
        self.delegation.as_ref()
    }

    /// Whether it applies to `action` on `resource`, its bounds aside.
    pub fn covers(&self, resource: &str, action: &str) -> bool {
        let Some(place) = Resource::parse(resource) else { return false };
        let reached = if self.is_prefix() { place.is_under(&self.place) } else { place == self.place };
        reached && self.actions.iter().any(|own| contains_action(own, action))
    }
}

impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Strict.deserialize(deserializer)?;
        Self::parse(&value).map_err(D::Error::custom)
    }
}

/// Whether `parent` covers everything that `child` covers.
pub(super) fn contains_action(parent: &str, child: &str) -> bool {
    let Some(family) = parent.strip_suffix('*') else { return parent == child };
    // What is left ends with a dot, or is empty: so `invoices.*` holds neither `invoicesx` nor `invoices`.
    child.strip_prefix(family).is_some_and(|rest| !rest.is_empty())
}

fn is_action(action: &str) -> bool {
    let name = match action.strip_suffix('*') {
        Some("") => return true,
        Some(family) => match family.strip_suffix('.') {
            Some(name) => name,
            None => return false,
        },
        None => action,
    };
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b':' | b'-' | b'/');
    !name.is_empty() && action.len() <= limits::ACTION_BYTES_MAX && name.bytes().all(allowed)
}

fn read_match(text: &str) -> Result<ResourceMatch, MissionError> {
    match text {
        "exact" => Ok(ResourceMatch::Exact),
        "prefix" => Ok(ResourceMatch::Prefix),
        _ => Err(MissionError::Match),
    }
}

fn read_constraints(value: &Value) -> Result<BTreeMap<String, Value>, MissionError> {
    let members = value.as_object().ok_or(JsonError::NotObject("constraints"))?;
    if members.len() > limits::CONSTRAINTS_MAX {
        return Err(JsonError::Count("constraints").into());
    }
    Ok(members.iter().map(|(name, value)| (name.clone(), value.clone())).collect())
}

fn read_delegation(members: &Members) -> Result<Delegation, MissionError> {
    members.only(&["max_depth", "allowed_delegates"])?;
    let depth = members.optional_whole("max_depth")?.ok_or(JsonError::Missing("max_depth"))?;
    let depth = u32::try_from(depth).ok().filter(|depth| *depth as usize <= limits::ACTOR_DEPTH_MAX);
    // Left out, the list would leave it to us who may be a delegate. Whoever approves is to see the list.
    let delegates = members.optional_list("allowed_delegates", limits::DELEGATES_MAX)?;
    let delegates = delegates.ok_or(JsonError::Missing("allowed_delegates"))?;
    Ok(Delegation {
        max_depth: depth.ok_or(MissionError::Depth)?,
        allowed_delegates: delegates.iter().map(read_delegate).collect::<Result<_, _>>()?,
    })
}

fn read_delegate(value: &Value) -> Result<Delegate, MissionError> {
    let members = Members::of(value)?;
    members.only(&["sub", "sub_profile"])?;
    match (members.optional_text("sub")?, members.optional_text("sub_profile")?) {
        (Some(sub), None) => Ok(Delegate::Subject(sub.to_owned())),
        (None, Some(profile)) => Profile::parse(profile).map(Delegate::Profile).ok_or(MissionError::Delegate),
        _ => Err(MissionError::Delegate),
    }
}
