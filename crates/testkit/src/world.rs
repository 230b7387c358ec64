//! The realm itself: its directory, its clock, and opening it again.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use remit_domain::{Actor, ChangeId, Command, Event, Refusal, SignInMethod, Timestamp};
use remit_engine::{Committed, Engine, ManualClock, Options, Receipt, Setup, SubmitError};
use remit_policy::STARTER;
use tempfile::TempDir;

/// When every world begins.
pub const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

/// An engine on a directory of its own, which is gone when the world is dropped.
#[derive(Debug)]
pub struct World {
    pub engine: Engine,
    options: Options,
    clock: Arc<ManualClock>,
    directory: TempDir,
}

impl World {
    /// A realm `remit.test` with the starter policies and the administrator `root`, whose uid is 0. Its clock stands still
    /// at [`NOW`] until [`World::advance`].
    pub async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// As [`World::new`], opened as `settle` says: another clock, another administrator, shorter segments.
    pub async fn with(settle: impl FnOnce(&mut Options)) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::at(NOW));
        let setup = Setup {
            trust_domain: "remit.test".to_owned(),
            issuer: "http://127.0.0.1:7470".to_owned(),
            administrator: "root".to_owned(),
            administrator_uid: Some(0),
            policies: STARTER.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect(),
        };
        let mut options = Options {
            anchors: Some(directory.path().join("anchors")),
            segment_bytes: 1 << 20,
            clock: clock.clone(),
            ..Options::new(directory.path().join("data"), setup)
        };
        settle(&mut options);
        let engine = Engine::open(options.clone()).await.unwrap();
        Self { engine, options, clock, directory }
    }

    /// The data directory.
    pub fn data(&self) -> &Path {
        &self.options.data
    }

    /// Where the last checkpoint is kept, outside the data directory.
    pub fn anchors(&self) -> PathBuf {
        self.directory.path().join("anchors")
    }

    /// How this world was opened, to open its directory in another way.
    pub fn options(&self) -> Options {
        self.options.clone()
    }

    /// Moves the clock that this world began with.
    pub fn advance(&self, seconds: u64) {
        self.clock.advance_seconds(seconds);
    }

    /// Stops the engine and opens its directory again.
    pub async fn reopen(&mut self) {
        self.engine.close().await;
        self.engine = Engine::open(self.options()).await.unwrap();
    }

    /// What `actor` wants happens, and is committed.
    pub async fn submit(&self, actor: &Actor, command: Command) -> Receipt {
        self.engine.submit(actor.clone(), command).await.unwrap()
    }

    /// As [`World::submit`]; where it comes out as a proposal, somebody else who may approves it.
    pub async fn agreed(&self, actor: &Actor, command: Command) -> Receipt {
        let receipt = self.submit(actor, command).await;
        let Some(change) = proposed(&receipt) else { return receipt };
        let approver = self.engine.read(|state| {
            let change = state.changes.get(&change).unwrap();
            state.people.values().find(|person| change.may_be_approved_by(state, person.id)).map(|person| person.id)
        });
        let person = approver.unwrap();
        let approver = Actor::Person { person, method: SignInMethod::LocalSocket };
        self.submit(&approver, Command::ApproveChange { change }).await
    }

    /// What `actor` wants is refused.
    pub async fn refused(&self, actor: &Actor, command: Command) -> Refusal {
        match self.engine.submit(actor.clone(), command).await {
            Err(SubmitError::Refused(refusal)) => refusal,
            other => panic!("not refused: {other:?}"),
        }
    }

    /// Everything on record.
    pub async fn records(&self) -> Vec<Committed> {
        let mut records = Vec::new();
        for seq in 0..self.engine.head() {
            records.push(self.engine.record(seq).await.unwrap().unwrap());
        }
        records
    }
}

/// The change that waits, if that is what a command came to.
pub fn proposed(receipt: &Receipt) -> Option<ChangeId> {
    receipt.events.iter().find_map(|event| match event {
        Event::ChangeProposed(proposed) => Some(proposed.change),
        _ => None,
    })
}
