//! `/v1/who-can`, `/v1/reach`, `/v1/who-can-change`, `/v1/who-approved`: questions that run the other way, now or as of a moment.
//!
//! A page ends when it has the rows that were asked for, or when its time is over: then `truncated` says so, and `next` goes on.

mod approved;
mod change;
mod page;
mod rows;

use axum::Json;
use axum::extract::State;
use remit_domain::{
    ASSUMPTION, DataClass, OperationName, RULE, Refusal, Right, what_agent_reaches, what_person_reaches, who_can_call,
    who_can_see,
};
use serde::Deserialize;
use serde_json::{Value, json};

pub(crate) use self::approved::who_approved;
pub(crate) use self::change::who_can_change;
use self::page::{Page, Within};
use crate::as_of::AsOf;
use crate::auth::SignedIn;
use crate::input::Ask;
use crate::{Api, Problem, names};

type Answer = Result<Json<Value>, Problem>;

/// Before the name of a person, or of an agent, in a cursor.
const PERSON: &str = "person/";
const AGENT: &str = "agent/";

#[derive(Debug, Deserialize)]
pub(crate) struct CanQuery {
    operation: Option<String>,
    data: Option<String>,
    #[serde(flatten)]
    within: Within,
}

/// What is asked about.
enum About {
    Operation(OperationName),
    Data(DataClass),
}

impl About {
    fn of(query: &CanQuery) -> Result<Self, Refusal> {
        match (&query.operation, &query.data) {
            (Some(operation), None) => names::operation(operation).map(Self::Operation),
            (None, Some(data)) => match data.as_str() {
                "D0" => Ok(Self::Data(DataClass::D0)),
                "D1" => Ok(Self::Data(DataClass::D1)),
                "D2" => Ok(Self::Data(DataClass::D2)),
                "D3" => Ok(Self::Data(DataClass::D3)),
                _ => Err(Refusal::new("bad_data_class", "that is not a class of data")
                    .help("write `D0` (public), `D1`, `D2` or `D3` (restricted)")),
            },
            _ => Err(Refusal::new("bad_query", "a question is about one thing")
                .help("ask with `operation=CONNECTOR/TOOL`, or with `data=D2`")),
        }
    }
}

/// Who can call an operation, or any that touches data of a class or above: people themselves first, then agents.
pub(crate) async fn who_can(State(api): State<Api>, by: SignedIn, at: AsOf, Ask(query): Ask<CanQuery>) -> Answer {
    // What somebody may read is as it is now, also of what was.
    api.engine.read(|state| by.must(state, Right::ReadRecords))?;
    let about = About::of(&query)?;
    worked_out(move || callers(&at, &about, &query.within)).await
}

fn callers(at: &AsOf, about: &About, within: &Within) -> Result<Value, Refusal> {
    let (state, now) = (&at.state, at.now);
    let after = within.after.as_deref();
    let (after_person, after_agent) = match after.map(|after| (after.strip_prefix(PERSON), after.strip_prefix(AGENT))) {
        None => (Some(""), None),
        Some((Some(person), _)) => (Some(person), None),
        Some((None, Some(agent))) => (None, Some(agent)),
        Some((None, None)) => return Err(page::bad_cursor()),
    };
    let walk = match about {
        About::Operation(operation) => who_can_call(state, operation, after_agent, now)?,
        About::Data(data) => who_can_see(state, *data, after_agent, now)?,
    };
    let mut page = Page::begin(within)?;
    if let Some(after) = after_person {
        let people = walk.entitled().into_iter().filter(|person| person.name.as_str() > after);
        page.fill(people.map(|person| (format!("{PERSON}{}", person.name), rows::entitled(state, &person))));
    }
    page.walk(walk, AGENT, |caller| rows::caller(state, caller));
    let mut answer = page.end(at);
    set(
        &mut answer,
        "question",
        match about {
            About::Operation(operation) => json!({"operation": operation}),
            About::Data(data) => json!({"data": data}),
        },
    );
    set(&mut answer, "assumes", ASSUMPTION.into());
    set(&mut answer, "rule", RULE.into());
    set(&mut answer, "administrators", rows::administrators(state));
    Ok(answer)
}

#[derive(Debug, Deserialize)]
pub(crate) struct ReachQuery {
    agent: Option<String>,
    person: Option<String>,
    #[serde(flatten)]
    within: Within,
}

/// What an agent reaches, or what a person reaches through agents that they cannot reach directly.
pub(crate) async fn reach(State(api): State<Api>, by: SignedIn, at: AsOf, Ask(query): Ask<ReachQuery>) -> Answer {
    api.engine.read(|state| match (&query.agent, &query.person) {
        (Some(agent), None) => {
            // One that is no more, and is asked about as of then, is nobody's.
            let right = names::agent(state, agent).map_or(Right::ReadRecords, |agent| Right::ReadAgent(agent.id));
            by.must(state, right)
        }
        (None, Some(person)) if names::person(state, person).is_ok_and(|person| person.id == by.person) => Ok(()),
        _ => by.must(state, Right::ReadRecords),
    })?;
    worked_out(move || match (&query.agent, &query.person) {
        (Some(agent), None) => of_agent(&at, agent, &query.within),
        (None, Some(person)) => of_person(&at, person, &query.within),
        _ => Err(Refusal::new("bad_query", "a question is about one agent or one person")
            .help("ask with `agent=NAME`, or with `person=NAME`")),
    })
    .await
}

fn of_agent(at: &AsOf, agent: &str, within: &Within) -> Result<Value, Refusal> {
    let state = &at.state;
    let agent = names::agent(state, agent)?;
    let walk = what_agent_reaches(state, agent.id, within.after.as_deref(), at.now)?;
    let mut page = Page::begin(within)?;
    page.walk(walk, "", |reached| rows::reached(state, reached));
    let mut answer = page.end(at);
    set(&mut answer, "agent", names::of_agent(state, agent.id));
    set(&mut answer, "status", json!(agent.status));
    set(&mut answer, "assumes", ASSUMPTION.into());
    Ok(answer)
}

fn of_person(at: &AsOf, person: &str, within: &Within) -> Result<Value, Refusal> {
    let state = &at.state;
    let person = names::person(state, person)?;
    let walk = what_person_reaches(state, person.id, within.after.as_deref(), at.now)?;
    let note = match walk.entitlements() {
        Some(_) => "what their entitlements cover is left out",
        None => "no entitlements on record, so everything below is beyond them",
    };
    let (entitlements, agents) = (json!(walk.entitlements()), walk.agents());
    let mut page = Page::begin(within)?;
    page.walk(walk, "", |beyond| rows::beyond(state, beyond));
    let mut answer = page.end(at);
    set(&mut answer, "person", names::of_person(state, person.id));
    set(&mut answer, "entitlements", entitlements);
    set(&mut answer, "agents", agents.into());
    set(&mut answer, "note", note.into());
    set(&mut answer, "assumes", ASSUMPTION.into());
    set(&mut answer, "rule", RULE.into());
    Ok(answer)
}

fn set(answer: &mut Value, name: &str, value: Value) {
    if let Some(members) = answer.as_object_mut() {
        members.insert(name.to_owned(), value);
    }
}

/// Works an answer out where nobody waits for the thread.
async fn worked_out(work: impl FnOnce() -> Result<Value, Refusal> + Send + 'static) -> Answer {
    let worked = tokio::task::spawn_blocking(work).await;
    Ok(Json(worked.map_err(|_| Problem::fault("answer"))??))
}
