//! Characters: which cannot be seen, which look like others, and what words a text is made of.

#[cfg(test)]
mod tests;

/// Whether nobody can see `character`, or it turns the direction of what stands around it.
///
/// Controls, format characters, fillers, tags, variation selectors, private use and noncharacters (Unicode 17, general
/// categories Cc, Cf, Co and Cn as far as they are fixed).
fn is_unseen(character: char) -> bool {
    let code = u32::from(character);
    (character.is_control() && !matches!(character, '\n' | '\t' | '\r'))
        || matches!(character,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
            | '\u{e000}'..='\u{f8ff}' | '\u{fdd0}'..='\u{fdef}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}' | '\u{f0000}'..='\u{10ffff}')
        || code & 0xfffe == 0xfffe
}

/// Pictures, of which some are spelled with a selector or a joiner that nobody minds.
fn is_picture(character: char) -> bool {
    matches!(character,
        '\u{a9}' | '\u{ae}' | '\u{203c}' | '\u{2049}' | '\u{2122}' | '\u{2139}' | '\u{2190}'..='\u{2bff}' | '\u{3030}'
        | '\u{303d}' | '\u{3297}' | '\u{3299}' | '\u{1f000}'..='\u{1faff}')
}

/// Scripts whose words need joiners to be written (Arabic, the Indic scripts, Burmese, Khmer).
fn needs_joiners(character: char) -> bool {
    matches!(character, '\u{600}'..='\u{dff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}')
}

/// The characters of `text` that cannot be seen and have no business where they stand, with their places in bytes.
pub(crate) fn unseen(text: &str) -> Vec<(usize, char)> {
    let mut found = Vec::new();
    let mut before = None;
    let mut rest = text.char_indices().peekable();
    while let Some((at, character)) = rest.next() {
        let after = rest.peek().map(|(_, after)| *after);
        if is_unseen(character) && !belongs(before, character, after) {
            found.push((at, character));
        }
        before = Some(character);
    }
    found
}

fn belongs(before: Option<char>, character: char, after: Option<char>) -> bool {
    let picture = |side: Option<char>| side.is_some_and(is_picture);
    match character {
        '\u{fe0e}' | '\u{fe0f}' => picture(before) || before.is_some_and(|key| matches!(key, '0'..='9' | '#' | '*')),
        '\u{200d}' if picture(after) => picture(before) || before == Some('\u{fe0f}'),
        '\u{200c}' | '\u{200d}' => before.is_some_and(needs_joiners) && after.is_some_and(needs_joiners),
        _ => false,
    }
}

/// Whether `text` holds something that cannot be seen and has no business there.
pub fn has_unseen(text: &str) -> bool {
    !unseen(text).is_empty()
}

/// `text` on one line, with what cannot be seen written out as in `\u{200b}`. Safe to print on a terminal.
pub fn visible(text: &str) -> String {
    let hidden: Vec<usize> = unseen(text).into_iter().map(|(at, _)| at).collect();
    let mut shown = String::with_capacity(text.len());
    for (at, character) in text.char_indices() {
        match character {
            '\n' => shown.push('⏎'),
            '\t' => shown.push(' '),
            '\r' => {}
            _ if hidden.binary_search(&at).is_ok() => shown.push_str(&format!("\\u{{{:x}}}", u32::from(character))),
            _ => shown.push(character),
        }
    }
    shown
}

/// What the unseen characters of `text` spell, if they carry a text: as tags (U+E0000 and on), or byte by byte as variation
/// selectors.
pub(crate) fn spelled(text: &str) -> Option<String> {
    let tags: String = text
        .chars()
        .filter_map(|character| char::from_u32(u32::from(character).checked_sub(0xe_0000)?))
        .filter(|character| matches!(character, ' '..='~'))
        .collect();
    let selectors: Vec<u8> = text
        .chars()
        .filter_map(|character| {
            let code = u32::from(character);
            let byte = match code {
                0xfe00..=0xfe0f => code - 0xfe00,
                0xe_0100..=0xe_01ef => code - 0xe_0100 + 16,
                _ => return None,
            };
            u8::try_from(byte).ok()
        })
        .collect();
    let readable = |bytes: Vec<u8>| {
        String::from_utf8(bytes).ok().filter(|text| text.chars().count() > 2 && !text.chars().any(char::is_control))
    };
    if tags.len() > 2 { Some(tags) } else { readable(selectors) }
}

