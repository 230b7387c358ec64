use proptest::prelude::*;

use super::*;

/// A field of plain texts.
pub(crate) fn field(name: &str, value: &str) -> Field {
    Field { name: Bytes::from(name.to_owned()), value: Bytes::from(value.to_owned()), secret: false }
}

/// How the test's writer codes a field, as a client may.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Manner {
    /// By its entry, if there is one; else inserted.
    Indexed {
        huffman: bool,
    },
    Literal {
        huffman: bool,
    },
    Secret,
}

/// Writes header blocks as clients do: with both tables, with and without the Huffman code. The opposite of [`Reader`], and as
/// independent of it as can be.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    entries: Vec<(Bytes, Bytes)>,
    bytes_max: Option<usize>,
}

impl Writer {
    fn bytes_max(&self) -> usize {
        self.bytes_max.unwrap_or(4_096)
    }

    pub fn resize(&mut self, bytes_max: usize, block: &mut BytesMut) {
        write_number(bytes_max, 5, 0x20, block);
        self.bytes_max = Some(bytes_max);
        self.trim();
    }

    fn trim(&mut self) {
        let size = |entries: &[(Bytes, Bytes)]| -> usize {
            entries.iter().map(|(name, value)| name.len() + value.len() + 32).sum()
        };
        while size(&self.entries) > self.bytes_max() {
            self.entries.pop();
        }
    }

    fn position(&self, matches: impl Fn(&[u8], &[u8]) -> bool) -> Option<usize> {
        let fixed = tables::STATIC.iter().position(|(name, value)| matches(name.as_bytes(), value.as_bytes()));
        fixed
            .or_else(|| Some(61 + self.entries.iter().position(|(name, value)| matches(name, value))?))
            .map(|at| at + 1)
    }

    pub fn write(&mut self, field: &Field, manner: Manner, block: &mut BytesMut) {
        let whole = self.position(|name, value| name == field.name && value == field.value);
        let name = self.position(|name, _| name == field.name).unwrap_or(0);
        let (bits, first, huffman) = match manner {
            Manner::Indexed { huffman } => match whole {
                Some(index) => return write_number(index, 7, 0x80, block),
                None => (6, 0x40, huffman),
            },
            Manner::Literal { huffman } => (4, 0x00, huffman),
            Manner::Secret => (4, 0x10, false),
        };
        write_number(name, bits, first, block);
        if name == 0 {
            write_text(&field.name, huffman, block);
        }
        write_text(&field.value, huffman, block);
        if first == 0x40 {
            self.entries.insert(0, (field.name.clone(), field.value.clone()));
            self.trim();
        }
    }
}

fn write_text(text: &[u8], huffman: bool, block: &mut BytesMut) {
    if huffman {
        let coded = huffman::encode(text);
        write_number(coded.len(), 7, 0x80, block);
        block.put_slice(&coded);
    } else {
        write_number(text.len(), 7, 0x00, block);
        block.put_slice(text);
    }
}

