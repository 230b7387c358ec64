//! `remit policy replay`, `shadow` and `simulate`: what a proposal would do, before anybody says yes to it.

use std::io::{IsTerminal, Write as _};
use std::path::PathBuf;

use clap::Args;
use serde_json::{Map, Value, json};

use super::address::path;
use super::output::{Column, plain, text_at};
use super::{Client, Failure, Output, policy_files};

#[cfg(test)]
mod tests;

const GROUPS: &[Column] = &[
    ("actions", "/attempts"),
    ("was", "/was/answer"),
    ("agent", "/agent_name"),
    ("operation", "/operation"),
    ("by rule", "/was/determining"),
    ("now by rule", "/now/determining"),
    ("records", "/records"),
];
const DIFFERENCES: &[Column] = &[
    ("record", "/seq"),
    ("at", "/at"),
    ("agent", "/agent_name"),
    ("operation", "/operation"),
    ("was", "/was/answer"),
    ("now", "/now/answer"),
    ("now by rule", "/now/determining"),
];
const RULES: &[Column] =
    &[("rule", "/id"), ("file", "/source"), ("line", "/line"), ("effect", "/effect"), ("reason", "/reason")];
const LEGS: &[Column] = &[
    ("agent", "/agent"),
    ("", "/why"),
    ("decision", "/decision"),
    ("by rule", "/determining"),
    ("reach", "/reach"),
    ("allowed where", "/condition"),
];

/// Which policies are tried.
#[derive(Debug, Clone, Args)]
pub struct Tried {
    /// A proposal that waits; without one, name files.
    #[arg(value_name = "CHANGE", required_unless_present = "policies", conflicts_with = "policies")]
    change: Option<String>,
    /// Files `*.cedar`, or a folder of them, in place of the active ones of the same names.
    #[arg(long, value_name = "PATH")]
    policies: Option<PathBuf>,
}

/// What to decide again.
#[derive(Debug, Clone, Args)]
pub struct Replay {
    #[command(flatten)]
    tried: Tried,
    /// Calls from this time on (RFC 3339); all if left out.
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Calls up to this time (RFC 3339); all if left out.
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// Lists each call that would be answered otherwise, and not only how many.
    #[arg(long)]
    all: bool,
}

/// What to ask.
#[derive(Debug, Clone, Args)]
pub struct Simulate {
    /// `connector/tool`
    operation: String,
    #[arg(long)]
    task: String,
    /// The arguments, as a JSON object.
    #[arg(long, default_value = "{}", value_name = "JSON")]
    arguments: String,
    /// Also says what would be said once this proposal is active.
    #[arg(long, value_name = "CHANGE", conflicts_with = "policies")]
    change: Option<String>,
    /// Also says what would be said with these files: `*.cedar`, or a folder of them.
    #[arg(long, value_name = "PATH")]
    policies: Option<PathBuf>,
    /// As everything was at this time (RFC 3339).
    #[arg(long, value_name = "TIME")]
    as_of: Option<String>,
}

/// The members of a request that say which policies are tried.
async fn tried(
    client: &Client,
    change: Option<String>,
    policies: Option<PathBuf>,
) -> Result<Map<String, Value>, Failure> {
    let mut members = Map::new();
    if let Some(change) = change {
        members.insert("change".to_owned(), change.into());
    }
    if let Some(policies) = policies {
        let files = policy_files::read(&policies)?;
        let edits = policy_files::changed(&files, &client.get("/v1/policies").await?);
        members.insert("edits".to_owned(), edits.into());
    }
    Ok(members)
}

pub async fn replay(arguments: Replay, client: &Client, output: &Output) -> Result<(), Failure> {
    let Replay { tried: Tried { change, policies }, from, to, all } = arguments;
    let mut body = tried(client, change, policies).await?;
    body.insert("every".to_owned(), all.into());
    body.extend([("from", from), ("to", to)].into_iter().filter_map(|(name, at)| Some((name.to_owned(), at?.into()))));
    let mut told = Told::new(output);
    client.lines("/v1/replay", Value::Object(body), |line| told.take(line)).await?;
    told.finish()
}

/// What comes in line by line.
struct Told<'a> {
    output: &'a Output,
    shows_progress: bool,
    differences: Vec<Value>,
    report: Option<Value>,
    problem: Option<Failure>,
}

