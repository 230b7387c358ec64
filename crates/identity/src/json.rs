//! JSON objects that decide about security, read strictly: one meaning or none.
//!
//! Two readers that disagree about a repeated member can be played against each other, so a repetition is refused at
//! every depth.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::limits;

#[cfg(test)]
mod tests;

/// Why bytes were not accepted as a JSON object, or a member of it not as what it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    #[error("this is not JSON, or an object in it names a member twice")]
    NotJson,
    #[error("this is JSON but not an object")]
    NotAnObject,
    #[error("the member `{0}` is missing")]
    Missing(&'static str),
    #[error("the member `{0}` is not text")]
    NotText(&'static str),
    #[error("the member `{0}` is empty or too long")]
    Length(&'static str),
    #[error("the member `{0}` is not a whole number of seconds")]
    NotSeconds(&'static str),
    #[error("the member `{0}` is not an object")]
    NotObject(&'static str),
}

/// The members of one JSON object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Members(Map<String, Value>);

impl Members {
    /// Reads one object. Anything after it, a repeated member at any depth, and nesting beyond 128 levels are refused.
    pub fn parse(bytes: &[u8]) -> Result<Self, JsonError> {
        let mut reader = serde_json::Deserializer::from_slice(bytes);
        let value = Strict.deserialize(&mut reader).map_err(|_| JsonError::NotJson)?;
        reader.end().map_err(|_| JsonError::NotJson)?;
        match value {
            Value::Object(members) => Ok(Self(members)),
            _ => Err(JsonError::NotAnObject),
        }
    }

    /// The value of a member, whatever its type.
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// The object in the member `name`, if there is one.
    pub fn optional_object(&self, name: &'static str) -> Result<Option<Self>, JsonError> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::Object(members)) => Ok(Some(Self(members.clone()))),
            Some(_) => Err(JsonError::NotObject(name)),
        }
    }

    /// A text of 1 to [`limits::MEMBER_BYTES_MAX`] bytes.
    pub fn text(&self, name: &'static str) -> Result<&str, JsonError> {
        self.optional_text(name)?.ok_or(JsonError::Missing(name))
    }

    /// As [`Members::text`], or nothing where the member is not there.
    pub fn optional_text(&self, name: &'static str) -> Result<Option<&str>, JsonError> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::String(text)) if text.is_empty() || text.len() > limits::MEMBER_BYTES_MAX => {
                Err(JsonError::Length(name))
            }
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(JsonError::NotText(name)),
        }
    }

    /// A `jti`: a text of 1 to [`limits::JTI_BYTES_MAX`] bytes.
    pub fn jti(&self) -> Result<&str, JsonError> {
        let jti = self.text("jti")?;
        if jti.len() > limits::JTI_BYTES_MAX { Err(JsonError::Length("jti")) } else { Ok(jti) }
    }

    /// A time in whole seconds since 1970. RFC 7519 also allows fractions; we neither write nor accept them.
    pub fn seconds(&self, name: &'static str) -> Result<i64, JsonError> {
        let value = self.0.get(name).ok_or(JsonError::Missing(name))?;
        value.as_i64().ok_or(JsonError::NotSeconds(name))
    }
}

/// Reads any JSON value and refuses repeated members.
pub(crate) struct Strict;

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("a number is out of range"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element_seed(Self)? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some(name) = access.next_key::<String>()? {
            let value = access.next_value_seed(Self)?;
            if members.insert(name, value).is_some() {
                return Err(A::Error::custom("an object names a member twice"));
            }
        }
        Ok(Value::Object(members))
    }
}
