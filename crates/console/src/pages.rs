//! The pages: one folder for each noun, one file for each thing done with it.

pub(crate) mod agents;
pub(crate) mod approvals;
pub(crate) mod changes;
pub(crate) mod connect;
pub(crate) mod connectors;
pub(crate) mod consent;
mod control;
pub(crate) mod grants;
pub(crate) mod keys;
pub(crate) mod overview;
pub(crate) mod passkeys;
pub(crate) mod people;
pub(crate) mod policies;
pub(crate) mod records;
pub(crate) mod settings;
pub(crate) mod sign_in;
pub(crate) mod sign_in_elsewhere;
pub(crate) mod step_up;
pub(crate) mod tasks;
pub(crate) mod who;

use remit_domain::State;
use remit_engine::Filter;

use crate::Console;
use crate::errors::PageError;
use crate::names::Names;
use crate::parts::line::Line;

/// The records that `filter` finds, as lines, newest first.
async fn lines(console: &Console, filter: Filter, state: &State) -> Result<Vec<Line>, PageError> {
    let found = console.engine.query(filter).await?;
    let line = |committed: &remit_engine::Committed| {
        Line::of(committed.seq, committed.at, &committed.record.actor, &committed.record.event, Names(state))
    };
    Ok(found.iter().map(line).collect())
}
