//! What a person should see of what a server offers before approving it, and what their choice then pins.
//!
//! Architecture invariant: pure, but for the seam [`ToolSource`] that others implement: no I/O, no clock, no storage. A review
//! informs and proposes; whether an operation may be approved is decided by the domain. What a server says of itself is
//! never believed here, only shown.

mod artefact;
mod choice;
mod difference;
mod item;
mod letters;
pub mod limits;
mod lines;
mod neighbours;
mod proposal;
mod source;
mod warning;
mod wording;

pub use artefact::{Comparison, Undoing, compare_edit, undo};
pub use choice::{Choice, by_name, may_look, pin, projections_in};
pub use difference::{Change, Difference, compare};
pub use item::{Decided, Item, Status, review};
pub use letters::{has_unseen, visible};
pub use lines::{Line, lines, unified};
pub use neighbours::Neighbours;
pub use proposal::{Proposal, propose};
pub use source::{Standing, ToolSource};
pub use warning::{Severity, Warning, WarningKind, examine, examine_instructions};
pub use wording::{Run, Wording, wording};
