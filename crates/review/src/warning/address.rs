//! Texts that speak to the model instead of saying what a tool does.

use super::{Place, Severity, Warning, WarningKind};
use crate::letters::{Word, words_of};

/// Words in order, each step one of several, with at most `gap` other words between two steps.
struct Phrase {
    severity: Severity,
    kind: WarningKind,
    sentence: &'static str,
    gap: usize,
    steps: &'static [&'static [&'static str]],
}

const PREVIOUS: &[&str] =
    &["previous", "prior", "above", "earlier", "preceding", "all", "any", "other", "existing", "system"];
const ORDERS: &[&str] = &["instruction", "instructions", "prompt", "prompts", "guidelines", "directives", "guardrails"];
const PEOPLE: &[&str] = &["user", "users", "human", "humans", "person", "people", "operator", "anyone", "anybody"];
const TOOLS: &[&str] = &["tool", "tools", "function", "functions"];
const USING: &[&str] = &["use", "using", "call", "calling", "invoke", "invoking", "run", "running", "executing"];

const PHRASES: &[Phrase] = &[
    Phrase {
        severity: Severity::Serious,
        kind: WarningKind::AddressesModel,
        sentence: "asks to set other instructions aside",
        gap: 2,
        steps: &[&["ignore", "ignoring", "disregard", "forget", "override", "bypass", "discard"], PREVIOUS, ORDERS],
    },
    Phrase {
        severity: Severity::Serious,
        kind: WarningKind::AddressesModel,
        sentence: "asks to keep something from people",
        gap: 3,
        steps: &[
            &["not", "never", "dont", "without", "avoid"],
            &[
                "tell",
                "telling",
                "mention",
                "mentioning",
                "inform",
                "informing",
                "reveal",
                "revealing",
                "disclose",
                "disclosing",
            ],
            PEOPLE,
        ],
    },
    Phrase {
        severity: Severity::Notice,
        kind: WarningKind::AddressesModel,
        sentence: "speaks of hiding something from people",
        gap: 4,
        steps: &[&["hide", "conceal"], &["from"], PEOPLE],
    },
    Phrase {
        severity: Severity::Serious,
        kind: WarningKind::AddressesModel,
        sentence: "asks to do something in secret",
        gap: 0,
        steps: &[&["secretly", "covertly", "surreptitiously"]],
    },
    Phrase {
        severity: Severity::Serious,
        kind: WarningKind::AddressesModel,
        sentence: "tells the model what it is",
        gap: 1,
        steps: &[&["you"], &["are"], &["now", "no"], &["a", "an", "the", "longer", "in"]],
    },
    Phrase {
        severity: Severity::Serious,
        kind: WarningKind::AddressesModel,
        sentence: "speaks of the system prompt",
        gap: 3,
        steps: &[
            &["reveal", "print", "repeat", "output", "send", "include", "append", "override", "replace", "new"],
            &["system", "developer"],
            &["prompt", "message", "instructions"],
        ],
    },
    Phrase {
        severity: Severity::Notice,
        kind: WarningKind::AddressesModel,
        sentence: "speaks of the system prompt",
        gap: 0,
        steps: &[&["system", "developer"], &["prompt", "message", "instructions"]],
    },
    Phrase {
        severity: Severity::Notice,
        kind: WarningKind::AddressesModel,
        sentence: "says what to do before something else is used",
        gap: 2,
        steps: &[&["before", "prior"], USING, &["it", "this", "any", "other", "the", "another", "tool", "tools"]],
    },
    Phrase {
        severity: Severity::Notice,
        kind: WarningKind::AddressesModel,
        sentence: "says which tools to use, or not to use",
        gap: 3,
        steps: &[&["not", "never", "dont", "only", "always", "must", "instead", "prefer"], USING, TOOLS],
    },
    Phrase {
        severity: Severity::Notice,
        kind: WarningKind::AddressesModel,
        sentence: "says which tools to use, or not to use",
        gap: 2,
        steps: &[&["instead"], &["of"], &["other", "any", "all", "another"], TOOLS],
    },
    Phrase {
        severity: Severity::Notice,
        kind: WarningKind::AddressesModel,
        sentence: "speaks of doing something without asking",
        gap: 2,
        steps: &[
            &["without"],
            &["asking", "confirmation", "confirming", "approval", "consent", "permission", "review"],
        ],
    },
    Phrase {
        severity: Severity::Notice,
        kind: WarningKind::AddressesModel,
        sentence: "gives the model an order for every time",
        gap: 1,
        steps: &[
            &["you", "assistant", "model", "agent", "llm", "ai"],
            &["must", "should", "shall"],
            &["always", "never", "first"],
        ],
    },
    Phrase {
        severity: Severity::Notice,
        kind: WarningKind::AddressesModel,
        sentence: "asks for what was said in the conversation",
        gap: 3,
        steps: &[
            &[
                "include", "send", "pass", "append", "forward", "provide", "copy", "attach", "full", "entire",
                "complete", "whole",
            ],
            &["conversation", "chat", "dialogue"],
            &["history", "context", "log", "transcript", "so", "messages"],
        ],
    },
];

/// Marks that a model may take for the frame of the conversation.
const FRAMES: &[&str] =
    &["<|", "|>", "[inst]", "[/inst]", "<<sys>>", "### instruction", "### system", "\nsystem:", "\nassistant:"];
/// Elements that mean nothing to people and much to a model.
const ELEMENTS: &[&str] = &[
    "important",
    "system",
    "instruction",
    "instructions",
    "secret",
    "admin",
    "hidden",
    "assistant",
    "critical",
    "override",
    "system-reminder",
    "system_prompt",
    "tool_call",
    "function_calls",
    "developer",
    "thinking",
    "human",
];

/// Longest opening of an element that is read, in characters.
const ELEMENT_CHARS_MAX: usize = 128;

pub(super) fn look(place: &Place, warnings: &mut Vec<Warning>) {
    let words = words_of(&place.text);
    let known = warnings.len();
    for phrase in PHRASES {
        let told = warnings.iter().skip(known).any(|warning| warning.sentence.starts_with(phrase.sentence));
        if let (false, Some(at)) = (told, find(&words, phrase)) {
            warnings.push(Warning::at(phrase.severity, phrase.kind, place, phrase.sentence, at));
        }
    }
    if let Some((at, frame)) = markup(&place.text) {
        let sentence = format!("`{frame}` looks like a part of the frame around a model");
        warnings.push(Warning::at(Severity::Serious, WarningKind::Markup, place, sentence, at));
    }
}

/// Where in the text the phrase begins, if it is there.
fn find(words: &[Word], phrase: &Phrase) -> Option<usize> {
    let (first, later) = phrase.steps.split_first()?;
    let says = |word: &Word, step: &[&str]| step.contains(&word.text.as_str());
    words.iter().enumerate().filter(|(_, word)| says(word, first)).find_map(|(index, word)| {
        let mut rest = words.get(index + 1..)?;
        for step in later {
            let next = rest.iter().take(phrase.gap + 1).position(|word| says(word, step))?;
            rest = rest.get(next + 1..)?;
        }
        Some(word.at)
    })
}

fn markup(text: &str) -> Option<(usize, String)> {
    let lower = text.to_ascii_lowercase();
    let frame = FRAMES.iter().find_map(|frame| lower.find(frame).map(|at| (at, frame.trim().to_owned())));
    frame.or_else(|| {
        lower.match_indices('<').find_map(|(at, _)| {
            // Only the beginning: a text of nothing but brackets must not cost its length squared.
            let inner: String = lower.get(at + 1..)?.chars().take(ELEMENT_CHARS_MAX).collect();
            let (inside, _) = inner.trim_start_matches('/').split_once('>')?;
            let name = inside.split_whitespace().next()?;
            ELEMENTS.contains(&name).then(|| (at, format!("<{name}>")))
        })
    })
}
