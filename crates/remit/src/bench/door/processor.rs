//! Processor time and memory of processes, as the kernel counts them.

use std::time::Duration;

#[cfg(test)]
mod tests;

/// Ticks per second in `/proc/PID/stat`: what Linux tells programs, on every machine that Remit runs on (proc(5), time(7)).
const TICKS_PER_SECOND: u64 = 100;

/// Processor time that the processes `pids` and all their threads have used so far, in programs and in the kernel. A process
/// that has ended counts for nothing.
pub fn used(pids: &[u32]) -> Duration {
    let ticks = |pid: &u32| ticks_of(&std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?);
    let total: u64 = pids.iter().filter_map(ticks).sum();
    Duration::from_millis(total * 1_000 / TICKS_PER_SECOND)
}

/// `utime` and `stime`, the 14th and 15th fields of `stat`. The second is a name and may have spaces and brackets in it.
fn ticks_of(stat: &str) -> Option<u64> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_whitespace().skip(11);
    let (user, system): (u64, u64) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    Some(user + system)
}

/// Memory of the process `pid` (or `self`) that is resident, in MiB.
pub fn resident_mib(pid: impl std::fmt::Display) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().split(' ').next()?.parse::<f64>().ok());
    kib.unwrap_or_default() / 1024.0
}
