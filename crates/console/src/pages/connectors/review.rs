//! What a connector's server offers now, beside what is pinned, and a form for each tool that waits for a decision.

use axum::extract::{Path, State};
use maud::{Markup, html};
use remit_domain::{Connector, DataClass, Verb};
use remit_review::{Item, Status};

use super::find;
use super::reviewed::{differences, warnings};
use crate::answers;
use crate::errors::PageError;
use crate::layout::{self, Frame, Place};
use crate::parts::pill::{Tone, pill};
use crate::parts::properties::none;
use crate::parts::text::shown;
use crate::parts::{id, value};
use crate::session::Viewer;
use crate::{Console, limits};

pub(crate) async fn review(
    State(console): State<Console>,
    viewer: Viewer,
    Path(name): Path<String>,
) -> Result<Markup, PageError> {
    let connector = find(&console.engine.state(), &name)?.clone();
    remit_review::may_look(&console.engine.state(), viewer.person, &connector)?;
    let documents = console.tools.definitions(&connector.spec).await?;
    let offered = remit_review::by_name(&connector.name, documents)?;
    // Read only now: asking takes time, and somebody may have decided meanwhile.
    let state = console.engine.state();
    let items = remit_review::review(&state, &connector.name, &offered);
    let waiting = answers::waiting_count(&state, &viewer.actor(), console.engine.now());
    let title = format!("Review of {}", connector.name);
    let frame = Frame { title: &title, place: Place::Connectors, viewer: &viewer, waiting, refreshes: false };
    Ok(layout::page(&frame, &render(&viewer, &connector, &items, state.is_founding())))
}

pub(super) fn render(viewer: &Viewer, connector: &Connector, items: &[Item], is_founding: bool) -> Markup {
    let (open, settled): (Vec<&Item>, Vec<&Item>) = items.iter().partition(|item| item.status.is_open());
    html! {
        p .crumb { a href="/connectors" { "Connectors" } " / " a href={ "/connectors/" (connector.name) } { (shown(&connector.name)) } " / review" }
        h1 { "What " (shown(&connector.name)) " offers now" }
        p .lead { "A server's words about its tools go to the model. Read them as you would read an order to a colleague." }
        section {
            h2 { "Waits for a decision" }
            @if open.is_empty() { p .quiet { "Everything that is offered is pinned as it is." } }
            @for item in open.iter().take(limits::LIST_ROWS_MAX) { (tool(viewer, connector, item, is_founding)) }
            @if open.len() > limits::LIST_ROWS_MAX {
                p .notice .bad { (open.len() - limits::LIST_ROWS_MAX) " more: " code { "remit connector tools" } }
            }
        }
        section {
            h2 { "Settled" }
            @if settled.is_empty() { p .quiet { "Nothing yet." } }
            @for item in settled.iter().take(limits::LIST_ROWS_MAX) { (tool(viewer, connector, item, is_founding)) }
        }
    }
}

fn status(status: Status) -> Markup {
    let tone = match status {
        Status::Pinned => Tone::Good,
        Status::New | Status::Renamed | Status::Withdrawn => Tone::Waits,
        Status::Changed => Tone::Bad,
        Status::Gone => Tone::Quiet,
    };
    pill(tone, status.as_str())
}

fn tool(viewer: &Viewer, connector: &Connector, item: &Item, is_founding: bool) -> Markup {
    html! {
        article .tool {
            h3 { code { (shown(&item.tool)) } " " (status(item.status)) }
            @if let Some(old) = &item.renamed_from {
                p .reason { "probably was " code { (shown(old)) } ": the same arguments, nearly the same description" }
            }
            @if let Some(new) = &item.renamed_to { p .quiet { "probably became " code { (shown(new)) } } }
            @if let Some(reason) = &item.withdrawn { p .reason { (shown(reason)) } }
            @if let Some(description) = &item.description { p .text { (shown(description)) } }
            (differences(&item.differences))
            (warnings(&item.warnings))
            @if let Some(definition) = &item.definition {
                details { summary { "Definition" } (value::table(definition)) }
            }
            @if item.status.is_open() { (form(viewer, connector, item, is_founding)) }
        }
    }
}

/// What the person decides, filled in with what was decided before, or else with what is proposed.
fn form(viewer: &Viewer, connector: &Connector, item: &Item, is_founding: bool) -> Markup {
    let (Some(proposed), Some(digest)) = (&item.proposed, &item.digest) else { return html! {} };
    let before = item.approved.as_ref();
    let verb = before.map_or(proposed.verb, |before| before.verb);
    let risk = before.map_or(proposed.risk, |before| before.risk);
    let data = before.map_or(proposed.data, |before| before.data);
    let external = before.map_or(proposed.external, |before| before.external);
    let irreversible = before.is_some_and(|before| before.irreversible);
    let projections = before.map(|before| before.projections.as_slice()).unwrap_or_default();
    let lines: Vec<String> = projections.iter().map(ToString::to_string).collect();
    let field = |name: &str| format!("{name}-{}", digest.short());
    html! {
        form .decide method="post" action={ "/connectors/" (connector.name) "/approve" } {
            (layout::token(viewer))
            input type="hidden" name="tool" value=(item.tool);
            input type="hidden" name="digest" value=(digest);
            label for=(field("verb")) { "What it does" }
            select id=(field("verb")) name="verb" {
                @for one in Verb::ALL { option value=(one) selected[one == verb] { (one) } }
            }
            label for=(field("risk")) { "Risk" }
            select id=(field("risk")) name="risk" {
                @for (one, word) in ["none", "low", "medium", "high"].iter().enumerate() {
                    option value=(one) selected[one == usize::from(risk)] { (one) ": " (word) }
                }
            }
            label for=(field("data")) { "Data" }
            select id=(field("data")) name="data" {
                @for one in [DataClass::D0, DataClass::D1, DataClass::D2, DataClass::D3] {
                    option value=(format!("{one:?}")) selected[one == data] { (format!("{one:?}")) }
                }
            }
            label for=(field("external")) { "Reaches outside" }
            input id=(field("external")) type="checkbox" name="external" value="yes" checked[external];
            label for=(field("irreversible")) { "Nobody can undo it" }
            input id=(field("irreversible")) type="checkbox" name="irreversible" value="yes" checked[irreversible];
            label for=(field("projections")) { "Projections, one a line" }
            textarea id=(field("projections")) name="projections" rows="2" spellcheck="false" { (lines.join("\n")) }
            (suggested(item))
            button .primary type="submit" {
                @if is_founding { "Approve, pinned to this definition" } @else { "Propose it, pinned to this definition" }
            }
            p .quiet { "Binds your approval to " (id::digest(digest)) }
        }
    }
}

/// Why what is proposed, and which projections the arguments suggest.
fn suggested(item: &Item) -> Markup {
    let Some(proposed) = &item.proposed else { return html! {} };
    html! {
        p .quiet .why {
            "Proposed: " (proposed.verb) ", risk " (proposed.risk) ", " (format!("{:?}", proposed.data))
            @if proposed.external { ", outside" }
            @for reason in &proposed.reasons { "; " (shown(reason)) }
        }
        p .quiet .why {
            "Projections that its arguments suggest: "
            @if proposed.projections.is_empty() { (none("none")) }
            @for projection in &proposed.projections { code { (shown(&projection.to_string())) } " " }
        }
    }
}
