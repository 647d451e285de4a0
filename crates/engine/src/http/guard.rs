//! Which addresses may be called: by default only public ones, whoever names them.
//!
//! A configured URL, or a name that somebody else's DNS answers for, could otherwise lead a function to the metadata service
//! or to a neighbour in its network. A literal address is checked in the URL, a name at the moment of connecting, on the very
//! addresses that are connected to: an answer that changes in between changes nothing.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

/// A name stands for no address that may be called.
#[derive(Debug, thiserror::Error)]
#[error("expected a public address, found only others")]
pub(super) struct Refused;

/// Resolves names and leaves out every address that is not public.
pub(super) struct PublicOnly {
    /// The proxy's own name: it usually stands for a private address.
    pub(super) except: Option<String>,
}

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        let is_free = self
            .except
            .as_deref()
            .is_some_and(|proxy| proxy.eq_ignore_ascii_case(name.as_str()));
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let allowed: Vec<SocketAddr> = found
                .filter(|address| is_free || is_public(address.ip()))
                .collect();
            if allowed.is_empty() {
                return Err(Refused.into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

/// Whether the host of a URL may be called as far as can be told before its name is resolved.
pub(super) fn may_be_called(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => is_public_v4(address),
        Some(Host::Ipv6(address)) => is_public_v6(address),
        Some(Host::Domain(_)) => true,
        None => false,
    }
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// By the IANA registry of special-purpose addresses
/// (<https://www.iana.org/assignments/iana-ipv4-special-registry/>).
fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_special = a == 0 // this network
        || address.is_private()
        || (a == 100 && (64..128).contains(&b)) // carrier-grade NAT
        || address.is_loopback()
        || address.is_link_local() // and the metadata service
        || (a == 192 && b == 0 && c == 0) // protocol assignments
        || address.is_documentation()
        || (a == 192 && b == 88 && c == 99) // 6to4 relays, given up
        || (a == 198 && (18..20).contains(&b)) // benchmarks
        || a >= 224; // multicast, reserved, broadcast
    !is_special
}

/// Of the IPv6 space only 2000::/3 is handed out
/// (<https://www.iana.org/assignments/ipv6-address-space/>). What carries an IPv4 address is as public as that one.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    let [.., g, h] = segments;
    let low = v4(g, h);
    match segments {
        // IPv4-mapped, and translated by NAT64.
        [0, 0, 0, 0, 0, 0xffff, ..] | [0x64, 0xff9b, 0, 0, 0, 0, ..] => is_public_v4(low),
        [0x2002, b, c, ..] => is_public_v4(v4(b, c)), // 6to4
        [0x2001, b, ..] if b < 0x0200 || b == 0x0db8 => false, // Teredo, ORCHID …, documentation
        [a, b, ..] => a & 0xe000 == 0x2000 && !(a == 0x3fff && b < 0x1000),
    }
}

fn v4(high: u16, low: u16) -> Ipv4Addr {
    Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low))
}
