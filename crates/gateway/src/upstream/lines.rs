//! Lines of bounded length from a process that may write anything.

use std::io;

use tokio::io::{AsyncBufRead, AsyncBufReadExt};

#[cfg(test)]
mod tests;

/// How reading a line ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Line {
    Whole,
    /// It was longer than allowed; the rest is read and dropped.
    Cut,
    /// There are no more.
    End,
}

/// Reads the next line into `line`, without its end, keeping `bytes_max` bytes of it at most.
pub(super) async fn read(
    reader: &mut (impl AsyncBufRead + Unpin),
    line: &mut Vec<u8>,
    bytes_max: usize,
) -> io::Result<Line> {
    line.clear();
    let (mut began, mut cut) = (false, false);
    loop {
        let buffer = reader.fill_buf().await?;
        if buffer.is_empty() {
            return Ok(if !began {
                Line::End
            } else if cut {
                Line::Cut
            } else {
                Line::Whole
            });
        }
        began = true;
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let taken = buffer.get(..end.unwrap_or(buffer.len())).unwrap_or_default();
        let kept = taken.len().min(bytes_max.saturating_sub(line.len()));
        cut |= kept < taken.len();
        line.extend_from_slice(taken.get(..kept).unwrap_or_default());
        let used = end.map_or(buffer.len(), |end| end + 1);
        reader.consume(used);
        if end.is_some() {
            if line.last() == Some(&b'\r') {
                line.pop();
            }
            return Ok(if cut { Line::Cut } else { Line::Whole });
        }
    }
}
