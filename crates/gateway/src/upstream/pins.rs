//! Holds what a server says about its tools against what people approved.

use remit_domain::{Actor, Command, Connector, OperationName};
use remit_engine::Engine;

use super::connection::Connection;
use super::definitions;
use super::fault::UpstreamFault;

/// Lists what `connector` offers and withdraws every approved operation that is no longer what was approved.
///
/// INVARIANT: a connection is used for calls only after this has succeeded on it, and what it found is on record.
pub(super) async fn check(
    engine: &Engine,
    connector: &Connector,
    connection: &Connection,
) -> Result<(), UpstreamFault> {
    // A change that is said from now on is a new one, so it needs a check of its own.
    let changes = connection.signals.changes();
    let listed = definitions::list(connection).await?;
    connection.note(&listed);
    for (operation, reason) in changed(engine, connector, connection) {
        tracing::warn!(%operation, reason, "withdrawing an operation");
        let withdraw = Command::WithdrawOperation { operation, reason: reason.to_owned() };
        engine.submit(Actor::Remit, withdraw).await.map_err(|error| {
            UpstreamFault::not_sent("a change of the upstream's tools could not be recorded").detail(error)
        })?;
    }
    connection.checked(changes);
    Ok(())
}

fn changed(engine: &Engine, connector: &Connector, connection: &Connection) -> Vec<(OperationName, &'static str)> {
    engine.read(|state| {
        let available = state.operations_of(&connector.name).filter(|operation| operation.withdrawn.is_none());
        let judged = available.filter_map(|operation| {
            let reason = match connection.definition(operation.name.tool()) {
                Some(digest) if digest == operation.digest => return None,
                Some(_) => "its server now defines it otherwise than it was approved",
                None => "its server no longer offers it",
            };
            Some((operation.name.clone(), reason))
        });
        judged.collect()
    })
}
