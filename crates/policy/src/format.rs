//! One layout for all policies, so that a difference between two texts is a difference of meaning.

use std::ops::Range;

use cedar_policy_formatter::{Config, policies_str_to_pretty};

use crate::diagnosis;
use crate::{Problem, limits};

#[cfg(test)]
mod tests;

const LINE_CHARS: usize = 100;
const INDENT_CHARS: isize = 2;
/// Laying out what is laid out changes nothing; comments in odd places may take more than one round to come to rest.
const ROUNDS_MAX: usize = 4;

/// Lays out the policies of `text`. Annotations, comments and meaning stay; laying out the result again changes nothing.
///
/// # Errors
/// If the text is too long, is not policies, or has a comment where the layout would lose it. The problem names no source: whoever called
/// knows whose text it is.
#[expect(clippy::result_large_err, reason = "made once, for a person to read")]
pub fn format(text: &str) -> Result<String, Problem> {
    if text.len() > limits::POLICY_TEXT_BYTES_MAX {
        return Err(Problem::error("", format!("the text has more than {} bytes", limits::POLICY_TEXT_BYTES_MAX)));
    }
    if let Err(errors) = text.parse::<cedar_policy::PolicySet>() {
        let found = diagnosis::of_parsing(&errors).into_iter().next();
        let problem = found.map(|found| Problem::error("", found.sentence).help(found.help).at(text, found.offset));
        return Err(problem.unwrap_or_else(|| cannot(&errors.to_string())));
    }
    let config = Config { line_width: LINE_CHARS, indent_width: INDENT_CHARS };
    let mut last = text.to_owned();
    for _ in 0..ROUNDS_MAX {
        let next = round(&last, &config)?;
        if next == last {
            return Ok(next);
        }
        last = next;
    }
    Err(cannot("its comments never come to rest"))
}

/// One round, in which no comment may get lost: that is the one thing that the formatter does not look after itself.
#[expect(clippy::result_large_err, reason = "made once, for a person to read")]
fn round(text: &str, config: &Config) -> Result<String, Problem> {
    let laid_out = policies_str_to_pretty(text, config).map_err(|error| cannot(&error.to_string()))?;
    let laid_out = format!("{}\n", laid_out.trim());
    let (before, after) = (comments(text), comments(&laid_out));
    let words = |text: &str, places: &[Range<usize>]| {
        let words = places.iter().filter_map(|place| text.get(place.clone())).map(|comment| comment.trim().to_owned());
        words.collect::<Vec<_>>()
    };
    let kept = words(&laid_out, &after);
    let lost = words(text, &before).iter().position(|comment| !kept.contains(comment));
    match lost.and_then(|lost| before.get(lost)) {
        None => Ok(laid_out),
        Some(place) => Err(Problem::error("", "this comment would get lost where it is")
            .help(Some("put it on a line of its own, before the policy or the condition".to_owned()))
            .at(text, Some(place.start))),
    }
}

fn cannot(why: &str) -> Problem {
    Problem::error("", format!("the text cannot be laid out: {why}"))
        .help(Some("lay it out by hand; nothing was changed".to_owned()))
}

/// Where the comments of a text are. `//` inside quotes begins none.
fn comments(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut quoted = false;
    let mut letters = text.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' if quoted => drop(letters.next()),
            '"' => quoted = !quoted,
            '/' if !quoted && letters.peek().is_some_and(|(_, next)| *next == '/') => {
                let end = text.get(at..).and_then(|rest| rest.find('\n')).map_or(text.len(), |length| at + length);
                found.push(at..end);
                while letters.next_if(|(next, _)| *next < end).is_some() {}
            }
            _ => {}
        }
    }
    found
}
