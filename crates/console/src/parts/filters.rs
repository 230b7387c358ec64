//! Filters of a list: a form whose fields stand in the address, so that what was chosen can be linked to, with and without scripts.

use maud::{Markup, html};

#[cfg(test)]
mod tests;

/// The form of the list at `action`; `label` says what is chosen, `button` what sends it.
pub(crate) fn form(action: &str, label: &str, button: &str, fields: &Markup) -> Markup {
    html! {
        form .filters method="get" action=(action) aria-label=(label) {
            (fields)
            button type="submit" { (button) }
        }
    }
}

/// A field for a part of a text, or for a name.
pub(crate) fn text(name: &str, label: &str, value: &str, hint: &str) -> Markup {
    html! {
        label {
            (label)
            input type="text" name=(name) value=(value) placeholder=(hint) maxlength="256" autocomplete="off" spellcheck="false";
        }
    }
}

/// A field for one of some values: each as it stands in the address, and in words.
pub(crate) fn select(name: &str, label: &str, chosen: &str, values: &[(&str, &str)]) -> Markup {
    html! {
        label {
            (label)
            select name=(name) {
                @for (value, words) in values { option value=(value) selected[*value == chosen] { (words) } }
            }
        }
    }
}

/// The address of the list at `path` with these fields; what is empty is left out.
pub(crate) fn address(path: &str, fields: &[(&str, &str)]) -> String {
    let chosen = fields.iter().filter(|(_, value)| !value.trim().is_empty());
    let chosen: Vec<String> = chosen.map(|(name, value)| format!("{name}={}", encoded(value.trim()))).collect();
    if chosen.is_empty() { path.to_owned() } else { format!("{path}?{}", chosen.join("&")) }
}

/// The link to what follows on a page of a list.
pub(crate) fn next(address: &str, words: &str) -> Markup {
    html! { p { a rel="next" href=(address) { (words) } } }
}

/// A value of a query (RFC 3986, section 2.1).
fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~');
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}
