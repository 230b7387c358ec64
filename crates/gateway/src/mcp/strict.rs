//! JSON from a client, read so that every other reader would read the same: no member twice, no number that others round,
//! no nesting without end.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::limits;

/// Reads any JSON value below `depth` levels of arrays and objects.
#[derive(Debug, Clone, Copy)]
pub(super) struct Strict {
    pub depth: usize,
}

/// Reads one whole document, as strictly.
pub(crate) fn read(bytes: &[u8]) -> Result<Value, serde_json::Error> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = Strict { depth: 0 }.deserialize(&mut reader)?;
    reader.end().map(|()| value)
}

impl Strict {
    fn deeper<E: Error>(self) -> Result<Self, E> {
        if self.depth >= limits::JSON_DEPTH_MAX {
            return Err(E::custom(format_args!("it is nested more than {} levels deep", limits::JSON_DEPTH_MAX)));
        }
        Ok(Self { depth: self.depth + 1 })
    }
}

/// Names that the JSON library keeps for itself: where it reads a value that has one first, it takes the text under that name
/// for the value, and would show and hash something else than is sent on.
const PRIVATE_PREFIX: &str = "$serde_json::private::";

/// Refuses a name that does not mean the same to every reader.
pub(super) fn must_be_plain<E: Error>(name: &str) -> Result<(), E> {
    if name.starts_with(PRIVATE_PREFIX) {
        return Err(E::custom("a member has a name that a JSON library keeps for itself"));
    }
    Ok(())
}

fn rounded<E: Error>() -> E {
    E::custom("a number lies outside ±(2^53 - 1), where other readers round it; carry it as a string")
}

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

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        if value.unsigned_abs() > limits::SAFE_INTEGER_MAX { Err(rounded()) } else { Ok(Value::Number(value.into())) }
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        if value > limits::SAFE_INTEGER_MAX { Err(rounded()) } else { Ok(Value::Number(value.into())) }
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        if value.abs() > limits::SAFE_INTEGER_MAX as f64 {
            return Err(rounded());
        }
        Number::from_f64(value).map(Value::Number).ok_or_else(rounded)
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let below = self.deeper()?;
        let mut items = Vec::new();
        while let Some(item) = access.next_element_seed(below)? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let below = self.deeper()?;
        let mut members = Map::new();
        while let Some(name) = access.next_key::<String>()? {
            must_be_plain(&name)?;
            let value = access.next_value_seed(below)?;
            if members.insert(name, value).is_some() {
                return Err(A::Error::custom("an object names a member twice"));
            }
        }
        Ok(Value::Object(members))
    }
}
