//! Whether authority is contained in other authority. Everything that is passed on has to be.

use super::entry::{Delegate, Delegation, Entry, contains_action};
use crate::SpiffeId;
use crate::token::Profile;

/// An entry that is not contained in what it should come from.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("entry {entry} is wider than what it comes from: {why}")]
pub struct Wider {
    /// Its place in the list, from 0.
    pub entry: usize,
    pub why: Why,
}

/// What is wider. Ordered by how far the comparison came, so that the nearest miss is told.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Why {
    /// Nothing at all must never be taken for "whatever the parent has".
    #[error("no authority is named")]
    Nothing,
    #[error("its resource is not within")]
    Resource,
    #[error("its action `{0}` is not within")]
    Action(String),
    #[error("the constraint `{0}` is missing")]
    ConstraintMissing(String),
    #[error("the constraint `{0}` is broader")]
    Constraint(String),
    #[error("it may be passed on as often as before, or more")]
    Depth,
    #[error("it may be passed on to others than before")]
    Delegates,
}

/// Whether each entry of `child` is contained in one entry of `parent`: its resource, each of its actions, with every
/// constraint still there and no broader, and to be passed on less often and to nobody new.
pub fn is_subset(child: &[Entry], parent: &[Entry]) -> Result<(), Wider> {
    if child.is_empty() {
        return Err(Wider { entry: 0, why: Why::Nothing });
    }
    for (entry, own) in child.iter().enumerate() {
        let mut nearest = Why::Nothing;
        let held = parent.iter().any(|other| match within(own, other) {
            Ok(()) => true,
            Err(why) => {
                nearest = std::cmp::max(std::mem::replace(&mut nearest, Why::Nothing), why);
                false
            }
        });
        if !held {
            return Err(Wider { entry, why: nearest });
        }
    }
    Ok(())
}

fn within(own: &Entry, other: &Entry) -> Result<(), Why> {
    let reached = match (own.is_prefix(), other.is_prefix()) {
        (_, true) => own.place.is_under(&other.place),
        (false, false) => own.place == other.place,
        // Everything under a resource is never within that resource alone.
        (true, false) => false,
    };
    if !reached {
        return Err(Why::Resource);
    }
    for action in own.actions() {
        if !other.actions().iter().any(|parent| contains_action(parent, action)) {
            return Err(Why::Action(action.clone()));
        }
    }
    for (name, bound) in &other.bounds {
        // A constraint that is left out is as broad as can be.
        let narrower = own.bounds.get(name).ok_or_else(|| Why::ConstraintMissing(name.clone()))?;
        if !narrower.is_within(bound) {
            return Err(Why::Constraint(name.clone()));
        }
    }
    match (own.delegation(), other.delegation()) {
        (None, _) => Ok(()),
        (Some(_), None) => Err(Why::Depth),
        (Some(own), Some(other)) => delegation_within(own, other),
    }
}

fn delegation_within(own: &Delegation, other: &Delegation) -> Result<(), Why> {
    if own.max_depth >= other.max_depth {
        return Err(Why::Depth);
    }
    let known = |delegate: &Delegate| other.allowed_delegates.iter().any(|parent| delegate_within(delegate, parent));
    if own.allowed_delegates.iter().all(known) { Ok(()) } else { Err(Why::Delegates) }
}

/// One agent is within all agents. Nothing but its name says what a delegate is, so only an agent's name will do.
fn delegate_within(own: &Delegate, other: &Delegate) -> bool {
    match (own, other) {
        (Delegate::Subject(sub), Delegate::Profile(Profile::AiAgent)) => {
            SpiffeId::parse(sub).is_ok_and(|id| id.agent_name().is_some())
        }
        (own, other) => own == other,
    }
}
