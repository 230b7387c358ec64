//! What `/proc` says of a process (proc(5)).

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;

use crate::limits;

#[cfg(test)]
mod tests;

/// A process, told from every other that had or will have its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct ProcessId {
    pub pid: i32,
    /// When it started, in clock ticks since the machine did.
    pub started_at_ticks: u64,
}

/// The line of `/proc/PID/stat`, as far as it is of interest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stat {
    pub id: ProcessId,
    pub parent: i32,
}

/// The path of `name` in the directory of the process `pid`.
pub(crate) fn path(pid: i32, name: &str) -> PathBuf {
    PathBuf::from(format!("/proc/{pid}/{name}"))
}

/// Number, parent and time of start of the process `pid`.
pub(crate) fn stat(pid: i32) -> io::Result<Stat> {
    parse_stat(pid, &read(pid, "stat")?).ok_or_else(|| strange("stat"))
}

fn parse_stat(pid: i32, line: &str) -> Option<Stat> {
    // The second field is the program's name in parentheses, and may itself hold spaces and parentheses.
    let (_, fields) = line.rsplit_once(')')?;
    let mut fields = fields.split_ascii_whitespace();
    // After the name: state, parent (4th of all), ..., start time (22nd).
    let parent = fields.nth(1)?.parse().ok()?;
    let started_at_ticks = fields.nth(17)?.parse().ok()?;
    Some(Stat { id: ProcessId { pid, started_at_ticks }, parent })
}

/// The effective user and group of the process `pid`.
pub(crate) fn user_and_group(pid: i32) -> io::Result<(u32, u32)> {
    let status = read(pid, "status")?;
    let effective = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        // Real, effective, saved, file system.
        line.split_ascii_whitespace().nth(1)?.parse().ok()
    };
    effective("Uid:").zip(effective("Gid:")).ok_or_else(|| strange("status"))
}

/// Where the process `pid` is in the hierarchy of control groups: that of version 2, or else the one that systemd keeps.
/// Nothing if the system has neither.
pub(crate) fn control_group(pid: i32) -> io::Result<Option<String>> {
    Ok(parse_control_group(&read(pid, "cgroup")?).map(str::to_owned))
}

fn parse_control_group(text: &str) -> Option<&str> {
    let in_hierarchy = |prefix: &str, by_number: bool| {
        text.lines().find_map(|line| match by_number {
            true => line.strip_prefix(prefix),
            false => line.split_once(':')?.1.strip_prefix(prefix),
        })
    };
    let path = in_hierarchy("0::", true).or_else(|| in_hierarchy("name=systemd:", false))?;
    // What is removed, or outside of what we may see, is no place.
    let is_place = path.starts_with('/') && !path.starts_with("/..") && !path.ends_with(" (deleted)");
    is_place.then_some(path)
}

fn read(pid: i32, name: &str) -> io::Result<String> {
    let mut text = Vec::new();
    File::open(path(pid, name))?.take(limits::PROC_BYTES_MAX).read_to_end(&mut text)?;
    // A program chooses its own name, which may be anything; what is of interest is ASCII.
    Ok(String::from_utf8_lossy(&text).into_owned())
}

fn strange(name: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("the file `{name}` of a process is not what proc(5) says"))
}
