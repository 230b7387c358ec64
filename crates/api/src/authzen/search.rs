//! `/access/v1/search/*`: who may, on what, and what they may do (section 8).
//!
//! The same decision as a question, without a record for each candidate, as in a list of tools: nothing follows from it. One
//! request looks at a bounded number of candidates; the rest is on the next page.

use std::sync::Arc;

use axum::Json;
use axum::extract::State as Extract;
use remit_domain::{Digest, State, Verdict};
use remit_identity::base64url;
use serde_json::{Map, Value, json};

use super::attempt::preview;
use super::caller::Enforcer;
use super::catalogue::{self, AGENT, Catalogue};
use super::meaning;
use super::question::{Asked, BadRequest, Deed, Entity, Parts, Question, bad_request};
use crate::{Api, Problem, limits};

type Answer = Result<Json<Value>, Problem>;

/// Which page is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Page {
    limit: usize,
    /// The last candidate of the page before.
    after: Option<String>,
    /// What every token of this search begins with: one of another search would leave out what it should not.
    search: String,
    asked: bool,
}

impl Page {
    fn of(members: &Map<String, Value>) -> Result<Self, BadRequest> {
        let mut search = members.clone();
        let page = search.remove("page");
        let search = Digest::of_document(&Value::Object(search)).to_string();
        let page = match page {
            None => return Ok(Self { limit: limits::SEARCH_ROWS_DEFAULT, after: None, search, asked: false }),
            Some(Value::Object(page)) => page,
            Some(_) => return Err(bad_request("the member `page` is not an object")),
        };
        let limit = match page.get("limit").map(Value::as_u64) {
            None => limits::SEARCH_ROWS_DEFAULT,
            Some(Some(limit @ 1..)) => usize::try_from(limit).unwrap_or(usize::MAX).min(limits::SEARCH_ROWS_MAX),
            Some(_) => return Err(bad_request("the member `page.limit` is not a whole number above zero")),
        };
        let after =
            match page.get("token") {
                None => None,
                Some(Value::String(token)) if token.is_empty() => None,
                Some(Value::String(token)) => Some(read_token(token, &search).ok_or_else(|| {
                    bad_request("the member `page.token` is not one that was given out for this search")
                })?),
                Some(_) => return Err(bad_request("the member `page.token` is not text")),
            };
        Ok(Self { limit, after, search, asked: true })
    }

    fn token(&self, last: &str) -> String {
        base64url::encode(format!("{}\n{last}", self.search))
    }
}

fn read_token(token: &str, search: &str) -> Option<String> {
    let text = String::from_utf8(base64url::decode(token).ok()?).ok()?;
    let (of, last) = text.split_once('\n')?;
    (of == search).then(|| last.to_owned())
}

/// What is searched for: how each candidate is asked about, and shown if the answer is yes.
trait Sought: Send + 'static {
    /// Every candidate by name, in any order.
    fn candidates(&self, state: &State) -> Vec<String>;
    fn question(&self, candidate: &str) -> Question;
    fn shown(&self, candidate: &str) -> Value;
}

/// Who may do it.
struct Subjects {
    kind: String,
    action: Deed,
    resource: Entity,
    context: Map<String, Value>,
}

impl Sought for Subjects {
    fn candidates(&self, state: &State) -> Vec<String> {
        if !catalogue::is_kind(&self.kind) {
            return Vec::new();
        }
        if self.kind == AGENT {
            return state.agents_by_name.keys().cloned().collect();
        }
        let known = Catalogue::of(state, &self.resource.kind).map(|catalogue| catalogue.subjects).unwrap_or_default();
        known.iter().map(|thing| &thing.id).chain(state.people_by_name.keys()).cloned().collect()
    }

    fn question(&self, candidate: &str) -> Question {
        Question {
            subject: entity(&self.kind, candidate),
            action: self.action.clone(),
            resource: self.resource.clone(),
            context: self.context.clone(),
        }
    }

    fn shown(&self, candidate: &str) -> Value {
        json!({"type": self.kind, "id": candidate})
    }
}

/// On what it may be done.
struct Resources {
    subject: Entity,
    action: Deed,
    kind: String,
    context: Map<String, Value>,
}

impl Sought for Resources {
    fn candidates(&self, state: &State) -> Vec<String> {
        let known = Catalogue::of(state, &self.kind).map(|catalogue| catalogue.resources).unwrap_or_default();
        known.iter().map(|thing| thing.id.clone()).collect()
    }

