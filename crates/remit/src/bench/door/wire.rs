//! A connection over which prepared requests go out and whole answers come in: HTTP/1.1 and nothing of it that is not needed.
//!
//! It shares the processor with what is measured, so it has to cost little: no header maps, no documents, no copies.

use std::net::SocketAddr;
use std::ops::Range;

use anyhow::{Context, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[cfg(test)]
mod tests;

/// Largest answer that is read, in bytes: a page of 500 tools is far below it.
const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;

/// How much is read at a time, in bytes.
const READ_BYTES: usize = 16 * 1024;

/// An open connection.
#[derive(Debug)]
pub struct Wire {
    stream: TcpStream,
    read: Vec<u8>,
    body: Vec<u8>,
}

/// A whole answer.
#[derive(Debug, Clone, Copy)]
pub struct Answer<'a> {
    pub status: u16,
    pub head: &'a str,
    /// Without the lengths of chunks between.
    pub body: &'a [u8],
}

impl Answer<'_> {
    /// The header `name` (in lower case), if it is there.
    pub fn header(&self, name: &str) -> Option<&str> {
        header(self.head, name)
    }

    /// Whether `text` stands in the body.
    pub fn says(&self, text: &[u8]) -> bool {
        self.body.windows(text.len()).any(|part| part == text)
    }

    /// The beginning of the answer, for people.
    pub fn shown(&self) -> String {
        let body: String = String::from_utf8_lossy(self.body).chars().take(300).collect();
        format!("status {}: {body}", self.status)
    }
}

impl Wire {
    /// Connects to `address`.
    ///
    /// # Errors
    /// If nobody listens there.
    pub async fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await.with_context(|| format!("cannot connect to `{address}`"))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, read: Vec::new(), body: Vec::new() })
    }

    /// Sends `request` and waits for the whole answer.
    ///
    /// # Errors
    /// If the connection breaks, or what comes is not an answer that this understands.
    pub async fn ask(&mut self, request: &[u8]) -> anyhow::Result<Answer<'_>> {
        self.send(request).await?;
        loop {
            if let Some(head) = Head::of(&self.read)? {
                self.body.clear();
                if let Some(body) = head.body(&self.read, &mut self.body)? {
                    let body = body.map_or(self.body.as_slice(), |body| self.read.get(body).unwrap_or_default());
                    return Ok(Answer { status: head.status, head: head.text(&self.read), body });
                }
            }
            self.more().await?;
        }
    }

    /// Sends `request` and waits for the head of the answer and the beginning of its body, if that comes along: the rest may
    /// take for ever.
    ///
    /// # Errors
    /// As [`Wire::ask`].
    pub async fn begin(&mut self, request: &[u8]) -> anyhow::Result<Answer<'_>> {
        self.send(request).await?;
        loop {
            if let Some(head) = Head::of(&self.read)? {
                let body = self.read.get(head.end..).unwrap_or_default();
                return Ok(Answer { status: head.status, head: head.text(&self.read), body });
            }
            self.more().await?;
        }
    }

    async fn send(&mut self, request: &[u8]) -> anyhow::Result<()> {
        self.read.clear();
        self.stream.write_all(request).await.context("the connection broke while a request was sent")
    }

    async fn more(&mut self) -> anyhow::Result<()> {
        if self.read.len() > ANSWER_BYTES_MAX {
            bail!("an answer is larger than {ANSWER_BYTES_MAX} bytes");
        }
        self.read.reserve(READ_BYTES);
        match self.stream.read_buf(&mut self.read).await.context("the connection broke before there was an answer")? {
            0 => bail!("the server closed the connection before there was an answer"),
            _ => Ok(()),
        }
    }
}

/// The head of an answer.
struct Head {
    status: u16,
    /// Where the body begins.
    end: usize,
    /// How long it is; nothing if it comes in chunks.
    length: Option<usize>,
}

impl Head {
    /// The head at the beginning of `read`, once it is whole.
    fn of(read: &[u8]) -> anyhow::Result<Option<Self>> {
        let Some(blank) = read.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(None) };
        let head =
            std::str::from_utf8(read.get(..blank).unwrap_or_default()).context("an answer's head is not text")?;
        let status = head.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)?.parse().ok());
        let status = status.with_context(|| format!("not an answer of HTTP/1.1: `{head}`"))?;
        let length = match (header(head, "content-length"), header(head, "transfer-encoding")) {
            (Some(length), None) => Some(length.parse().with_context(|| format!("not a length: `{length}`"))?),
            (None, Some(encoding)) if encoding.eq_ignore_ascii_case("chunked") => None,
            (None, None) if status == 204 => Some(0),
            _ => bail!("an answer does not say how long it is: `{head}`"),
        };
        Ok(Some(Self { status, end: blank + 4, length }))
    }

    fn text<'a>(&self, read: &'a [u8]) -> &'a str {
        std::str::from_utf8(read.get(..self.end).unwrap_or_default()).unwrap_or_default()
    }

    /// Once the body is whole: where it stands in `read`, or nothing if it had to be put together in `joined`.
    fn body(&self, read: &[u8], joined: &mut Vec<u8>) -> anyhow::Result<Option<Option<Range<usize>>>> {
        match self.length {
            Some(length) => Ok((read.len() - self.end >= length).then(|| Some(self.end..self.end + length))),
            None => Ok(join(read.get(self.end..).unwrap_or_default(), joined)?.then_some(None)),
        }
    }
}

/// Appends the chunks of `coded` to `joined` (RFC 9112 section 7.1). Says whether the last one is there.
fn join(mut coded: &[u8], joined: &mut Vec<u8>) -> anyhow::Result<bool> {
    loop {
        let Some(line) = coded.windows(2).position(|two| two == b"\r\n") else { return Ok(false) };
        let size = std::str::from_utf8(coded.get(..line).unwrap_or_default()).unwrap_or_default();
        let size = size.split(';').next().unwrap_or_default().trim();
        let size = usize::from_str_radix(size, 16).with_context(|| format!("not the length of a chunk: `{size}`"))?;
        let begin = line + 2;
        let end = begin.checked_add(size).context("a chunk is too long")?;
        let (Some(chunk), Some(rest)) = (coded.get(begin..end), coded.get(end.saturating_add(2)..)) else {
            return Ok(false);
        };
        if size == 0 {
            return Ok(true);
        }
        joined.extend_from_slice(chunk);
        coded = rest;
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines()
        .filter_map(|line| line.split_once(':'))
        .find_map(|(known, value)| known.eq_ignore_ascii_case(name).then(|| value.trim()))
}
