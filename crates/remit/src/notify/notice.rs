//! What is said: one sentence, a few facts, and the page to look at.

use remit_domain::{
    ApprovalRequested, ChangeKind, ChangeProposed, ChangeStatus, Event, GrantRequest, PasskeyEnrolled, PersonId, State,
    Timestamp,
};
use remit_engine::Committed;
use serde_json::{Map, Value, json};

use super::audience::{self, Recipient};

/// Longest text of somebody else in a notice for people.
const TEXT_CHARS_MAX: usize = 200;

/// Something that people are told.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    /// The same however often it is sent.
    pub id: String,
    pub kind: &'static str,
    pub at: Timestamp,
    /// One line, without a full stop.
    pub headline: String,
    /// What else is said, each with its name. What others chose is [`shown`].
    pub facts: Vec<(&'static str, String)>,
    /// The address of the page.
    pub page: String,
    /// Those who can do something about it.
    pub to: Vec<Recipient>,
    /// The same for programs.
    pub document: Value,
}

/// What one kind of notice says, before it is put together.
struct Said {
    kind: &'static str,
    headline: String,
    facts: Vec<(&'static str, String)>,
    page: String,
    to: Vec<Recipient>,
    more: Value,
}

impl Notice {
    /// Whether there is a notice about such events.
    pub fn is_of(event: &Event) -> bool {
        match event {
            Event::ApprovalRequested(_)
            | Event::GrantRequested(_)
            | Event::ChangeProposed(_)
            | Event::PasskeyEnrolled(_)
            | Event::PasskeyRemoved { .. } => true,
            Event::SignInOffered(offered) => offered.recovery,
            Event::SessionOpened(opened) => opened.recovery,
            _ => false,
        }
    }

