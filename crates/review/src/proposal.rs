//! What Remit proposes for a tool that nobody has approved yet, and why. A person decides; this only saves typing.
//!
//! A server's annotations are hints and not to be trusted (MCP, "Tool annotations"): they make a proposal graver, and fill in
//! where name and schema say nothing, but never talk down what name or schema suggest.

use remit_domain::{DataClass, Feature, Verb};
use remit_policy::{Projection, projection};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::letters::words_of_name;

#[cfg(test)]
mod tests;

const READING: &[&str] = &[
    "get", "list", "search", "find", "read", "fetch", "show", "describe", "lookup", "query", "count", "view", "check",
    "browse", "status", "log", "diff", "info", "help", "tree",
];
const SENDING: &[&str] =
    &["send", "email", "mail", "message", "notify", "post", "publish", "reply", "forward", "share", "tweet", "invite"];
const RUNNING: &[&str] =
    &["run", "exec", "execute", "eval", "shell", "bash", "invoke", "spawn", "start", "deploy", "trigger"];
const DESTROYING: &[&str] = &[
    "delete",
    "remove",
    "drop",
    "destroy",
    "purge",
    "refund",
    "pay",
    "transfer",
    "cancel",
    "wipe",
    "truncate",
    "revoke",
    "terminate",
    "kill",
    "reset",
    "close",
];
const ADDING: &[&str] = &["add", "append", "comment", "create", "insert", "note", "upload", "open"];
const CHANGING: &[&str] = &[
    "update", "set", "edit", "write", "put", "change", "move", "rename", "save", "commit", "checkout", "merge", "push",
    "assign", "enable", "disable", "apply", "modify", "patch", "replace", "restore", "import", "sync", "toggle",
];
const OUTSIDE: &[&str] =
    &["web", "http", "https", "url", "browse", "browser", "internet", "download", "crawl", "scrape", "fetch"];
/// Things that are about one person.
const PERSONAL: &[&str] = &[
    "customer",
    "customers",
    "user",
    "users",
    "contact",
    "contacts",
    "employee",
    "employees",
    "email",
    "emails",
    "inbox",
    "account",
    "accounts",
    "invoice",
    "invoices",
    "payment",
    "payments",
];
/// Things that are nobody else's business.
const SECRET: &[&str] = &[
    "secret",
    "secrets",
    "password",
    "passwords",
    "credential",
    "credentials",
    "payroll",
    "salary",
    "salaries",
    "patient",
    "patients",
    "medical",
    "env",
];

/// What a tool probably does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    /// Its effect.
    pub verb: Verb,
    /// 0 (none) to 3 (high).
    pub risk: u8,
    /// Highest class of data that it reads or discloses.
    pub data: DataClass,
    /// Whether it reaches outside the organisation.
    pub external: bool,
    /// Values for policies that its arguments suggest. Only by name and format: a value that does not fit is refused at the
    /// call, so whoever takes one over should know what the argument holds.
    #[serde(default)]
    pub projections: Vec<Projection>,
    /// Why, each as a sentence.
    #[serde(default)]
    pub reasons: Vec<String>,
}

/// Reads a proposal off a tool's name, schema and annotations.
pub fn propose(definition: &Value) -> Proposal {
    let name = definition.get("name").and_then(Value::as_str).unwrap_or_default();
    if let Some(feature) = Feature::of_tool(name) {
        return of_feature(feature);
    }
    let words = words_of_name(name);
    let empty = Map::new();
    let schema = definition.pointer("/inputSchema/properties").and_then(Value::as_object).unwrap_or(&empty);
    let mut draft = Draft { verb: None, risk: 0, external: false, data: DataClass::D1, reasons: Vec::new() };
    draft.read_name(&words);
    draft.read_schema(&words, schema);
    draft.read_annotations(definition.get("annotations").unwrap_or(&Value::Null));
    let projections = definition.get("inputSchema").map(|schema| projection::propose(name, schema));
    draft.finish(projections.unwrap_or_default())
}

struct Draft {
    verb: Option<Verb>,
    risk: u8,
    external: bool,
    data: DataClass,
    reasons: Vec<String>,
}

impl Draft {
    /// At least this verb and this risk.
    fn at_least(&mut self, verb: Verb, risk: u8, reason: String) {
        self.verb = self.verb.max(Some(verb));
        self.risk = self.risk.max(risk);
        self.reasons.push(reason);
    }

