//! Server-sent events (WHATWG HTML, section 9.2): written for clients, read from upstreams.

use bytes::Bytes;

use crate::limits;

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
    /// The id of the event that is being read, or of one before it.
    id: Option<String>,
    last_id: Option<String>,
    retry_milliseconds: Option<u64>,
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
            id: None,
            last_id: None,
            retry_milliseconds: None,
        }
    }

    /// The id of the last complete event that had one: where the stream can be taken up again.
    pub fn last_event_id(&self) -> Option<&str> {
        self.last_id.as_deref()
    }

    /// How long the server wants its readers to wait before they take the stream up again, in milliseconds.
    pub fn retry_milliseconds(&self) -> Option<u64> {
        self.retry_milliseconds
    }

    /// The stream begins again: what was unfinished is lost, where it was is not.
    pub fn restart(&mut self) {
        self.line.clear();
        self.data.clear();
        self.has_data = false;
        self.is_message = true;
        self.after_return = false;
        self.at_start = true;
        self.id.clone_from(&self.last_id);
    }

    /// Takes the next piece, and returns the data of each message that is complete with it. Events of other types than
    /// `message`, and events without data, are left out.
    pub fn feed(&mut self, piece: &[u8]) -> Result<Vec<Vec<u8>>, EventTooLarge> {
        let mut messages = Vec::new();
        let mut rest = piece;
        if !piece.is_empty() && std::mem::take(&mut self.after_return) {
            rest = rest.strip_prefix(b"\n").unwrap_or(rest);
        }
        while let Some(end) = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
            let (line, ended) = rest.split_at_checked(end).unwrap_or((rest, b""));
            self.hold(line)?;
            messages.extend(self.end_line());
            rest = match ended {
                [b'\r', b'\n', after @ ..] | [_, after @ ..] => after,
                [] => ended,
            };
            self.after_return = ended == b"\r";
        }
        self.hold(rest)?;
        Ok(messages)
    }

    fn hold(&mut self, bytes: &[u8]) -> Result<(), EventTooLarge> {
        if self.line.len() + self.data.len() + bytes.len() > self.event_bytes_max {
            return Err(EventTooLarge(self.event_bytes_max));
        }
        self.line.extend_from_slice(bytes);
        Ok(())
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
            b"id" => {
                let id = std::str::from_utf8(value).ok().filter(|id| id.len() <= limits::EVENT_ID_BYTES_MAX);
                // An id that cannot be kept is as good as none; one that is empty takes the last one back.
                self.id = id.filter(|id| !id.is_empty() && !id.contains('\0')).map(str::to_owned);
            }
            b"retry" if value.iter().all(u8::is_ascii_digit) => {
                let milliseconds = std::str::from_utf8(value).ok().and_then(|value| value.parse().ok());
                self.retry_milliseconds = milliseconds.or(self.retry_milliseconds);
            }
            // A line that starts with `:` is a comment.
            _ => {}
        }
        None
    }

    fn end_event(&mut self) -> Option<Vec<u8>> {
        self.last_id.clone_from(&self.id);
        let data = std::mem::take(&mut self.data);
        let had_data = std::mem::take(&mut self.has_data);
        let was_message = std::mem::replace(&mut self.is_message, true);
        // The first event of some servers is empty: it only gives the stream an id.
        (had_data && was_message && !data.is_empty()).then_some(data)
    }
}
