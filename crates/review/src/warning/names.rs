//! Other tools: whose name this one has, and which it talks about.

use std::collections::BTreeSet;

use super::{Place, Severity, Warning, WarningKind};
use crate::letters::{has_lookalikes, has_unseen, words_of_name};
use crate::limits;
use crate::neighbours::Neighbours;

/// Tools that an agent, or a person, could take this one for.
pub(super) fn shadows(tool: &str, neighbours: &Neighbours) -> Vec<Warning> {
    let warning = |double: crate::neighbours::Double| {
        let same = double.tool == tool && double.connector.is_some();
        let verb = if same { "has the name of" } else { "has almost the name of" };
        // Two servers of one kind have tools of one name in all honesty; a disguise has no honest reason.
        let severity = if double.disguised { Severity::Serious } else { Severity::Notice };
        Warning::new(severity, WarningKind::Shadows, "/name", format!("{verb} `{}`", double.name()), tool)
    };
    let mut found: Vec<Warning> =
        neighbours.doubles(tool).into_iter().take(limits::NAMED_TOOLS_MAX).map(warning).collect();
    if has_lookalikes(tool)
        && !has_unseen(tool)
        && found.is_empty()
        && tool.chars().any(|letter| letter.is_ascii_alphabetic())
    {
        let sentence = "the name is written with letters that are not what they look like";
        found.push(Warning::new(Severity::Serious, WarningKind::Lookalike, "/name", sentence, tool));
    }
    found
}

/// Tools that the texts of `tool` talk about. What one tool says about another is how a server steers calls that are none of
/// its business.
pub(super) fn named(tool: &str, places: &[Place], neighbours: &Neighbours) -> Vec<Warning> {
    let mut told: BTreeSet<String> = BTreeSet::new();
    let mut found = Vec::new();
    for place in places.iter().filter(|place| place.is_prose) {
        for (at, name, is_marked) in identifiers(&place.text) {
            if name == tool || told.contains(name) || found.len() >= limits::NAMED_TOOLS_MAX {
                continue;
            }
            // A plain word such as `search` is a tool only where it is marked as one, and even then not surely.
            let is_plain = words_of_name(name).len() < 2;
            if is_plain && !is_marked {
                continue;
            }
            if neighbours.has_own(name) {
                told.insert(name.to_owned());
                let sentence = format!("talks about `{name}`, another tool of this server");
                found.push(Warning::at(Severity::Notice, WarningKind::NamesTool, place, sentence, at));
            } else if let Some(connector) = neighbours.others_with(name).first() {
                told.insert(name.to_owned());
                let sentence = format!("talks about `{name}`, a tool of `{connector}`");
                let severity = if is_plain { Severity::Notice } else { Severity::Serious };
                found.push(Warning::at(severity, WarningKind::NamesTool, place, sentence, at));
            }
        }
    }
    found
}

/// What in `text` could be a tool's name: where it stands, and whether it is quoted or called a tool.
fn identifiers(text: &str) -> Vec<(usize, &str, bool)> {
    let in_name = |character: char| character.is_ascii_alphanumeric() || matches!(character, '_' | '-' | '.' | '/');
    let mut found = Vec::new();
    let mut at = 0;
    for run in text.split(|character: char| !in_name(character)) {
        let name = run.trim_end_matches(['.', '-', '/']);
        // `connector/tool` and `mcp__connector__tool` are how clients write the same name.
        let short = name.rsplit(['/']).next().unwrap_or(name);
        let short = short.rsplit_once("__").map_or(short, |(_, short)| short);
        if !short.is_empty() {
            let before = text.get(..at).and_then(|before| before.chars().next_back());
            let after = text.get(at + run.len()..).unwrap_or_default();
            let quoted = before.is_some_and(|mark| matches!(mark, '`' | '"' | '\'' | '“'));
            let called = after.trim_start().get(..4).is_some_and(|word| word.eq_ignore_ascii_case("tool"));
            found.push((at, short, quoted || called));
        }
        at += run.len();
        at += text.get(at..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
    }
    found
}
