//! `remit policy prove`: what policies can never allow, proved for every call that there can be, or broken by one.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use remit_domain::Refusal;
use remit_policy::{OperationShape, PolicySource};
use remit_prove::{Counterexample, Estate, EstateError, Invariant, Prover, STARTER_INVARIANTS, Verdict};
use rustix::process::Pid;
use serde_json::{Value, json};

use super::address::path;
use super::output::{plain, text_at};
use super::policy::at_hand;
use super::{Client, Failure, Global, Output, duration_seconds, policy_files};
use crate::proofs::{Given, GivenOperation, bind};

#[cfg(test)]
mod tests;

const INVARIANTS: &str = ".invariant.toml";
/// Where policies are kept, and so their invariants.
const FOLDER: &str = "policies";
/// The longest time that a question may take: an hour.
const TIME_LIMIT_SECONDS_MAX: u64 = 3_600;

/// What to prove, and of which policies.
#[derive(Debug, Clone, Args)]
pub struct Prove {
    /// One invariant in a sentence; otherwise all that are kept beside the policies.
    #[arg(value_name = "SENTENCE", conflicts_with = "invariant")]
    sentence: Option<String>,
    /// A file of invariants, or a folder of files `*.invariant.toml`.
    #[arg(long, value_name = "PATH")]
    invariant: Option<PathBuf>,
    /// Proves of policy files in place of the active policies: a file `*.cedar`, or a folder of them.
    #[arg(long, value_name = "PATH", conflicts_with = "change")]
    policies: Option<PathBuf>,
    /// Proves of the active policies as this proposal would leave them.
    #[arg(long, value_name = "CHANGE")]
    change: Option<String>,
    /// With `--policies`: asks no server; then no rule may name an operation.
    #[arg(long, requires = "policies")]
    offline: bool,
    /// Proves the invariant of this name of what standard input gives, and asks no server: how the server has a proof made aside.
    #[arg(long, hide = true, value_name = "NAME", requires_all = ["parent", "within"])]
    #[arg(conflicts_with_all = ["sentence", "invariant", "policies", "change"])]
    given: Option<String>,
    /// With `--given`: the process that has started this one. Ends when that does.
    #[arg(long, hide = true, value_name = "PID", requires = "given", value_parser = process)]
    parent: Option<Pid>,
    /// With `--given`: ends after this time, with a proof or without.
    #[arg(long, hide = true, value_name = "DURATION", requires = "given", value_parser = time_limit)]
    within: Option<Duration>,
    /// The solver, if it is not `cvc5` on the path.
    #[arg(long, value_name = "PROGRAM")]
    solver: Option<OsString>,
    /// How long it may think about one question.
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = time_limit)]
    time_limit: Duration,
}

fn time_limit(text: &str) -> Result<Duration, String> {
    let seconds = duration_seconds(text)?;
    if seconds > TIME_LIMIT_SECONDS_MAX { Err("an hour at most".to_owned()) } else { Ok(Duration::from_secs(seconds)) }
}

fn process(text: &str) -> Result<Pid, String> {
    let number = text.parse().ok().filter(|number| *number > 0);
    number.and_then(Pid::from_raw).ok_or_else(|| format!("`{text}` is not the number of a process"))
}

/// How many invariants came out how.
#[derive(Debug, Default)]
struct Tally {
    proved: usize,
    vacuous: usize,
    broken: usize,
    unconfirmed: usize,
    not_proved: usize,
}