impl<'a> Told<'a> {
    fn new(output: &'a Output) -> Self {
        let shows_progress = !output.is_json() && std::io::stderr().is_terminal();
        Self { output, shows_progress, differences: Vec::new(), report: None, problem: None }
    }

    fn take(&mut self, line: &Value) {
        if self.output.is_json() {
            self.output.line(&line.to_string());
        }
        if let Some(progress) = line.get("progress") {
            self.show(progress);
        } else if let Some(difference) = line.get("difference") {
            if !self.output.is_json() {
                self.differences.push(difference.clone());
            }
        } else if let Some(problem) = line.get("problem") {
            self.problem = Some(match serde_json::from_value(problem.clone()) {
                Ok(refusal) => Failure::Refused(refusal),
                Err(_) => Failure::fault("the replay ended without a reason", "`remit doctor` looks for the cause"),
            });
        } else {
            self.report = Some(line.clone());
        }
    }

    /// One line that is written over and over.
    fn show(&self, progress: &Value) {
        if !self.shows_progress {
            return;
        }
        let of = text_at(progress, "/of");
        let words = match progress.get("folded") {
            Some(folded) => format!("folding what was before: {folded} of {of} records"),
            None => format!(
                "{} of {of} records, {} actions, {} would differ",
                text_at(progress, "/records"),
                text_at(progress, "/attempts"),
                text_at(progress, "/different")
            ),
        };
        let mut to = std::io::stderr().lock();
        // Whoever does not see it misses nothing.
        let _ = write!(to, "\r\u{1b}[K{words}").and_then(|()| to.flush());
    }

    fn finish(self) -> Result<(), Failure> {
        if self.shows_progress {
            let _ = write!(std::io::stderr().lock(), "\r\u{1b}[K");
        }
        if let Some(problem) = self.problem {
            return Err(problem);
        }
        let lost = || Failure::fault("the connection to Remit broke before the replay was done", "run it again");
        let line = self.report.ok_or_else(lost)?;
        if self.output.is_json() {
            return Ok(());
        }
        if !self.differences.is_empty() {
            self.output.table(&Value::Array(self.differences), DIFFERENCES, "");
            self.output.line("");
        }
        print(&line, self.output);
        Ok(())
    }
}

/// The report, by what would change for whom.
fn print(line: &Value, output: &Output) {
    let report = line.get("report").cloned().unwrap_or_default();
    let groups = report.get("groups").and_then(Value::as_array).cloned().unwrap_or_default();
    let sections = [
        ("would newly be denied", "deny", false),
        ("would newly be asked about", "ask", false),
        ("would newly be allowed", "allow", false),
        ("answered alike, by other rules", "", true),
    ];
    for (head, answer, is_alike) in sections {
        let of_it = groups.iter().filter(|group| {
            let (was, now) = (text_at(group, "/was/answer"), text_at(group, "/now/answer"));
            if is_alike { was == now } else { was != now && now == answer }
        });
        let rows: Vec<Value> = of_it.map(with_records).collect();
        if !rows.is_empty() {
            output.line(head);
            output.table(&Value::Array(rows), GROUPS, "");
            output.line("");
        }
    }
    print_rest(&report, output);
    output.note(&text_at(line, "/sentence"));
    if !text_at(line, "/recorded").is_empty() {
        output.note(&format!("recorded with {}", text_at(line, "/change")));
    }
    if let Some(refusal) = line.get("not_recorded").filter(|refusal| !refusal.is_null()) {
        output.note(&format!("not recorded with the change: {}", text_at(refusal, "/sentence")));
    }
}

/// What stays as it is, and what cannot be said.
fn print_rest(report: &Value, output: &Output) {
    let kept = report.get("kept").and_then(Value::as_object).cloned().unwrap_or_default();
    for (code, count) in kept {
        output.note(&format!("{count} were refused before any policy was asked and stay so (`{code}`)"));
    }
    for unsaid in report.get("unsaid").and_then(Value::as_array).into_iter().flatten() {
        let why = match text_at(unsaid, "/why").as_str() {
            "arguments_gone" => "the answer depends on their arguments, which were erased or not kept".to_owned(),
            _ => format!(
                "the proposed policies do not hold against the operations of then: {}",
                text_at(unsaid, "/detail")
            ),
        };
        output.note(&format!("{} cannot be said: {why}", text_at(unsaid, "/attempts")));
    }
    if report.get("ungrouped").and_then(Value::as_u64).is_some_and(|ungrouped| ungrouped > 0) {
        output.note(&format!(
            "{} more differ, in groups that are not listed; `--all` lists each",
            text_at(report, "/ungrouped")
        ));
    }
}

