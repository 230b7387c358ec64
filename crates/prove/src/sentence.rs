//! Invariants in one sentence: a small closed grammar, so that what is not understood is refused and never guessed.

use remit_policy::Verb;

use crate::never::{self, Bounds};
use crate::{Never, NeverError, limits};

#[cfg(test)]
mod tests;

/// The forms that are understood. What stands in brackets may be left out; a list of words is written with `or`.
pub const FORMS: &[&str] = &[
    "no agent [of class CLASS] [of autonomy N [or above|or below]] [of environment WORD] [of attribution WORD] ever reaches \
     WHAT [without approval] [without a grant]",
    "no call [of class CLASS] [of autonomy N [or above|or below]] [of environment WORD] [of attribution WORD] [with effect VERB] \
     [on data D0..D3] happens [without approval] [without a grant]",
    "WHAT is: an [external] [irreversible] operation [with effect VERB] [on data D0..D3] [outside the sandbox]",
    "WHAT is: data D0..D3 (of that class or above)",
    "WHAT is: data above its ceiling",
    "WHAT is: the operation CONNECTOR/TOOL, or: the connector NAME",
];

/// Why a sentence is not understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SentenceError {
    /// It is longer than [`limits::SENTENCE_BYTES_MAX`].
    #[error("the sentence has more than {} bytes", limits::SENTENCE_BYTES_MAX)]
    TooLong,
    /// It ends too early.
    #[error("the sentence ends where {expected} was expected; these forms are understood:\n{}", forms())]
    Ends {
        /// What should have come.
        expected: &'static str,
    },
    /// A word that no form has there.
    #[error("`{word}` is not understood where {expected} was expected; these forms are understood:\n{}", forms())]
    Word {
        /// The word.
        word: String,
        /// What should have come.
        expected: &'static str,
    },
    /// Something is said twice.
    #[error("{0} is said twice; a list of words is written with `or`")]
    Twice(&'static str),
    /// A word or number that is understood, but is none of those there are.
    #[error(transparent)]
    Never(#[from] NeverError),
}

fn forms() -> String {
    FORMS.iter().map(|form| format!("  {form}")).collect::<Vec<_>>().join("\n")
}

/// The words that are still to be read.
struct Reader<'a> {
    words: Vec<&'a str>,
    at: usize,
}