pub async fn run(arguments: Prove, global: &Global, output: &Output) -> Result<(), Failure> {
    let (invariants, sources, operations) = if let Some(name) = &arguments.given {
        let (invariant, sources, operations) = given(name, arguments.parent, arguments.within)?;
        (vec![invariant], sources, operations)
    } else {
        let invariants = invariants(&arguments)?;
        let (sources, operations) = policies(&arguments, global).await?;
        (invariants, sources, operations)
    };
    let estate = Arc::new(Estate::new(sources, operations).map_err(|error| broken_policies(&error))?);
    let prover = Prover::find(arguments.solver.clone(), arguments.time_limit)
        .map_err(|missing| Refusal::new("solver_missing", missing.to_string()).help(missing.help()))?;
    let mut tally = Tally::default();
    let mut items = Vec::new();
    for invariant in &invariants {
        let verdict = prover.prove(&estate, invariant);
        tally.count(&verdict);
        if output.is_json() {
            items.push(document(invariant, &verdict, &estate));
        } else {
            show(output, invariant, &verdict, &estate);
        }
    }
    let solver = format!("cvc5 {}", prover.solver().version());
    if output.is_json() {
        output.document(&json!({"proved": tally.proved == invariants.len(), "solver": solver, "items": items}));
    } else {
        output.line(&format!("{} invariants, {} proved, with {solver}", invariants.len(), tally.proved));
    }
    tally.end()
}

/// What standard input gives to prove; read only after this process is bound to end after `within`, and with `parent`.
fn given(
    name: &str,
    parent: Option<Pid>,
    within: Option<Duration>,
) -> Result<(Invariant, Vec<PolicySource>, Vec<OperationShape>), Failure> {
    let (Some(parent), Some(within)) = (parent, within) else {
        return Err(Failure::Usage("`--given` needs `--parent` and `--within`".to_owned()));
    };
    bind(parent, within)
        .map_err(|why| Failure::fault(why, "the invariant counts as not proved; look at the server"))?;
    let unreadable = |error: String| Failure::Usage(format!("standard input gives nothing to prove: {error}"));
    Given::read(std::io::stdin().lock()).and_then(|given| given.parts(name)).map_err(unreadable)
}

/// What is to be proved: the sentence, the file that is named, or what is kept beside the policies.
fn invariants(arguments: &Prove) -> Result<Vec<Invariant>, Failure> {
    if let Some(sentence) = &arguments.sentence {
        let invariant = Invariant::from_sentence(sentence).map_err(|error| Failure::Usage(error.to_string()))?;
        return Ok(vec![invariant]);
    }
    if let Some(path) = &arguments.invariant {
        return kept_at(path);
    }
    let beside = arguments.policies.clone().unwrap_or_else(|| PathBuf::from(FOLDER));
    if beside.is_dir() && !files_in(&beside)?.is_empty() {
        return kept_at(&beside);
    }
    if arguments.policies.is_some() {
        let sentence = format!("there is no invariant beside `{}`; they are files `*{INVARIANTS}`", beside.display());
        return Err(Failure::Usage(sentence));
    }
    read("starter", STARTER_INVARIANTS)
}

fn kept_at(path: &Path) -> Result<Vec<Invariant>, Failure> {
    let files = if path.is_dir() { files_in(path)? } else { vec![path.to_owned()] };
    if files.is_empty() {
        let sentence = format!("`{}` holds no invariant; they are files `*{INVARIANTS}`", path.display());
        return Err(Failure::Usage(sentence));
    }
    let mut all = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).map_err(|error| Failure::file("read", &file, &error))?;
        all.extend(read(&file.display().to_string(), &text)?);
    }
    Ok(all)
}

fn files_in(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let failed = |error: &dyn std::fmt::Display| Failure::file("read", folder, error);
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| failed(&error))? {
        let path = entry.map_err(|error| failed(&error))?.path();
        if path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.ends_with(INVARIANTS)) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn read(name: &str, text: &str) -> Result<Vec<Invariant>, Failure> {
    let refused = |error: remit_prove::InvariantError| {
        Refusal::new("bad_invariant", format!("`{name}`: {error}"))
            .help("docs/guide/proofs.md shows how they are written")
    };
    Invariant::parse_all(text).map_err(|error| refused(error).into())
}

