//! What a client says that it wants: the `mission_intent` of a pushed authorization request.

use serde_json::Value;

use super::resource::Resource;
use super::{MissionError, anchor, excerpt};
use crate::json::{self, JsonError, Members};
use crate::limits;

/// An intent. It asks, and is no authority by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissionIntent {
    /// What is to be reached, in a sentence for the person who approves.
    pub goal: String,
    /// The language of `goal`.
    pub goal_lang: Option<String>,
    /// The resources it takes.
    pub resources: Vec<String>,
    /// When it ends, in seconds since 1970.
    pub expires_at: i64,
    /// What must not happen, in sentences.
    pub constraints: Vec<String>,
    /// How one sees that it is reached, in sentences.
    pub success_criteria: Vec<String>,
    /// What for.
    pub purpose: Option<String>,
    /// What the client asks the issuer to keep to.
    pub controls: Controls,
    /// What the client sends along to be believed. Nobody has checked it.
    pub evidence: Option<Value>,
    value: Value,
}

/// Limits that a client sets itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Controls {
    /// How the person must have signed in.
    pub acr: Option<String>,
    /// How many tokens may be derived.
    pub max_derivations: Option<u64>,
}

impl MissionIntent {
    /// Reads the text of the parameter: `{"intent": …, "evidence"?: …}`. Members that are not known are refused: what the
    /// client asks to be kept to must not be passed over.
    pub fn parse(text: &str) -> Result<Self, MissionError> {
        if text.len() > limits::MISSION_BYTES_MAX {
            return Err(MissionError::TooLong);
        }
        let submission = json::parse(text.as_bytes())?;
        let submission = Members::of(&submission)?;
        submission.only(&["intent", "evidence"])?;
        let value = submission.value("intent").ok_or(JsonError::Missing("intent"))?;
        Self::read(value, submission.value("evidence").cloned())
    }

    fn read(value: &Value, evidence: Option<Value>) -> Result<Self, MissionError> {
        let intent = Members::of(value)?;
        intent.only(&[
            "goal",
            "goal_lang",
            "resources",
            "expires_at",
            "constraints",
            "success_criteria",
            "purpose",
            "controls",
        ])?;
        let texts = |name| intent.optional_texts(name, limits::INTENT_ITEMS_MAX);
        let resources = texts("resources")?.ok_or(JsonError::Missing("resources"))?;
        if let Some(resource) = resources.iter().find(|resource| Resource::parse(resource).is_none()) {
            return Err(MissionError::Resource(excerpt(resource)));
        }
        let expires_at = intent.text("expires_at")?.parse::<jiff::Timestamp>().map_err(|_| MissionError::Time)?;
        let controls = intent.optional_object("controls")?.map(|controls| read_controls(&controls)).transpose()?;
        Ok(Self {
            goal: intent.text("goal")?.to_owned(),
            goal_lang: intent.optional_text("goal_lang")?.map(str::to_owned),
            resources,
            expires_at: expires_at.as_second(),
            constraints: texts("constraints")?.unwrap_or_default(),
            success_criteria: texts("success_criteria")?.unwrap_or_default(),
            purpose: intent.optional_text("purpose")?.map(str::to_owned),
            controls: controls.unwrap_or_default(),
            evidence,
            value: value.clone(),
        })
    }

    /// The anchor of the intent as it was submitted. The evidence is not part of it.
    pub fn hash(&self, issuer: &str) -> Result<String, MissionError> {
        anchor::intent_hash(issuer, &self.value)
    }
}

fn read_controls(controls: &Members) -> Result<Controls, JsonError> {
    controls.only(&["acr", "max_derivations"])?;
    Ok(Controls {
        acr: controls.optional_text("acr")?.map(str::to_owned),
        max_derivations: controls.optional_whole("max_derivations")?,
    })
}
