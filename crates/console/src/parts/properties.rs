//! A thing as its properties: names on the left, values on the right.

use maud::{Markup, html};

/// A table of properties made of [`row`]s.
pub(crate) fn properties(rows: &Markup) -> Markup {
    html! { dl .properties { (rows) } }
}

pub(crate) fn row(name: &str, value: &Markup) -> Markup {
    html! { div { dt { (name) } dd { (value) } } }
}

/// What stands where there is nothing.
pub(crate) fn none(words: &str) -> Markup {
    html! { span .quiet { (words) } }
}
