//! What of a ledger entry can be searched for, read without making a record of it: every entry passes here.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::artefacts;
use crate::record::RECORD_VERSION;
use crate::store::index::IndexRow;

/// An entry, as far as the index needs it.
#[derive(serde::Deserialize)]
struct Searched<'a> {
    v: u32,
    seq: u64,
    at: i64,
    #[serde(borrow)]
    actor: Who<'a>,
    #[serde(borrow)]
    event: What<'a>,
}

#[derive(serde::Deserialize)]
struct Who<'a> {
    #[serde(borrow, default)]
    person: Text<'a>,
}

/// The members that events have in common, where they have them.
#[derive(serde::Deserialize)]
struct What<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    agent: Text<'a>,
    #[serde(borrow, default)]
    task: Text<'a>,
    #[serde(borrow, default)]
    acting_for: Text<'a>,
    #[serde(borrow, default)]
    operation: Text<'a>,
    #[serde(borrow, default)]
    action: Text<'a>,
    #[serde(borrow, default)]
    approval: Text<'a>,
    #[serde(borrow, default)]
    grant: Text<'a>,
    #[serde(borrow, default)]
    outcome: Option<Kind<'a>>,
    #[serde(borrow, default)]
    name: Text<'a>,
    #[serde(borrow, default)]
    reason: Text<'a>,
    #[serde(borrow, default)]
    purpose: Text<'a>,
    #[serde(borrow, default)]
    note: Text<'a>,
    #[serde(borrow, default)]
    refusal: Option<Code<'a>>,
}

#[derive(serde::Deserialize)]
struct Kind<'a> {
    #[serde(borrow, default)]
    kind: Text<'a>,
}

#[derive(serde::Deserialize)]
struct Code<'a> {
    #[serde(borrow, default)]
    code: Text<'a>,
}

/// The row of the entry at `index`. No content: the ledger has none.
pub(super) fn row_of(index: u64, entry: &[u8]) -> Result<IndexRow, String> {
    let Searched { v, seq, at, actor, event } =
        serde_json::from_slice(entry).map_err(|error| format!("it is not a record: {error}"))?;
    if v != RECORD_VERSION {
        return Err(format!("it has version {v}, and this program knows {RECORD_VERSION}"));
    }
    if seq != index {
        return Err(format!("it says that it is entry {seq}"));
    }
    let outcome = match &*event.kind {
        "ActionAllowed" => Some("allowed".to_owned()),
        "ActionDenied" => Some("denied".to_owned()),
        "ApprovalRequested" => Some("asked".to_owned()),
        "OutcomeRecorded" => event.outcome.and_then(|outcome| outcome.kind.owned()),
        _ => None,
    };
    let code = event.refusal.map(|refusal| refusal.code).unwrap_or_default();
    let words = [event.name, event.reason, event.purpose, event.note, code];
    let words: Vec<Cow<'_, str>> = words.into_iter().filter_map(|word| word.0).collect();
    let artefacts = artefacts::of_entry(&event.kind, entry)?;
    // A grant is used where an action was allowed under it, not where it was given or taken away.
    let grant = event.grant.owned().filter(|_| event.kind == "ActionAllowed");
    Ok(IndexRow {
        seq,
        at,
        kind: event.kind.into_owned(),
        agent: event.agent.owned(),
        task: event.task.owned(),
        person: actor.person.owned().or_else(|| event.acting_for.owned()),
        operation: event.operation.owned(),
        action: event.action.owned(),
        approval: event.approval.owned(),
        outcome,
        text: words.join(" "),
        artefacts,
        grant,
    })
}

/// A text, borrowed where it stands; nothing where something else stands.
#[derive(Default)]
struct Text<'a>(Option<Cow<'a, str>>);

impl Text<'_> {
    fn owned(self) -> Option<String> {
        self.0.map(Cow::into_owned)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
        Ok(Text(Some(Cow::Borrowed(text))))
    }

    fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
        Ok(Text(Some(Cow::Owned(text.to_owned()))))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Text<'de>, E> {
        Ok(Text(None))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Text<'de>, E> {
        Ok(Text(None))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Text<'de>, E> {
        Ok(Text(None))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Text<'de>, E> {
        Ok(Text(None))
    }

    fn visit_unit<E>(self) -> Result<Text<'de>, E> {
        Ok(Text(None))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Text<'de>, A::Error> {
        while elements.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Text(None))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Text<'de>, A::Error> {
        while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Text(None))
    }
}
