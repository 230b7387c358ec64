//! What a person is shown of a question: every word of it stands in one document, to which the record and their answer commit.
//!
//! INVARIANT: these fragments are made from the document alone. What stands beside it on the page (where the question stands now, the
//! ledger, the text of a policy) is nothing that an answer is about.

use maud::{Markup, html};
use remit_domain::{Digest, State as Realm};
use remit_engine::Engine;
use serde_json::Value;

use crate::errors::PageError;
use crate::pages::policies::versions::{Version, with_digest};
use crate::parts::properties::{none, properties, row};
use crate::parts::text::{shown, told};
use crate::parts::{id, pill, value};

#[cfg(test)]
mod tests;

/// A document, read member by member. Nothing in it is missing by mistake: what is not there is not so.
#[derive(Debug, Clone, Copy)]
pub(super) struct Document<'a>(pub(super) &'a Value);

impl<'a> Document<'a> {
    pub(super) fn at(self, pointer: &str) -> Option<&'a Value> {
        self.0.pointer(pointer).filter(|value| !value.is_null())
    }

    pub(super) fn text(self, pointer: &str) -> Option<&'a str> {
        self.at(pointer).and_then(Value::as_str)
    }

    fn list(self, pointer: &str) -> &'a [Value] {
        self.at(pointer).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
    }

    fn is(self, pointer: &str) -> bool {
        self.at(pointer).and_then(Value::as_bool).unwrap_or(false)
    }

    /// A name, or what stands where there is none.
    fn name(self, pointer: &str, otherwise: &str) -> Markup {
        match self.text(pointer) {
            Some(name) => html! { span .person { (shown(name)) } },
            None => none(otherwise),
        }
    }

    pub(super) fn agent(self, pointer: &str) -> Markup {
        let text = |member: &str| self.text(&format!("{pointer}/{member}"));
        let id = text("id").unwrap_or_default();
        html! { a .agent href={ "/agents/" (id) } title=(id) { (shown(text("name").unwrap_or(id))) } }
    }

    pub(super) fn acting_for(self) -> Markup {
        self.name("/acting_for", "nobody")
    }
}

/// The exact arguments, what policies read out of them, and what is sent beside them.
pub(super) fn what_runs(document: Document<'_>) -> Markup {
    html! {
        section {
            h2 { "Exact arguments" }
            @if let Some(arguments) = document.at("/arguments") { (content(arguments)) }
            @if let Some(projected) = document.at("/projected").filter(|read| read.as_object().is_some_and(|read| !read.is_empty())) {
                h3 { "What policies read out of them" }
                (value::table(projected))
            }
        }
        @if let Some(beside) = document.at("/beside") {
            section {
                h2 { "Sent beside the arguments" }
                p .quiet { "Parts of the call that Remit does not know and passes on unchanged." }
                (content(beside))
            }
        }
    }
}

/// Content that a yes is bound to, as people read it and as it is sent.
fn content(content: &Value) -> Markup {
    html! {
        (value::table(content))
        h3 { "Exactly, as canonical JSON" }
        (value::exact(&canonical(content)))
    }
}

/// RFC 8785: the one form in which this is hashed and sent.
pub(super) fn canonical(value: &Value) -> String {
    serde_json_canonicalizer::to_string(value).unwrap_or_else(|_| value.to_string())
}

