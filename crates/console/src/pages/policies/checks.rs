//! What a policy's text would come to if it were proposed: problems with their places, and calls that would be answered otherwise.

use maud::{Markup, html};
use remit_domain::{Command, Edit, PolicyEdit, Refusal, Severity, State as Realm};
use remit_engine::SubmitError;

use super::place;
use super::text::compared;
use crate::errors::PageError;
use crate::pages::changes::tried::{Tried, report, try_on_calls};
use crate::pages::control;
use crate::parts::pill::{Tone, pill};
use crate::parts::text::{shown, told};
use crate::session::Viewer;
use crate::{Console, limits};

/// Something wrong with the policies as they would be, and where.
#[derive(Debug)]
pub(crate) struct Found {
    is_error: bool,
    source: String,
    rule: Option<String>,
    line: Option<usize>,
    column: Option<usize>,
    sentence: String,
    help: Option<String>,
}

/// What compiling came to.
#[derive(Debug)]
pub(crate) struct Compiled {
    /// Whether the policies as they would be can be used.
    pub(crate) holds: bool,
    /// Why nothing could be decided by them, where no problem says so.
    broken: Option<String>,
    found: Vec<Found>,
}

/// All that a check says.
#[derive(Debug)]
pub(super) struct Checked {
    compiled: Compiled,
    /// Whether whoever looks could propose it now.
    may: Result<(), Refusal>,
    /// What it would have done to the calls of the last day; nothing where it does not hold.
    tried: Option<Tried>,
}

/// Compiles what the policies would be after `edits`, and looks through it as a proposal is looked through.
pub(crate) fn compile(state: &Realm, edits: &[PolicyEdit]) -> Compiled {
    let compiled = state.compile_with(edits);
    let suspicious = state.lint(&compiled);
    let warnings = compiled.set.iter().flat_map(|set| set.warnings());
    let about = |source: &str| edits.iter().any(|edit| edit.name == source);
    let problems = compiled.problems.iter().chain(warnings).chain(&suspicious);
    // What is wrong elsewhere, and was so before, is not what is proposed; an error keeps all of it from being used.
    let problems = problems.filter(|problem| problem.severity == Severity::Error || about(&problem.source));
    let found: Vec<Found> = problems
        .map(|problem| Found {
            is_error: problem.severity == Severity::Error,
            source: problem.source.clone(),
            rule: problem.policy.clone(),
            line: problem.line,
            column: problem.column,
            sentence: problem.sentence.clone(),
            help: problem.help.clone(),
        })
        .collect();
    let is_wrong = found.iter().any(|one| one.is_error && about(&one.source));
    let broken = compiled.broken.clone().filter(|_| !found.iter().any(|one| one.is_error));
    Compiled { holds: compiled.broken.is_none() && !is_wrong, broken, found }
}

/// Checks `edit`; tries it on the calls of the last day too, where it holds and `try_it` says so.
pub(super) async fn check(
    console: &Console,
    viewer: &Viewer,
    edit: &PolicyEdit,
    try_it: bool,
) -> Result<Checked, PageError> {
    let (state, now) = (console.engine.state(), console.engine.now());
    let (person, asked) = (viewer.clone(), edit.clone());
    // Compiling thousands of policies takes a while, and neither other requests nor those who propose must wait for it.
    let checked = console.engine.in_turn(viewer.person, move || {
        let compiled = compile(&state, std::slice::from_ref(&asked));
        let edits = vec![Edit::Policy(asked)];
        let propose = Command::ProposeChange { edits, reason: "a check".to_owned(), revert_of: None };
        let may = if compiled.holds { control::may(&state, &person, &propose, now) } else { Ok(()) };
        (compiled, may)
    });
    let (compiled, may) = checked.await?;
    let tried = match compiled.holds && may.is_ok() && try_it {
        true => {
            let from = Some(now.minus_seconds(limits::TRIED_SECONDS));
            Some(try_on_calls(console, viewer.person, vec![edit.clone()], from, limits::TRIED_WAIT_MS).await)
        }
        false => None,
    };
    Ok(Checked { compiled, may, tried })
}

/// As [`compile`], off the threads that others wait for, when it is the viewer's turn.
pub(crate) async fn compile_beside(
    console: &Console,
    viewer: &Viewer,
    edits: Vec<PolicyEdit>,
) -> Result<Compiled, SubmitError> {
    let state = console.engine.state();
    console.engine.in_turn(viewer.person, move || compile(&state, &edits)).await
}

/// What a check says about `edit`, beside the text that is `active`.
pub(super) fn section(checked: &Checked, edit: &PolicyEdit, active: Option<&str>) -> Markup {
    html! {
        section #checked {
            h2 { "What the check says" }
            (problems(&checked.compiled, std::slice::from_ref(edit)))
            @if let Err(refusal) = &checked.may {
                div .notice .bad {
                    p .sentence { (told(&refusal.sentence)) }
                    @if let Some(help) = &refusal.help { p .help { (told(help)) } }
                }
            }
        }
        section {
            h2 { "What it changes" }
            (compared(active.unwrap_or_default(), edit.text.as_deref().unwrap_or_default()))
        }
        @if let Some(tried) = &checked.tried {
            section { h2 { "What it would have done to the calls of the last day" } (report(tried)) }
        }
    }
}

/// What is wrong, each with its place, and with the line itself where it is of one of `edits`: their texts are nowhere else yet.
pub(crate) fn problems(compiled: &Compiled, edits: &[PolicyEdit]) -> Markup {
    let beyond = compiled.found.len().saturating_sub(limits::PROBLEMS_SHOWN_MAX);
    html! {
        p {
            @if !compiled.holds { (pill(Tone::Bad, "does not hold")) " It cannot become active as it is." }
            @else if compiled.found.is_empty() { (pill(Tone::Good, "holds")) " Nothing about it is suspicious." }
            @else { (pill(Tone::Waits, "holds")) " It can become active, and somebody should look at this first." }
        }
        @if let Some(broken) = &compiled.broken { p .reason { (told(broken)) } }
        ul .rules {
            @for one in compiled.found.iter().take(limits::PROBLEMS_SHOWN_MAX) { li { (problem(one, edits)) } }
        }
        @if beyond > 0 { p .quiet { "and " (beyond) " more: " code { "remit policy check" } } }
    }
}

fn problem(found: &Found, edits: &[PolicyEdit]) -> Markup {
    let own = edits.iter().find(|edit| edit.name == found.source);
    let text = own.and_then(|edit| edit.text.as_deref());
    let line = text.zip(found.line).and_then(|(text, line)| text.lines().nth(line.saturating_sub(1)));
    html! {
        p {
            @if found.is_error { (pill(Tone::Bad, "error")) } @else { (pill(Tone::Waits, "look")) }
            @if let Some(rule) = &found.rule { " " code { (shown(rule)) } ":" }
            " " (told(&found.sentence)) " "
            span .quiet {
                @if let Some(line) = found.line {
                    "line " (line) @if let Some(column) = found.column { ", column " (column) }
                }
                @match own {
                    Some(_) if edits.len() > 1 => { " of " code { (shown(&found.source)) } }
                    None if !found.source.is_empty() => { " of " a href=(place(&found.source, found.line)) { (shown(&found.source)) } }
                    _ => {}
                }
            }
        }
        @if let Some(line) = line { pre { (shown(line)) } }
        @if let Some(help) = &found.help { p .help { (told(help)) } }
    }
}