/// The policies that are meant, with the operations that a server knows.
async fn policies(arguments: &Prove, global: &Global) -> Result<(Vec<PolicySource>, Vec<OperationShape>), Failure> {
    if let Some(path) = &arguments.policies {
        let server = if arguments.offline { None } else { at_hand(global)? };
        let operations = match server {
            Some(client) => shapes(&listed(&client.list("/v1/operations", &[]).await?)?)?,
            None => Vec::new(),
        };
        return Ok((policy_files::read(path)?.sources, operations));
    }
    let client = Client::open(global)?;
    let mut operations = listed(&client.list("/v1/operations", &[]).await?)?;
    let mut sources = sources_of(&client.get("/v1/policies").await?);
    if let Some(change) = &arguments.change {
        apply(&mut sources, &mut operations, &client.get(&path(&["changes", change])).await?)?;
    }
    Ok((sources, shapes(&operations)?))
}

fn sources_of(active: &Value) -> Vec<PolicySource> {
    let member = |item: &Value, name: &str| item.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    members(active, "sources")
        .iter()
        .map(|item| PolicySource { name: member(item, "name"), text: member(item, "text") })
        .collect()
}

fn members<'a>(document: &'a Value, name: &str) -> &'a [Value] {
    document.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The operations that a server lists: all of them, since what a policy names must not be missing.
fn listed(operations: &Value) -> Result<Vec<GivenOperation>, Failure> {
    let read = members(operations, "items").iter().map(GivenOperation::listed);
    read.collect::<Result<_, _>>().map_err(|error| unreadable(&error))
}

fn shapes(operations: &[GivenOperation]) -> Result<Vec<OperationShape>, Failure> {
    operations.iter().map(GivenOperation::shape).collect::<Result<_, _>>().map_err(|error| unreadable(&error))
}

fn unreadable(error: &dyn std::fmt::Display) -> Failure {
    Failure::fault(format!("an operation cannot be read: {error}"), "use the same version on both sides")
}

/// Applies the edits of policies and operations in `change`; others do not concern what policies allow.
fn apply(sources: &mut Vec<PolicySource>, operations: &mut Vec<GivenOperation>, change: &Value) -> Result<(), Failure> {
    let mut applied = 0;
    for item in members(change, "edits") {
        match text_at(item, "/edit/artefact").as_str() {
            "policy" => {
                let name = text_at(item, "/edit/name");
                sources.retain(|source| source.name != name);
                if let Some(text) = item.pointer("/edit/text").and_then(Value::as_str) {
                    sources.push(PolicySource { name, text: text.to_owned() });
                }
            }
            "operation" => {
                let artefact = text_at(item, "/artefact");
                let name = artefact.strip_prefix("operation:").unwrap_or_default();
                let choice = item.pointer("/edit/choice").unwrap_or(&Value::Null);
                let chosen = GivenOperation::chosen(name, choice).map_err(|error| unreadable(&error))?;
                operations.retain(|operation| operation.name != name);
                operations.push(chosen);
            }
            // The same operations and policies, reached in another way: what the server says of it can be asked for again.
            "connector" => {}
            _ => continue,
        }
        applied += 1;
    }
    if applied > 0 {
        return Ok(());
    }
    let sentence = format!("the change `{}` edits no policy and no operation", text_at(change, "/id"));
    Err(Refusal::new("nothing_to_prove", sentence).help("`remit change show` shows what it edits").into())
}

fn broken_policies(error: &EstateError) -> Failure {
    Refusal::new("policy_invalid", error.to_string())
        .help(
            "`remit policy check` says all that is wrong; policies that name operations need a server that knows them",
        )
        .into()
}

