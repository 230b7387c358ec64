//! The realm's private keys: sealed in one file under a key-encryption key that the operator keeps.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use remit_identity::limits::PASSPHRASE_SALT_BYTES;
use remit_identity::{Kek, KeyRing, base64url};
use zeroize::Zeroizing;

use crate::clock::random;
use crate::error::OpenError;

/// Where the key-encryption key comes from. It never stands in the data directory's database or in the ledger.
#[derive(Debug, Clone)]
pub enum KeySource {
    /// A file with 32 bytes in base64url; made, readable by its owner only, if it is not there.
    File(PathBuf),
    /// 32 bytes in base64url, from the environment.
    Value(Zeroizing<String>),
    /// A passphrase, from the environment.
    Passphrase(Zeroizing<String>),
}

/// Opens the key-encryption key for the data directory `data`.
pub(crate) fn kek(source: &KeySource, data: &Path) -> Result<Kek, OpenError> {
    match source {
        KeySource::File(path) => from_file(path),
        KeySource::Value(text) => parse(text).ok_or_else(|| refused(data, "the key is not 32 bytes in base64url")),
        KeySource::Passphrase(passphrase) => {
            let salt = passphrase_salt(&data.join("kek.salt"))?;
            Ok(Kek::from_passphrase(passphrase, &salt))
        }
    }
}

fn parse(text: &str) -> Option<Kek> {
    let bytes = Zeroizing::new(base64url::decode_exactly::<32>(text.trim()).ok()?);
    Some(Kek::from_bytes(&bytes))
}

fn from_file(path: &Path) -> Result<Kek, OpenError> {
    match fs::read_to_string(path).map(Zeroizing::new) {
        Ok(text) => parse(&text).ok_or_else(|| refused(path, "it does not hold 32 bytes in base64url")),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let kek = Kek::generate().map_err(|_| OpenError::Randomness)?;
            write_private(path, base64url::encode(kek.expose()).as_bytes())?;
            Ok(kek)
        }
        Err(error) => Err(refused(path, &error.to_string())),
    }
}

fn passphrase_salt(path: &Path) -> Result<[u8; PASSPHRASE_SALT_BYTES], OpenError> {
    match fs::read(path) {
        Ok(bytes) => bytes.as_slice().try_into().map_err(|_| refused(path, "the salt has a wrong length")),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let salt = random::<PASSPHRASE_SALT_BYTES>()?;
            write_private(path, &salt)?;
            Ok(salt)
        }
        Err(error) => Err(refused(path, &error.to_string())),
    }
}

/// Opens the key ring in `path`, or makes one for a new realm.
pub(crate) fn ring(path: &Path, kek: &Kek, now_seconds: i64) -> Result<KeyRing, OpenError> {
    match fs::read(path) {
        Ok(sealed) => KeyRing::open(kek, &sealed).map_err(|error| refused(path, &error.to_string())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let ring = KeyRing::new(now_seconds).map_err(|error| refused(path, &error.to_string()))?;
            save(path, kek, &ring)?;
            Ok(ring)
        }
        Err(error) => Err(refused(path, &error.to_string())),
    }
}

/// Replaces the sealed ring, durably, before anything is signed with a key that only it holds.
pub(crate) fn save(path: &Path, kek: &Kek, ring: &KeyRing) -> Result<(), OpenError> {
    let sealed = ring.seal(kek).map_err(|error| refused(path, &error.to_string()))?;
    let next = path.with_extension("next");
    // A leftover of a crash in between is ours and worthless.
    if let Err(error) = fs::remove_file(&next)
        && error.kind() != std::io::ErrorKind::NotFound
    {
        return Err(refused(&next, &error.to_string()));
    }
    write_private(&next, &sealed)?;
    fs::rename(&next, path).map_err(|error| refused(path, &error.to_string()))?;
    sync_parent(path)
}

fn write_private(path: &Path, bytes: &[u8]) -> Result<(), OpenError> {
    let failed = |error: std::io::Error| refused(path, &error.to_string());
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        fs::create_dir_all(parent).map_err(failed)?;
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(failed)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(failed)?;
    sync_parent(path)
}

fn sync_parent(path: &Path) -> Result<(), OpenError> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::File::open(parent)
        .and_then(|directory| directory.sync_all())
        .map_err(|error| refused(parent, &error.to_string()))
}

fn refused(path: &Path, reason: &str) -> OpenError {
    OpenError::Keys { path: path.to_owned(), reason: reason.to_owned() }
}