pub(super) fn who(document: Document<'_>) -> Markup {
    let autonomy = document.at("/agent/autonomy").map(ToString::to_string);
    let rows = html! {
        (row("Agent", &document.agent("/agent")))
        (row("Owner", &document.name("/agent/owner", "nobody")))
        (row("Is", &html! {
            (shown(document.text("/agent/class").unwrap_or("of no class")))
            ", autonomy " @match &autonomy { Some(autonomy) => { "A" (autonomy) } None => "not set" }
            ", " (shown(document.text("/agent/environment").unwrap_or("no environment")))
        }))
        @if document.at("/named_agent").is_some() { (row("Named by it", &document.agent("/named_agent"))) }
        @if document.at("/enforcer").is_some() { (row("Asked by", &document.agent("/enforcer"))) }
        (row("Acts for", &document.acting_for()))
        (row("Started by", &document.name("/task/started_by", "the agent itself")))
        @if let Some(purpose) = document.text("/task/purpose") {
            (row("Purpose", &html! { span .text { (shown(purpose)) } }))
        }
        (row("Task", &id::short(document.text("/task/id").unwrap_or_default())))
        (row("Has gathered", &labels(document)))
        (row("Run", &html! {
            (id::short(document.text("/run").unwrap_or_default())) ", "
            @match document.text("/attribution") {
                Some("proven") => "proved by the key of the run",
                Some("asserted") => "by a bearer token: whoever holds it could have asked",
                Some("shared") => "by something that several hold: any of them could have asked",
                _ => "nothing tells who asked",
            }
        }))
    };
    html! { section { h2 { "Who" } (properties(&rows)) } }
}

/// What the task has seen so far: its labels, and the highest class of data.
fn labels(document: Document<'_>) -> Markup {
    let labels = document.list("/task/labels");
    let data = document.text("/task/data");
    html! {
        @if labels.is_empty() && data.is_none() { (none("no labels and no classified data")) }
        @for label in labels.iter().filter_map(Value::as_str) { (pill::pill(pill::Tone::Waits, label)) " " }
        @if let Some(data) = data { span .quiet { (shown(data)) " data" } }
    }
}

pub(super) fn operation(document: Document<'_>) -> Markup {
    let risk = document.at("/operation/risk").and_then(Value::as_u64).and_then(|risk| u8::try_from(risk).ok());
    html! {
        section {
            h2 { "What" }
            (properties(&html! {
                (row("Operation", &html! { code { (shown(document.text("/operation/name").unwrap_or_default())) } }))
                @if let Some(verb) = document.text("/operation/verb") {
                    (row("Effect", &html! {
                        (shown(verb)) " " (pill::risk(risk.unwrap_or(3))) " "
                        span .quiet { (shown(document.text("/operation/data").unwrap_or_default())) " data" }
                        @if document.is("/operation/external") { ", reaches outside the organisation" }
                        @if document.is("/operation/irreversible") { ", " strong { "cannot be undone" } }
                    }))
                }
                @if let Some(description) = document.text("/operation/description") {
                    (row("Its server says", &html! { span .text { (shown(description)) } }))
                }
                (row("Definition", &document.text("/operation/definition").map_or_else(|| none("not pinned"), digest)))
                (row("Action", &html! {
                    code .id .whole { (shown(document.text("/action_digest").unwrap_or_default())) } " " span .quiet { "what a yes is bound to" }
                }))
            }))
        }
    }
}

fn digest(digest: &str) -> Markup {
    match digest.parse::<Digest>() {
        Ok(digest) => id::digest(&digest),
        Err(_) => shown(digest),
    }
}

/// What a rule that asked was read from, as far as it is there.
#[derive(Debug)]
pub(super) enum Origin {
    /// The text that asked is the one that is active.
    Active(String),
    /// It has changed since: the text that asked, and the record with which it became active.
    Former(String, u64),
    /// The document names a text that is not found, or none, because others were active when it was made than those that asked.
    Unknown,
}

/// The texts that the rules of `document` were read from, in their order: each is found by the digest that the document names, never
/// by its name alone.
pub(super) async fn origins(engine: &Engine, document: Document<'_>) -> Result<Vec<Origin>, PageError> {
    let mut origins = Vec::new();
    for rule in document.list("/rules").iter().map(Document) {
        let digest = rule.text("/sha256").and_then(|digest| digest.parse::<Digest>().ok());
        let Some((file, digest)) = rule.text("/file").zip(digest) else {
            origins.push(Origin::Unknown);
            continue;
        };
        let active = engine.read(|state| state.policies.sources.get(file).cloned());
        let is_it = |text: &String| Digest::of_bytes(text.as_bytes()) == digest;
        origins.push(match active.filter(is_it) {
            Some(text) => Origin::Active(text),
            None => match with_digest(engine, file, digest).await? {
                Some(Version { seq, text: Some(text), .. }) => Origin::Former(text, seq),
                _ => Origin::Unknown,
            },
        });
    }
    Ok(origins)
}

