//! Which addresses are inside, so that nobody makes Remit ask there on his behalf (server-side request forgery).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether `address` is anything but a host of the public Internet. To be asked of every address that a name resolves to,
/// after resolving it and before connecting to that very address.
///
/// INVARIANT: what is not known to be public counts as private (IANA special-purpose registries, RFC 6890).
pub fn private_address(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => private_v4(address),
        IpAddr::V6(address) => private_v6(address),
    }
}

fn private_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    match (a, b, c) {
        // This network, private use, this machine.
        (0 | 10 | 127, ..)
        // Carrier-grade NAT.
        | (100, 64..=127, _)
        // Link-local, where clouds keep their metadata.
        | (169, 254, _)
        // Private use.
        | (172, 16..=31, _)
        | (192, 168, _)
        // Protocol assignments, documentation, the former 6to4 relays.
        | (192, 0, 0 | 2)
        | (192, 88, 99)
        // Benchmarks.
        | (198, 18 | 19, _)
        // Documentation.
        | (198, 51, 100)
        | (203, 0, 113)
        // Multicast, reserved, broadcast.
        | (224..=255, ..) => true,
        _ => false,
    }
}

fn private_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    match segments {
        // IPv4 in IPv6: mapped, and translated by the well-known prefix of NAT64. Judged by what is inside.
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => private_v4(embedded(high, low)),
        // Protocol assignments, with Teredo, benchmarks and ORCHID; documentation; 6to4.
        [0x2001, 0..=0x1ff | 0xdb8, ..] | [0x2002, ..] | [0x3fff, 0..=0xfff, ..] => true,
        // Global unicast, unless the interface is named after a private IPv4 address (ISATAP, RFC 5214).
        [0x2000..=0x3fff, _, _, _, 0 | 0x200, 0x5efe, high, low] => private_v4(embedded(high, low)),
        [0x2000..=0x3fff, ..] => false,
        // Everything else is unspecified, this machine, local, multicast, or not given out.
        _ => true,
    }
}

fn embedded(high: u16, low: u16) -> Ipv4Addr {
    Ipv4Addr::from((u32::from(high) << 16) | u32::from(low))
}
