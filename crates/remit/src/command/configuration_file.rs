//! The configuration of an agent as a file: what it is approved with, and what a run really uses.

use std::path::{Path, PathBuf};

use remit_domain::{Configuration, Digest, OperationPattern, Refusal};
use serde::Deserialize;

use super::Failure;

#[cfg(test)]
mod tests;

/// A configuration as people write it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    /// The file with the prompt, beside this one.
    prompt_file: Option<PathBuf>,
    /// Its digest, where the prompt itself is elsewhere.
    prompt: Option<Digest>,
    model: Option<String>,
    #[serde(default)]
    tools: Vec<OperationPattern>,
}

/// Reads a configuration: `prompt_file` or `prompt`, `model` and `tools`, as TOML.
///
/// # Errors
/// If the file, or the prompt that it names, cannot be read or used.
pub fn read(path: &Path) -> Result<Configuration, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| Failure::file("read", path, &error))?;
    let written: Written = toml::from_str(&text).map_err(|error| {
        Refusal::new(
            "bad_configuration",
            format!("`{}` cannot be used: {}", path.display(), error.to_string().trim_end()),
        )
        .help("write `prompt_file = \"prompt.md\"`, `model = \"…\"` and `tools = [\"connector/tool\"]`")
    })?;
    let prompt = match (written.prompt_file, written.prompt) {
        (Some(file), None) => Some(digest_of(&path.parent().unwrap_or(Path::new("")).join(file))?),
        (None, digest) => digest,
        (Some(_), Some(_)) => {
            let sentence = format!("`{}` names the prompt by its file and by its digest", path.display());
            return Err(Refusal::new("bad_configuration", sentence).help("name it once").into());
        }
    };
    Ok(Configuration { prompt, model: written.model, tools: written.tools })
}

/// What a run presents that uses the configuration in `path`; nothing if none is named.
pub fn digest(path: Option<&Path>) -> Result<Option<Digest>, Failure> {
    Ok(path.map(read).transpose()?.map(|configuration| configuration.digest()))
}

/// The digest of the prompt in `path`, byte for byte.
pub fn digest_of(path: &Path) -> Result<Digest, Failure> {
    let bytes = std::fs::read(path).map_err(|error| Failure::file("read", path, &error))?;
    Ok(Digest::of_bytes(&bytes))
}