/// A group with the numbers of its first records.
fn with_records(group: &Value) -> Value {
    let mut group = group.clone();
    let first = group.get("first").and_then(Value::as_array).cloned().unwrap_or_default();
    let records: Vec<String> = first.iter().take(3).map(|link| text_at(link, "/seq")).collect();
    let more = if first.len() > 3 { ", …" } else { "" };
    if let Some(members) = group.as_object_mut() {
        members.insert("records".to_owned(), format!("{}{more}", records.join(", ")).into());
    }
    group
}

pub async fn shadow(change: &str, off: bool, client: &Client, output: &Output) -> Result<(), Failure> {
    let address = path(&["changes", change, "shadow"]);
    let known = if off { None } else { client.get(&address).await.ok() };
    let running = known.as_ref().and_then(|shadow| shadow.get("running")).and_then(Value::as_bool) == Some(true);
    let shadow = match known.filter(|_| running) {
        Some(shadow) => shadow,
        None => client.post(&address, json!({"on": !off})).await?,
    };
    if output.is_json() {
        output.document(&shadow);
        return Ok(());
    }
    let ended = text_at(&shadow, "/ended");
    let state = if ended.is_empty() { "runs".to_owned() } else { format!("ran, and ended: {ended}") };
    output.line(&format!("{change} {state} in the shadow since {}", text_at(&shadow, "/since")));
    let last = shadow.get("last").cloned().unwrap_or_default();
    output.table(&last, DIFFERENCES, "no call would have been answered otherwise");
    output.note(&text_at(&shadow, "/sentence"));
    Ok(())
}

pub async fn simulate(arguments: Simulate, client: &Client, output: &Output) -> Result<(), Failure> {
    let Simulate { operation, task, arguments, change, policies, as_of } = arguments;
    let arguments: Value = serde_json::from_str(&arguments)
        .map_err(|error| Failure::Usage(format!("the arguments are not JSON: {error}")))?;
    let mut body = tried(client, change, policies).await?;
    body.extend([
        ("task".to_owned(), task.into()),
        ("operation".to_owned(), operation.into()),
        ("arguments".to_owned(), arguments),
    ]);
    body.extend(as_of.map(|at| ("as_of".to_owned(), at.into())));
    let answer = client.post("/v1/simulate", Value::Object(body)).await?;
    if output.is_json() {
        output.document(&answer);
        return Ok(());
    }
    explain(&answer, output);
    if let Some(proposed) = answer.get("proposed") {
        let differs = proposed.get("differs").and_then(Value::as_bool) == Some(true);
        output.line(if differs { "\nunder the proposal" } else { "\nunder the proposal: the same" });
        let broken = text_at(proposed, "/broken");
        if !broken.is_empty() {
            output.note(&format!("the proposed policies do not hold: {broken}"));
        }
        if let Some(explanation) = proposed.get("explanation").filter(|_| differs) {
            explain(explanation, output);
        }
    }
    Ok(())
}

fn explain(answer: &Value, output: &Output) {
    output.card(
        answer,
        &[
            ("decision", "/decision"),
            ("because", "/reasons"),
            ("help", "/refusal/help"),
            ("people asked", "/approval/approvers"),
            ("how many", "/approval/quorum"),
            ("policies", "/policies"),
            ("as of", "/as_of"),
        ],
    );
    let part = |name: &str| answer.get(name).cloned().unwrap_or_default();
    output.line("");
    output.table(&part("legs"), LEGS, "no agent was asked about");
    output.line("");
    output.table(&part("rules"), RULES, "no rule determined it");
    for rule in part("rules").as_array().into_iter().flatten() {
        output.line("");
        let text = rule.get("text").and_then(Value::as_str).unwrap_or_default();
        text.lines().for_each(|line| output.line(&plain(line)));
    }
    for leg in part("legs").as_array().into_iter().flatten() {
        output.line(&format!("\nwhat the policies saw of {}", text_at(leg, "/agent")));
        let facts = leg.get("facts").map(|facts| serde_json::to_string_pretty(facts).unwrap_or_default());
        facts.unwrap_or_default().lines().for_each(|line| output.line(&plain(line)));
    }
}
