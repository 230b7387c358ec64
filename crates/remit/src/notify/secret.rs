//! Secrets of targets: read once, shown to nobody.

use std::fmt;
use std::fs::File;
use std::io::Read;

use anyhow::{Context, bail};
use zeroize::Zeroizing;

use crate::config::SecretSource;

/// No secret is longer.
const SECRET_BYTES_MAX: u64 = 16 * 1024;

/// A text that leaves memory when dropped, and that no log shows.
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Reads it, without the white space around it.
    ///
    /// # Errors
    /// If there is none. The error names the file or the variable, and nothing of what is in it.
    pub fn read(source: &SecretSource, what: &str) -> anyhow::Result<Self> {
        let text = match source {
            SecretSource::File(path) => {
                let mut text = Zeroizing::new(String::new());
                let read = File::open(path).and_then(|file| file.take(SECRET_BYTES_MAX + 1).read_to_string(&mut text));
                read.with_context(|| format!("cannot read {what} from `{}`", path.display()))?;
                text
            }
            SecretSource::Variable(name) => match std::env::var(name) {
                Ok(text) => Zeroizing::new(text),
                Err(_) => bail!("{what} is to be in the variable `{name}`, which is not set"),
            },
        };
        if text.len() as u64 > SECRET_BYTES_MAX {
            bail!("{what} is longer than {SECRET_BYTES_MAX} bytes");
        }
        let trimmed = text.trim();
        if trimmed.is_empty() {
            bail!("{what} is empty");
        }
        Ok(Self(Zeroizing::new(trimmed.to_owned())))
    }

    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}
