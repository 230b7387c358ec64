//! Where people use their passkeys, and where they sign in elsewhere.

use anyhow::Context;
use remit_people::{OidcSettings, PeopleSettings};
use zeroize::Zeroizing;

use super::Addresses;
use crate::config::{Config, SignInOidcConfig};
use crate::notify::Secret;

#[cfg(test)]
mod tests;

/// What has to be known to prove who a person is.
///
/// # Errors
/// If the secret or the authorities that the configuration names cannot be read.
pub fn people_settings(config: &Config, addresses: &Addresses) -> anyhow::Result<PeopleSettings> {
    let oidc = config.sign_in.oidc.as_ref().map(oidc_settings).transpose()?;
    Ok(PeopleSettings { oidc, ..PeopleSettings::at(&addresses.control) })
}

fn oidc_settings(table: &SignInOidcConfig) -> anyhow::Result<OidcSettings> {
    let secret = table.client_secret()?.map(|source| Secret::read(&source, "the client secret of `[sign_in.oidc]`"));
    let client_secret = secret.transpose()?.map(|secret| Zeroizing::new(secret.expose().to_owned()));
    let roots = table.roots.as_ref().map(|file| {
        std::fs::read(file)
            .with_context(|| format!("cannot read `{}`, which `sign_in.oidc.roots` names", file.display()))
    });
    Ok(OidcSettings {
        issuer: table.issuer.clone(),
        client_id: table.client_id.clone(),
        client_secret,
        name: table.name.clone(),
        roots: roots.transpose()?.unwrap_or_default(),
    })
}
