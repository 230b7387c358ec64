//! Every page that is looked at, with an address for each time.

use super::estate::{CONNECTORS, PEOPLE, TOOLS, agent_name, connector_name, one, person_name, scattered};
use super::present::Present;

/// Who looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// May read everything.
    Administrator,
    /// Owns the busiest agent and one in two hundred.
    Owner,
}

/// A page, or one way to ask for it.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    pub what: &'static str,
    pub who: Who,
    /// Whether it lists or searches: then it has an aim.
    pub lists: bool,
    /// Its address when it is looked at for the time that the number says.
    pub path: fn(&Present, usize) -> String,
}

const fn list(what: &'static str, path: fn(&Present, usize) -> String) -> Place {
    Place { what, who: Who::Administrator, lists: true, path }
}

const fn page(what: &'static str, path: fn(&Present, usize) -> String) -> Place {
    Place { what, who: Who::Administrator, lists: false, path }
}

const fn owner(what: &'static str, path: fn(&Present, usize) -> String) -> Place {
    Place { what, who: Who::Owner, lists: true, path }
}

/// In the order in which they are looked at.
pub const PLACES: &[Place] = &[
    list("/", |_, _| "/".to_owned()),
    list("/agents", |_, _| "/agents".to_owned()),
    list("/agents, a word", |_, number| format!("/agents?text={}", one(&WORDS, number))),
    list("/agents, owner and status", |_, number| format!("/agents?status=active&owner={}", person_name(number))),
    list("/agents, deep", |present, number| format!("/agents?after={}", some_agent(present, number))),
    list("/agents, overdue", |_, _| "/agents?lacks=review&class=act".to_owned()),
    page("/agents/{name}", |present, number| format!("/agents/{}", some_agent(present, number))),
    page("/agents/{name}, busiest", |_, _| "/agents/agent-0".to_owned()),
    list("/agents/{name}/timeline", |present, number| format!("/agents/{}/timeline", some_agent(present, number))),
    list("/agents/{name}/timeline, busiest", |_, _| "/agents/agent-0/timeline".to_owned()),
    list("/agents/{name}/timeline, its questions", |_, _| "/agents/agent-0/timeline?show=approvals".to_owned()),
    list("/agents/{name}/timeline, its changes", |_, _| "/agents/agent-0/timeline?show=changes".to_owned()),
    list("/agents/{name}/tasks, busiest", |_, _| "/agents/agent-0/tasks".to_owned()),
    list("/agents/{name}/grants", |present, number| format!("/agents/{}/grants", some_agent(present, number))),
    list("/agents/{name}/grants, busiest", |_, _| "/agents/agent-0/grants".to_owned()),
    page("/agents/{name}/configuration", |present, number| {
        format!("/agents/{}/configuration", some_agent(present, number))
    }),
    page("/agents/{name}/people", |present, number| format!("/agents/{}/people", some_agent(present, number))),
    list("/agents/{name}/findings", |present, number| format!("/agents/{}/findings", some_agent(present, number))),
    list("/tasks", |_, _| "/tasks".to_owned()),
    list("/tasks, all", |_, _| "/tasks?status=all".to_owned()),
    list("/tasks, of an agent", |present, number| format!("/tasks?status=all&agent={}", some_agent(present, number))),
    list("/tasks, a word", |_, number| format!("/tasks?status=all&text={}", one(&WORDS, number))),
    page("/tasks/{id}", |present, number| format!("/tasks/{}", nth(&present.tasks, number))),
    list("/approvals", |_, _| "/approvals".to_owned()),
    list("/approvals, answered", |_, _| "/approvals?show=answered".to_owned()),
    list("/approvals, of an agent", |present, number| format!("/approvals?agent={}", some_agent(present, number))),
    page("/approvals/{id}", |present, number| format!("/approvals/{}", nth(&present.approvals, number))),
    list("/grants", |_, _| "/grants".to_owned()),
    list("/grants, of an agent", |present, number| format!("/grants?agent={}", some_agent(present, number))),
    list("/grants, an operation", |_, number| format!("/grants?operation={}", some_operation(number))),
    page("/grants/{id}", |present, number| format!("/grants/{}", nth(&present.requests, number))),
    list("/ledger", |_, _| "/ledger".to_owned()),
    list("/ledger, a common word", |_, number| format!("/ledger?text={}", one(&WORDS, number))),
    list("/ledger, three words", |_, number| format!("/ledger?text=refund+order+{}", scattered(number) % 1_000)),
    list("/ledger, a number", |_, number| format!("/ledger?text={}", scattered(number) % 100_000)),
    list("/ledger, one letter", |_, number| format!("/ledger?text={}", one(&LETTERS, number))),
    list("/ledger, a word deep", |present, number| {
        format!("/ledger?text=order&before={}", some_record(present, number))
    }),
    list("/ledger, deep", |present, number| format!("/ledger?before={}", some_record(present, number))),
    list("/ledger, agent", |present, number| format!("/ledger?agent={}", some_agent(present, number))),
    list("/ledger, busiest agent", |_, _| "/ledger?agent=agent-0".to_owned()),
    list("/ledger, busiest agent deep", |present, number| {
        format!("/ledger?agent=agent-0&before={}", some_record(present, number))
    }),
    list("/ledger, agent and word", |present, number| {
        format!("/ledger?text=order&agent={}", some_agent(present, number))
    }),
    list("/ledger, busiest agent and rare kind", |_, _| "/ledger?agent=agent-0&kind=ActionDenied".to_owned()),
    list("/ledger, quiet agent and rare kind", |present, number| {
        format!("/ledger?kind=TaskEnded&agent={}", some_agent(present, number))
    }),
    list("/ledger, person", |_, number| format!("/ledger?person={}", person_name(number))),
    list("/ledger, operation", |_, number| format!("/ledger?operation={}", some_operation(number))),
    list("/ledger, operation refused", |_, number| {
        format!("/ledger?kind=ActionDenied&operation={}", some_operation(number))
    }),
    list("/ledger, common kind", |_, _| "/ledger?kind=ActionAllowed".to_owned()),
    list("/ledger, rare kind", |_, _| "/ledger?kind=ActionDenied".to_owned()),
    list("/ledger, rarest kind deep", |present, number| {
        format!("/ledger?kind=PolicyActivated&before={}", some_record(present, number))
    }),
    page("/records/{seq}", |present, number| format!("/records/{}", some_record(present, number))),
    list("/people", |_, _| "/people".to_owned()),
    list("/people, a name", |_, number| format!("/people?text={}", number % PEOPLE)),
    page("/people/{name}", |_, number| format!("/people/{}", person_name(number))),
    list("/connectors", |_, _| "/connectors".to_owned()),
    page("/connectors/{name}", |_, number| format!("/connectors/{}", connector_name(number))),
    page("/connectors/{name}/operations/{tool}", |_, number| {
        format!("/connectors/{}", some_operation(number).replace('/', "/operations/"))
    }),
    list("/policies", |_, _| "/policies".to_owned()),
    page("/policies/base", |_, _| "/policies/base".to_owned()),
    list("/policies/base/history", |_, _| "/policies/base/history".to_owned()),
    page("/preview", |_, _| "/preview".to_owned()),
    page("/preview, an agent", |present, number| format!("/preview?agent={}", some_agent(present, number))),
    page("/who", |_, _| "/who".to_owned()),
    page("/who, can call", |_, number| format!("/who?ask=call&about={}", some_operation(number))),
    page("/who, can see", |_, _| "/who?ask=see&about=D1".to_owned()),
    page("/who, an agent reaches", |present, number| format!("/who?ask=agent&about={}", some_agent(present, number))),
    page("/who, a person reaches", |_, number| format!("/who?ask=person&about={}", person_name(number))),
    list("/history", |_, _| "/history".to_owned()),
    list("/history, an agent's", |present, number| format!("/history?artefact=agent:{}", some_agent(present, number))),
    list("/changes", |_, _| "/changes".to_owned()),
    page("/connect", |_, _| "/connect".to_owned()),
    page("/connect, an agent", |present, number| format!("/connect?agent={}", some_agent(present, number))),
    page("/keys", |_, _| "/keys".to_owned()),
    page("/settings", |_, _| "/settings".to_owned()),
    page("/passkeys", |_, _| "/passkeys".to_owned()),
    owner("/, as an owner", |_, _| "/".to_owned()),
    owner("/agents, as an owner", |_, _| "/agents".to_owned()),
    Place { lists: false, ..owner("/agents/{name}, as its owner", |_, _| "/agents/agent-0".to_owned()) },
    owner("/tasks, as an owner", |_, _| "/tasks?status=all".to_owned()),
    owner("/approvals, as an owner", |_, _| "/approvals".to_owned()),
    owner("/ledger, as an owner", |_, _| "/ledger?agent=agent-0".to_owned()),
];

/// What a browser fetches beside its first page, and keeps.
pub const ASSETS: &[&str] = &["/assets/console.css", "/assets/console.js", "/assets/htmx.js", "/assets/mark.svg"];

const WORDS: [&str; 5] = ["order", "refund", "warehouse", "invoice", "Bern"];
const LETTERS: [&str; 4] = ["o", "r", "w", "1"];

fn some_agent(present: &Present, number: usize) -> String {
    agent_name(scattered(number) % present.agents.max(1))
}

fn some_record(present: &Present, number: usize) -> usize {
    scattered(number) % usize::try_from(present.head).unwrap_or(usize::MAX).max(1)
}

fn some_operation(number: usize) -> String {
    format!("{}/tool-{}", connector_name(number % CONNECTORS), scattered(number) % TOOLS)
}

fn nth<T: ToString>(of: &[T], number: usize) -> String {
    number.checked_rem(of.len()).and_then(|place| of.get(place)).map(ToString::to_string).unwrap_or_default()
}
