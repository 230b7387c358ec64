//! One process per data directory.

use std::fs::File;
use std::io::{Read, Seek, Write};
use std::path::Path;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use super::error::{StoreError, While};
use super::files::{self, Directory};

#[cfg(test)]
mod tests;

/// The lock file's name in the data directory.
const NAME: &str = "lock";
/// A process id in decimal is shorter than this.
const PID_BYTES_MAX: u64 = 16;

/// Held while this process uses a data directory; released when dropped, and by the kernel when the process ends in any
/// way, so a crash leaves nothing to clean up.
#[derive(Debug)]
pub struct DataLock {
    #[expect(dead_code, reason = "holding the open file is holding the lock")]
    file: File,
}

impl DataLock {
    /// Takes the lock of `data_directory`, which is made if it is not there, or says who holds it.
    ///
    /// # Errors
    ///
    /// [`InUse`](StoreError::InUse) if another process, or another part of this one, holds it.
    pub fn take(data_directory: &Path) -> Result<Self, StoreError> {
        Directory::open(data_directory)?;
        let path = data_directory.join(NAME);
        let mut file = files::private().open(&path).io("open", &path)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => {
                let mut holder = String::new();
                let _ = file.take(PID_BYTES_MAX).read_to_string(&mut holder);
                return Err(StoreError::InUse {
                    directory: data_directory.to_owned(),
                    pid: holder.trim().parse().ok(),
                });
            }
            Err(error) => return Err(std::io::Error::from(error)).io("lock", &path),
        }
        file.set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| writeln!(file, "{}", std::process::id()))
            .io("write", &path)?;
        Ok(Self { file })
    }
}
