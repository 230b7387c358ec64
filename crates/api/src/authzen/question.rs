//! What is asked, as it comes: strictly read where it decides, with unknown members passed over (section 5, and 10.1.1 for the
//! body).

use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use http::{StatusCode, header};
use remit_domain::Refusal;
use remit_identity::json::Members;
use serde_json::{Map, Value, json};

use crate::{Api, Problem, limits};

#[cfg(test)]
mod tests;

/// The members of a request's body.
#[derive(Debug)]
pub(crate) struct Asked(pub Map<String, Value>);

impl FromRequest<Api> for Asked {
    type Rejection = Problem;

    async fn from_request(request: Request, api: &Api) -> Result<Self, Problem> {
        let content_type = request.headers().get(header::CONTENT_TYPE).cloned();
        let bytes = Bytes::from_request(request, api).await.map_err(|_| {
            let sentence = format!("the request's body has more than {} bytes", limits::BODY_BYTES_MAX);
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, Refusal::new("body_too_large", sentence))
        })?;
        let is_json = |value: &str| {
            value.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
        };
        if !content_type.is_some_and(|value| value.to_str().is_ok_and(is_json)) {
            return Err(bad_request("the request's body is not JSON").into());
        }
        // A member that is named twice could mean one thing here and another to whoever asks.
        let members = Members::parse(&bytes).map_err(|error| bad_request(&error.to_string()))?;
        Ok(Self(members.as_map().clone()))
    }
}

/// What is wrong with a request that cannot be answered: always 400 (section 10.1.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BadRequest(pub Refusal);

impl From<BadRequest> for Problem {
    fn from(BadRequest(refusal): BadRequest) -> Self {
        Self::new(StatusCode::BAD_REQUEST, refusal)
    }
}

pub(super) fn bad_request(sentence: &str) -> BadRequest {
    let help = "`GET /.well-known/authzen-configuration` says what is answered; send what Authorization API 1.0 says";
    BadRequest(Refusal::new("bad_request", sentence).help(help))
}

/// A subject or a resource.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entity {
    pub kind: String,
    pub id: String,
    pub properties: Map<String, Value>,
}

/// What the subject wants to do.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Deed {
    pub name: String,
    pub properties: Map<String, Value>,
}

/// One question.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Question {
    pub subject: Entity,
    pub action: Deed,
    pub resource: Entity,
    pub context: Map<String, Value>,
}

/// The members of a question: of an item of a batch, with those beside the batch for what it leaves out. Whole members, never
/// parts of them (section 7.1.1).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parts<'a> {
    own: &'a Map<String, Value>,
    defaults: Option<&'a Map<String, Value>>,
}

impl<'a> Parts<'a> {
    pub fn of(own: &'a Map<String, Value>) -> Self {
        Self { own, defaults: None }
    }

    pub fn with_defaults(own: &'a Map<String, Value>, defaults: &'a Map<String, Value>) -> Self {
        Self { own, defaults: Some(defaults) }
    }

    fn member(&self, name: &str) -> Option<&'a Value> {
        self.own.get(name).or_else(|| self.defaults?.get(name))
    }

    fn object(&self, name: &str) -> Result<&'a Map<String, Value>, BadRequest> {
        match self.member(name) {
            Some(Value::Object(members)) => Ok(members),
            Some(_) => Err(bad_request(&format!("the member `{name}` is not an object"))),
            None => Err(bad_request(&format!("the member `{name}` is missing"))),
        }
    }

    /// The subject or the resource.
    pub fn entity(&self, name: &str) -> Result<Entity, BadRequest> {
        let members = self.object(name)?;
        let (kind, id) = (text(members, name, "type")?, text(members, name, "id")?);
        Ok(Entity { kind, id, properties: properties(members, name)? })
    }

    /// The type of what is searched for; an id beside it says nothing (section 8).
    pub fn kind(&self, name: &str) -> Result<String, BadRequest> {
        let members = self.object(name)?;
        properties(members, name)?;
        text(members, name, "type")
    }

    pub fn action(&self) -> Result<Deed, BadRequest> {
        let members = self.object("action")?;
        Ok(Deed { name: text(members, "action", "name")?, properties: properties(members, "action")? })
    }

    pub fn context(&self) -> Result<Map<String, Value>, BadRequest> {
        match self.member("context") {
            None => Ok(Map::new()),
            Some(_) => self.object("context").cloned(),
        }
    }

    /// The whole question.
    pub fn question(&self) -> Result<Question, BadRequest> {
        Ok(Question {
            subject: self.entity("subject")?,
            action: self.action()?,
            resource: self.entity("resource")?,
            context: self.context()?,
        })
    }
}

fn text(members: &Map<String, Value>, of: &str, name: &str) -> Result<String, BadRequest> {
    match members.get(name) {
        Some(Value::String(text)) if text.len() <= limits::ENTITY_BYTES_MAX => Ok(text.clone()),
        Some(Value::String(_)) => {
            Err(bad_request(&format!("the member `{of}.{name}` has more than {} bytes", limits::ENTITY_BYTES_MAX)))
        }
        Some(_) => Err(bad_request(&format!("the member `{of}.{name}` is not text"))),
        None => Err(bad_request(&format!("the member `{of}.{name}` is missing"))),
    }
}

fn properties(members: &Map<String, Value>, of: &str) -> Result<Map<String, Value>, BadRequest> {
    match members.get("properties") {
        None => Ok(Map::new()),
        Some(Value::Object(properties)) => Ok(properties.clone()),
        Some(_) => Err(bad_request(&format!("the member `{of}.properties` is not an object"))),
    }
}

impl Entity {
    /// As it is written.
    pub fn to_value(&self) -> Value {
        with_properties(json!({"type": self.kind, "id": self.id}), &self.properties)
    }
}

impl Deed {
    /// As it is written.
    pub fn to_value(&self) -> Value {
        with_properties(json!({"name": self.name}), &self.properties)
    }
}

fn with_properties(mut value: Value, properties: &Map<String, Value>) -> Value {
    if let (false, Some(members)) = (properties.is_empty(), value.as_object_mut()) {
        members.insert("properties".to_owned(), properties.clone().into());
    }
    value
}
