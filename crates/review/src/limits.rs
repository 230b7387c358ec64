//! Every bound of a review has a name.

/// Strings of one definition that are looked at; a definition with more is pointed out as too large to look through.
pub const STRINGS_MAX: usize = 4_096;
/// Bytes of one definition's strings that are looked at.
pub const EXAMINED_BYTES_MAX: usize = 256 * 1024;
/// Warnings about one definition; the gravest are kept.
pub const WARNINGS_MAX: usize = 32;
/// Differences between two definitions that are listed one by one.
pub const DIFFERENCES_MAX: usize = 256;
/// Words of both texts multiplied, up to which a text is compared word by word.
pub const COMPARED_PAIRS_MAX: usize = 250_000;
/// Characters of a warning's excerpt, before what cannot be seen is written out.
pub const EXCERPT_CHARS_MAX: usize = 160;
/// Blank characters in a row that push what follows out of sight.
pub const BLANK_RUN_CHARS: usize = 60;
/// Line ends in a row that push what follows out of sight.
pub const LINE_RUN_CHARS: usize = 8;
/// Characters of the base64 alphabet in a row that a person cannot read.
pub const ENCODED_RUN_CHARS: usize = 48;
/// Letters between two changes of a text up to which the two are shown as one.
pub const KEPT_LETTERS_MIN: usize = 4;
/// Words that two descriptions share, in hundredths of both, from which a new tool is an old one under another name.
pub const RENAMED_LIKENESS_PERCENT: usize = 80;
/// Other tools that warnings of one definition name.
pub const NAMED_TOOLS_MAX: usize = 8;
