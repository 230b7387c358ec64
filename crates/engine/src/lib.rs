//! Accepts commands, commits them in batches, tells everyone who was waiting.
//!
//! Architecture invariant: the ledger's disk and the time that it records live here alone, and one thread alone changes the
//! state.
//! Nobody hears of an event before it is durable, and nothing that is not in the log was ever acknowledged.

mod activity;
mod answers;
mod as_of;
mod before;
mod cascade;
mod changes;
mod clock;
mod committer;
mod engine;
mod error;
mod followers;
mod history;
mod indexer;
mod keys;
mod open;
mod outbox;
mod pack;
pub mod presented;
mod prove;
mod publisher;
mod realm_keys;
mod record;
mod recovery;
mod rehearsal;
mod replay;
mod sequencer;
mod shadow;
mod sharing;
mod snapshots;
pub mod store;
mod timers;
mod tokens;
mod uses;
mod vault;
mod verify;
mod watch;

pub use as_of::{AsOfError, Folding};
pub use cascade::{RevocationReceipt, STATUS_LIST_KEPT_SECONDS};
pub use changes::{ChangeEnd, HowEnded, KnownChange};
pub use clock::{Clock, ManualClock, SystemClock};
pub use engine::{Engine, Health, Receipt};
pub use error::{OpenError, SubmitError};
pub use history::{History, artefact_terms, change_of};
pub use keys::KeySource;
pub use open::{Options, SNAPSHOT_ENTRIES, Setup};
pub use outbox::Effect;
pub use pack::{PackFault, PackReport, PackSelect, verify_pack};
pub use prove::Proof;
pub use record::{Committed, Record};
pub use replay::{Difference, Group, Link, REPLAYS_MAX, Replay, ReplayError, ReplayReport, Told, Turn, UnsaidCount};
pub use shadow::{SHADOWS_MAX, ShadowReport};
pub use sharing::{Origin, Sighting};
pub use store::index::{Calls, Filter};
pub use tokens::{Entries, IssueToken, IssuedToken, RESOURCE_ACCESS, TOKEN_SECONDS_DEFAULT};
pub use uses::GrantUse;
pub use vault::Content;
pub use verify::{Report, verify_directory};
pub use watch::EventStream;

#[cfg(test)]
mod tests;
