//! Writes canonical JSON as it is serialised: members are sorted where they stand, and most stand in order already.
//!
//! It takes what records are made of: objects, arrays, text, truth values and whole numbers in the safe range. For anything else it
//! says that it does not know, and the slower writer, which knows everything, is asked.

use std::cmp::Ordering;
use std::io;

use serde::Serialize;
use serde_json::ser::{CharEscape, Formatter, Serializer};

use super::SAFE_INTEGER_MAX;

/// Room for a common record.
const RECORD_BYTES: usize = 1_280;

/// The canonical form of `value`, if it has nothing in it that this writer does not know.
pub(super) fn write(value: &impl Serialize) -> Option<Vec<u8>> {
    let mut sheet = Sheet { bytes: Vec::with_capacity(RECORD_BYTES), ..Sheet::default() };
    // All that is written goes to the sheet; the formatter's own target stays empty.
    let mut serializer = Serializer::with_formatter(io::sink(), &mut sheet);
    value.serialize(&mut serializer).ok()?;
    // A bare value is not a document that anybody here hashes.
    let is_document = matches!(sheet.bytes.first(), Some(b'{' | b'['));
    (is_document && !sheet.is_strange).then_some(sheet.bytes)
}

/// What has been written, and where the members of the objects stand that are not closed yet.
#[derive(Debug, Default)]
struct Sheet {
    bytes: Vec<u8>,
    members: Vec<Member>,
    /// Where each open object's members begin.
    objects: Vec<usize>,
    /// Whether something was met that this writer does not know.
    is_strange: bool,
    scratch: Vec<u8>,
}

/// A member as it was written, without the commas beside it.
#[derive(Debug, Clone, Copy)]
struct Member {
    start: usize,
    key_end: usize,
    end: usize,
    /// Whether its name is ASCII without escapes, so that its bytes are in the order of its UTF-16 code units.
    is_plain: bool,
}

impl Sheet {
    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    fn strange(&mut self) -> io::Result<()> {
        self.is_strange = true;
        Ok(())
    }

    fn unsigned(&mut self, number: u64) -> io::Result<()> {
        if number > SAFE_INTEGER_MAX as u64 {
            return self.strange();
        }
        // Twenty digits hold any number of 64 bits.
        let mut digits = [0; 20];
        let (mut rest, mut length) = (number, 0);
        for place in digits.iter_mut().rev() {
            *place = b'0' + u8::try_from(rest % 10).unwrap_or_default();
            (rest, length) = (rest / 10, length + 1);
            if rest == 0 {
                break;
            }
        }
        let start = digits.len() - length;
        self.put(digits.get(start..).unwrap_or_default())
    }

    fn signed(&mut self, number: i64) -> io::Result<()> {
        if number < 0 {
            self.put(b"-")?;
        }
        self.unsigned(number.unsigned_abs())
    }

    /// Brings the members of the innermost object into order.
    fn close(&mut self) {
        let Self { bytes, members, objects, is_strange, scratch } = self;
        let first = objects.pop().unwrap_or_default();
        let own = members.get_mut(first..).unwrap_or_default();
        if !is_sorted(bytes, own)
            && let Some(start) = own.first().map(|member| member.start)
        {
            own.sort_by(|one, other| compare(bytes, one, other));
            // Two of one name make no JSON that everybody reads alike: the other writer says so.
            *is_strange |= !is_sorted(bytes, own);
            scratch.clear();
            for member in own {
                if !scratch.is_empty() {
                    scratch.push(b',');
                }
                scratch.extend_from_slice(bytes.get(member.start..member.end).unwrap_or_default());
            }
            bytes.truncate(start);
            bytes.append(scratch);
        }
        members.truncate(first);
    }
}

impl Member {
    /// Its name as it is written, without the quotes: the last would stand beside a longer name's next letter.
    fn name(self, bytes: &[u8]) -> &[u8] {
        bytes.get(self.start + 1..self.key_end.saturating_sub(1)).unwrap_or_default()
    }
}

/// Whether each name comes before the next, and so none is there twice.
fn is_sorted(bytes: &[u8], members: &[Member]) -> bool {
    members.is_sorted_by(|one, other| compare(bytes, one, other) == Ordering::Less)
}

/// The order of two members by their names: that of the names' UTF-16 code units (RFC 8785 section 3.2.3).
fn compare(bytes: &[u8], one: &Member, other: &Member) -> Ordering {
    if one.is_plain && other.is_plain {
        return one.name(bytes).cmp(other.name(bytes));
    }
    let units = |member: &Member| -> Vec<u16> {
        let key = bytes.get(member.start..member.key_end).unwrap_or_default();
        serde_json::from_slice::<String>(key).map(|name| name.encode_utf16().collect()).unwrap_or_default()
    };
    units(one).cmp(&units(other))
}

