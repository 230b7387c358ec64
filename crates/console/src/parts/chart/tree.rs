//! What lies under what: a list of lists, drawn as a tree.

use maud::{Markup, html};

#[cfg(test)]
mod tests;

/// One of a tree, and what is below it.
#[derive(Debug)]
pub(crate) struct Branch {
    pub(crate) words: Markup,
    /// Whether it goes on; what has ended is drawn hollow, and says so in words too.
    pub(crate) is_live: bool,
    /// Whether it is what the page is about.
    pub(crate) is_here: bool,
    pub(crate) below: Vec<Self>,
}

/// The tree, named `name` for who does not see it. A branch is drawn for each level, so whoever makes it bounds how deep it is.
pub(crate) fn tree(name: &str, root: &Branch) -> Markup {
    html! { ul .tree aria-label=(name) { (drawn(root)) } }
}

fn drawn(branch: &Branch) -> Markup {
    html! {
        li .(if branch.is_live { "live" } else { "over" }) {
            div .branch .here[branch.is_here] { (branch.words) }
            @if !branch.below.is_empty() { ul { @for below in &branch.below { (drawn(below)) } } }
        }
    }
}