    fn question(&self, candidate: &str) -> Question {
        Question {
            subject: self.subject.clone(),
            action: self.action.clone(),
            resource: entity(&self.kind, candidate),
            context: self.context.clone(),
        }
    }

    fn shown(&self, candidate: &str) -> Value {
        json!({"type": self.kind, "id": candidate})
    }
}

/// What may be done.
struct Actions {
    subject: Entity,
    resource: Entity,
    context: Map<String, Value>,
}

impl Sought for Actions {
    fn candidates(&self, state: &State) -> Vec<String> {
        let Some(catalogue) = Catalogue::of(state, &self.resource.kind) else { return Vec::new() };
        let operations = state.operations_of(catalogue.connector);
        let available = operations.filter(|operation| operation.withdrawn.is_none());
        available.map(|operation| operation.name.tool().to_owned()).collect()
    }

    fn question(&self, candidate: &str) -> Question {
        Question {
            subject: self.subject.clone(),
            action: Deed { name: candidate.to_owned(), ..Deed::default() },
            resource: self.resource.clone(),
            context: self.context.clone(),
        }
    }

    fn shown(&self, candidate: &str) -> Value {
        json!({"name": candidate})
    }
}

fn entity(kind: &str, id: &str) -> Entity {
    Entity { kind: kind.to_owned(), id: id.to_owned(), properties: Map::new() }
}

pub(crate) async fn subjects(Extract(api): Extract<Api>, enforcer: Enforcer, Asked(members): Asked) -> Answer {
    let parts = Parts::of(&members);
    let sought = Subjects {
        kind: parts.kind("subject")?,
        action: parts.action()?,
        resource: parts.entity("resource")?,
        context: parts.context()?,
    };
    search(api, enforcer, &members, sought).await
}

pub(crate) async fn resources(Extract(api): Extract<Api>, enforcer: Enforcer, Asked(members): Asked) -> Answer {
    let parts = Parts::of(&members);
    let sought = Resources {
        subject: parts.entity("subject")?,
        action: parts.action()?,
        kind: parts.kind("resource")?,
        context: parts.context()?,
    };
    search(api, enforcer, &members, sought).await
}

pub(crate) async fn actions(Extract(api): Extract<Api>, enforcer: Enforcer, Asked(members): Asked) -> Answer {
    let parts = Parts::of(&members);
    let sought =
        Actions { subject: parts.entity("subject")?, resource: parts.entity("resource")?, context: parts.context()? };
    search(api, enforcer, &members, sought).await
}

async fn search(api: Api, enforcer: Enforcer, members: &Map<String, Value>, sought: impl Sought) -> Answer {
    let page = Page::of(members)?;
    let place = api.enforcers.room.enter(enforcer.agent, limits::SEARCH_EVALUATIONS)?;
    let state = api.engine.state();
    // Decisions are for the processor alone, and there may be many: others on this thread must not wait for them. The place is given
    // back with the last of them, even if nobody waits for the answer any more.
    let look = move || {
        let _place = place;
        look(&api, &enforcer, &state, &page, &sought)
    };
    let found = tokio::task::spawn_blocking(look).await;
    found.map(Json).map_err(|_| Problem::fault("search"))
}

fn look(api: &Api, enforcer: &Enforcer, state: &Arc<State>, page: &Page, sought: &impl Sought) -> Value {
    let mut candidates = sought.candidates(state);
    candidates.retain(|candidate| page.after.as_ref().is_none_or(|after| candidate > after));
    candidates.sort_unstable();
    candidates.dedup();
    let (mut results, mut next) = (Vec::new(), String::new());
    for (looked_at, candidate) in candidates.iter().enumerate() {
        let question = sought.question(candidate);
        let meaning = meaning::of(state, &api.settings, &question);
        let events = preview(state, api, enforcer, &meaning).unwrap_or_default();
        if meaning.refusal.is_none() && matches!(Verdict::among(&events), Some(Verdict::Allowed(_))) {
            results.push(sought.shown(candidate));
        }
        let is_full = results.len() >= page.limit || looked_at + 1 >= limits::SEARCH_CANDIDATES_MAX;
        if is_full && looked_at + 1 < candidates.len() {
            next = page.token(candidate);
            break;
        }
    }
    let count = results.len();
    let mut body = json!({"results": results});
    if let (true, Some(body)) = (page.asked || !next.is_empty(), body.as_object_mut()) {
        body.insert("page".to_owned(), json!({"next_token": next, "count": count}));
    }
    body
}
