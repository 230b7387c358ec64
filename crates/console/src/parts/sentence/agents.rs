//! The lives of agents and of what they can reach.

use maud::{Markup, html};
use remit_domain::Event;

use super::saying;
use crate::names::Names;
use crate::parts::text::shown;

pub(super) fn sentence(event: &Event, names: Names<'_>, who: &Markup) -> Option<Markup> {
    life(event, names, who).or_else(|| keys(event, names, who)).or_else(|| connectors(event, who))
}

fn life(event: &Event, names: Names<'_>, who: &Markup) -> Option<Markup> {
    Some(match event {
        Event::AgentRegistered(registered) => html! { (who) " registered the agent " (names.agent(registered.agent)) },
        Event::AgentDescribed { agent, .. } => html! { (who) " changed the record of " (names.agent(*agent)) },
        Event::AgentActivated { agent } => html! { (who) " activated " (names.agent(*agent)) },
        Event::AgentSuspended { agent, reason } => html! { (who) " suspended " (names.agent(*agent)) (saying(reason)) },
        Event::AgentResumed { agent } => html! { (who) " resumed " (names.agent(*agent)) },
        Event::AgentDecommissioned { agent, reason } => html! {
            (who) " decommissioned " (names.agent(*agent)) (saying(reason))
        },
        _ => return None,
    })
}

fn keys(event: &Event, names: Names<'_>, who: &Markup) -> Option<Markup> {
    Some(match event {
        Event::EnrolmentOffered { agent, .. } => html! { (who) " made an enrolment code for " (names.agent(*agent)) },
        Event::AgentKeyEnrolled { agent, key, .. } => html! {
            (names.agent(*agent)) " enrolled the key " code .id title=(key.thumbprint) { (shown(&key.thumbprint)) }
        },
        Event::AgentKeyRevoked { agent, thumbprint } => html! {
            (who) " revoked the key " code .id { (shown(thumbprint)) } " of " (names.agent(*agent))
        },
        _ => return None,
    })
}

fn connectors(event: &Event, who: &Markup) -> Option<Markup> {
    Some(match event {
        Event::ConnectorAdded(added) => html! { (who) " added the connector " code { (shown(&added.name)) } },
        Event::ConnectorRemoved { connector } => {
            html! { (who) " removed the connector " (crate::parts::id::short(connector)) }
        }
        Event::OperationApproved(approved) => html! {
            (who) " approved the definition of " code { (shown(approved.name.as_str())) } " as " (approved.verb)
            ", risk " (approved.risk)
        },
        Event::OperationWithdrawn { operation, reason } => html! {
            (who) " withdrew " code { (shown(operation.as_str())) } (saying(reason))
        },
        _ => return None,
    })
}
