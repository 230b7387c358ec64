//! Proposing another classification of an operation, with the definition that it is pinned to as it is.

use axum::extract::{Path, State};
use axum::response::Redirect;
use maud::{Markup, html};
use remit_domain::{
    Command, Connector, DataClass, Edit, Event, Operation, OperationChoice, OperationEdit, Refusal, State as Realm,
    Timestamp, Verb, limits,
};
use remit_review::projections_in;
use serde::Deserialize;

use super::operation::known;
use super::{find, operation_address};
use crate::errors::PageError;
use crate::pages::control;
use crate::session::{SentForm, Viewer};
use crate::{Console, layout};

const DATA: [(&str, DataClass); 4] =
    [("D0", DataClass::D0), ("D1", DataClass::D1), ("D2", DataClass::D2), ("D3", DataClass::D3)];

/// What the form says, all of it as text.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Classification {
    tool: String,
    /// Digest of the definition that the page showed.
    digest: String,
    verb: String,
    risk: String,
    data: String,
    /// Absent if the box is not ticked.
    external: String,
    irreversible: String,
    projections: String,
    reason: String,
}

impl Classification {
    fn choice(&self, operation: &Operation) -> Result<OperationChoice, Refusal> {
        let bad = |what: &str| {
            Refusal::new("bad_form", format!("the form's {what} cannot be used"))
                .help("reload the page and send it again")
        };
        if self.digest != operation.digest.to_string() {
            let refusal =
                Refusal::new("definition_moved", "the operation is pinned to another definition than the page showed");
            return Err(refusal.help("look at it again, and classify what is there now"));
        }
        let data = DATA.iter().find(|(word, _)| *word == self.data).map(|(_, data)| *data);
        Ok(OperationChoice {
            verb: self.verb.parse().map_err(|_| bad("verb"))?,
            risk: self.risk.parse().map_err(|_| bad("risk"))?,
            data: data.ok_or_else(|| bad("class of data"))?,
            external: self.external == "yes",
            irreversible: self.irreversible == "yes",
            projections: projections_in(&self.projections)?,
            ..operation.choice()
        })
    }
}

fn proposal(connector: &Connector, choice: OperationChoice, reason: &str) -> Command {
    let edit = Edit::Operation(Box::new(OperationEdit { connector: connector.id, choice }));
    Command::ProposeChange { edits: vec![edit], reason: reason.to_owned(), revert_of: None }
}

/// Classifying what is not available would make it so again, with the very definition that its server may have left.
fn must_be_available(operation: &Operation) -> Result<(), Refusal> {
    match operation.withdrawn {
        None => Ok(()),
        Some(_) => Err(Refusal::new(
            "operation_withdrawn",
            "this operation is not available, and classifying it would make it so",
        )
        .help("review what its server offers now, and approve that")),
    }
}

pub(super) fn section(
    state: &Realm,
    viewer: &Viewer,
    connector: &Connector,
    operation: &Operation,
    now: Timestamp,
) -> Markup {
    let sample = proposal(connector, operation.choice(), "another classification");
    let usable = must_be_available(operation).and_then(|()| control::may(state, viewer, &sample, now));
    let off = usable.is_err();
    let lines: Vec<String> = operation.projections.iter().map(ToString::to_string).collect();
    html! {
        section {
            h2 { "Another classification" }
            p .quiet { "Policies decide by these. What changes waits for somebody else's yes, and holds from the next call on." }
            form .decide method="post" action={ "/connectors/" (connector.name) "/classify" } {
                (layout::token(viewer))
                input type="hidden" name="tool" value=(operation.name.tool());
                input type="hidden" name="digest" value=(operation.digest);
                label for="verb" { "What it does" }
                select #verb name="verb" disabled[off] {
                    @for one in Verb::ALL { option value=(one) selected[one == operation.verb] { (one) } }
                }
                label for="risk" { "Risk" }
                select #risk name="risk" disabled[off] {
                    @for (one, word) in ["none", "low", "medium", "high"].iter().enumerate() {
                        option value=(one) selected[one == usize::from(operation.risk)] { (one) ": " (word) }
                    }
                }
                label for="data" { "Data" }
                select #data name="data" disabled[off] {
                    @for (word, one) in DATA { option value=(word) selected[one == operation.data] { (word) } }
                }
                label for="external" { "Reaches outside" }
                input #external type="checkbox" name="external" value="yes" checked[operation.external] disabled[off];
                label for="irreversible" { "Nobody can undo it" }
                input #irreversible type="checkbox" name="irreversible" value="yes" checked[operation.irreversible] disabled[off];
                label for="projections" { "Projections, one a line" }
                textarea #projections name="projections" rows="2" spellcheck="false" disabled[off] { "\n" (lines.join("\n")) }
                label for="reason" { "Why" }
                textarea #reason name="reason" rows="2" required maxlength=(limits::TEXT_BYTES_MAX) disabled[off] {}
                button type="submit" disabled[off] aria-describedby="classify-why" { "Propose it" }
                (control::why("classify-why", &usable))
            }
        }
    }
}

pub(crate) async fn propose(
    State(console): State<Console>,
    Path(name): Path<String>,
    sent: SentForm<Classification>,
) -> Result<Redirect, PageError> {
    let state = console.engine.state();
    let connector = find(&state, &name)?;
    let operation = known(&state, connector, &sent.fields.tool)?;
    must_be_available(operation)?;
    let choice = sent.fields.choice(operation)?;
    if choice == operation.choice() {
        return Err(Refusal::new("nothing_changes", "this is how the operation is classified already").into());
    }
    let command = proposal(connector, choice, &control::written(&sent.fields.reason));
    let receipt = console.engine.submit(sent.viewer.actor(), command).await?;
    let proposed = receipt.events.iter().find_map(|event| match event {
        Event::ChangeProposed(proposed) => Some(proposed.change),
        _ => None,
    });
    Ok(Redirect::to(
        &proposed.map_or_else(|| operation_address(&operation.name), |change| format!("/changes/{change}")),
    ))
}
