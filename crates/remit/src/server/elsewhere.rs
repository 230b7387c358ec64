//! What the control plane has to know of others: clients, issuers and systems that the operator has named.

use std::sync::Arc;

use anyhow::Context;
use remit_api::{Elsewhere, OAuthSettings, OidcIssuer, Range, Settings, Transmitter, Transmitters};
use remit_identity::Bundle;
use remit_identity::foreign::KeySet;

use super::Addresses;
use super::foreign::Foreign;
use crate::config::Config;

impl Elsewhere for Foreign {
    fn bundle(&self, trust_domain: &str) -> Option<Arc<Bundle>> {
        self.bundles.of(trust_domain)
    }

    fn keys(&self, issuer: &str) -> Option<Arc<KeySet>> {
        self.oidc.of(issuer)
    }
}

pub fn api_settings(config: &Config, addresses: &Addresses, foreign: &Foreign) -> anyhow::Result<Settings> {
    let mcp_url = format!("{}/mcp", addresses.gateway);
    Ok(Settings {
        production: config.realm.production,
        transmitters: Arc::new(transmitters(config, foreign)),
        oauth: oauth(config, addresses, foreign)?,
        ..Settings::at(&addresses.control, &mcp_url)
    })
}

fn oauth(config: &Config, addresses: &Addresses, foreign: &Foreign) -> anyhow::Result<OAuthSettings> {
    let roots = config.oauth.metadata_roots.as_ref().map(|file| {
        std::fs::read(file)
            .with_context(|| format!("cannot read `{}`, which `oauth.metadata_roots` names", file.display()))
    });
    let networks = config.oauth.metadata_networks.iter();
    let issuers = config.identity.oidc.iter().map(|table| {
        Ok(OidcIssuer {
            issuer: table.issuer.clone(),
            audience: table.audience.clone(),
            claims: Some(table.rules()?),
            agent: table.agent.clone(),
            subject_claim: table.subject_claim.clone(),
        })
    });
    Ok(OAuthSettings {
        mtls_url: addresses.control_mtls.clone(),
        dynamic_registration: config.oauth.dynamic_registration,
        metadata_networks: networks.map(|network| Range { address: network.address, bits: network.bits }).collect(),
        metadata_roots: roots.transpose()?.unwrap_or_default(),
        elsewhere: Arc::new(foreign.clone()),
        issuers: issuers.collect::<anyhow::Result<_>>()?,
    })
}

fn transmitters(config: &Config, foreign: &Foreign) -> Transmitters {
    let named = config.signals.transmitter.iter().map(|table| {
        let (kept, issuer) = (foreign.transmitters.clone(), table.issuer.clone());
        let keys = Arc::new(move || kept.of(&issuer));
        let subjects = table.subjects.iter().cloned().collect();
        (table.issuer.clone(), Transmitter { audience: table.audience.clone(), subjects, keys })
    });
    named.collect()
}
