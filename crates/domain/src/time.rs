//! Time and randomness as arguments.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::id::{Id, Kind};

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    pub const fn as_millis(self) -> i64 {
        self.0
    }

    pub const fn as_seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    #[must_use]
    pub const fn plus_seconds(self, seconds: u64) -> Self {
        let millis = if seconds > i64::MAX as u64 / 1000 { i64::MAX } else { seconds as i64 * 1000 };
        Self(self.0.saturating_add(millis))
    }

    #[must_use]
    pub const fn minus_seconds(self, seconds: u64) -> Self {
        let millis = if seconds > i64::MAX as u64 / 1000 { i64::MAX } else { seconds as i64 * 1000 };
        Self(self.0.saturating_sub(millis))
    }

    /// Milliseconds from `earlier` to this moment, zero if it lies after it.
    pub const fn millis_since(self, earlier: Self) -> u64 {
        let span = self.0.saturating_sub(earlier.0);
        if span < 0 { 0 } else { span as u64 }
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339, UTC.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(time) => write!(f, "{time:.3}"),
            Err(_) => write!(f, "{} ms", self.0),
        }
    }
}

impl JsonSchema for Timestamp {
    fn schema_name() -> Cow<'static, str> {
        "Timestamp".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "integer", "format": "int64", "description": "Milliseconds since 1970-01-01T00:00:00Z."})
    }
}

/// The moment at which a command is decided: the time, and enough randomness to name what it makes.
#[derive(Debug)]
pub struct Moment {
    pub now: Timestamp,
    seed: u128,
    made: Cell<u64>,
}

impl Moment {
    /// `seed` must be fresh for every command; ids made from one moment differ in the part that counts up.
    pub const fn new(now: Timestamp, seed: u128) -> Self {
        Self { now, seed, made: Cell::new(0) }
    }

    /// A new identifier: UUIDv7 of this moment's time, the seed, and a count within the command.
    pub fn fresh_id<K: Kind>(&self) -> Id<K> {
        let count = self.made.get();
        self.made.set(count + 1);
        let random = self.seed.wrapping_add(u128::from(count));
        let [_, _, _, _, _, _, bytes @ ..] = random.to_be_bytes();
        let millis = u64::try_from(self.now.as_millis()).unwrap_or(0);
        Id::from_uuid(uuid::Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid())
    }
}
