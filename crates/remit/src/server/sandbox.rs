//! The sandbox: the built-in agent and its task, kept as long as the server runs.

use std::time::Duration;

use anyhow::Context;
use remit_domain::{Actor, Command, PersonId};
use remit_engine::{Engine, SubmitError};
use tokio_util::sync::CancellationToken;

/// How often it is looked whether the task is over: its time, or its budget.
const RENEW_SECONDS: u64 = 60;

/// Opens the sandbox, or finds it open. The administrator who is this user of the operating system answers for it.
pub async fn open(engine: &Engine) -> anyhow::Result<PersonId> {
    let uid = rustix::process::getuid().as_raw();
    let owner = engine.read(|state| state.person_of_uid(uid).map(|person| person.id));
    let owner = owner.context("nobody here can answer for a sandbox: this user is no administrator of the realm")?;
    engine.submit(Actor::Remit, Command::OpenSandbox { owner }).await.map_err(|error| match error {
        SubmitError::Refused(refusal) => anyhow::Error::new(refusal),
        SubmitError::Unavailable(_) => anyhow::Error::new(error),
    })?;
    if !engine.read(remit_domain::State::has_sandbox_policy) {
        tracing::warn!(
            "this realm is older than the starter policy `sandbox`, so calls in the sandbox need grants; `remit policy propose` adds it"
        );
    }
    Ok(owner)
}

/// Renews the task of the sandbox whenever it is over, until `stopping`.
pub async fn keep_open(engine: Engine, owner: PersonId, stopping: CancellationToken) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(RENEW_SECONDS)) => {}
            () = stopping.cancelled() => return,
        }
        if let Err(error) = engine.submit(Actor::Remit, Command::OpenSandbox { owner }).await {
            tracing::warn!(%error, "the sandbox could not be renewed; calls there are refused until it is");
        }
    }
}
