//! Reads what a client sends over HTTP/2 (RFC 9113) and writes it again with a host name that the server takes.
//!
//! Clients built on gRPC's C core send the percent-encoded path of a socket as `:authority`, which is not one (RFC 3986, section 3.2),
//! and the server refuses the request before anybody sees it. Nobody asks for the authority behind a local socket, so each becomes
//! `localhost`. Since header blocks depend on those before them, all are read and all are written again, without a table. Every other
//! frame passes as it is.

#[cfg(test)]
pub(crate) mod tests;

use bytes::{Buf, BufMut, Bytes, BytesMut};

use crate::hpack::{self, Field, HpackError};
use crate::limits;

/// What every client says first (section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const FRAME_HEADER_BYTES: usize = 9;
/// Stream, weight and dependence, as a frame of type HEADERS may carry them (section 6.2).
const PRIORITY_BYTES: usize = 5;

const AUTHORITY: &[u8] = b":authority";
const AUTHORITY_HERE: &[u8] = b"localhost";

/// Types of frames (section 6): what requests are made of, and those that hold header blocks.
const DATA: u8 = 0x0;
const HEADERS: u8 = 0x1;
const PUSH_PROMISE: u8 = 0x5;
const CONTINUATION: u8 = 0x9;

const END_STREAM: u8 = 0x1;
const END_HEADERS: u8 = 0x4;
const PADDED: u8 = 0x8;
const PRIORITY: u8 = 0x20;

/// Why a connection cannot go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Malformed {
    #[error("the client does not speak HTTP/2")]
    Preface,
    #[error("a frame with headers is longer than {} bytes", limits::FRAME_BYTES_MAX)]
    FrameTooLong,
    #[error("a frame with headers is shorter than what it says is in it")]
    FrameTooShort,
    #[error("a frame comes between the parts of a header block, or a part without its beginning")]
    OutOfPlace,
    #[error("a client promised to push")]
    Push,
    #[error("a header block comes in more than {} parts", limits::CONTINUATIONS_MAX)]
    TooManyParts,
    #[error(transparent)]
    Hpack(#[from] HpackError),
}

/// The first nine bytes of a frame (section 4.1).
#[derive(Debug, Clone, Copy)]
struct FrameHeader {
    length: usize,
    kind: u8,
    flags: u8,
    stream: u32,
}

impl FrameHeader {
    /// Takes a header off `input`, if there is a whole one.
    fn take(input: &mut BytesMut) -> Option<Self> {
        if input.len() < FRAME_HEADER_BYTES {
            return None;
        }
        let mut header = input.split_to(FRAME_HEADER_BYTES);
        let length = header.get_uint(3);
        let (kind, flags, stream) = (header.get_u8(), header.get_u8(), header.get_u32());
        Some(Self { length: usize::try_from(length).unwrap_or(usize::MAX), kind, flags, stream })
    }

    fn write(self, output: &mut BytesMut) {
        output.put_uint(u64::try_from(self.length).unwrap_or(u64::MAX), 3);
        output.put_u8(self.kind);
        output.put_u8(self.flags);
        output.put_u32(self.stream);
    }

    const fn has(self, flag: u8) -> bool {
        self.flags & flag != 0
    }
}

/// A header block whose parts are still coming.
#[derive(Debug)]
struct Block {
    stream: u32,
    /// Whether the client sends nothing more on this stream.
    ends_stream: bool,
    priority: Option<Bytes>,
    fragment: BytesMut,
    parts: usize,
}

#[derive(Debug)]
enum Expect {
    Preface,
    Header,
    /// So many bytes that pass as they are, and whether a request is whole with them.
    Pass {
        left: usize,
        ends_request: bool,
    },
    /// The rest of a frame with headers.
    Headers(FrameHeader),
}

/// Rewrites one direction of one connection: from the client to the server.
#[derive(Debug)]
pub(crate) struct Rewriter {
    expect: Expect,
    /// What has come and cannot be told yet: less than a frame's header, or less than a frame with headers.
    input: BytesMut,
    block: Option<Block>,
    reader: hpack::Reader,
    has_request: bool,
}

impl Default for Rewriter {
    fn default() -> Self {
        let (input, reader) = (BytesMut::new(), hpack::Reader::default());
        Self { expect: Expect::Preface, input, block: None, reader, has_request: false }
    }
}

impl Rewriter {
    /// Whether the client has sent a whole request, down to its last frame.
    pub const fn has_request(&self) -> bool {
        self.has_request
    }

    /// Takes what the client sent and writes what the server is to read. After an error nothing more may be passed on.
    pub fn push(&mut self, bytes: &[u8], output: &mut BytesMut) -> Result<(), Malformed> {
        self.input.extend_from_slice(bytes);
        while self.step(output)? {}
        Ok(())
    }

