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
    let (start, mut batches) = (Instant::now(), 0_u64);
    write(path, records, time, |_| batches += 1)?;
    Ok((batches * records as u64) as f64 / start.elapsed().as_secs_f64())
}

/// How long a write of one record and its sync took, in nanoseconds, in order.
pub fn latencies(path: &Path, time: Duration) -> anyhow::Result<Vec<u64>> {
    let mut nanoseconds = Vec::new();
    write(path, 1, time, |took| nanoseconds.push(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX)))?;
    nanoseconds.sort_unstable();
    Ok(nanoseconds)
}

fn write(path: &Path, records: usize, time: Duration, mut each: impl FnMut(Duration)) -> anyhow::Result<()> {
    let file: File = OpenOptions::new().create(true).truncate(true).write(true).open(path)?;
    rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, FILE_BYTES)?;
    file.sync_all()?;
    let batch = vec![b'r'; records * RECORD_BYTES];
    let (start, mut offset) = (Instant::now(), 0);
    while start.elapsed() < time {
        if offset + batch.len() as u64 > FILE_BYTES {
            offset = 0;
        }
        let began = Instant::now();
        file.write_all_at(&batch, offset)?;
        file.sync_data()?;
        each(began.elapsed());
        offset += batch.len() as u64;
    }
    Ok(())
}