    fn read_name(&mut self, words: &[String]) {
        let said = |list: &[&str]| words.iter().find(|word| list.contains(&word.as_str()));
        let reads = words.first().is_some_and(|word| READING.contains(&word.as_str()));
        let says = |word: &str, what: &str| format!("`{word}` in its name: {what}");
        if let (true, Some(word)) = (reads, words.first()) {
            self.at_least(Verb::Read, 0, says(word, "it looks and changes nothing"));
        } else if let Some(word) = said(RUNNING) {
            self.at_least(Verb::Execute, 3, says(word, "it runs something"));
        } else if let Some(word) = said(SENDING) {
            self.at_least(Verb::Send, 2, says(word, "it brings something to somebody"));
        }
        if let (false, Some(word)) = (reads, said(DESTROYING)) {
            self.at_least(Verb::Write, 3, says(word, "what it does is not easily undone"));
        }
        if self.verb.is_none() {
            if let Some(word) = said(CHANGING) {
                self.at_least(Verb::Write, 2, says(word, "it changes something"));
            } else if let Some(word) = said(ADDING) {
                self.at_least(Verb::Write, 1, says(word, "it adds something"));
            } else if let Some(word) = said(READING) {
                self.at_least(Verb::Read, 0, says(word, "it looks and changes nothing"));
            }
        }
        if let Some(word) = said(SECRET) {
            self.data = DataClass::D3;
            self.reasons.push(says(word, "what it discloses is restricted"));
        } else if let Some(word) = said(PERSONAL) {
            self.data = DataClass::D2;
            self.reasons.push(says(word, "what it discloses is about people"));
        }
        if let Some(word) = said(OUTSIDE) {
            self.external = true;
            self.reasons.push(says(word, "it reaches outside"));
        }
    }

    fn read_schema(&mut self, words: &[String], schema: &Map<String, Value>) {
        let has = |wanted: &[&str]| {
            let plain = |name: &str| words_of_name(name).concat();
            schema.keys().find(|name| wanted.contains(&plain(name).as_str()))
        };
        let runs = has(&["command", "cmd", "script", "shellcommand", "sql"]);
        if let Some(name) = runs {
            self.at_least(Verb::Execute, 3, format!("it takes `{name}`: what it does is for the caller to say"));
        }
        let to = has(&["to", "recipient", "recipients", "cc", "bcc", "toaddress", "emailto"]);
        let says_something = has(&["subject", "body", "message", "text", "content"]).is_some();
        if let (Some(to), true) = (to, says_something) {
            self.at_least(Verb::Send, 2, format!("it takes `{to}` and a text: it brings it to somebody"));
        }
        if let Some(name) = has(&["url", "uri", "webhook", "webhookurl", "endpoint", "callbackurl"]) {
            self.external = true;
            self.reasons.push(format!("it takes `{name}`: it reaches wherever the caller says"));
        }
        let reads_a_path = words.first().is_some_and(|word| word == "read");
        if let (None, Some(name), false) = (self.verb, has(&["content", "contents", "newcontent"]), reads_a_path) {
            self.at_least(Verb::Write, 2, format!("it takes `{name}`: it puts that somewhere"));
        }
    }

    fn read_annotations(&mut self, annotations: &Value) {
        let hint = |name: &str| annotations.get(name).and_then(Value::as_bool);
        let suggested = self.verb;
        if hint("destructiveHint") == Some(true) {
            self.at_least(Verb::Write, 3, "its server says that it destroys something".to_owned());
        }
        match (hint("readOnlyHint"), suggested) {
            (Some(false), _) => {
                let risk = 1 + u8::from(suggested.is_none() && hint("destructiveHint") != Some(false));
                self.at_least(Verb::Write, risk, "its server says that it changes something".to_owned());
            }
            (Some(true), None) if self.verb.is_none() => {
                self.at_least(Verb::Read, 1, "only its server says that it changes nothing".to_owned());
            }
            (Some(true), Some(Verb::Read) | None) | (None, _) => {}
            (Some(true), Some(_)) => {
                self.reasons
                    .push("its server says that it changes nothing, which its name or schema belies".to_owned());
            }
        }
        if hint("openWorldHint") == Some(true) {
            self.external = true;
            self.reasons.push("its server says that it reaches outside".to_owned());
        }
        if hint("idempotentHint") == Some(true) && self.verb != Some(Verb::Read) {
            self.reasons.push("its server says that doing it twice is as doing it once".to_owned());
        }
    }

    fn finish(mut self, projections: Vec<Projection>) -> Proposal {
        if self.verb.is_none() {
            self.at_least(Verb::Write, 2, "nothing says what it does".to_owned());
        }
        let verb = self.verb.unwrap_or(Verb::Write);
        Proposal {
            verb,
            risk: self.risk,
            // What a tool reads is not in its definition; internal is the least that anything behind a connector is.
            data: self.data,
            external: self.external || verb == Verb::Send,
            projections,
            reasons: self.reasons,
        }
    }
}

/// What Remit proposes for features, whose definitions are its own.
fn of_feature(feature: Feature) -> Proposal {
    let (verb, risk, external, reason) = match feature {
        Feature::Resources => (Verb::Read, 1, false, "it reads whatever the server has"),
        Feature::Prompts => (Verb::Read, 1, false, "what the server writes is put to the model"),
        Feature::Completions => (Verb::Read, 0, false, "it looks up what could be meant"),
        Feature::Logging => (Verb::Write, 0, false, "it sets how much the server says"),
        Feature::Sampling => {
            (Verb::Execute, 2, true, "the server has the caller's model work for it and gets the answer")
        }
        Feature::Elicitation => (Verb::Send, 2, true, "the server asks a person and gets the answer"),
        Feature::Roots => (Verb::Read, 1, true, "the server learns which directories the caller works in"),
    };
    let reasons = vec![reason.to_owned()];
    Proposal { verb, risk, data: DataClass::D1, external, projections: Vec::new(), reasons }
}
