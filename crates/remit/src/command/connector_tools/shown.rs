//! A review of tools as people read it on a terminal.
//!
//! INVARIANT: whatever a server wrote goes through [`visible`] first, so that nothing of it moves the cursor or hides.

use std::fmt::Write as _;

use remit_review::{Change, Difference, Item, Run, Severity, Warning, Wording, visible};
use serde_json::Value;

/// Characters of unchanged text that stay around a change.
const CONTEXT_CHARS: usize = 32;
/// Characters of a value that are shown.
const VALUE_CHARS_MAX: usize = 400;

/// The one line that says there is something to look at, if there is.
pub(super) fn summary(item: &Item) -> Option<String> {
    let count = |severity: Severity| item.warnings.iter().filter(|warning| warning.severity == severity).count();
    let mut parts = Vec::new();
    parts.extend(item.renamed_from.as_ref().map(|old| format!("probably was `{old}`")));
    let mut add = |count: usize, one: &str, many: &str| {
        if count > 0 {
            parts.push(format!("{count} {}", if count == 1 { one } else { many }));
        }
    };
    add(item.differences.len(), "difference", "differences");
    add(count(Severity::Serious), "serious warning", "serious warnings");
    add(count(Severity::Notice), "notice", "notices");
    (!parts.is_empty()).then(|| visible(&format!("{}: {}", item.tool, parts.join(", "))))
}

/// Each tool with what changed, what to look at, what is proposed and why.
pub(super) fn review(items: &[Item]) -> String {
    let mut text = String::new();
    items.iter().for_each(|item| tool(&mut text, item));
    text
}

// Writing to a string cannot fail, so its results are let go below.
fn tool(text: &mut String, item: &Item) {
    let _ = writeln!(text, "{}  {}", visible(&item.tool), item.status.as_str());
    if let Some(old) = &item.renamed_from {
        let _ = writeln!(text, "  probably was `{}`: the same arguments, nearly the same description", visible(old));
    }
    if let Some(new) = &item.renamed_to {
        let _ = writeln!(text, "  probably became `{}`", visible(new));
    }
    if let Some(reason) = &item.withdrawn {
        let _ = writeln!(text, "  not available: {}", visible(reason));
    }
    item.differences.iter().for_each(|found| difference(text, found));
    item.warnings.iter().for_each(|found| warning(text, found));
    if let (Some(proposed), true) = (&item.proposed, item.status.is_open()) {
        let outside = if proposed.external { ", outside" } else { "" };
        let (verb, risk, data) = (proposed.verb, proposed.risk, proposed.data);
        let _ = writeln!(text, "  proposed: {verb}, risk {risk}, {data:?}{outside}");
        proposed.reasons.iter().for_each(|reason| _ = writeln!(text, "    since {}", visible(reason)));
        for projection in &proposed.projections {
            let _ = writeln!(text, "    its arguments suggest the projection `{}`", visible(&projection.to_string()));
        }
    }
    text.push('\n');
}

fn difference(text: &mut String, found: &Difference) {
    let mark = match found.change {
        Change::Added => '+',
        Change::Removed => '-',
        Change::Changed => '~',
    };
    let _ = writeln!(text, "  {mark} {}  {}", visible(&found.sentence), visible(&found.place));
    if !found.wording.is_empty() {
        let _ = writeln!(text, "      {}", found.wording.iter().map(run).collect::<String>());
        return;
    }
    let mut value = |mark: char, value: Option<&Value>| {
        if let Some(value) = value {
            let _ = writeln!(text, "      {mark} {}", short(&value.to_string()));
        }
    };
    value('-', found.before.as_ref());
    value('+', found.after.as_ref());
}

/// `[-gone-]`, `{+new+}`, and of what stayed only what is near.
fn run(run: &Run) -> String {
    let text = visible(&run.text);
    match run.wording {
        Wording::Removed => format!("[-{text}-]"),
        Wording::Added => format!("{{+{text}+}}"),
        Wording::Kept => {
            let count = text.chars().count();
            if count <= 2 * CONTEXT_CHARS + 1 {
                return text;
            }
            let head: String = text.chars().take(CONTEXT_CHARS).collect();
            let tail: String = text.chars().skip(count - CONTEXT_CHARS).collect();
            format!("{head}…{tail}")
        }
    }
}

fn warning(text: &mut String, found: &Warning) {
    let word = match found.severity {
        Severity::Serious => "serious",
        Severity::Notice => "notice",
    };
    let _ = writeln!(text, "  ! {word}: {}  {}", visible(&found.sentence), visible(&found.place));
    // The name itself is the heading already.
    if !found.text.is_empty() && found.place != "/name" {
        let _ = writeln!(text, "      {}", found.text);
    }
}

fn short(text: &str) -> String {
    let shown: String = text.chars().take(VALUE_CHARS_MAX).collect();
    let end = if shown.len() < text.len() { "…" } else { "" };
    format!("{}{end}", visible(&shown))
}
