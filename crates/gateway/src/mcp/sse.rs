//! Server-sent events (WHATWG HTML, section 9.2): written for clients, read from upstreams.

use bytes::Bytes;

#[cfg(test)]
mod tests;

/// A comment: readers ignore it, and connections stay open over it.
pub(crate) fn comment(text: &str) -> Bytes {
    Bytes::from(format!(": {text}\n\n"))
}

/// One message. `json` is compact JSON, which has no line breaks.
pub(crate) fn message(json: &[u8]) -> Bytes {
    Bytes::from([b"event: message\ndata: ".as_slice(), json, b"\n\n"].concat())
}

/// An event is larger than it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an event of the stream is larger than {0} bytes")]
pub(crate) struct EventTooLarge(usize);

/// Reads events from pieces of a stream, however it was cut.
#[derive(Debug)]
pub(crate) struct Reader {
    line: Vec<u8>,
    data: Vec<u8>,
    has_data: bool,
    is_message: bool,
    /// A carriage return has ended a line, so a line feed right after it belongs to it.
    after_return: bool,
    at_start: bool,
    event_bytes_max: usize,
}

impl Reader {
    /// A reader of events of up to `event_bytes_max` bytes.
    pub fn new(event_bytes_max: usize) -> Self {
        Self {
            line: Vec::new(),
            data: Vec::new(),
            has_data: false,
            is_message: true,
            after_return: false,
            at_start: true,
            event_bytes_max,
        }
    }

    /// Takes the next piece, and returns the data of each message that is complete with it. Events of other types than
    /// `message`, and events without data, are left out.
    pub fn feed(&mut self, piece: &[u8]) -> Result<Vec<Vec<u8>>, EventTooLarge> {
        let mut messages = Vec::new();
        for &byte in piece {
            let ends_return = std::mem::replace(&mut self.after_return, byte == b'\r');
            match byte {
                b'\n' if ends_return => {}
                b'\n' | b'\r' => messages.extend(self.end_line()),
                _ => self.line.push(byte),
            }
            if self.line.len() + self.data.len() > self.event_bytes_max {
                return Err(EventTooLarge(self.event_bytes_max));
            }
        }
        Ok(messages)
    }

    fn end_line(&mut self) -> Option<Vec<u8>> {
        let line = std::mem::take(&mut self.line);
        let line = match line.strip_prefix(b"\xef\xbb\xbf") {
            Some(rest) if self.at_start => rest,
            _ => &line,
        };
        self.at_start = false;
        if line.is_empty() {
            return self.end_event();
        }
        let colon = line.iter().position(|byte| *byte == b':').unwrap_or(line.len());
        let (field, value) = line.split_at_checked(colon)?;
        let value = value.strip_prefix(b":").unwrap_or(value);
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match field {
            b"data" => {
                if self.has_data {
                    self.data.push(b'\n');
                }
                self.has_data = true;
                self.data.extend_from_slice(value);
            }
            b"event" => self.is_message = matches!(value, b"message" | b""),
            // Ids and retry times are for resuming a stream, which is not done; a line that starts with `:` is a comment.
            _ => {}
        }
        None
    }

    fn end_event(&mut self) -> Option<Vec<u8>> {
        let data = std::mem::take(&mut self.data);
        let had_data = std::mem::take(&mut self.has_data);
        let was_message = std::mem::replace(&mut self.is_message, true);
        // The first event of some servers is empty: it only gives the stream an id.
        (had_data && was_message && !data.is_empty()).then_some(data)
    }
}
