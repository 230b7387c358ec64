//! Reads the header blocks that a client sends (HPACK, RFC 7541), and writes them in a form that needs no table.
//!
//! A reader follows the client's dynamic table and so has to be right about every block of a connection. The writer never refers to
//! a table: every field is a literal without indexing, and whoever reads that needs nothing but the block itself.

mod huffman;
mod tables;
#[cfg(test)]
pub(crate) mod tests;

use std::collections::VecDeque;

use bytes::{BufMut, Bytes, BytesMut};

use crate::limits;

/// What every entry of the dynamic table costs beside its bytes (section 4.1).
const ENTRY_OVERHEAD_BYTES: usize = 32;

/// Why a header block is refused. Each ends the connection (section 2.1 of RFC 9113 knows no way to go on).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum HpackError {
    #[error("a header block ends in the middle of a field")]
    Truncated,
    #[error("a number in a header block is too large")]
    NumberTooLarge,
    #[error("a header block refers to the entry `{0}`, which no table has")]
    UnknownEntry(usize),
    #[error("a header block wants a larger table than it may have")]
    TableTooLarge,
    #[error("a header block changes the table's size after its first field")]
    LateTableSize,
    #[error("a text in a header block is not well coded")]
    Coding,
    #[error("the fields of a header block are larger than {} bytes", limits::HEADER_LIST_BYTES_MAX)]
    ListTooLarge,
}

/// A field of a header block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Field {
    pub name: Bytes,
    pub value: Bytes,
    /// Whether the client asked that no table ever holds it (section 7.1.3).
    pub secret: bool,
}

impl Field {
    fn size(&self) -> usize {
        self.name.len() + self.value.len() + ENTRY_OVERHEAD_BYTES
    }
}

/// Reads header blocks of one direction of one connection.
#[derive(Debug)]
pub(crate) struct Reader {
    /// The newest entry first (section 2.3.2).
    entries: VecDeque<Field>,
    bytes: usize,
    /// The size that the client keeps to, at most [`limits::HEADER_TABLE_BYTES_MAX`].
    bytes_max: usize,
}

impl Default for Reader {
    fn default() -> Self {
        Self { entries: VecDeque::new(), bytes: 0, bytes_max: limits::HEADER_TABLE_BYTES_MAX }
    }
}

impl Reader {
    /// The fields of a whole block, in order. After an error the reader is of no further use.
    pub fn read(&mut self, block: &[u8]) -> Result<Vec<Field>, HpackError> {
        let mut rest = block;
        let (mut fields, mut bytes) = (Vec::new(), 0_usize);
        while let Some(&first) = rest.first() {
            let field = if first & 0x80 != 0 {
                self.entry(number(&mut rest, 7)?)?
            } else if first & 0x40 != 0 {
                let field = self.literal(&mut rest, 6, false)?;
                self.insert(field.clone());
                field
            } else if first & 0x20 != 0 {
                if !fields.is_empty() {
                    return Err(HpackError::LateTableSize);
                }
                self.resize(number(&mut rest, 5)?)?;
                continue;
            } else {
                self.literal(&mut rest, 4, first & 0x10 != 0)?
            };
            bytes = bytes.saturating_add(field.size());
            if bytes > limits::HEADER_LIST_BYTES_MAX {
                return Err(HpackError::ListTooLarge);
            }
            fields.push(field);
        }
        Ok(fields)
    }

    /// A field that is written out, its name perhaps taken from a table.
    fn literal(&self, rest: &mut &[u8], prefix_bits: u32, secret: bool) -> Result<Field, HpackError> {
        let name = match number(rest, prefix_bits)? {
            0 => text(rest)?,
            index => self.entry(index)?.name,
        };
        Ok(Field { name, value: text(rest)?, secret })
    }

    /// The entry at `index` of the two tables as one, the static one first (section 2.3.3).
    fn entry(&self, index: usize) -> Result<Field, HpackError> {
        let unknown = HpackError::UnknownEntry(index);
        let index = index.checked_sub(1).ok_or(unknown)?;
        if let Some((name, value)) = tables::STATIC.get(index) {
            let from = |text: &'static str| Bytes::from_static(text.as_bytes());
            return Ok(Field { name: from(name), value: from(value), secret: false });
        }
        self.entries.get(index - tables::STATIC.len()).cloned().ok_or(unknown)
    }

    fn insert(&mut self, field: Field) {
        // Room first: a field that is larger than the table empties it and is not kept (section 4.4).
        let size = field.size();
        self.evict(self.bytes_max.saturating_sub(size));
        if size <= self.bytes_max {
            self.bytes += size;
            self.entries.push_front(field);
        }
    }

    fn resize(&mut self, bytes_max: usize) -> Result<(), HpackError> {
        if bytes_max > limits::HEADER_TABLE_BYTES_MAX {
            return Err(HpackError::TableTooLarge);
        }
        self.bytes_max = bytes_max;
        self.evict(bytes_max);
        Ok(())
    }

    /// Forgets the oldest entries until at most `bytes` are used.
    fn evict(&mut self, bytes: usize) {
        while self.bytes > bytes {
            let Some(oldest) = self.entries.pop_back() else { return };
            self.bytes = self.bytes.saturating_sub(oldest.size());
        }
    }
}

/// Writes `field` as a literal without indexing, or never to be indexed if it is secret (sections 6.2.2 and 6.2.3).
pub(crate) fn write(field: &Field, block: &mut BytesMut) {
    block.put_u8(if field.secret { 0x10 } else { 0x00 });
    for text in [&field.name, &field.value] {
        write_number(text.len(), 7, 0x00, block);
        block.put_slice(text);
    }
}

/// A number whose first byte has `prefix_bits` bits for it (section 5.1).
fn number(rest: &mut &[u8], prefix_bits: u32) -> Result<usize, HpackError> {
    let mask = (1_usize << prefix_bits) - 1;
    let mut number = usize::from(take_byte(rest)?) & mask;
    if number < mask {
        return Ok(number);
    }
    // Nothing that a block holds is larger than this, so four further bytes are enough.
    for shift in [0, 7, 14, 21] {
        let byte = take_byte(rest)?;
        number += (usize::from(byte) & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(number);
        }
    }
    Err(HpackError::NumberTooLarge)
}

/// Writes what [`number`] reads; `first` are the bits before it in the first byte.
fn write_number(number: usize, prefix_bits: u32, first: u8, block: &mut BytesMut) {
    let mask = (1_usize << prefix_bits) - 1;
    if number < mask {
        block.put_u8(first | low_byte(number));
        return;
    }
    block.put_u8(first | low_byte(mask));
    let mut left = number - mask;
    while left >= 0x80 {
        block.put_u8(low_byte(left) | 0x80);
        left >>= 7;
    }
    block.put_u8(low_byte(left));
}

const fn low_byte(number: usize) -> u8 {
    number.to_le_bytes()[0]
}

/// A text, plain or in the Huffman code (section 5.2).
fn text(rest: &mut &[u8]) -> Result<Bytes, HpackError> {
    let coded = rest.first().is_some_and(|first| first & 0x80 != 0);
    let length = number(rest, 7)?;
    let (text, after) = rest.split_at_checked(length).ok_or(HpackError::Truncated)?;
    *rest = after;
    if coded {
        huffman::decode(text).map(Bytes::from).ok_or(HpackError::Coding)
    } else {
        Ok(Bytes::copy_from_slice(text))
    }
}

fn take_byte(rest: &mut &[u8]) -> Result<u8, HpackError> {
    let (first, after) = rest.split_first().ok_or(HpackError::Truncated)?;
    *rest = after;
    Ok(*first)
}
