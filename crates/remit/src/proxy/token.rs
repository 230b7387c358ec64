//! The token with which the gateway knows the caller. It never stands on a command line, where everybody could read it.

use std::path::PathBuf;

use reqwest::header::HeaderValue;
use tokio::io::AsyncReadExt;
use zeroize::Zeroizing;

use super::limits;
use super::problem::Problem;
use crate::command::Failure;

/// Named by `remit run` for the command that it runs: a file that is kept fresh, and the first token.
const FILE_VARIABLE: &str = "REMIT_TOKEN_FILE";
const TOKEN_VARIABLE: &str = "REMIT_TASK_TOKEN";

/// Where the token comes from.
pub enum Token {
    /// The caller has none: only a sandbox takes it.
    None,
    Fixed(Zeroizing<String>),
    /// Read for every request, so that a renewed token is used at once.
    File(PathBuf),
}

impl std::fmt::Debug for Token {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::None => write!(formatter, "None"),
            Self::Fixed(_) => write!(formatter, "Fixed"),
            Self::File(path) => write!(formatter, "File({})", path.display()),
        }
    }
}

impl Token {
    /// From what was named on the command line, else from what `remit run` sets.
    ///
    /// # Errors
    /// If a variable is named that is not set.
    pub fn choose(file: Option<PathBuf>, variable: Option<&str>) -> Result<Self, Failure> {
        let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        if let Some(path) = file {
            return Ok(Self::File(path));
        }
        if let Some(name) = variable {
            let value = set(name);
            return value
                .map(|value| Self::Fixed(Zeroizing::new(value)))
                .ok_or_else(|| Failure::Usage(format!("`--token-env` names the variable `{name}`, which is not set")));
        }
        Ok(match (set(FILE_VARIABLE), set(TOKEN_VARIABLE)) {
            (Some(path), _) => Self::File(PathBuf::from(path)),
            (None, Some(token)) => Self::Fixed(Zeroizing::new(token)),
            (None, None) => Self::None,
        })
    }

    /// Whether there is one.
    pub const fn is_given(&self) -> bool {
        !matches!(self, Self::None)
    }

    /// The header that presents it now.
    ///
    /// # Errors
    /// If its file cannot be read, or what is in it cannot be a token.
    pub async fn header(&self) -> Result<Option<HeaderValue>, Problem> {
        let token = match self {
            Self::None => return Ok(None),
            Self::Fixed(token) => token.clone(),
            Self::File(path) => {
                let file = tokio::fs::File::open(path).await;
                let file = file.map_err(|error| Problem::Token(format!("`{}`: {error}", path.display())))?;
                let mut text = Zeroizing::new(String::new());
                let read = file.take(limits::TOKEN_BYTES_MAX + 1).read_to_string(&mut text).await;
                read.map_err(|error| Problem::Token(format!("`{}`: {error}", path.display())))?;
                text
            }
        };
        let token = token.trim();
        let plain = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
        if !plain || u64::try_from(token.len()).unwrap_or(u64::MAX) > limits::TOKEN_BYTES_MAX {
            return Err(Problem::Token("it is empty, too long, or holds more than one word".to_owned()));
        }
        let mut header = HeaderValue::from_str(&format!("Bearer {token}"))
            .map_err(|_| Problem::Token("it holds characters that no token has".to_owned()))?;
        header.set_sensitive(true);
        Ok(Some(header))
    }
}
