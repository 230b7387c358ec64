//! From arbitrary bytes to texts that are nearly right: each byte is one choice, and when there are none left, the plainest is made.

/// Choices that are still to be made.
#[derive(Debug, Clone)]
pub struct Choices<'a> {
    bytes: &'a [u8],
}

/// Names that mean something somewhere, so that they meet.
const NAMES: [&str; 28] = [
    "a",
    "b",
    "name",
    "arguments",
    "uri",
    "_meta",
    "cursor",
    "ref",
    "argument",
    "task",
    "progressToken",
    "requestState",
    "inputResponses",
    "method",
    "jsonrpc",
    "id",
    "params",
    "result",
    "error",
    "traceparent",
    "remit/approval",
    "content",
    "isError",
    "resultType",
    "structuredContent",
    "io.modelcontextprotocol/protocolVersion",
    "$serde_json::private::RawValue",
    "$serde_json::private::Number",
];

const TEXTS: [&str; 18] = [
    "",
    "x",
    "2.0",
    "echo",
    "grün",
    "\u{202e}",
    "echo ",
    "desk__echo",
    "old__echo",
    "new+file:///a",
    "tools/call",
    "file:///a",
    "@resources",
    "complete",
    "input_required",
    "2026-07-28",
    "=?base64?ZWNobw==?=",
    "[1]",
];

const NUMBERS: [&str; 16] = [
    "0",
    "-0",
    "1",
    "-1",
    "0.1",
    "1e3",
    "1.0",
    "9007199254740991",
    "9007199254740992",
    "-9007199254740993",
    "1e300",
    "18446744073709551616",
    "5e-324",
    "1e-400",
    "123456789012345678901234567890",
    "0.30000000000000004",
];

impl<'a> Choices<'a> {
    pub fn of(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    pub fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.bytes.split_first() else { return 0 };
        self.bytes = rest;
        *first
    }

    /// A number below `bound`, which is not 0.
    pub fn below(&mut self, bound: usize) -> usize {
        usize::from(self.byte()) % bound
    }

    /// Sometimes true; never when there are no choices left. `of` is more than 1.
    pub fn one_in(&mut self, of: usize) -> bool {
        self.below(of) == of - 1
    }

    /// One of `from`, which is not empty; the first is the plainest.
    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    /// Up to `count` bytes as they are.
    pub fn raw(&mut self, count: usize) -> &'a [u8] {
        let (raw, rest) = self.bytes.split_at(count.min(self.bytes.len()));
        self.bytes = rest;
        raw
    }

    /// The text of a JSON string. Any character may be written as an escape.
    pub fn text(&mut self) -> String {
        let text = match self.below(6) {
            5 => String::from_utf8_lossy(self.raw(6)).into_owned(),
            4 => "y".repeat(self.below(256) * 9),
            _ => self.pick(&TEXTS).to_owned(),
        };
        self.quoted(&text)
    }

    /// The name of a member, as JSON text.
    pub fn name(&mut self) -> String {
        let name = self.pick(&NAMES);
        self.quoted(name)
    }

    fn quoted(&mut self, text: &str) -> String {
        let written = serde_json::Value::from(text).to_string();
        match (self.one_in(8), text.chars().next()) {
            (true, Some(first)) if first.is_ascii() => {
                let rest = serde_json::Value::from(&text[1..]).to_string();
                format!("\"\\u{:04x}{}", u32::from(first), &rest[1..])
            }
            _ => written,
        }
    }

    /// Any JSON value; mostly one that every reader takes.
    pub fn value(&mut self, levels: usize) -> String {
        match self.below(if levels == 0 { 6 } else { 12 }) {
            0 | 1 => self.text(),
            2 => "true".to_owned(),
            3 => "null".to_owned(),
            4 => self.pick(&["0", "1", "7", "-1", "0.5"]).to_owned(),
            5 => self.pick(&NUMBERS).to_owned(),
            6 | 7 => {
                let items: Vec<String> = (0..self.below(4)).map(|_| self.value(levels - 1)).collect();
                format!("[{}]", items.join(","))
            }
            8 if self.one_in(4) => {
                let deep = self.below(80);
                format!("{}1{}", "[".repeat(deep), "]".repeat(deep))
            }
            _ => self.object(levels - 1),
        }
    }

    /// An object. Names meet often.
    pub fn object(&mut self, levels: usize) -> String {
        let members: Vec<String> =
            (0..self.below(5)).map(|_| format!("{}:{}", self.name(), self.value(levels))).collect();
        format!("{{{}}}", members.join(","))
    }

    /// The id of a request.
    pub fn id(&mut self) -> String {
        const IDS: [&str; 10] = [
            "7",
            "0",
            "\"a\"",
            "-3",
            "\"remit-1\"",
            "123456789012345678901234567890",
            "\"\\u0061\"",
            "1.5",
            "null",
            "-0",
        ];
        self.pick(&IDS).to_owned()
    }

    /// The text of a message with these params; now and then not quite one.
    pub fn message(&mut self, method: &str, params: &str) -> String {
        let mut members = vec![
            "\"jsonrpc\":\"2.0\"".to_owned(),
            format!("\"id\":{}", self.id()),
            format!("\"method\":{}", serde_json::Value::from(method)),
            format!("\"params\":{params}"),
        ];
        match self.below(16) {
            10 => drop(members.remove(1)),
            11 => members.push(format!("{}:{}", self.name(), self.value(2))),
            12 => members.reverse(),
            13 => members = vec![members[0].clone(), members[1].clone(), format!("\"result\":{}", self.value(2))],
            14 => members = vec![members[0].clone(), members[1].clone(), format!("\"error\":{}", self.value(2))],
            15 => return format!("[{{{}}}]", members.join(",")),
            _ => {}
        }
        format!("{{{}}}", members.join(","))
    }
}