    /// One step, if what has come is enough for it.
    fn step(&mut self, output: &mut BytesMut) -> Result<bool, Malformed> {
        match self.expect {
            Expect::Preface => {
                let length = self.input.len().min(PREFACE.len());
                if self.input.get(..length) != PREFACE.get(..length) {
                    return Err(Malformed::Preface);
                }
                if length < PREFACE.len() {
                    return Ok(false);
                }
                output.extend_from_slice(&self.input.split_to(length));
                self.expect = Expect::Header;
            }
            Expect::Header => {
                let Some(header) = FrameHeader::take(&mut self.input) else { return Ok(false) };
                self.expect = self.begin(header, output)?;
            }
            Expect::Pass { left, ends_request } => {
                let now = self.input.len().min(left);
                output.extend_from_slice(&self.input.split_to(now));
                if now < left {
                    self.expect = Expect::Pass { left: left - now, ends_request };
                    return Ok(false);
                }
                self.has_request |= ends_request;
                self.expect = Expect::Header;
            }
            Expect::Headers(header) => {
                if self.input.len() < header.length {
                    return Ok(false);
                }
                let payload = self.input.split_to(header.length);
                self.take(header, payload, output)?;
                self.expect = Expect::Header;
            }
        }
        Ok(true)
    }

    /// What follows after the header of a frame.
    fn begin(&self, header: FrameHeader, output: &mut BytesMut) -> Result<Expect, Malformed> {
        let continues = self.block.as_ref().is_some_and(|block| block.stream == header.stream);
        match header.kind {
            PUSH_PROMISE => Err(Malformed::Push),
            // Between the parts of a block nothing else may come, on no stream (section 4.3).
            CONTINUATION if !continues => Err(Malformed::OutOfPlace),
            kind if kind != CONTINUATION && self.block.is_some() => Err(Malformed::OutOfPlace),
            HEADERS | CONTINUATION if header.length > limits::FRAME_BYTES_MAX => Err(Malformed::FrameTooLong),
            HEADERS | CONTINUATION => Ok(Expect::Headers(header)),
            // Its length is the server's to judge.
            _ => {
                header.write(output);
                let ends_request = header.kind == DATA && header.has(END_STREAM);
                Ok(Expect::Pass { left: header.length, ends_request })
            }
        }
    }

    /// Takes a part of a header block; writes the block once it is whole.
    fn take(&mut self, header: FrameHeader, payload: BytesMut, output: &mut BytesMut) -> Result<(), Malformed> {
        let mut block = match self.block.take() {
            Some(mut block) => {
                block.parts += 1;
                if block.parts > limits::CONTINUATIONS_MAX {
                    return Err(Malformed::TooManyParts);
                }
                block.fragment.unsplit(payload);
                block
            }
            None => first_part(header, payload)?,
        };
        if !header.has(END_HEADERS) {
            self.block = Some(block);
            return Ok(());
        }
        let mut rewritten = BytesMut::new();
        for field in self.reader.read(&block.fragment)? {
            hpack::write(&localised(field), &mut rewritten);
        }
        block.fragment = rewritten;
        self.has_request |= block.ends_stream;
        write_block(block, output);
        Ok(())
    }
}

/// The beginning of a block: a frame of type HEADERS without its padding (section 6.2).
fn first_part(header: FrameHeader, mut payload: BytesMut) -> Result<Block, Malformed> {
    let mut padding = 0;
    if header.has(PADDED) {
        padding = usize::from(payload.try_get_u8().map_err(|_| Malformed::FrameTooShort)?);
    }
    let mut priority = None;
    if header.has(PRIORITY) {
        if payload.len() < PRIORITY_BYTES {
            return Err(Malformed::FrameTooShort);
        }
        priority = Some(payload.split_to(PRIORITY_BYTES).freeze());
    }
    let length = payload.len().checked_sub(padding).ok_or(Malformed::FrameTooShort)?;
    payload.truncate(length);
    let ends_stream = header.has(END_STREAM);
    Ok(Block { stream: header.stream, ends_stream, priority, fragment: payload, parts: 1 })
}

/// The field as the server gets it.
fn localised(field: Field) -> Field {
    if field.name.as_ref() == AUTHORITY { Field { value: Bytes::from_static(AUTHORITY_HERE), ..field } } else { field }
}

/// Writes a block in as many frames as it needs.
fn write_block(block: Block, output: &mut BytesMut) {
    let mut fragment = block.fragment;
    let priority = block.priority.unwrap_or_default();
    let first = fragment.split_to(fragment.len().min(limits::FRAME_BYTES_MAX - priority.len()));
    let mut flags = if block.ends_stream { END_STREAM } else { 0 };
    if !priority.is_empty() {
        flags |= PRIORITY;
    }
    let ends = |rest: &BytesMut| if rest.is_empty() { END_HEADERS } else { 0 };
    let length = priority.len() + first.len();
    let header = FrameHeader { length, kind: HEADERS, flags: flags | ends(&fragment), stream: block.stream };
    header.write(output);
    output.extend_from_slice(&priority);
    output.extend_from_slice(&first);
    while !fragment.is_empty() {
        let part = fragment.split_to(fragment.len().min(limits::FRAME_BYTES_MAX));
        let header =
            FrameHeader { length: part.len(), kind: CONTINUATION, flags: ends(&fragment), stream: block.stream };
        header.write(output);
        output.extend_from_slice(&part);
    }
}
