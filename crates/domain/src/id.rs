//! Typed, prefixed identifiers that sort by the time they were made (UUIDv7, RFC 9562 section 5.7).

use std::borrow::Cow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

#[cfg(test)]
mod tests;

/// What an identifier names; carried in the type so that an approval's id cannot be passed for an action's.
pub trait Kind: 'static {
    const PREFIX: &'static str;
    /// The name of the identifier's type, for schemas.
    const NAME: &'static str;
}

/// An identifier of one kind of thing, written as `PREFIX` and 26 characters of lower-case Crockford base 32.
pub struct Id<K> {
    uuid: Uuid,
    kind: PhantomData<fn() -> K>,
}

impl<K: Kind> Id<K> {
    pub const fn from_uuid(uuid: Uuid) -> Self {
        Self { uuid, kind: PhantomData }
    }

    pub const fn uuid(&self) -> Uuid {
        self.uuid
    }
}

/// Why a text is not an identifier of the expected kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an id of the form `{prefix}` and 26 letters and digits")]
pub struct IdError {
    text: String,
    prefix: &'static str,
}

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const DIGITS: usize = 26;

impl<K: Kind> Id<K> {
    /// Its digits without the prefix.
    fn digits(&self) -> [u8; DIGITS] {
        let value = self.uuid.as_u128();
        let mut text = [b'0'; DIGITS];
        for (place, digit) in text.iter_mut().zip((0..DIGITS).rev()) {
            let index = ((value >> (digit * 5)) & 31) as usize;
            *place = ALPHABET.get(index).copied().unwrap_or(b'0');
        }
        text
    }
}

impl<K: Kind> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(K::PREFIX)?;
        f.write_str(str::from_utf8(&self.digits()).unwrap_or_default())
    }
}

impl<K: Kind> FromStr for Id<K> {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let refused = || IdError { text: text.chars().take(64).collect(), prefix: K::PREFIX };
        let digits = text.strip_prefix(K::PREFIX).ok_or_else(refused)?.as_bytes();
        if digits.len() != DIGITS {
            return Err(refused());
        }
        let mut value: u128 = 0;
        for digit in digits {
            let index = ALPHABET.iter().position(|letter| letter == digit).ok_or_else(refused)?;
            // 26 digits carry 130 bits; the two highest must be zero or the text would not be canonical.
            if value >> 123 != 0 {
                return Err(refused());
            }
            value = (value << 5) | index as u128;
        }
        Ok(Self::from_uuid(Uuid::from_u128(value)))
    }
}

impl<K> Clone for Id<K> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<K> Copy for Id<K> {}
impl<K> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.uuid == other.uuid
    }
}
impl<K> Eq for Id<K> {}
impl<K> PartialOrd for Id<K> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<K> Ord for Id<K> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.uuid.cmp(&other.uuid)
    }
}
impl<K> Hash for Id<K> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.uuid.hash(state);
    }
}
impl<K: Kind> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
impl<K: Kind> Serialize for Id<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
impl<'de, K: Kind> Deserialize<'de> for Id<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl<K: Kind> JsonSchema for Id<K> {
    fn schema_name() -> Cow<'static, str> {
        K::NAME.into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        // Crockford base 32; the first digit carries three bits only.
        let pattern = format!("^{}[0-7][0-9a-hjkmnp-tv-z]{{{}}}$", K::PREFIX, DIGITS - 1);
        json_schema!({"type": "string", "pattern": pattern})
    }
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $id:ident = $kind:ident, $prefix:literal;)*) => {$(
        #[doc(hidden)]
        #[derive(Debug)]
        pub enum $kind {}
        impl Kind for $kind {
            const PREFIX: &'static str = $prefix;
            const NAME: &'static str = stringify!($id);
        }
        $(#[$doc])*
        pub type $id = Id<$kind>;
    )*};
}

kinds! {
    RealmId = RealmKind, "rlm_";
    PersonId = PersonKind, "prs_";
    SessionId = SessionKind, "ses_";
    AgentId = AgentKind, "agt_";
    RunId = RunKind, "run_";
    TaskId = TaskKind, "tsk_";
    GrantId = GrantKind, "grt_";
    ActionId = ActionKind, "act_";
    ApprovalId = ApprovalKind, "apr_";
    ConnectorId = ConnectorKind, "con_";
    ChangeId = ChangeKind, "chg_";
    FindingId = FindingKind, "fnd_";
    ClientId = ClientKind, "cli_";
}
