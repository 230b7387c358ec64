//! The session that `remit login` keeps, readable by its owner only.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::Failure;

/// Where and as whom this user is signed in.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedSession {
    /// Address of the control plane. The token is never sent to another.
    pub url: String,
    pub token: String,
    pub person: String,
    pub expires_at: String,
}

fn path() -> Result<PathBuf, Failure> {
    let folder = std::env::var_os("XDG_CONFIG_HOME").filter(|folder| !folder.is_empty()).map(PathBuf::from);
    let folder = folder.or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".config")));
    let folder =
        folder.ok_or_else(|| Failure::fault("there is no home directory", "set `HOME` or `XDG_CONFIG_HOME`"))?;
    Ok(folder.join("remit").join("session.json"))
}

/// The saved session, if there is one.
pub fn load() -> Result<Option<SavedSession>, Failure> {
    let path = path()?;
    match fs::read(&path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|error| Failure::file("use", &path, &error)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::file("read", &path, &error)),
    }
}

/// Saves `session` in place of any other.
pub fn save(session: &SavedSession) -> Result<PathBuf, Failure> {
    let path = path()?;
    let written = || -> std::io::Result<()> {
        if let Some(folder) = path.parent() {
            DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        }
        // A file of its own first: what was there before may be readable by others, and a crash leaves one or the other.
        let fresh = path.with_extension(format!("json.{}", std::process::id()));
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh)?;
        file.write_all(&serde_json::to_vec(session)?)?;
        file.sync_all()?;
        fs::rename(&fresh, &path)
    };
    written().map_err(|error| Failure::file("write", &path, &error))?;
    Ok(path)
}

/// Forgets the saved session.
pub fn forget() -> Result<(), Failure> {
    let path = path()?;
    match fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Failure::file("remove", &path, &error)),
        _ => Ok(()),
    }
}
