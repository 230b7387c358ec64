//! Server-sent events (WHATWG HTML, section 9.2), as far as MCP uses them: the data of each message.

#[cfg(test)]
mod tests;

/// Reads messages from pieces of a stream, however it was cut.
#[derive(Debug)]
pub struct Events {
    line: Vec<u8>,
    data: Vec<u8>,
    is_message: bool,
    /// A carriage return has ended a line, so a line feed right after it belongs to it.
    after_return: bool,
    bytes_max: usize,
}

/// An event is larger than it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventTooLarge;

impl Events {
    /// A reader of events of up to `bytes_max` bytes.
    pub fn new(bytes_max: usize) -> Self {
        Self { line: Vec::new(), data: Vec::new(), is_message: true, after_return: false, bytes_max }
    }

    /// Takes the next piece, and gives the data of each message that is complete with it. Lines of data are joined by a
    /// space: in JSON, a line break can only stand where a space can.
    ///
    /// # Errors
    /// If an event is larger than allowed; the stream cannot be read on.
    pub fn feed(&mut self, piece: &[u8]) -> Result<Vec<Vec<u8>>, EventTooLarge> {
        let mut messages = Vec::new();
        for &byte in piece {
            let ends_return = std::mem::replace(&mut self.after_return, byte == b'\r');
            match byte {
                b'\n' if ends_return => {}
                b'\n' | b'\r' => messages.extend(self.end_line()),
                _ => self.line.push(byte),
            }
            if self.line.len() + self.data.len() > self.bytes_max {
                return Err(EventTooLarge);
            }
        }
        Ok(messages)
    }

    fn end_line(&mut self) -> Option<Vec<u8>> {
        let line = std::mem::take(&mut self.line);
        let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&line);
        if line.is_empty() {
            let was_message = std::mem::replace(&mut self.is_message, true);
            let data = std::mem::take(&mut self.data);
            // Some servers begin with an event without data, and keep the stream open with others.
            return (was_message && !data.trim_ascii().is_empty()).then_some(data);
        }
        let colon = line.iter().position(|byte| *byte == b':').unwrap_or(line.len());
        let (field, value) = line.split_at_checked(colon)?;
        let value = value.strip_prefix(b":").unwrap_or(value);
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match field {
            b"data" => {
                if !self.data.is_empty() {
                    self.data.push(b' ');
                }
                self.data.extend_from_slice(value);
            }
            b"event" => self.is_message = matches!(value, b"message" | b""),
            // A line that starts with `:` is a comment; ids and retry times are for resuming, which the gateway does not do.
            _ => {}
        }
        None
    }
}
