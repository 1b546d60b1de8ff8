//! What a provider's URL may reach.
//!
//! A provider's URL is chosen by an account's administrator, and its `jwks_uri` by the provider:
//! both are foreign input to a server that stands inside a private network. The policy reads the
//! URL ([`NetworkPolicy::target`]), then judges every address that the name resolved to
//! ([`NetworkPolicy::vet`]); the caller connects to exactly the addresses that came back.

use std::{
    fmt,
    future::Future,
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    pin::Pin,
    str::FromStr,
};

use url::{Host, Url};

/// Ports that need no configuration: https and the usual port of a self-hosted provider.
pub const DEFAULT_PORTS: [u16; 2] = [443, 8443];

/// The longest URL that is fetched, in bytes.
pub const MAX_URL: usize = 2048;

/// The most addresses of one name that are considered.
pub const MAX_ADDRESSES: usize = 16;

/// Exceptions to "public addresses over https on the usual ports". The default has none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NetworkPolicy {
    /// Addresses and hosts that may be reached although they are not public.
    pub allow: Vec<Allowed>,
    /// Ports that may be reached besides [`DEFAULT_PORTS`].
    pub ports: Vec<u16>,
}

/// One exception, written as `10.0.0.0/8`, `fd00::/8`, `10.1.2.3` or `idp.corp.example`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Allowed {
    /// Every address within a network. A cloud's metadata address needs its own full-length entry.
    Network(Cidr),
    /// A host by its exact name (lower case): it may resolve to private and shared addresses,
    /// never to link-local, metadata or multicast ones.
    Host(Box<str>),
}

/// An address prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cidr {
    address: IpAddr,
    length: u8,
}

/// A URL that the policy lets through, before its name is resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The URL.
    pub url: Url,
    /// The host as it stands in the URL: a name, or an address literal without brackets.
    pub host: Box<str>,
    /// Set if the host is an address literal: nothing is resolved.
    pub literal: Option<IpAddr>,
    /// The port, by default the scheme's.
    pub port: u16,
    /// Plain `http`: only loopback addresses will be let through.
    pub plain: bool,
    loopback: bool,
}

/// Why a URL or an address is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// Not an absolute URL with a host, or longer than [`MAX_URL`].
    BadUrl,
    /// Neither `https` nor (where the provider's settings permit it) `http`.
    Scheme,
    /// The URL carries a user name or password.
    UserInfo,
    /// The URL carries a fragment.
    Fragment,
    /// The port is not among the permitted ones.
    Port(u16),
    /// The name resolved to an address that must not be reached.
    Address {
        /// The address.
        address: IpAddr,
        /// The range it lies in.
        range: Range,
    },
    /// Plain `http` to an address that is not a loopback address.
    PlainBeyondLoopback(IpAddr),
    /// The name resolved to more than [`MAX_ADDRESSES`] addresses.
    TooManyAddresses,
}

/// What an address is for, from the IANA special-purpose registries (2026-01).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Range {
    /// Reachable by everybody.
    Public,
    /// RFC 1918 and the locally used translation prefix `64:ff9b:1::/48`.
    Private,
    /// RFC 4193, `fc00::/7`.
    UniqueLocal,
    /// RFC 6598, `100.64.0.0/10`.
    CarrierGrade,
    /// `127.0.0.0/8`, `::1`.
    Loopback,
    /// `169.254.0.0/16`, `fe80::/10`.
    LinkLocal,
    /// An address at which a cloud hands out its machines' credentials.
    Metadata,
    /// `224.0.0.0/4`, `ff00::/8`.
    Multicast,
    /// "This network", documentation, benchmarking, broadcast, tunnels, not yet assigned.
    Reserved,
}

/// Turns a name into addresses. Injectable, so that tests can play a hostile name server.
pub trait Resolver: Send + Sync {
    /// All addresses of `host`.
    fn resolve<'a>(&'a self, host: &'a str) -> Resolving<'a>;
}

/// What [`Resolver::resolve`] returns.
pub type Resolving<'a> = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + 'a>>;

/// The operating system's resolver.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolver;

impl Resolver for SystemResolver {
    fn resolve<'a>(&'a self, host: &'a str) -> Resolving<'a> {
        Box::pin(async move {
            Ok(tokio::net::lookup_host((host, 0)).await?.map(|found| found.ip()).collect())
        })
    }
}