fn hex(text: &str) -> Vec<u8> {
    let digits: String = text.split_whitespace().collect();
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

fn read(reader: &mut Reader, block: &str) -> Vec<(String, String)> {
    let text = |bytes: &Bytes| String::from_utf8(bytes.to_vec()).unwrap();
    let fields = reader.read(&hex(block)).unwrap();
    fields.iter().map(|field| (text(&field.name), text(&field.value))).collect()
}

fn expected(fields: &[(&str, &str)]) -> Vec<(String, String)> {
    fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// RFC 7541, appendix C.1.
#[test]
fn numbers_of_the_standard() {
    for (bytes, bits, number_meant) in [("0a", 5, 10), ("1f 9a 0a", 5, 1_337), ("2a", 8, 42)] {
        let bytes = hex(bytes);
        let mut rest = bytes.as_slice();
        assert_eq!(number(&mut rest, bits).unwrap(), number_meant);
        assert!(rest.is_empty());
    }
    let endless = [0xff; 9];
    assert_eq!(number(&mut endless.as_slice(), 5), Err(HpackError::NumberTooLarge));
}

/// RFC 7541, appendix C.2.
#[test]
fn single_fields_of_the_standard() {
    let mut reader = Reader::default();
    let custom = "400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572";
    assert_eq!(read(&mut reader, custom), expected(&[("custom-key", "custom-header")]));
    assert_eq!(reader.bytes, 55);
    let mut reader = Reader::default();
    assert_eq!(read(&mut reader, "040c 2f73 616d 706c 652f 7061 7468"), expected(&[(":path", "/sample/path")]));
    assert_eq!(reader.bytes, 0);
    let secret = reader.read(&hex("1008 7061 7373 776f 7264 0673 6563 7265 74")).unwrap();
    assert_eq!(secret, [Field { secret: true, ..field("password", "secret") }]);
    assert_eq!(read(&mut reader, "82"), expected(&[(":method", "GET")]));
}

/// RFC 7541, appendices C.3 and C.4: three requests on one connection, plain and in the Huffman code.
#[test]
fn requests_of_the_standard() {
    let plain = [
        "8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
        "8286 84be 5808 6e6f 2d63 6163 6865",
        "8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65",
    ];
    let coded = [
        "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff",
        "8286 84be 5886 a8eb 1064 9cbf",
        "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf",
    ];
    for blocks in [plain, coded] {
        let mut reader = Reader::default();
        let host = (":authority", "www.example.com");
        let first = [(":method", "GET"), (":scheme", "http"), (":path", "/"), host];
        assert_eq!(read(&mut reader, blocks[0]), expected(&first));
        assert_eq!(reader.bytes, 57);
        let second = [(":method", "GET"), (":scheme", "http"), (":path", "/"), host, ("cache-control", "no-cache")];
        assert_eq!(read(&mut reader, blocks[1]), expected(&second));
        assert_eq!(reader.bytes, 110);
        let third =
            [(":method", "GET"), (":scheme", "https"), (":path", "/index.html"), host, ("custom-key", "custom-value")];
        assert_eq!(read(&mut reader, blocks[2]), expected(&third));
        assert_eq!(reader.bytes, 164);
    }
}

/// RFC 7541, appendix C.6.1, first two responses, with a table of 256 bytes: what is too much is forgotten.
#[test]
fn entries_are_evicted_as_in_the_standard() {
    let mut reader = Reader::default();
    reader.resize(256).unwrap();
    let first = "4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad
                 1718 63c7 8f0b 97c8 e9ae 82ae 43d3";
    let (date, location) = ("Mon, 21 Oct 2013 20:13:21 GMT", "https://www.example.com");
    let same = [("cache-control", "private"), ("date", date), ("location", location)];
    assert_eq!(read(&mut reader, first), expected(&[&[(":status", "302")][..], &same].concat()));
    assert_eq!(reader.bytes, 222);
    assert_eq!(read(&mut reader, "4883 640e ffc1 c0bf"), expected(&[&[(":status", "307")][..], &same].concat()));
    assert_eq!(reader.bytes, 222);
}

#[test]
fn what_is_not_a_block_is_refused() {
    let refused = |block: &str| Reader::default().read(&hex(block)).unwrap_err();
    assert_eq!(refused("80"), HpackError::UnknownEntry(0));
    assert_eq!(refused("be"), HpackError::UnknownEntry(62));
    assert_eq!(refused("40"), HpackError::Truncated);
    assert_eq!(refused("0005 6162"), HpackError::Truncated);
    assert_eq!(refused("ff ff ff ff ff ff"), HpackError::NumberTooLarge);
    assert_eq!(refused("3f e2 1f"), HpackError::TableTooLarge, "one byte more than 4096");
    assert_eq!(refused("82 20"), HpackError::LateTableSize);
    // Padding of eight bits, padding that is not ones, and the symbol that ends a text.
    assert_eq!(refused("0081 ff 00"), HpackError::Coding);
    assert_eq!(refused("0081 00 00"), HpackError::Coding);
    assert_eq!(refused("0084 ffff ffff 00"), HpackError::Coding);
    let large = Field { value: Bytes::from(vec![b'a'; 3_000]), ..field("x", "") };
    let mut block = BytesMut::new();
    Writer::default().write(&large, Manner::Indexed { huffman: false }, &mut block);
    // One byte refers to three thousand.
    block.put_slice(&[0xbe; 6]);
    assert_eq!(Reader::default().read(&block), Err(HpackError::ListTooLarge));
}

#[test]
fn the_whole_size_of_the_table_may_be_used_and_given_up() {
    let (mut reader, mut writer) = (Reader::default(), Writer::default());
    let (one, other) = (field("one", &"a".repeat(1_000)), field("other", &"b".repeat(3_000)));
    for (size, fields) in [(4_096, vec![&one, &other, &one]), (0, vec![&one]), (2_000, vec![&one, &one, &other])] {
        let mut block = BytesMut::new();
        writer.resize(size, &mut block);
        for field in &fields {
            writer.write(field, Manner::Indexed { huffman: true }, &mut block);
        }
        assert_eq!(reader.read(&block).unwrap(), fields.into_iter().cloned().collect::<Vec<_>>());
    }
}

/// A field with any bytes.
pub(crate) fn any_field() -> impl Strategy<Value = (Field, Manner)> {
    let names = prop_oneof![
        prop::sample::select(vec![":authority", ":path", ":method", "user-agent", "te", "grpc-timeout"])
            .prop_map(|name| name.as_bytes().to_vec()),
        prop::collection::vec(any::<u8>(), 1..24),
    ];
    let values = prop_oneof![
        prop::sample::select(vec!["", "GET", "POST", "trailers", "run%2Fx.sock"])
            .prop_map(|value| value.as_bytes().to_vec()),
        prop::collection::vec(any::<u8>(), 0..160),
    ];
    let manners = prop_oneof![
        3 => any::<bool>().prop_map(|huffman| Manner::Indexed { huffman }),
        1 => any::<bool>().prop_map(|huffman| Manner::Literal { huffman }),
        1 => Just(Manner::Secret),
    ];
    (names, values, manners).prop_map(|(name, value, manner)| {
        let secret = matches!(manner, Manner::Secret);
        (Field { name: name.into(), value: value.into(), secret }, manner)
    })
}

proptest! {
    #[test]
    fn every_text_survives_the_huffman_code(text in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert_eq!(huffman::decode(&huffman::encode(&text)), Some(text));
    }

    #[test]
    fn blocks_of_one_connection_are_read_as_they_were_meant(
        blocks in prop::collection::vec((prop::option::of(0_usize..=4_096), prop::collection::vec(any_field(), 0..12)), 1..12),
    ) {
        let (mut reader, mut writer) = (Reader::default(), Writer::default());
        for (size, fields) in blocks {
            let mut block = BytesMut::new();
            if let Some(size) = size {
                writer.resize(size, &mut block);
            }
            for (field, manner) in &fields {
                writer.write(field, *manner, &mut block);
            }
            let read = reader.read(&block).unwrap();
            let meant: Vec<Field> = fields.into_iter().map(|(field, _)| field).collect();
            prop_assert_eq!(&read, &meant);
            // What we write of it, a reader without any past reads the same.
            let mut rewritten = BytesMut::new();
            meant.iter().for_each(|field| write(field, &mut rewritten));
            let mut plain = Reader::default();
            prop_assert_eq!(plain.read(&rewritten).unwrap(), meant);
            prop_assert_eq!(plain.bytes, 0);
        }
    }

    #[test]
    fn whatever_comes_is_read_or_refused(blocks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 1..6)) {
        let mut reader = Reader::default();
        for block in blocks {
            let _ = reader.read(&block);
            prop_assert!(reader.bytes <= limits::HEADER_TABLE_BYTES_MAX);
            let counted: usize = reader.entries.iter().map(Field::size).sum();
            prop_assert_eq!(reader.bytes, counted);
        }
    }
}
