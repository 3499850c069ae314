//! Which internet addresses are public, so that a store's address can never lead into a private network.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

/// IPv4 blocks that are not globally reachable: first address and prefix length.
///
/// Source: IANA's IPv4 special-purpose address registry (RFC 6890), RFC 5771 (multicast), RFC 7526 (the
/// retired 6to4 relays), and the one metadata address of a large cloud that lies in public space.
const REFUSED_V4: [([u8; 4], u32); 18] = [
    ([0, 0, 0, 0], 8),
    ([10, 0, 0, 0], 8),
    ([100, 64, 0, 0], 10),
    ([127, 0, 0, 0], 8),
    ([168, 63, 129, 16], 32),
    ([169, 254, 0, 0], 16),
    ([172, 16, 0, 0], 12),
    ([192, 0, 0, 0], 24),
    ([192, 0, 2, 0], 24),
    ([192, 31, 196, 0], 24),
    ([192, 88, 99, 0], 24),
    ([192, 168, 0, 0], 16),
    ([192, 175, 48, 0], 24),
    ([198, 18, 0, 0], 15),
    ([198, 51, 100, 0], 24),
    ([203, 0, 113, 0], 24),
    ([224, 0, 0, 0], 4),
    ([240, 0, 0, 0], 4),
];

/// IPv6 blocks inside the global unicast space 2000::/3 that are not globally reachable, or that carry
/// an IPv4 address past this check (Teredo lies in 2001::/23, 6to4 is 2002::/16).
///
/// Source: IANA's IPv6 special-purpose address registry; RFC 9637 for 3fff::/20.
const REFUSED_V6: [([u16; 3], u32); 5] = [
    ([0x2001, 0, 0], 23),
    ([0x2001, 0x0db8, 0], 32),
    ([0x2002, 0, 0], 16),
    ([0x2620, 0x004f, 0x8000], 48),
    ([0x3fff, 0, 0], 20),
];

/// Whether an address is globally routable unicast, so that calling it cannot reach a private network.
///
/// An IPv4 address mapped into IPv6 (`::ffff:a.b.c.d`) and one behind the well-known NAT64 prefix
/// (`64:ff9b::a.b.c.d`) are judged as the IPv4 address that they carry. Everything outside 2000::/3 is
/// refused, and so are the retired tunnels 6to4 and Teredo, whatever they carry.
#[must_use]
pub fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => match ip.to_ipv4_mapped().or_else(|| behind_nat64(ip)) {
            Some(carried) => is_public_v4(carried),
            None => is_public_v6(ip),
        },
    }
}

/// The address that is written out in a URL as its host, in whatever spelling, instead of a name.
#[must_use]
pub fn literal(url: &Url) -> Option<IpAddr> {
    match url.host()? {
        Host::Ipv4(ip) => Some(IpAddr::V4(ip)),
        Host::Ipv6(ip) => Some(IpAddr::V6(ip)),
        Host::Domain(_) => None,
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let bits = ip.to_bits();
    !REFUSED_V4.iter().any(|&(first, prefix)| {
        let shift = 32 - prefix;
        bits >> shift == u32::from_be_bytes(first) >> shift
    })
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    let bits = ip.to_bits();
    let global_unicast = bits >> 125 == 0b001;
    global_unicast
        && !REFUSED_V6.iter().any(|&([a, b, c], prefix)| {
            let shift = 128 - prefix;
            let first = Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0).to_bits();
            bits >> shift == first >> shift
        })
}

/// The IPv4 address behind RFC 6052's well-known prefix 64:ff9b::/96.
fn behind_nat64(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    match ip.segments() {
        [0x0064, 0xff9b, 0, 0, 0, 0, high, low] => {
            Some(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)))
        }
        _ => None,
    }
}

#[cfg(test)]
pub(super) mod tests;
