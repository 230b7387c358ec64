//! The Huffman code of RFC 7541, section 5.2 and appendix B, read bit by bit.

use super::tables::{CODE_BITS, CODE_BITS_MAX, END_SYMBOL};

/// The codes of each length, as far as reading needs them. A canonical code is known by its lengths.
struct Lengths {
    /// The first code of each length.
    first: [u32; CODE_BITS_MAX + 1],
    /// How many symbols have a code of each length.
    count: [u32; CODE_BITS_MAX + 1],
    /// Where the symbols of each length begin in `symbols`.
    begin: [u32; CODE_BITS_MAX + 1],
    /// All symbols, by the length of their code and then by value.
    symbols: [u16; CODE_BITS.len()],
}

static LENGTHS: Lengths = lengths();

#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler, where an index out of bounds is an error")]
const fn lengths() -> Lengths {
    let mut lengths = Lengths {
        first: [0; CODE_BITS_MAX + 1],
        count: [0; CODE_BITS_MAX + 1],
        begin: [0; CODE_BITS_MAX + 1],
        symbols: [0; CODE_BITS.len()],
    };
    let (mut bits, mut placed, mut code) = (1, 0, 0);
    while bits <= CODE_BITS_MAX {
        lengths.first[bits] = code;
        lengths.begin[bits] = placed;
        let mut symbol: u16 = 0;
        while (symbol as usize) < CODE_BITS.len() {
            if CODE_BITS[symbol as usize] as usize == bits {
                lengths.symbols[placed as usize] = symbol;
                placed += 1;
                code += 1;
            }
            symbol += 1;
        }
        lengths.count[bits] = placed - lengths.begin[bits];
        code <<= 1;
        bits += 1;
    }
    lengths
}

/// The text behind `coded`. Nothing if it holds the end symbol, or if what is left over is not padding: fewer than eight bits, all
/// ones.
pub(super) fn decode(coded: &[u8]) -> Option<Vec<u8>> {
    // The shortest code has five bits.
    let mut text = Vec::with_capacity(coded.len().saturating_mul(8) / 5);
    let (mut code, mut bits) = (0_u32, 0_usize);
    for byte in coded {
        for shift in (0..8).rev() {
            code = code << 1 | u32::from(byte >> shift & 1);
            bits += 1;
            if let Some(symbol) = symbol(code, bits)? {
                text.push(symbol);
                (code, bits) = (0, 0);
            }
        }
    }
    let is_padding = bits < 8 && code == (1 << bits) - 1;
    is_padding.then_some(text)
}

/// The symbol with this code, if these are all of its bits. None at all if no symbol that may be read begins with them.
fn symbol(code: u32, bits: usize) -> Option<Option<u8>> {
    let (first, count) = (*LENGTHS.first.get(bits)?, *LENGTHS.count.get(bits)?);
    let Some(place) = code.checked_sub(first).filter(|place| *place < count) else { return Some(None) };
    let place = usize::try_from(LENGTHS.begin.get(bits)? + place).ok()?;
    let symbol = usize::from(*LENGTHS.symbols.get(place)?);
    if symbol == END_SYMBOL { None } else { u8::try_from(symbol).ok().map(Some) }
}

/// The code of a text, for tests of what reads it.
#[cfg(test)]
pub(super) fn encode(text: &[u8]) -> Vec<u8> {
    let (mut coded, mut pending, mut bits) = (Vec::new(), 0_u64, 0);
    for byte in text {
        let length = usize::from(CODE_BITS[usize::from(*byte)]);
        let begin = usize::try_from(LENGTHS.begin[length]).unwrap();
        let place = LENGTHS.symbols[begin..].iter().position(|symbol| *symbol == u16::from(*byte)).unwrap();
        pending = pending << length | (u64::from(LENGTHS.first[length]) + u64::try_from(place).unwrap());
        bits += length;
        while bits >= 8 {
            bits -= 8;
            coded.push(u8::try_from(pending >> bits & 0xff).unwrap());
        }
    }
    if bits > 0 {
        coded.push(u8::try_from((pending << (8 - bits) | (0xff >> bits)) & 0xff).unwrap());
    }
    coded
}
