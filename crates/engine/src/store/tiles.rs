//! The public face of the log as files: tiles, entry bundles and the checkpoint, as C2SP `tlog-tiles` lays them out.
//!
//! Everything here is rebuilt from the segments when it is missing, so nothing is synced. Whoever opens this directory
//! after a power failure writes the newest tiles again before trusting them.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use super::error::{StoreError, While};
use super::files::{self, Directory, Durable};

#[cfg(test)]
mod tests;

/// The name under which the newest checkpoint stands.
pub const CHECKPOINT: &str = "checkpoint";
/// The longest path of a tile, in bytes.
pub const TILE_PATH_BYTES_MAX: usize = 255;

/// What a partial tile's directory is called: the full tile's name and this.
const PARTIAL_SUFFIX: &str = ".p";

/// One file to write, at a path such as `tile/0/x001/067.p/12`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TileFile {
    /// Where, relative to the directory.
    pub path: String,
    /// What.
    pub bytes: Vec<u8>,
}

/// The `ledger` directory.
#[derive(Debug)]
pub struct TileDirectory {
    root: PathBuf,
}

impl TileDirectory {
    /// Opens `root`, making it if it is not there.
    pub fn open(root: &Path) -> Result<Self, StoreError> {
        Directory::open(root)?;
        Ok(Self { root: root.to_owned() })
    }

    /// Writes `tiles`, then `checkpoint`: a reader who sees the checkpoint finds every tile under it. Then removes the
    /// partial tiles that a full one in `tiles` has taken the place of.
    pub fn publish(&self, tiles: &[TileFile], checkpoint: &[u8]) -> Result<(), StoreError> {
        for tile in tiles {
            let path = self.resolve(&tile.path)?;
            if let Some(parent) = path.parent().filter(|parent| !parent.is_dir()) {
                DirBuilder::new().recursive(true).mode(0o700).create(parent).io("make the directory", parent)?;
            }
            files::replace(&path, &tile.bytes, Durable::No)?;
        }
        files::replace(&self.root.join(CHECKPOINT), checkpoint, Durable::No)?;
        for tile in tiles {
            self.remove_partials(&tile.path)?;
        }
        Ok(())
    }

    /// The file at `path`, which may come from anyone: nothing for a path that leads nowhere.
    ///
    /// # Errors
    ///
    /// [`Invalid`](StoreError::Invalid) for a path that no file here can have.
    pub fn read(&self, path: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let path = self.resolve(path)?;
        if path.is_dir() { Ok(None) } else { files::read_if_there(&path) }
    }

    /// The length of the file at `path` in bytes, if there is one.
    pub fn bytes(&self, path: &str) -> Result<Option<u64>, StoreError> {
        let path = self.resolve(path)?;
        match fs::metadata(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            file => Ok(Some(file.io("examine", &path)?.len())),
        }
    }

    /// The partial tiles beside the tile at `path`, with their widths: they are kept for readers of earlier checkpoints.
    pub fn partials(&self, path: &str) -> Result<Vec<(usize, String)>, StoreError> {
        let full = path.rsplit_once(&format!("{PARTIAL_SUFFIX}/")).map_or(path, |(full, _)| full);
        let directory = self.resolve(&format!("{full}{PARTIAL_SUFFIX}"))?;
        let files = match fs::read_dir(&directory) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            files => files.io("list", &directory)?,
        };
        let mut found = Vec::new();
        for file in files {
            let name = file.io("list", &directory)?.file_name();
            // Other names are of files that are being written.
            let width = name.to_str().and_then(|name| name.parse().ok());
            found.extend(width.map(|width| (width, format!("{full}{PARTIAL_SUFFIX}/{width}"))));
        }
        Ok(found)
    }

    /// Removes the partial tiles of the full tile at `path`. A partial tile has none.
    fn remove_partials(&self, path: &str) -> Result<(), StoreError> {
        let partials = self.resolve(&format!("{path}{PARTIAL_SUFFIX}"))?;
        match fs::remove_dir_all(&partials) {
            Err(error) if !matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) => {
                Err(error).io("remove", &partials)
            }
            _ => Ok(()),
        }
    }

    /// The file that `path` names. Every part must be plain, so that no path leads out of the directory, to a hidden file
    /// or to one that is being written.
    fn resolve(&self, path: &str) -> Result<PathBuf, StoreError> {
        let plain = |part: &str| {
            !part.is_empty()
                && !part.starts_with('.')
                && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
        };
        if path.len() > TILE_PATH_BYTES_MAX || !path.split('/').all(plain) {
            return Err(StoreError::Invalid("this is not the path of a tile".to_owned()));
        }
        Ok(self.root.join(path))
    }
}