/// The Latin letter or digit that `character` could be taken for (after Unicode TR 39, for what names are written with).
pub(crate) fn looks_like(character: char) -> char {
    let code = u32::from(character);
    let letter = |offset: u32, count: u32, first: u8| {
        u8::try_from(offset % count).ok().and_then(|offset| first.checked_add(offset)).map_or(character, char::from)
    };
    match character {
        // Full-width forms of ASCII.
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(code - 0xff01 + 0x21).unwrap_or(character),
        // Mathematical alphabets and digits.
        '\u{1d400}'..='\u{1d6a3}' => match (code - 0x1_d400) % 52 {
            capital @ 0..26 => letter(capital, 26, b'a'),
            small => letter(small - 26, 26, b'a'),
        },
        '\u{1d7ce}'..='\u{1d7ff}' => letter(code - 0x1_d7ce, 10, b'0'),
        'а' | 'А' | 'α' | 'Α' | 'ɑ' => 'a',
        'В' | 'Β' | 'β' | 'ƅ' => 'b',
        'с' | 'С' | 'ϲ' | 'Ϲ' | 'ⅽ' | 'Ⅽ' => 'c',
        'ԁ' | 'ⅾ' => 'd',
        'е' | 'Е' | 'Ε' | 'ҽ' | 'ё' | 'Ё' => 'e',
        'ɡ' | 'ց' => 'g',
        'һ' | 'Н' | 'Η' | 'հ' => 'h',
        'і' | 'І' | 'ι' | 'Ι' | 'ı' | 'ⅰ' | 'Ⅰ' => 'i',
        'ј' | 'Ј' => 'j',
        'К' | 'Κ' | 'κ' | 'к' => 'k',
        'ӏ' | 'Ӏ' | 'ⅼ' | 'Ⅼ' => 'l',
        'М' | 'Μ' | 'ⅿ' | 'Ⅿ' => 'm',
        'Ν' | 'ո' => 'n',
        'о' | 'О' | 'ο' | 'Ο' | 'օ' => 'o',
        'р' | 'Р' | 'ρ' | 'Ρ' => 'p',
        'ԛ' => 'q',
        'ѕ' | 'Ѕ' => 's',
        'Т' | 'Τ' | 'τ' => 't',
        'υ' | 'ս' => 'u',
        'ν' | 'ѵ' | 'ⅴ' | 'Ⅴ' => 'v',
        'ԝ' | 'ѡ' => 'w',
        'х' | 'Х' | 'Χ' | 'ⅹ' | 'Ⅹ' => 'x',
        'у' | 'У' | 'Υ' | 'γ' => 'y',
        'Ζ' | 'ᴢ' => 'z',
        other => other,
    }
}

/// Whether `name` is written with letters that are not what they look like.
pub(crate) fn has_lookalikes(name: &str) -> bool {
    name.chars().any(|character| looks_like(character) != character)
}

/// What a name comes down to for a reader in a hurry: without case, separators and what cannot be seen, each letter as what
/// it looks like.
pub(crate) fn skeleton(name: &str) -> String {
    let folded = name.chars().filter(|character| !is_unseen(*character)).flat_map(|character| {
        looks_like(character).to_lowercase().map(|character| match character {
            '0' => 'o',
            // Capital i, small l and one are drawn alike.
            '1' | 'i' | '|' => 'l',
            other => other,
        })
    });
    folded.filter(|character| character.is_alphanumeric()).collect::<String>().replace("rn", "m").replace("vv", "w")
}

/// A word of a text as a model would read it, and where it stands in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Word {
    pub text: String,
    pub at: usize,
}

/// The words of `text` in lower case. Characters that cannot be seen do not part words, and letters count as what they look
/// like, so that a phrase is found however it is written.
pub(crate) fn words_of(text: &str) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let mut open = false;
    for (at, character) in text.char_indices() {
        if is_unseen(character) || matches!(character, '\'' | '’') {
            continue;
        }
        let character = looks_like(character);
        if !character.is_alphanumeric() {
            open = false;
            continue;
        }
        if !open {
            words.push(Word { text: String::new(), at });
            open = true;
        }
        if let Some(word) = words.last_mut() {
            word.text.extend(character.to_lowercase());
        }
    }
    words
}

/// The words of a name in `snake_case`, `kebab-case` or `camelCase`, in lower case.
pub(crate) fn words_of_name(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before_is_lower = false;
    for next in name.chars() {
        let parts = !next.is_alphanumeric();
        if parts || (next.is_uppercase() && before_is_lower) {
            words.push(String::new());
        }
        if let (Some(word), false) = (words.last_mut(), parts) {
            word.extend(next.to_lowercase());
        }
        before_is_lower = next.is_lowercase();
    }
    words.retain(|word| !word.is_empty());
    words
}
