//! As much CBOR (RFC 8949) as authenticators write: the canonical form of CTAP 2.1 section 8, read strictly.
//!
//! Definite lengths in their shortest form; integers, byte strings, text, arrays, maps with distinct keys, `false`, `true` and
//! `null`. No tags, no floating point, and nothing of indefinite length: no authenticator writes them where we read. The order of
//! keys is not asked for: some authenticators write their statement in another, and distinct keys mean the same in any.

use crate::limits;

#[cfg(test)]
mod tests;

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cbor {
    Integer(i64),
    Bytes(Vec<u8>),
    Text(String),
    Array(Vec<Self>),
    Map(Vec<(Self, Self)>),
    Bool(bool),
    Null,
}

impl Cbor {
    /// The value at an integer key of a map.
    pub(super) fn at(&self, key: i64) -> Option<&Self> {
        self.find(&Self::Integer(key))
    }

    /// The value at a text key of a map.
    pub(super) fn named(&self, key: &str) -> Option<&Self> {
        let Self::Map(members) = self else { return None };
        members.iter().find(|(known, _)| matches!(known, Self::Text(text) if text == key)).map(|(_, value)| value)
    }

    fn find(&self, key: &Self) -> Option<&Self> {
        let Self::Map(members) = self else { return None };
        members.iter().find(|(known, _)| known == key).map(|(_, value)| value)
    }

    pub(super) fn integer(&self) -> Option<i64> {
        if let Self::Integer(value) = self { Some(*value) } else { None }
    }

    pub(super) fn bytes(&self) -> Option<&[u8]> {
        if let Self::Bytes(value) = self { Some(value) } else { None }
    }

    pub(super) fn text(&self) -> Option<&str> {
        if let Self::Text(value) = self { Some(value) } else { None }
    }
}

/// Reads one value and nothing after it.
pub(super) fn parse(bytes: &[u8]) -> Option<Cbor> {
    let (value, rest) = parse_first(bytes)?;
    rest.is_empty().then_some(value)
}

/// Reads one value, and gives what comes after it.
pub(super) fn parse_first(bytes: &[u8]) -> Option<(Cbor, &[u8])> {
    let mut reader = Reader { rest: bytes, values: 0 };
    let value = reader.value(0)?;
    Some((value, reader.rest))
}

struct Reader<'a> {
    rest: &'a [u8],
    values: usize,
}

impl<'a> Reader<'a> {
    fn value(&mut self, depth: usize) -> Option<Cbor> {
        self.values += 1;
        if depth > limits::CBOR_DEPTH_MAX || self.values > limits::CBOR_VALUES_MAX {
            return None;
        }
        let (major, argument) = self.head()?;
        match major {
            0 => i64::try_from(argument).ok().map(Cbor::Integer),
            1 => i64::try_from(argument).ok().map(|value| Cbor::Integer(-1 - value)),
            2 => self.take(argument).map(|bytes| Cbor::Bytes(bytes.to_vec())),
            3 => std::str::from_utf8(self.take(argument)?).ok().map(|text| Cbor::Text(text.to_owned())),
            4 => {
                let items = (0..argument).map(|_| self.value(depth + 1)).collect::<Option<_>>()?;
                Some(Cbor::Array(items))
            }
            5 => self.map(argument, depth),
            7 => match argument {
                20 => Some(Cbor::Bool(false)),
                21 => Some(Cbor::Bool(true)),
                22 => Some(Cbor::Null),
                _ => None,
            },
            _ => None,
        }
    }

    fn map(&mut self, count: u64, depth: usize) -> Option<Cbor> {
        let mut members: Vec<(Cbor, Cbor)> = Vec::new();
        for _ in 0..count {
            let key = self.value(depth + 1)?;
            if members.iter().any(|(known, _)| *known == key) {
                return None;
            }
            members.push((key, self.value(depth + 1)?));
        }
        Some(Cbor::Map(members))
    }

    /// The kind of the next value and its number, which has to be written as short as it can be.
    fn head(&mut self) -> Option<(u8, u64)> {
        let first = *self.take(1)?.first()?;
        let (major, short) = (first >> 5, first & 0x1f);
        let (argument, least) = match short {
            0..=23 => (u64::from(short), 0),
            24 => (u64::from_be_bytes(self.padded(1)?), 24),
            25 => (u64::from_be_bytes(self.padded(2)?), 1 << 8),
            26 => (u64::from_be_bytes(self.padded(4)?), 1 << 16),
            27 => (u64::from_be_bytes(self.padded(8)?), 1 << 32),
            _ => return None,
        };
        // Simple values and floating point are told apart by the length: the three that are read have none.
        (argument >= least && (major != 7 || short <= 23)).then_some((major, argument))
    }

    fn padded(&mut self, length: usize) -> Option<[u8; 8]> {
        let bytes = self.take(length as u64)?;
        let mut padded = [0; 8];
        padded.get_mut(8 - length..)?.copy_from_slice(bytes);
        Some(padded)
    }

    fn take(&mut self, length: u64) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(usize::try_from(length).ok()?)?;
        self.rest = rest;
        Some(taken)
    }
}