impl Never {
    /// The calls that `sentence` says never happen.
    ///
    /// # Errors
    /// If it is none of the [`FORMS`].
    pub fn from_sentence(sentence: &str) -> Result<Self, SentenceError> {
        if sentence.len() > limits::SENTENCE_BYTES_MAX {
            return Err(SentenceError::TooLong);
        }
        let mut reader = Reader { words: sentence.split_whitespace().collect(), at: 0 };
        let mut never = Self::default();
        reader.must("no", "`no`")?;
        if reader.takes("agent") {
            reader.agent(&mut never)?;
            reader.must("ever", "`of …` or `ever reaches`")?;
            reader.must("reaches", "`reaches`")?;
            reader.target(&mut never)?;
        } else {
            reader.must("call", "`agent` or `call`")?;
            reader.agent(&mut never)?;
            reader.effect_and_data(&mut never)?;
            reader.must("happens", "`of …`, `with effect …`, `on data …` or `happens`")?;
        }
        reader.tail(&mut never)?;
        match reader.peek() {
            Some(word) => Err(SentenceError::Word { word: word.to_owned(), expected: "the end" }),
            None if never == Self::default() => Err(NeverError::Empty.into()),
            None => Ok(never),
        }
    }
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<&'a str> {
        self.words.get(self.at).copied()
    }

    /// Whether the next words are `phrase`; then they are read.
    fn takes(&mut self, phrase: &str) -> bool {
        let length = phrase.split_whitespace().count();
        let next = self.words.get(self.at..self.at + length);
        let is_next = next.is_some_and(|next| next.iter().copied().eq(phrase.split_whitespace()));
        if is_next {
            self.at += length;
        }
        is_next
    }

    fn must(&mut self, word: &str, expected: &'static str) -> Result<(), SentenceError> {
        if self.takes(word) { Ok(()) } else { Err(self.unexpected(expected)) }
    }

    fn word(&mut self, expected: &'static str) -> Result<&'a str, SentenceError> {
        let word = self.peek().ok_or(SentenceError::Ends { expected })?;
        self.at += 1;
        Ok(word)
    }

    fn unexpected(&self, expected: &'static str) -> SentenceError {
        match self.peek() {
            None => SentenceError::Ends { expected },
            Some(word) => SentenceError::Word { word: word.to_owned(), expected },
        }
    }

    /// `read or transform`, each a word that `known` knows.
    fn list<T>(
        &mut self,
        what: &'static str,
        into: &mut Vec<T>,
        known: impl Fn(&str) -> Result<T, NeverError>,
    ) -> Result<(), SentenceError> {
        if !into.is_empty() {
            return Err(SentenceError::Twice(what));
        }
        into.push(known(self.word(what)?)?);
        while self.takes("or") {
            into.push(known(self.word(what)?)?);
        }
        Ok(())
    }

    fn agent(&mut self, never: &mut Never) -> Result<(), SentenceError> {
        while self.takes("of") {
            if self.takes("class") {
                self.list("a class", &mut never.classes, never::class)?;
            } else if self.takes("environment") {
                self.list("an environment", &mut never.environments, never::environment)?;
            } else if self.takes("attribution") {
                self.list("an attribution", &mut never.attributions, never::attribution)?;
            } else if self.takes("autonomy") {
                self.autonomy(never)?;
            } else {
                return Err(self.unexpected("`class`, `autonomy`, `environment` or `attribution`"));
            }
        }
        Ok(())
    }

    fn autonomy(&mut self, never: &mut Never) -> Result<(), SentenceError> {
        if never.autonomy != Bounds::default() {
            return Err(SentenceError::Twice("the autonomy"));
        }
        let expected = "an autonomy level such as 4";
        let word = self.word(expected)?;
        let level = level(word).ok_or(SentenceError::Word { word: word.to_owned(), expected })?;
        let mut bounds = Bounds { at_least: Some(level), at_most: Some(level) };
        if self.takes("or above") {
            bounds.at_most = None;
        } else if self.takes("or below") {
            bounds.at_least = None;
        }
        never.autonomy = bounds.within("autonomy", 1, 4)?;
        Ok(())
    }

    fn target(&mut self, never: &mut Never) -> Result<(), SentenceError> {
        if self.takes("data above its ceiling") {
            never.above_data_ceiling = Some(true);
            return Ok(());
        }
        if self.takes("data") {
            return self.data(never);
        }
        if self.takes("the operation") {
            never.operation = Some(self.word("an operation")?.to_owned());
            return Ok(());
        }
        if self.takes("the connector") {
            never.connector = Some(self.word("a connector")?.to_owned());
            return Ok(());
        }
        if !self.takes("an") {
            return Err(self.unexpected("`an operation`, `the operation`, `the connector` or `data`"));
        }
        never.external = self.takes("external").then_some(true);
        never.irreversible = self.takes("irreversible").then_some(true);
        self.must("operation", "`operation`")?;
        self.effect_and_data(never)?;
        never.sandbox = self.takes("outside the sandbox").then_some(false);
        Ok(())
    }

    fn effect_and_data(&mut self, never: &mut Never) -> Result<(), SentenceError> {
        if self.takes("with effect") {
            self.list::<Verb>("an effect", &mut never.verbs, never::verb)?;
        }
        if self.takes("on data") { self.data(never) } else { Ok(()) }
    }

    /// An operation whose highest class is above may touch data of this class as well.
    fn data(&mut self, never: &mut Never) -> Result<(), SentenceError> {
        let expected = "a data class such as D2";
        let word = self.word(expected)?;
        let class = word.strip_prefix('D').and_then(level);
        let class = class.ok_or(SentenceError::Word { word: word.to_owned(), expected })?;
        never.data = Bounds { at_least: Some(class), at_most: None }.within("data", 0, 3)?;
        Ok(())
    }

    fn tail(&mut self, never: &mut Never) -> Result<(), SentenceError> {
        while self.takes("without") {
            let missing = if self.takes("approval") {
                &mut never.approval
            } else if self.takes("a grant") {
                &mut never.grant
            } else {
                return Err(self.unexpected("`approval` or `a grant`"));
            };
            if missing.replace(false).is_some() {
                return Err(SentenceError::Twice("`without …`"));
            }
        }
        Ok(())
    }
}

/// One digit: no sign, no zero in front.
fn level(word: &str) -> Option<u8> {
    let mut digits = word.chars();
    let digit = digits.next()?.to_digit(10)?;
    digits.next().is_none().then_some(digit).and_then(|digit| u8::try_from(digit).ok())
}
