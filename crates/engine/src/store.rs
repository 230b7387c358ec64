//! Everything on disk in the embedded backend: one directory, one process, one writer.
//!
//! ```text
//! DATA/lock                 held while a remit runs here          lock
//! DATA/segments/*.seg       the commit point: entries, commits    segment (current, frame, recover, reserve, reader, walk)
//! DATA/ledger/              tiles and checkpoint, rebuildable     tiles
//! DATA/snapshots/*.snap     folded state, rebuildable             snapshot
//! DATA/index.sqlite         search over records, rebuildable      index
//! DATA/content.sqlite       sealed payloads, erasable             content
//! elsewhere                 the last signed checkpoint            anchor
//! ```
//!
//! Only `segments/` decides what happened. What is rebuildable may be lost or lag behind; what is erasable never proves
//! anything.
//!
//! Architecture invariant: this module deals in bytes. It knows no event, no key and no clock, signs and encrypts
//! nothing, and is synchronous: it is called from threads that may wait for a disk.

pub mod anchor;
pub mod content;
mod current;
mod error;
mod files;
mod frame;
pub mod index;
mod lock;
mod reader;
mod recover;
mod reserve;
mod segment;
pub mod snapshot;
mod sqlite;
pub mod tiles;
mod walk;

pub use current::Cut;
pub use error::StoreError;
pub use frame::{COMMIT_BYTES_MAX, ENTRY_BYTES_MAX};
pub use lock::DataLock;
pub use reader::{LogReader, read_range};
pub use recover::Recovered;
pub use segment::{Options, SEGMENT_BYTES, SEGMENT_BYTES_MAX, SEGMENT_BYTES_MIN, SegmentLog};
pub use walk::{Walk, verify_walk};
