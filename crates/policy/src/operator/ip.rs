//! Addresses and networks.

use std::net::Ipv6Addr;

/// An address. An IPv4 address mapped into IPv6 is the IPv4 address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Address {
    V4(u32),
    V6(u128),
}

impl Address {
    pub(super) fn read(text: &str) -> Option<Self> {
        match raw(text)? {
            Self::V6(bits) if bits >> 32 == 0xFFFF => {
                u32::try_from(bits & 0xFFFF_FFFF).ok().map(Self::V4)
            }
            address => Some(address),
        }
    }
}

fn raw(text: &str) -> Option<Address> {
    if text.contains(':') {
        text.parse::<Ipv6Addr>().ok().map(|v6| Address::V6(v6.to_bits()))
    } else {
        dotted(text).map(Address::V4)
    }
}

/// Four decimal octets; leading zeros are allowed and do not mean octal.
fn dotted(text: &str) -> Option<u32> {
    let mut octets = text.split('.');
    let mut bits = 0;
    for _ in 0..4 {
        bits = bits << 8 | u32::from(decimal::<u8>(octets.next()?)?);
    }
    octets.next().is_none().then_some(bits)
}

fn decimal<N: std::str::FromStr>(text: &str) -> Option<N> {
    let sound = !text.is_empty() && text.len() <= 9 && text.bytes().all(|b| b.is_ascii_digit());
    if sound { text.trim_start_matches('0').parse().ok().or_else(|| zero(text)) } else { None }
}

fn zero<N: std::str::FromStr>(text: &str) -> Option<N> {
    if text.bytes().all(|b| b == b'0') { "0".parse().ok() } else { None }
}

/// A network, or a single address as `/32` or `/128`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Network {
    base: Address,
    prefix: u32,
}

impl Network {
    pub(super) fn read(text: &str) -> Option<Self> {
        let (base, prefix) = match text.split_once('/') {
            Some((base, prefix)) => (raw(base)?, Some(decimal::<u32>(prefix)?)),
            None => (raw(text)?, None),
        };
        let width = match base {
            Address::V4(_) => 32,
            Address::V6(_) => 128,
        };
        let prefix = prefix.unwrap_or(width);
        (prefix <= width).then_some(Self { base, prefix })
    }

    /// Host bits of an IPv4 base are ignored; an IPv6 base with host bits contains nothing.
    pub(super) fn contains(&self, address: Address) -> bool {
        match (self.base, address) {
            (Address::V4(base), Address::V4(address)) => {
                let mask = u32::MAX.checked_shl(32 - self.prefix).unwrap_or(0);
                base & mask == address & mask
            }
            (Address::V6(base), Address::V6(address)) => base == address & self.mask_v6(),
            _ => false,
        }
    }

    fn mask_v6(&self) -> u128 {
        u128::MAX.checked_shl(128 - self.prefix).unwrap_or(0)
    }

    fn has_host_bits_v6(&self) -> bool {
        matches!(self.base, Address::V6(base) if base & !self.mask_v6() != 0)
    }
}

pub(super) fn fault(literal: &str) -> Option<&'static str> {
    let Some(network) = Network::read(literal) else {
        return Some("not an IP address or network");
    };
    if network.has_host_bits_v6() {
        return Some("the IPv6 network has host bits set");
    }
    let dotted = matches!(network.base, Address::V6(_)) && literal.contains('.');
    dotted.then_some("IPv6 addresses in dotted form are not accepted")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn within(network: &str, address: &str) -> bool {
        Network::read(network).unwrap().contains(Address::read(address).unwrap())
    }

    #[test]
    fn networks_contain_what_they_should() {
        assert!(within("203.0.113.0/24", "203.0.113.255"));
        assert!(!within("203.0.113.0/24", "203.0.114.0"));
        assert!(within("203.0.113.9/24", "203.0.113.1"), "host bits of IPv4 are ignored");
        assert!(within("0.0.0.0/0", "255.0.0.1"));
        assert!(within("010.000.0.001/032", "10.0.0.1"));
        assert!(within("10.0.0.1", "::ffff:10.0.0.1"));
        assert!(within("2001:db8::/32", "2001:db8::1"));
        assert!(!within("2001:db8::1/32", "2001:db8::1"), "host bits of IPv6 match nothing");
        assert!(within("::/0", "2001::"));
        assert!(!within("0.0.0.0/0", "2001::"));
        assert!(!within("::/0", "10.0.0.1"));
    }

    #[test]
    fn other_texts_are_neither() {
        for bad in [
            "",
            "1.2.3",
            "1.2.3.4.5",
            "256.0.0.1",
            "1.2.3.4/33",
            "1.2.3.4/",
            "::1/129",
            "a",
            "1.2.3.+4",
            "/8",
            "1.2.3.4 ",
        ] {
            assert!(Network::read(bad).is_none(), "{bad}");
        }
    }
}
