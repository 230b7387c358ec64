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
    #[error("the member `{0}` is not a list, or has an item of the wrong kind")]
    NotList(&'static str),
    #[error("the member `{0}` is not a whole number of zero or more")]
    NotWhole(&'static str),
    #[error("the list `{0}` is empty or too long")]
    Count(&'static str),
    #[error("the member `{0}` has no meaning here")]
    Unknown(String),
}

/// Reads one JSON value of any kind, as strictly as [`Members::parse`] reads an object.
pub fn parse(bytes: &[u8]) -> Result<Value, JsonError> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = Strict.deserialize(&mut reader).map_err(|_| JsonError::NotJson)?;
    reader.end().map_err(|_| JsonError::NotJson)?;
    Ok(value)
}

/// The members of one JSON object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Members(Map<String, Value>);

impl Members {
    /// Reads one object. Anything after it, a repeated member at any depth, and nesting beyond 128 levels are refused.
    pub fn parse(bytes: &[u8]) -> Result<Self, JsonError> {
        match parse(bytes)? {
            Value::Object(members) => Ok(Self(members)),
            _ => Err(JsonError::NotAnObject),
        }
    }

    /// The members of a value that was read strictly before.
    pub fn of(value: &Value) -> Result<Self, JsonError> {
        value.as_object().cloned().map(Self).ok_or(JsonError::NotAnObject)
    }

    /// Refuses members other than those that are `known`: what is not understood must not be passed over.
    pub fn only(&self, known: &[&str]) -> Result<(), JsonError> {
        match self.0.keys().find(|name| !known.contains(&name.as_str())) {
            Some(name) => Err(JsonError::Unknown(name.chars().take(64).collect())),
            None => Ok(()),
        }
    }

    /// The value of a member, whatever its type.
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// All members.
    pub fn as_map(&self) -> &Map<String, Value> {
        &self.0
    }

    /// The object in the member `name`, if there is one.
    pub fn optional_object(&self, name: &'static str) -> Result<Option<Self>, JsonError> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::Object(members)) => Ok(Some(Self(members.clone()))),
            Some(_) => Err(JsonError::NotObject(name)),
        }
    }

    /// As [`Members::optional_object`], where it must be there.
    pub fn object(&self, name: &'static str) -> Result<Self, JsonError> {
        self.optional_object(name)?.ok_or(JsonError::Missing(name))
    }

    /// The list in the member `name`, of 1 to `count_max` items, if there is one.
    pub fn optional_list(&self, name: &'static str, count_max: usize) -> Result<Option<&[Value]>, JsonError> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::Array(items)) if items.is_empty() || items.len() > count_max => Err(JsonError::Count(name)),
            Some(Value::Array(items)) => Ok(Some(items)),
            Some(_) => Err(JsonError::NotList(name)),
        }
    }

    /// The texts in the list `name`, each of 1 to [`limits::MEMBER_BYTES_MAX`] bytes, if there is one.
    pub fn optional_texts(&self, name: &'static str, count_max: usize) -> Result<Option<Vec<String>>, JsonError> {
        let Some(items) = self.optional_list(name, count_max)? else { return Ok(None) };
        let fits = |text: &&str| !text.is_empty() && text.len() <= limits::MEMBER_BYTES_MAX;
        let texts = items.iter().map(|item| item.as_str().filter(fits).map(str::to_owned));
        texts.collect::<Option<Vec<_>>>().map(Some).ok_or(JsonError::NotList(name))
    }

    /// A whole number of zero or more, if there is one.
    pub fn optional_whole(&self, name: &'static str) -> Result<Option<u64>, JsonError> {
        self.0.get(name).map(|value| value.as_u64().ok_or(JsonError::NotWhole(name))).transpose()
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
        self.optional_seconds(name)?.ok_or(JsonError::Missing(name))
    }

    /// As [`Members::seconds`], or nothing where the member is not there.
    pub fn optional_seconds(&self, name: &'static str) -> Result<Option<i64>, JsonError> {
        self.0.get(name).map(|value| value.as_i64().ok_or(JsonError::NotSeconds(name))).transpose()
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