    /// What is to be said of `record` now; nothing where nobody is needed any more.
    pub fn of(record: &Committed, state: &State, now: Timestamp, console_url: &str) -> Option<Self> {
        let event = &record.record.event;
        let said = match event {
            Event::ApprovalRequested(requested) => approval(state, requested, now)?,
            Event::GrantRequested(requested) => grant(state, requested)?,
            Event::ChangeProposed(proposed) => change(state, proposed)?,
            Event::PasskeyEnrolled(enrolled) => passkey_enrolled(state, enrolled, record.seq),
            Event::PasskeyRemoved { person, by, .. } => passkey_removed(state, *person, *by, record.seq),
            Event::SignInOffered(offered) if offered.recovery => {
                recovery(state, offered.person, "recovery_offered", "A way in without passkey was made for", record.seq)
            }
            Event::SessionOpened(opened) if opened.recovery => {
                recovery(state, opened.person, "recovery_used", "Somebody signed in without passkey as", record.seq)
            }
            _ => return None,
        };
        let realm = state.realm.as_ref().map(|realm| realm.id.to_string()).unwrap_or_default();
        let page = format!("{console_url}{}", said.page);
        let mut document = Map::new();
        document.insert("kind".to_owned(), json!(said.kind));
        document.insert("seq".to_owned(), json!(record.seq));
        if let Value::Object(more) = said.more {
            document.extend(more);
        }
        document.insert("to".to_owned(), json!(said.to));
        document.insert("page".to_owned(), json!(page));
        Some(Self {
            id: format!("{realm}-{}", record.seq),
            kind: said.kind,
            at: record.at,
            headline: shown(&said.headline),
            facts: said.facts,
            page,
            to: said.to,
            document: Value::Object(document),
        })
    }
}

/// A question that is still open. No arguments and no purpose: they are for who may see them.
fn approval(state: &State, requested: &ApprovalRequested, now: Timestamp) -> Option<Said> {
    let approval = state.approval(requested.approval).ok()?;
    if !approval.is_pending() || now >= approval.expires_at {
        return None;
    }
    let agent = state.agent(requested.facts.agent).map(|agent| agent.name.clone()).unwrap_or_default();
    let until = requested.expires_at.to_string();
    Some(Said {
        kind: "approval_requested",
        headline: format!("The agent {agent} waits for an answer"),
        facts: vec![
            ("Operation", shown(requested.facts.operation.as_str())),
            ("Because", shown(&requested.reasons.join("; "))),
            ("Answer until", until.clone()),
        ],
        page: format!("/approvals/{}", requested.approval),
        to: audience::of_approval(state, approval, now),
        more: json!({
            "approval": requested.approval,
            "agent": agent,
            "operation": requested.facts.operation,
            "reasons": requested.reasons,
            "approvers": requested.ask.approvers,
            "expires_at": until,
        }),
    })
}

/// A request for a grant that still waits. No reason: that of a task is for who may see what it works on.
fn grant(state: &State, requested: &GrantRequest) -> Option<Said> {
    let request = state.grant_requests.get(&requested.id)?;
    let agent = state.agent(request.agent).map(|agent| agent.name.clone()).unwrap_or_default();
    let headline = match request.requested_by {
        Some(person) => format!("{} asks for a grant for the agent {agent}", name_of(state, person)),
        None => format!("The agent {agent} asks for access within a task"),
    };
    let operations: Vec<&str> = request.operations.iter().map(|pattern| pattern.as_str()).collect();
    Some(Said {
        kind: "grant_requested",
        headline,
        facts: vec![("Operations", shown(&operations.join(", ")))],
        page: format!("/grants/{}", request.id),
        to: audience::of_grant(state, request),
        more: json!({"grant": request.id, "agent": agent, "operations": operations, "task": request.task}),
    })
}

/// A change that waits for somebody else: to be approved, or to be looked at because it is active already.
fn change(state: &State, proposed: &ChangeProposed) -> Option<Said> {
    let change = state.changes.get(&proposed.change)?;
    let author = name_of(state, proposed.author);
    let page = format!("/changes/{}", proposed.change);
    let more = json!({"change": proposed.change, "author": author, "edits": proposed.edits});
    let edits = ("Edits", proposed.edits.to_string());
    let (kind, headline, facts, to) = match change.status {
        ChangeStatus::Pending => {
            let what = if matches!(proposed.kind, ChangeKind::Revert { .. }) { "to undo a change" } else { "a change" };
            let headline = format!("{author} proposes {what}, and somebody else has to answer");
            ("change_proposed", headline, vec![edits], audience::of_change(state, change))
        }
        ChangeStatus::Unreviewed { due_at } => {
            let headline =
                format!("{author} made an emergency change: it is active, and two other people have to look");
            let facts = vec![edits, ("Look until", due_at.to_string())];
            ("emergency_change", headline, facts, audience::of_emergency(state, change))
        }
    };
    Some(Said { kind, headline, facts, page, to, more })
}

fn passkey_enrolled(state: &State, enrolled: &PasskeyEnrolled, seq: u64) -> Said {
    let name = name_of(state, enrolled.person);
    let how = if enrolled.recovery { " after a recovery" } else { "" };
    Said {
        kind: "passkey_enrolled",
        headline: format!("A passkey was added to {name}{how}"),
        facts: vec![("Passkey", shown(&enrolled.label)), ("Was it not you?", if_not_you())],
        page: record_page(seq),
        to: audience::of_person(state, enrolled.person),
        more: json!({"person": enrolled.person, "name": name, "recovery": enrolled.recovery}),
    }
}

fn passkey_removed(state: &State, person: PersonId, by: PersonId, seq: u64) -> Said {
    let (name, by_name) = (name_of(state, person), name_of(state, by));
    Said {
        kind: "passkey_removed",
        headline: format!("A passkey of {name} was removed"),
        facts: vec![("By", shown(&by_name)), ("Was it not you?", if_not_you())],
        page: record_page(seq),
        to: audience::of_person(state, person),
        more: json!({"person": person, "name": name, "by": by_name}),
    }
}

fn recovery(state: &State, person: PersonId, kind: &'static str, what: &str, seq: u64) -> Said {
    let name = name_of(state, person);
    Said {
        kind,
        headline: format!("{what} {name}"),
        facts: vec![("Was it not you?", if_not_you())],
        page: record_page(seq),
        to: audience::of_person_and_administrators(state, person),
        more: json!({"person": person, "name": name}),
    }
}

fn if_not_you() -> String {
    "tell an administrator at once".to_owned()
}

fn record_page(seq: u64) -> String {
    format!("/records/{seq}")
}

fn name_of(state: &State, person: PersonId) -> String {
    state.person(person).map_or_else(|_| "somebody who has left".to_owned(), |person| person.name.clone())
}

/// `text` on one line and not too long. What a server or an agent chose may read like an address or call somebody; where messages
/// are shown, such texts become links by themselves. An invisible space (U+200B) after each character that they hang on keeps
/// them text. The page shows them as they are.
pub fn shown(text: &str) -> String {
    let mut shown = String::new();
    for character in text.chars().take(TEXT_CHARS_MAX) {
        let hidden = character.is_control()
            || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}');
        shown.push(if hidden { ' ' } else { character });
        if matches!(character, '.' | ':' | '@' | '#') {
            shown.push('\u{200b}');
        }
    }
    if text.chars().count() > TEXT_CHARS_MAX {
        shown.push('…');
    }
    shown
}
