//! Who is who: keys, workloads, runs, applications, and what others say.

use maud::{Markup, html};
use remit_domain::{Event, KeyPurpose, SvidKind, WorkloadIdentity};

use super::saying;
use crate::names::Names;
use crate::parts::id::short;
use crate::parts::text::shown;

pub(super) fn sentence(event: &Event, names: Names<'_>, who: &Markup) -> Option<Markup> {
    workloads(event, names, who)
        .or_else(|| applications(event, names, who))
        .or_else(|| credentials(event, names, who))
        .or_else(|| others(event, names, who))
}

fn workloads(event: &Event, names: Names<'_>, who: &Markup) -> Option<Markup> {
    Some(match event {
        Event::WorkloadBound { agent, workload } => html! {
            (who) " bound " (described(workload)) " to " (names.agent(*agent))
        },
        Event::WorkloadUnbound { agent, workload } => html! {
            (who) " took " (described(workload)) " from " (names.agent(*agent))
        },
        Event::WorkloadArrived(arrived) => html! {
            code { (shown(&arrived.subject)) } " of " code { (shown(&arrived.issuer)) } " arrived and waits in quarantine as "
            (names.agent(arrived.agent))
        },
        Event::LaunchAttested(attested) => html! {
            "the process " (attested.process.pid) " was attested as a run of " (names.agent(attested.agent))
        },
        Event::SvidIssued(issued) => html! {
            (names.agent(issued.agent)) " got "
            @match issued.kind { SvidKind::X509 => "a certificate", SvidKind::Jwt => "a JWT-SVID" }
            @if issued.run.is_some() { " for one run" }
        },
        _ => return None,
    })
}

fn described(workload: &WorkloadIdentity) -> Markup {
    match workload {
        WorkloadIdentity::Local { selectors } => html! { "processes with " code { (shown(&selectors.join(", "))) } },
        WorkloadIdentity::Foreign { issuer, subject } => html! {
            code { (shown(subject)) } " of " code { (shown(issuer)) }
        },
    }
}

fn applications(event: &Event, names: Names<'_>, who: &Markup) -> Option<Markup> {
    Some(match event {
        Event::ClientRegistered(registered) => html! {
            (who) " registered the application " code { (shown(&registered.name)) }
        },
        Event::ClientRemoved { client } => html! { (who) " removed the application " (short(client)) },
        Event::AuthorizationConsented(consented) => html! {
            (names.person(consented.person)) " let “" (shown(&consented.client_name)) "” work as " (names.agent(consented.agent))
            (saying(&consented.purpose))
        },
        Event::AuthorizationRedeemed { agent, .. } => html! {
            "an application took up the consent for " (names.agent(*agent))
        },
        Event::CodeReused { agent, .. } => html! {
            "an authorization code of " (names.agent(*agent)) " was used a second time"
        },
        Event::RefreshRotated { agent, .. } => {
            html! { "an application of " (names.agent(*agent)) " renewed its token" }
        }
        Event::RefreshReused { agent, .. } => html! {
            "an old refresh token of " (names.agent(*agent)) " was used again"
        },
        _ => return None,
    })
}

fn credentials(event: &Event, names: Names<'_>, who: &Markup) -> Option<Markup> {
    Some(match event {
        Event::RunRevoked { agent, run, reason } => html! {
            (who) " ended the run " (short(run)) " of " (names.agent(*agent)) (saying(reason))
        },
        Event::TokenRevoked { agent, .. } => html! { (who) " revoked a token of " (names.agent(*agent)) },
        Event::RealmKeyStepped(stepped) => html! {
            "the realm's "
            @match stepped.purpose { KeyPurpose::Token => "token key ", KeyPurpose::Ca => "certificate authority " }
            code .id title=(stepped.key) { (shown(stepped.key.get(..12).unwrap_or(&stepped.key))) } " is now " (stepped.step.as_str())
            ", for which " (names.person(stepped.accountable)) " answers"
        },
        Event::LegacyAccountOpened(opened) => html! {
            (who) " opened the shared account " code { (shown(&opened.name)) } " for " (opened.workflows.len()) " workflows"
            (saying(&opened.reason))
        },
        Event::LegacyAccountClosed { name, reason, .. } => html! {
            (who) " closed the shared account " code { (shown(name)) } (saying(reason))
        },
        Event::FindingOpened(opened) => html! {
            "a " (opened.kind.as_str()) " of " (names.agent(opened.agent)) " was seen with several: "
            (shown(&opened.parties.join(", ")))
        },
        Event::FindingClosed { agent, note, .. } => html! {
            (who) " closed a finding about " (names.agent(*agent)) (saying(note))
        },
        _ => return None,
    })
}

fn others(event: &Event, names: Names<'_>, who: &Markup) -> Option<Markup> {
    Some(match event {
        Event::PersonLinked { person, issuer, subject } => html! {
            (who) " said that " (names.person(*person)) " is " code { (shown(subject)) } " of " code { (shown(issuer)) }
        },
        Event::SignalReceived(signal) => html! {
            code { (shown(&signal.transmitter)) } " says " code { (signal.kind.as_str()) } " of "
            @match signal.person {
                Some(person) => (names.person(person)),
                None => { "somebody unknown here, " code { (shown(&signal.subject)) } },
            }
        },
        Event::Enforced(enforced) => html! {
            "what record " (enforced.cause) " ended took effect at " code { (shown(&enforced.point)) }
        },
        _ => return None,
    })
}
