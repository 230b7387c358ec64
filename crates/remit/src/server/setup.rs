//! How the engine is opened: what `remit.toml` says, and what is as it is by default.

use std::path::{Path, PathBuf};

use anyhow::Context;
use remit_engine::{KeySource, Options, Setup};
use remit_gateway::Settings;
use zeroize::Zeroizing;

use super::Addresses;
use crate::config::{Config, KeysConfig, PasskeysWanted};

pub fn options(config: &Config, data: &Path, settings: &Settings, addresses: &Addresses) -> anyhow::Result<Options> {
    let uid = rustix::process::getuid().as_raw();
    let policies = remit_policy::starter().into_iter().map(|source| (source.name, source.text)).collect();
    let setup = Setup {
        trust_domain: config.realm.trust_domain.clone(),
        issuer: addresses.control.clone(),
        administrator: config.realm.administrator.clone().unwrap_or_else(operator_name),
        administrator_uid: Some(uid),
        policies,
    };
    Ok(Options {
        keys: key_source(&config.keys, data)?,
        anchors: Some(config.ledger.anchors.clone().unwrap_or_else(default_anchors)),
        audience: settings.audience.clone(),
        passkeys_required: config.sign_in.passkeys == PasskeysWanted::Required,
        segment_bytes: config.ledger.segment_bytes,
        snapshot_entries: config.ledger.snapshot_entries,
        ..Options::new(data, setup)
    })
}

fn key_source(keys: &KeysConfig, data: &Path) -> anyhow::Result<KeySource> {
    let variable = |name: &str| {
        std::env::var(name)
            .map(Zeroizing::new)
            .with_context(|| format!("`[keys]` names the variable `{name}`, which is not set"))
    };
    Ok(match (&keys.file, &keys.variable, &keys.passphrase_variable) {
        (_, Some(name), _) => KeySource::Value(variable(name)?),
        (_, _, Some(name)) => KeySource::Passphrase(variable(name)?),
        (Some(path), ..) => KeySource::File(path.clone()),
        (None, None, None) => KeySource::File(data.join("kek")),
    })
}

/// Where checkpoints are kept apart: the user's state directory, which is not part of a copy of the data directory.
pub fn default_anchors() -> PathBuf {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = absolute("XDG_STATE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".local/state")));
    state.unwrap_or_else(|| PathBuf::from("/var/lib")).join("remit/anchors")
}

/// The name of the user who runs Remit, as far as it is a name.
fn operator_name() -> String {
    let name = std::env::var("USER").unwrap_or_default().to_lowercase();
    let plain =
        |character: char| character.is_ascii_lowercase() || character.is_ascii_digit() || "-_.".contains(character);
    match name.starts_with(|first: char| first.is_ascii_lowercase()) && name.len() <= 64 && name.chars().all(plain) {
        true => name,
        false => "operator".to_owned(),
    }
}
