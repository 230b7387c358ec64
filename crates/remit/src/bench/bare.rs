//! The floor: write a batch, sync it, again.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, Instant};

/// The size of a record, about that of an allowed action.
const RECORD_BYTES: usize = 900;
/// Preallocated and written over again, as a segment is.
const FILE_BYTES: u64 = 32 << 20;

/// Records per second of a loop that writes `records` at a time and syncs.
pub fn measure(path: &Path, records: usize, time: Duration) -> anyhow::Result<f64> {
    let file: File = OpenOptions::new().create(true).truncate(true).write(true).open(path)?;
    rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, FILE_BYTES)?;
    file.sync_all()?;
    let batch = vec![b'r'; records * RECORD_BYTES];
    let (start, mut offset, mut batches) = (Instant::now(), 0, 0_u64);
    while start.elapsed() < time {
        if offset + batch.len() as u64 > FILE_BYTES {
            offset = 0;
        }
        file.write_all_at(&batch, offset)?;
        file.sync_data()?;
        offset += batch.len() as u64;
        batches += 1;
    }
    Ok((batches * records as u64) as f64 / start.elapsed().as_secs_f64())
}
