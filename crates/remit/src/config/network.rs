//! A range of addresses, as `ADDRESS/BITS` (RFC 4632 section 3.1, RFC 4291 section 2.3).

use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

#[cfg(test)]
mod tests;

/// Why a text is not a range of addresses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a range of addresses, which is written like `10.1.0.0/16`, without bits beyond its length")]
pub struct NetworkError(String);

/// Addresses whose first bits are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Network {
    /// The first address: every bit after the first `bits` is zero.
    pub address: IpAddr,
    pub bits: u8,
}

impl TryFrom<String> for Network {
    type Error = NetworkError;

    fn try_from(text: String) -> Result<Self, NetworkError> {
        let parse = || {
            let (address, bits) = text.split_once('/')?;
            let (address, bits): (IpAddr, u8) = (address.parse().ok()?, bits.parse().ok()?);
            let rest = match address {
                IpAddr::V4(address) => u32::from(address).checked_shl(bits.into()).unwrap_or(0) != 0,
                IpAddr::V6(address) => u128::from(address).checked_shl(bits.into()).unwrap_or(0) != 0,
            };
            let bits_max = if address.is_ipv4() { 32 } else { 128 };
            // Bits beyond the length mean that one of the two is a mistake, and nobody knows which.
            (bits <= bits_max && !rest).then_some(Self { address, bits })
        };
        parse().ok_or(NetworkError(text))
    }
}

impl From<Network> for String {
    fn from(network: Network) -> Self {
        network.to_string()
    }
}

impl fmt::Display for Network {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.address, self.bits)
    }
}