fn show(output: &Output, invariant: &Invariant, verdict: &Verdict, estate: &Estate) {
    let head = |word: &str| output.line(&plain(&format!("{word}: {}: {}", invariant.name, invariant.sentence)));
    match verdict {
        Verdict::Proved { .. } => head("proved"),
        Verdict::NotProved { why } => {
            head("not proved");
            output.line(&format!("  {}", plain(why)));
        }
        Verdict::Vacuous { why } => {
            head("vacuous");
            output.line(&plain(&format!("  it guards nothing: {why}")));
        }
        Verdict::Unconfirmed { example, why } => {
            head("not confirmed");
            output.line(&format!("  the solver's example was not confirmed: {}", plain(why)));
            example.iter().for_each(|example| card(output, example));
        }
        Verdict::Broken(example) => {
            head("broken");
            output.line("  this call is allowed:");
            card(output, example);
            output.line(&plain(&format!("  {:<11}{}", "allowed by", example.determining.join(", "))));
            let operation = &example.facts.operation.id;
            output.line(
                "  where there are such an agent and such an operation, ask for yourself (TASK is one of the agent's):",
            );
            output.line(&plain(&format!(
                "    remit policy simulate {operation} --task TASK --arguments '{}'",
                example.arguments
            )));
            if let Some(case) = example.case(invariant, estate) {
                output.line("  the same as a case, which fails until this is closed:\n");
                case.lines().for_each(|line| output.line(&plain(line)));
                output.line("");
            }
        }
    }
}

fn card(output: &Output, example: &Counterexample) {
    for (name, fact) in example.card() {
        output.line(&plain(&format!("  {name:<11}{fact}")));
    }
}

fn document(invariant: &Invariant, verdict: &Verdict, estate: &Estate) -> Value {
    let base = |word: &str| json!({"invariant": invariant.name, "sentence": invariant.sentence, "verdict": word});
    let with = |mut document: Value, more: Value| {
        if let (Some(members), Value::Object(more)) = (document.as_object_mut(), more) {
            members.extend(more);
        }
        document
    };
    match verdict {
        Verdict::Proved { questions } => with(base("proved"), json!({"questions": questions})),
        Verdict::NotProved { why } => with(base("not_proved"), json!({"why": why})),
        Verdict::Vacuous { why } => with(base("vacuous"), json!({"why": why})),
        Verdict::Unconfirmed { example, why } => {
            let example = example.as_ref().map(|example| example.document());
            with(base("unconfirmed"), json!({"why": why, "example": example}))
        }
        Verdict::Broken(example) => {
            let more = json!({"example": example.document(), "case": example.case(invariant, estate)});
            with(base("broken"), more)
        }
    }
}

impl Tally {
    fn count(&mut self, verdict: &Verdict) {
        *match verdict {
            Verdict::Proved { .. } => &mut self.proved,
            Verdict::Vacuous { .. } => &mut self.vacuous,
            Verdict::Broken(_) => &mut self.broken,
            Verdict::Unconfirmed { .. } => &mut self.unconfirmed,
            Verdict::NotProved { .. } => &mut self.not_proved,
        } += 1;
    }

    /// 0 if all is proved; 1 for a hole, no proof, or a proof of nothing; 3 if the solver and Remit only disagree.
    fn end(&self) -> Result<(), Failure> {
        if self.broken > 0 {
            let sentence = format!("{} invariants are broken", self.broken);
            return Err(Refusal::new("invariant_broken", sentence)
                .help("close the hole, or change the invariant on purpose")
                .into());
        }
        if self.not_proved > 0 {
            let sentence = format!("{} invariants are not proved", self.not_proved);
            return Err(Refusal::new("not_proved", sentence).help("what stands behind each says why").into());
        }
        if self.vacuous > 0 {
            let sentence = format!("{} invariants are about no call", self.vacuous);
            return Err(Refusal::new("invariant_vacuous", sentence)
                .help("they hold whatever the policies say; look for a name that is misspelt, or for words that exclude each other")
                .into());
        }
        if self.unconfirmed > 0 {
            return Err(Failure::fault(
                format!("the solver's example was not confirmed for {} invariants", self.unconfirmed),
                "neither a proof nor a hole: arguments may not fit their schema, or what is projected from them; look at the call",
            ));
        }
        Ok(())
    }
}
