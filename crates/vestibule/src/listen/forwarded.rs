//! Who really asks, when trusted proxies stand in front.

use std::net::{IpAddr, SocketAddr};

use http::HeaderMap;
use service::idp::network::Cidr;

/// The address and the transport that policies see as `aws:SourceIp` and `aws:SecureTransport`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The client's address; IPv4 in IPv6 form is unwrapped.
    pub address: IpAddr,
    /// Whether every hop was encrypted.
    pub secure: bool,
}

/// Networks of peers whose forwarding headers are believed.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies(Vec<Cidr>);

impl TrustedProxies {
    /// These networks.
    pub fn new(networks: Vec<Cidr>) -> TrustedProxies {
        TrustedProxies(networks)
    }

    /// The origin of a request from `peer`.
    pub fn origin(&self, peer: SocketAddr, tls: bool, headers: &HeaderMap) -> Origin {
        let peer = peer.ip().to_canonical();
        if !self.trust(peer) {
            // ATTACK: a client that sends X-Forwarded-For itself chooses its own aws:SourceIp
            // (test a_trusted_peer_is_believed_and_its_untrusted_twin_is_not).
            return Origin { address: peer, secure: tls };
        }
        Origin { address: self.client(peer, headers), secure: proto_secure(tls, headers) }
    }

    fn trust(&self, address: IpAddr) -> bool {
        self.0.iter().any(|net| net.contains(address))
    }

    /// The rightmost address that is no trusted proxy. Entries to its left are the client's own
    /// claim and are not read.
    fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut nearest = peer;
        for value in headers.get_all("x-forwarded-for").iter().rev() {
            let Ok(value) = value.to_str() else { return nearest };
            for entry in value.rsplit(',') {
                let Some(address) = address(entry.trim()) else { return nearest };
                nearest = address;
                if !self.trust(address) {
                    return nearest;
                }
            }
        }
        nearest
    }
}

/// An address, with or without a port, with or without brackets.
fn address(entry: &str) -> Option<IpAddr> {
    let bare = entry.strip_prefix('[').and_then(|e| e.strip_suffix(']')).unwrap_or(entry);
    let parsed = bare.parse::<IpAddr>().or_else(|_| entry.parse::<SocketAddr>().map(|s| s.ip()));
    parsed.ok().map(|ip| ip.to_canonical())
}

/// Every hop must say https: a proxy that appends to what the client sent then cannot be talked
/// into a secure transport that was not there. Without the header the connection itself counts.
fn proto_secure(tls: bool, headers: &HeaderMap) -> bool {
    let mut hops = headers.get_all("x-forwarded-proto").iter().peekable();
    if hops.peek().is_none() {
        return tls;
    }
    hops.all(|value| {
        let Ok(value) = value.to_str() else { return false };
        value.split(',').all(|hop| hop.trim().eq_ignore_ascii_case("https"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(peer: &str, forwarded: &[(&'static str, &str)]) -> (String, bool) {
        let proxies = TrustedProxies::new(vec!["10.0.0.0/8".parse().unwrap()]);
        let mut headers = HeaderMap::new();
        for (name, value) in forwarded {
            headers.append(*name, value.parse().unwrap());
        }
        let origin = proxies.origin(peer.parse().unwrap(), false, &headers);
        (origin.address.to_string(), origin.secure)
    }

    const FORWARDED: &[(&str, &str)] =
        &[("x-forwarded-for", "203.0.113.7"), ("x-forwarded-proto", "https")];

    #[test]
    fn a_trusted_peer_is_believed_and_its_untrusted_twin_is_not() {
        assert_eq!(origin("10.0.0.1:80", FORWARDED), ("203.0.113.7".to_owned(), true));
        assert_eq!(origin("192.0.2.1:80", FORWARDED), ("192.0.2.1".to_owned(), false));
        assert_eq!(origin("[::ffff:10.0.0.1]:80", FORWARDED), ("203.0.113.7".to_owned(), true));
    }

    #[test]
    fn what_the_client_itself_put_in_front_is_not_read() {
        let chain = [("x-forwarded-for", "1.1.1.1, 203.0.113.7, 10.0.0.9")];
        assert_eq!(origin("10.0.0.1:80", &chain).0, "203.0.113.7");
        let lines = [("x-forwarded-for", "1.1.1.1"), ("x-forwarded-for", "203.0.113.7")];
        assert_eq!(origin("10.0.0.1:80", &lines).0, "203.0.113.7");
    }

    #[test]
    fn a_broken_entry_ends_the_chain_at_the_last_good_hop() {
        assert_eq!(origin("10.0.0.1:80", &[("x-forwarded-for", "1.1.1.1, what")]).0, "10.0.0.1");
        let broken = [("x-forwarded-for", "1.1.1.1, what, 10.0.0.9")];
        assert_eq!(origin("10.0.0.1:80", &broken).0, "10.0.0.9");
    }

    #[test]
    fn ports_and_brackets_are_understood() {
        for (entry, wanted) in [
            ("203.0.113.7:4711", "203.0.113.7"),
            ("[2001:db8::1]:4711", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("2001:db8::1", "2001:db8::1"),
        ] {
            assert_eq!(origin("10.0.0.1:80", &[("x-forwarded-for", entry)]).0, wanted);
        }
    }

    #[test]
    fn transport_is_secure_only_when_every_hop_was() {
        for (value, wanted) in [
            ("https", true),
            ("http", false),
            ("https, http", false),
            ("HTTPS,https", true),
            ("", false),
        ] {
            assert_eq!(origin("10.0.0.1:80", &[("x-forwarded-proto", value)]).1, wanted, "{value}");
        }
    }
}