impl NetworkPolicy {
    /// This policy with the exceptions of `other` added.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        Self {
            allow: [self.allow.as_slice(), &other.allow].concat(),
            ports: [self.ports.as_slice(), &other.ports].concat(),
        }
    }

    /// Reads a URL. `http_loopback` is the provider's own permission for plain http, which lifts
    /// the rule of ports too and is held against the addresses by [`NetworkPolicy::vet`].
    ///
    /// # Errors
    /// The first rule that the URL breaks.
    pub fn target(&self, url: &str, http_loopback: bool) -> Result<Target, Refusal> {
        if url.len() > MAX_URL {
            return Err(Refusal::BadUrl);
        }
        let url = Url::parse(url).map_err(|_| Refusal::BadUrl)?;
        let plain = match url.scheme() {
            "https" => false,
            "http" if http_loopback => true,
            _ => return Err(Refusal::Scheme),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refusal::UserInfo);
        }
        if url.fragment().is_some() {
            return Err(Refusal::Fragment);
        }
        let (host, literal) = match url.host().ok_or(Refusal::BadUrl)? {
            Host::Domain(name) => (name.to_ascii_lowercase(), None),
            Host::Ipv4(address) => (address.to_string(), Some(IpAddr::V4(address))),
            Host::Ipv6(address) => (address.to_string(), Some(IpAddr::V6(address))),
        };
        let port = url.port_or_known_default().ok_or(Refusal::BadUrl)?;
        // With the loopback permission the port is judged together with the addresses.
        if !http_loopback && !self.permits_port(port) {
            return Err(Refusal::Port(port));
        }
        Ok(Target { url, host: host.into(), literal, port, plain, loopback: http_loopback })
    }

    /// Judges all addresses of a target, and gives back what to connect to.
    ///
    /// ATTACK: DNS rebinding, and a name with one public and one inner address. Every address is
    /// judged and one bad address refuses the name; the caller connects to these socket addresses
    /// and does not resolve again (proof: `fetch/tests.rs`, `the_vetted_address_…`).
    ///
    /// # Errors
    /// The first address that must not be reached, and its range.
    pub fn vet(&self, target: &Target, found: &[IpAddr]) -> Result<Vec<SocketAddr>, Refusal> {
        if found.len() > MAX_ADDRESSES {
            return Err(Refusal::TooManyAddresses);
        }
        found.iter().map(|address| self.vet_one(target, *address)).collect()
    }

    fn vet_one(&self, target: &Target, found: IpAddr) -> Result<SocketAddr, Refusal> {
        let address = judged_form(found);
        let range = Range::of(address);
        let marked = target.loopback && range == Range::Loopback;
        if target.plain && range != Range::Loopback {
            return Err(Refusal::PlainBeyondLoopback(address));
        }
        if !marked && !self.permits_port(target.port) {
            return Err(Refusal::Port(target.port));
        }
        if !marked && !self.permits(&target.host, address, range) {
            return Err(Refusal::Address { address, range });
        }
        Ok(SocketAddr::new(found.to_canonical(), target.port))
    }

    fn permits(&self, host: &str, address: IpAddr, range: Range) -> bool {
        range == Range::Public
            || self.allow.iter().any(|allowed| match allowed {
                Allowed::Network(cidr) => {
                    cidr.contains(address) && (range != Range::Metadata || cidr.is_one_address())
                }
                Allowed::Host(name) => range.is_inner() && **name == *host,
            })
    }

    fn permits_port(&self, port: u16) -> bool {
        DEFAULT_PORTS.contains(&port) || self.ports.contains(&port)
    }
}

