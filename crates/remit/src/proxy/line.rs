//! Lines of bounded length, from a client that may write anything.

use std::io::{self, BufRead, Read};

#[cfg(test)]
mod tests;

/// What stood between two line breaks.
#[derive(Debug, PartialEq, Eq)]
pub enum Line {
    /// The line, without its end.
    Whole(Vec<u8>),
    /// It was longer than allowed, and is dropped.
    TooLong,
}

/// Reads the next line; nothing at the end of the input.
///
/// # Errors
/// If the input cannot be read.
pub fn read(reader: &mut impl BufRead, bytes_max: usize) -> io::Result<Option<Line>> {
    let mut line = Vec::new();
    let room = u64::try_from(bytes_max).unwrap_or(u64::MAX).saturating_add(1);
    reader.by_ref().take(room).read_until(b'\n', &mut line)?;
    if line.is_empty() {
        return Ok(None);
    }
    if line.last() == Some(&b'\n') {
        line.pop();
    } else if line.len() > bytes_max {
        skip_line(reader)?;
        return Ok(Some(Line::TooLong));
    }
    Ok(Some(Line::Whole(line)))
}

fn skip_line(reader: &mut impl BufRead) -> io::Result<()> {
    loop {
        let buffer = reader.fill_buf()?;
        let (used, ended) = match buffer.iter().position(|byte| *byte == b'\n') {
            Some(end) => (end + 1, true),
            None => (buffer.len(), buffer.is_empty()),
        };
        reader.consume(used);
        if ended {
            return Ok(());
        }
    }
}
