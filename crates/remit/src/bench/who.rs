//! `remit bench who`: what it costs to ask who can call an operation, in an estate of many agents, operations and grants.
//!
//! The state alone, on one thread, in the processor time of that thread. Everything is made from numbers, so that every run asks the same
//! questions of the same estate.

mod estate;

use std::collections::HashSet;
use std::hint::black_box;
use std::time::Duration;

use remit_domain::{
    AgentId, DataClass, OperationName, PersonId, Reachable, State, Walk, reach, what_agent_reaches,
    what_person_reaches, who_can_call, who_can_see,
};
use serde::Serialize;

use self::estate::Estate;
use super::Machine;
use super::door::processor::resident_mib;
use super::policy::processor::of;
use crate::command::bench::WhoArgs;

/// Agents that are asked one by one, to know what asking all of them would cost.
const SAMPLE: usize = 1_000;

#[derive(Debug, Serialize)]
struct Report {
    machine: Machine,
    agents: usize,
    operations: usize,
    grants: usize,
    policies: usize,
    resident_mib: f64,
    /// The first question under a set of policies, which looks at the policies themselves.
    first_ms: f64,
    can_call: Row,
    /// The same for an operation, every agent asked by itself: from a sample.
    can_call_one_by_one_ms: f64,
    /// Finding the holders of grants over an operation without an index: all grants are looked at.
    grants_one_by_one_ms: f64,
    can_see: Row,
    agent_reaches: Row,
    person_reaches: Row,
}

/// One sort of question, asked several times.
#[derive(Debug, Serialize)]
struct Row {
    p50_ms: f64,
    most_ms: f64,
    /// Rows of the answers, on average.
    found: usize,
    /// What was asked for each answer: agents, or operations.
    asked: usize,
}

/// Measures what `arguments` name, and prints it.
///
/// # Errors
/// If the estate cannot be made, or a question is refused.
pub fn measure(arguments: &WhoArgs, json: bool) -> anyhow::Result<()> {
    let machine = Machine::now()?;
    super::progress(
        json,
        &format!("{} agents, {} operations, {} grants", arguments.agents, arguments.operations, arguments.grants),
    );
    let estate = Estate::build(arguments)?;
    let resident = resident_mib("self");
    let Estate { state, now, .. } = &estate;
    let operations: Vec<OperationName> = estate.some_operations(arguments.questions);
    super::progress(json, "who can call");
    let count = |name: &OperationName| who_can_call(state, name, None, *now).map(walked);
    let (first, _) = of(|| operations.first().map(count));
    let can_call = asked(&operations, count)?;
    let one_by_one = one_by_one(&estate, operations.first())?;
    let (linear, _) = of(|| operations.first().map(|name| black_box(holders(state, name, &estate))));
    super::progress(json, "who can see");
    let classes = [DataClass::D3, DataClass::D2, DataClass::D1];
    let can_see = asked(&classes, |data| who_can_see(state, *data, None, *now).map(walked))?;
    super::progress(json, "what agents and people reach");
    let agents: Vec<AgentId> = estate.some_agents(arguments.questions);
    let agent_reaches = asked(&agents, |agent| what_agent_reaches(state, *agent, None, *now).map(walked))?;
    let people: Vec<PersonId> = estate.some_people(arguments.questions);
    let person_reaches = asked(&people, |person| what_person_reaches(state, *person, None, *now).map(walked))?;
    let report = Report {
        machine,
        agents: state.agents.len(),
        operations: state.operations.len(),
        grants: state.grants.len(),
        policies: state.compiled().set.as_ref().map_or(0, |set| set.rules().len()),
        resident_mib: resident,
        first_ms: millis(first),
        can_call,
        can_call_one_by_one_ms: one_by_one,
        grants_one_by_one_ms: millis(linear),
        can_see,
        agent_reaches,
        person_reaches,
    };
    print(&report, json)
}

/// Rows found and steps taken, of a whole answer.
fn walked<W: Walk>(mut walk: W) -> (usize, usize) {
    let (mut found, mut asked) = (0, 0);
    while let Some(step) = walk.step() {
        asked += 1;
        found += usize::from(black_box(step).is_some());
    }
    (found, asked)
}

fn asked<T>(
    about: &[T],
    question: impl Fn(&T) -> Result<(usize, usize), remit_domain::Refusal>,
) -> anyhow::Result<Row> {
    let (mut took, mut rows, mut steps) = (Vec::new(), 0, 0);
    for one in about {
        let (time, answer) = of(|| question(one));
        let (found, asked) = answer?;
        took.push(time);
        rows += found;
        steps = asked;
    }
    took.sort_unstable();
    let at = |place: usize| took.get(place).copied().map_or(f64::NAN, millis);
    let found = rows.checked_div(about.len()).unwrap_or_default();
    Ok(Row { p50_ms: at(took.len() / 2), most_ms: at(took.len().saturating_sub(1)), found, asked: steps })
}

/// What asking every agent by itself would take, from a sample of them, each with a task.
fn one_by_one(estate: &Estate, operation: Option<&OperationName>) -> anyhow::Result<f64> {
    let Some(operation) = operation else { return Ok(f64::NAN) };
    let (state, tasks) = estate.with_tasks(SAMPLE)?;
    let operation = state.operation(operation)?;
    let mut reached = 0_usize;
    let (took, ()) = of(|| {
        for task in tasks.iter().filter_map(|task| state.tasks.get(task)) {
            reached += usize::from(reach(&state, task, operation, estate.now) != Reachable::Never);
        }
    });
    black_box(reached);
    Ok(millis(took) / tasks.len().max(1) as f64 * state.agents.len() as f64)
}

/// The agents that hold a live grant over `operation`, without any index.
fn holders(state: &State, operation: &OperationName, estate: &Estate) -> usize {
    let covering = state.grants.values().filter(|grant| grant.covers(operation, estate.now));
    covering.map(|grant| grant.agent).collect::<HashSet<_>>().len()
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn print(report: &Report, json: bool) -> anyhow::Result<()> {
    if json {
        println!("{}", serde_json::to_string_pretty(report)?);
        return Ok(());
    }
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::UTF8_HORIZONTAL_ONLY);
    table.set_header(["question", "p50 ms", "most ms", "rows", "asked"]);
    for (what, row) in [
        ("who can call an operation", &report.can_call),
        ("who can see a class of data", &report.can_see),
        ("what an agent reaches", &report.agent_reaches),
        ("what a person reaches through agents", &report.person_reaches),
    ] {
        let [p50, most] = [row.p50_ms, row.most_ms].map(|figure| format!("{figure:.1}"));
        table.add_row([what.to_owned(), p50, most, row.found.to_string(), row.asked.to_string()]);
    }
    println!("{} cpus, load before {}", report.machine.cpus, report.machine.load_before);
    println!(
        "{} agents, {} operations, {} grants, {} policies: {:.0} MiB resident",
        report.agents, report.operations, report.grants, report.policies, report.resident_mib
    );
    println!("{table}");
    println!("the first question under new policies: {:.1} ms", report.first_ms);
    println!("who can call, every agent asked by itself: {:.0} ms", report.can_call_one_by_one_ms);
    println!("the holders of grants over one operation, without the index: {:.0} ms", report.grants_one_by_one_ms);
    Ok(())
}