impl Formatter for &mut Sheet {
    fn write_null<W: ?Sized + io::Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.put(b"null")
    }

    fn write_bool<W: ?Sized + io::Write>(&mut self, _: &mut W, truth: bool) -> io::Result<()> {
        self.put(if truth { b"true" } else { b"false" })
    }

    fn write_i8<W: ?Sized + io::Write>(&mut self, _: &mut W, number: i8) -> io::Result<()> {
        self.signed(number.into())
    }

    fn write_i16<W: ?Sized + io::Write>(&mut self, _: &mut W, number: i16) -> io::Result<()> {
        self.signed(number.into())
    }

    fn write_i32<W: ?Sized + io::Write>(&mut self, _: &mut W, number: i32) -> io::Result<()> {
        self.signed(number.into())
    }

    fn write_i64<W: ?Sized + io::Write>(&mut self, _: &mut W, number: i64) -> io::Result<()> {
        self.signed(number)
    }

    fn write_i128<W: ?Sized + io::Write>(&mut self, _: &mut W, _: i128) -> io::Result<()> {
        self.strange()
    }

    fn write_u8<W: ?Sized + io::Write>(&mut self, _: &mut W, number: u8) -> io::Result<()> {
        self.unsigned(number.into())
    }

    fn write_u16<W: ?Sized + io::Write>(&mut self, _: &mut W, number: u16) -> io::Result<()> {
        self.unsigned(number.into())
    }

    fn write_u32<W: ?Sized + io::Write>(&mut self, _: &mut W, number: u32) -> io::Result<()> {
        self.unsigned(number.into())
    }

    fn write_u64<W: ?Sized + io::Write>(&mut self, _: &mut W, number: u64) -> io::Result<()> {
        self.unsigned(number)
    }

    fn write_u128<W: ?Sized + io::Write>(&mut self, _: &mut W, _: u128) -> io::Result<()> {
        self.strange()
    }

    fn write_f32<W: ?Sized + io::Write>(&mut self, _: &mut W, _: f32) -> io::Result<()> {
        self.strange()
    }

    fn write_f64<W: ?Sized + io::Write>(&mut self, _: &mut W, _: f64) -> io::Result<()> {
        self.strange()
    }

    fn write_number_str<W: ?Sized + io::Write>(&mut self, _: &mut W, _: &str) -> io::Result<()> {
        self.strange()
    }

    fn write_byte_array<W: ?Sized + io::Write>(&mut self, _: &mut W, _: &[u8]) -> io::Result<()> {
        self.strange()
    }

    fn write_raw_fragment<W: ?Sized + io::Write>(&mut self, _: &mut W, _: &str) -> io::Result<()> {
        self.strange()
    }

    fn begin_string<W: ?Sized + io::Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.put(b"\"")
    }

    fn end_string<W: ?Sized + io::Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.put(b"\"")
    }

    fn write_string_fragment<W: ?Sized + io::Write>(&mut self, _: &mut W, fragment: &str) -> io::Result<()> {
        self.put(fragment.as_bytes())
    }

    fn write_char_escape<W: ?Sized + io::Write>(&mut self, _: &mut W, escape: CharEscape) -> io::Result<()> {
        // RFC 8785 section 3.2.2.2.
        match escape {
            CharEscape::Quote => self.put(b"\\\""),
            CharEscape::ReverseSolidus => self.put(b"\\\\"),
            CharEscape::Solidus => self.put(b"/"),
            CharEscape::Backspace => self.put(b"\\b"),
            CharEscape::FormFeed => self.put(b"\\f"),
            CharEscape::LineFeed => self.put(b"\\n"),
            CharEscape::CarriageReturn => self.put(b"\\r"),
            CharEscape::Tab => self.put(b"\\t"),
            CharEscape::AsciiControl(byte) => self.put(format!("\\u{byte:04x}").as_bytes()),
        }
    }

    fn begin_array<W: ?Sized + io::Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.put(b"[")
    }

    fn end_array<W: ?Sized + io::Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.put(b"]")
    }

    fn begin_array_value<W: ?Sized + io::Write>(&mut self, _: &mut W, first: bool) -> io::Result<()> {
        self.put(if first { b"" } else { b"," })
    }

    fn end_array_value<W: ?Sized + io::Write>(&mut self, _: &mut W) -> io::Result<()> {
        Ok(())
    }

    fn begin_object<W: ?Sized + io::Write>(&mut self, _: &mut W) -> io::Result<()> {
        let members = self.members.len();
        self.objects.push(members);
        self.put(b"{")
    }

    fn end_object<W: ?Sized + io::Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.close();
        self.put(b"}")
    }

    fn begin_object_key<W: ?Sized + io::Write>(&mut self, _: &mut W, first: bool) -> io::Result<()> {
        self.put(if first { b"" } else { b"," })?;
        let start = self.bytes.len();
        self.members.push(Member { start, key_end: start, end: start, is_plain: false });
        Ok(())
    }

    fn end_object_key<W: ?Sized + io::Write>(&mut self, _: &mut W) -> io::Result<()> {
        let here = self.bytes.len();
        if let Some(member) = self.members.last_mut() {
            member.key_end = here;
            let name = self.bytes.get(member.start..here).unwrap_or_default();
            member.is_plain = name.iter().all(|byte| byte.is_ascii() && *byte != b'\\');
        }
        Ok(())
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.put(b":")
    }

    fn end_object_value<W: ?Sized + io::Write>(&mut self, _: &mut W) -> io::Result<()> {
        let here = self.bytes.len();
        if let Some(member) = self.members.last_mut() {
            member.end = here;
        }
        Ok(())
    }
}
