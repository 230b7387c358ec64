//! Where agents reach the gateway: as somebody says, else as the server in the data directory says.

use std::path::Path;

use clap::Args;
use serde_json::Value;
use url::Url;

use super::{Failure, Global};

#[cfg(test)]
mod tests;

/// The gateway's address.
#[derive(Debug, Clone, Args)]
pub struct McpAddress {
    /// Where agents reach the gateway; the server in the data directory if not given.
    #[arg(long, env = "REMIT_MCP_URL", value_name = "URL", value_parser = mcp_url)]
    pub mcp_url: Option<Url>,
}

impl McpAddress {
    /// The address, for all connectors at once.
    ///
    /// # Errors
    /// If none is given, and no server runs on the data directory.
    pub fn find(&self, global: &Global) -> Result<Url, Failure> {
        if let Some(url) = &self.mcp_url {
            return Ok(url.clone());
        }
        of_server(&global.data).ok_or_else(|| {
            Failure::Usage(format!(
                "no address of a gateway is given, and no server runs in `{}`; name one with `--mcp-url URL` or `REMIT_MCP_URL`",
                global.data.display()
            ))
        })
    }
}

/// The address of an MCP server, whole.
///
/// # Errors
/// A sentence that says how one is written.
pub fn mcp_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    url.ok_or_else(|| "it is not a whole address; write it like `http://127.0.0.1:7480/mcp`".to_owned())
}

fn of_server(data: &Path) -> Option<Url> {
    let addresses: Value = serde_json::from_slice(&std::fs::read(data.join("addresses.json")).ok()?).ok()?;
    Url::parse(&format!("{}/mcp", addresses.get("gateway")?.as_str()?)).ok()
}