/// The rules that ask and their reasons. The text of a rule stands beside the document, which names it by its digest.
pub(super) fn why(document: Document<'_>, origins: &[Origin], state: &Realm) -> Markup {
    let (rules, reasons) = (document.list("/rules"), document.list("/asks/reasons"));
    let paired = rules.len() == reasons.len();
    html! {
        section {
            h2 { "Why you are asked" }
            ul .rules {
                @for (index, rule) in rules.iter().map(Document).enumerate() {
                    li {
                        @if let Some(reason) = reasons.get(index).filter(|_| paired).and_then(Value::as_str) { span .text { (shown(reason)) } " " }
                        span .quiet { "rule " code { (shown(rule.text("/id").unwrap_or_default())) } }
                        (source(rule, origins.get(index).unwrap_or(&Origin::Unknown)))
                    }
                }
                @if !paired {
                    @for reason in reasons.iter().filter_map(Value::as_str) { li { span .text { (shown(reason)) } } }
                }
            }
            p .quiet {
                "Asks " (told(&asked(document))) ", " (document.at("/asks/how_many").map(ToString::to_string).unwrap_or_default())
                " in all. Decided under policies " (digest(document.text("/policies").unwrap_or_default()))
                @if document.text("/policies") != Some(&state.policies.digest().to_string()) { ", which have changed since" }
            }
        }
    }
}

/// The text that a rule was read from when it asked.
fn source(rule: Document<'_>, origin: &Origin) -> Markup {
    let file = rule.text("/file").unwrap_or_default();
    match origin {
        Origin::Active(text) => html! {
            details {
                summary { "policy " code { (shown(file)) } }
                (value::exact(text))
                p { a href={ "/policies/" (file) "/history" } { "What was changed of it, by whom" } }
            }
        },
        Origin::Former(text, seq) => html! {
            details {
                summary { "policy " code { (shown(file)) } ", as it was when it asked" }
                (value::exact(text))
                p { "It has changed since: " a href={ "/policies/" (file) "/diff?from=" (seq) } { "what is different now" } }
            }
        },
        Origin::Unknown => html! {
            p .reason { "the rule has changed since this was asked, so its text of then is not shown here" }
        },
    }
}

/// Whom a question is for, in words.
pub(super) fn asked(document: Document<'_>) -> String {
    let lists = document.list("/asks/of").iter().filter_map(Value::as_array);
    let each = lists.map(|roles| {
        let roles: Vec<_> = roles.iter().filter_map(Value::as_str).collect();
        format!("`{}`", roles.join("` or `"))
    });
    each.collect::<Vec<_>>().join(" and ")
}

/// What people already said no to in this task: an agent that keeps asking is worth a second look.
pub(super) fn denials(document: Document<'_>) -> Markup {
    let denied = document.list("/denied_before");
    html! {
        @if !denied.is_empty() {
            section {
                h2 { "Denied before in this task" }
                ul .rules {
                    @for denial in denied.iter().map(Document) {
                        li {
                            a href={ "/approvals/" (denial.text("/approval").unwrap_or_default()) } {
                                code { (shown(denial.text("/operation").unwrap_or_default())) }
                            }
                            " by " (denial.name("/by", "somebody"))
                            @if let Some(note) = denial.text("/note").filter(|note| !note.is_empty()) { ": “" (shown(note)) "”" }
                        }
                    }
                }
            }
        }
    }
}