impl Range {
    /// The range of an address. An IPv4 address inside an IPv6 one (mapped, NAT64, 6to4) is judged
    /// as that IPv4 address.
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        match judged_form(address) {
            IpAddr::V4(address) => Self::of_v4(address),
            IpAddr::V6(address) => Self::of_v6(address),
        }
    }

    /// Whether a host named in the configuration may lie here.
    const fn is_inner(self) -> bool {
        matches!(
            self,
            Self::Public | Self::Private | Self::UniqueLocal | Self::CarrierGrade | Self::Loopback
        )
    }

    fn of_v4(address: Ipv4Addr) -> Self {
        /// EC2 and most others; ECS tasks and EKS pods; Alibaba; Azure's wire server; Oracle.
        const METADATA: [[u8; 4]; 6] = [
            [169, 254, 169, 254],
            [169, 254, 170, 2],
            [169, 254, 170, 23],
            [100, 100, 100, 200],
            [168, 63, 129, 16],
            [192, 0, 0, 192],
        ];
        if METADATA.contains(&address.octets()) {
            return Self::Metadata;
        }
        match address.octets() {
            [10, ..] | [192, 168, ..] | [172, 16..=31, ..] => Self::Private,
            [100, 64..=127, ..] => Self::CarrierGrade,
            [127, ..] => Self::Loopback,
            [169, 254, ..] => Self::LinkLocal,
            [0, ..]
            | [192, 0, 0 | 2, _]
            | [192, 88, 99, _]
            | [198, 18 | 19, ..]
            | [198, 51, 100, _]
            | [203, 0, 113, _]
            | [240..=255, ..] => Self::Reserved,
            [224..=239, ..] => Self::Multicast,
            _ => Self::Public,
        }
    }

    fn of_v6(address: Ipv6Addr) -> Self {
        /// EC2 over IPv6, EKS pods over IPv6, Google Cloud over IPv6.
        const METADATA: [Ipv6Addr; 3] = [
            Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254),
            Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23),
            Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254),
        ];
        if METADATA.contains(&address) {
            return Self::Metadata;
        }
        match address.segments() {
            [0, 0, 0, 0, 0, 0, 0, 1] => Self::Loopback,
            [0x64, 0xff9b, 1, ..] => Self::Private,
            [0xfc00..=0xfdff, ..] => Self::UniqueLocal,
            [0xfe80..=0xfebf, ..] => Self::LinkLocal,
            [0xff00..=0xffff, ..] => Self::Multicast,
            // Teredo and other protocol assignments, documentation twice.
            [0x2001, 0..=0x1ff, ..] | [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => {
                Self::Reserved
            }
            // The one block from which public addresses are given out.
            [0x2000..=0x3fff, ..] => Self::Public,
            _ => Self::Reserved,
        }
    }
}

/// ATTACK: `::ffff:169.254.169.254` and its relatives reach the IPv4 address through the stack or
/// a translator, so it is the IPv4 address that is judged and matched
/// (proof: `network/tests.rs`, `every_range_is_known`).
fn judged_form(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else { return address };
    if let Some(v4) = v6.to_ipv4_mapped() {
        return IpAddr::V4(v4);
    }
    let [_, _, c, d, e, f, .., w, x, y, z] = v6.octets();
    match v6.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, ..] => IpAddr::V4(Ipv4Addr::new(w, x, y, z)),
        [0x2002, ..] => IpAddr::V4(Ipv4Addr::new(c, d, e, f)),
        _ => address,
    }
}

impl Cidr {
    /// Whether `address` lies within.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(net), IpAddr::V4(address)) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(self.length)).unwrap_or(0);
                (net.to_bits() ^ address.to_bits()) & mask == 0
            }
            (IpAddr::V6(net), IpAddr::V6(address)) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(self.length)).unwrap_or(0);
                (net.to_bits() ^ address.to_bits()) & mask == 0
            }
            _ => false,
        }
    }

    const fn is_one_address(&self) -> bool {
        self.length
            == match self.address {
                IpAddr::V4(_) => 32,
                IpAddr::V6(_) => 128,
            }
    }
}

/// An entry of the configuration that is neither a network, an address nor a host name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotAllowable;

impl FromStr for Cidr {
    type Err = NotAllowable;

    fn from_str(text: &str) -> Result<Self, NotAllowable> {
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| NotAllowable)?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let length = match length {
            Some(length) => length.parse().map_err(|_| NotAllowable)?,
            None => longest,
        };
        if length > longest {
            return Err(NotAllowable);
        }
        Ok(Self { address, length })
    }
}

impl FromStr for Allowed {
    type Err = NotAllowable;

    fn from_str(text: &str) -> Result<Self, NotAllowable> {
        if let Ok(network) = text.parse() {
            return Ok(Self::Network(network));
        }
        match Host::parse(text) {
            Ok(Host::Domain(name)) if !name.contains('*') => Ok(Self::Host(name.into())),
            _ => Err(NotAllowable),
        }
    }
}

impl fmt::Display for NotAllowable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("neither a network (10.0.0.0/8), an address nor a host name")
    }
}

impl std::error::Error for NotAllowable {}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadUrl => f.write_str("not a usable URL"),
            Self::Scheme => f.write_str("only https is permitted"),
            Self::UserInfo => f.write_str("the URL carries a user name"),
            Self::Fragment => f.write_str("the URL carries a fragment"),
            Self::Port(port) => write!(f, "port {port} is not permitted"),
            Self::Address { address, range } => {
                write!(f, "{address} must not be reached ({range:?})")
            }
            Self::PlainBeyondLoopback(address) => {
                write!(f, "plain http is for loopback addresses only, not for {address}")
            }
            Self::TooManyAddresses => f.write_str("the name has too many addresses"),
        }
    }
}

#[cfg(test)]
mod tests;
