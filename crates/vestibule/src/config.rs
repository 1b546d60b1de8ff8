//! The settings: what the file may say, its defaults, and what is refused.
//!
//! Precedence is three explicit steps: the file, the environment (for secrets only), the flags
//! ([`crate::cli::up`] applies them). The file is read by [`Config::read`]; everything wrong with
//! it is reported at once, each with line and column and, for a misspelt name, the nearest one.
//! This is also the only module that reads the environment.

pub mod problem;
pub mod setting;
pub mod value;

mod read;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use policy::AccountId;
use serde::Deserialize;
use service::idp::network::{Allowed, Cidr};

pub use problem::{Faulty, Problem};

/// The settings of one server.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Accounts that exist from the first start; the first is the default one.
    #[serde(deserialize_with = "value::accounts")]
    pub accounts: Vec<AccountId>,
    /// Region names accepted in a signature's scope; empty for any.
    pub regions: Vec<String>,
    /// The region that events name when the caller named none.
    pub region: String,
    /// The listener.
    pub listen: Listen,
    /// TLS on the listener; plain HTTP when absent.
    pub tls: Option<Tls>,
    /// Where everything is kept.
    pub data: Data,
    /// Where the master key comes from.
    pub master_key: MasterKey,
    /// The log book.
    pub log_book: LogBook,
    /// What identity provider URLs may reach.
    pub network: Network,
    /// Prometheus metrics.
    pub metrics: Metrics,
    /// What the server prints on stderr.
    pub log: Log,
    /// Test switches.
    pub test: Test,
    /// What AWS has no field for, by provider ARN.
    pub provider: BTreeMap<String, Provider>,
}

/// `[listen]`
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Listen {
    /// Address and port; port 0 takes a free one.
    pub address: SocketAddr,
    /// The URL by which others reach the server.
    #[serde(deserialize_with = "value::base_url")]
    pub public_url: Option<String>,
    /// Worker threads; 0 means one per core.
    pub threads: usize,
    /// Connections held at once.
    pub max_connections: usize,
    /// Header fields of one request.
    pub max_headers: usize,
    /// Bytes of a request's head.
    #[serde(deserialize_with = "value::size")]
    pub max_header_bytes: u64,
    /// How long a head may take, and an idle connection may stay.
    #[serde(deserialize_with = "value::duration")]
    pub header_timeout: Duration,
    /// How long a body may take.
    #[serde(deserialize_with = "value::duration")]
    pub body_timeout: Duration,
    /// Bytes of bodies that are held at once, of all requests together.
    #[serde(deserialize_with = "value::size")]
    pub body_memory: u64,
    /// How long a request waits for its part of that.
    #[serde(deserialize_with = "value::duration")]
    pub body_patience: Duration,
    /// How long requests under way may take when the server stops.
    #[serde(deserialize_with = "value::duration")]
    pub drain: Duration,
    /// Peers whose forwarding headers are believed.
    #[serde(deserialize_with = "value::networks")]
    pub trusted_proxies: Vec<Cidr>,
}

/// `[tls]`
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tls {
    /// Certificate chain, PEM.
    pub certificate: Option<PathBuf>,
    /// Private key, PEM.
    pub key: Option<PathBuf>,
    /// Make a development certificate.
    pub generate: bool,
    /// Its names.
    pub names: Vec<String>,
}

/// `[data]`
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Data {
    /// The data folder.
    pub folder: PathBuf,
}

/// `[master_key]`: one of the three, or the default file in the data folder.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MasterKey {
    /// A key file.
    pub file: Option<PathBuf>,
    /// The name of an environment variable.
    pub env: Option<String>,
    /// A program and its arguments.
    pub command: Option<Vec<String>>,
}

/// How surely an event is kept before the answer leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Durability {
    /// Handed to the kernel: survives a killed process.
    Written,
    /// On the disk: survives a power cut.
    Synced,
}

/// `[log_book]`
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogBook {
    /// The least durability of any event.
    pub durability: Durability,
    /// The durability of issued credentials' receipts.
    pub issuing: Durability,
    /// Retention by age.
    #[serde(deserialize_with = "value::duration")]
    pub keep_for: Duration,
    /// Retention by size, in bytes.
    #[serde(deserialize_with = "value::size")]
    pub keep_bytes: u64,
    /// Largest event, in bytes.
    #[serde(deserialize_with = "value::size")]
    pub max_event_bytes: u64,
    /// Events per second that unauthenticated calls may cause.
    pub flood_rate: u32,
    /// Bytes held back for when the disk is full.
    #[serde(deserialize_with = "value::size")]
    pub reserve_bytes: u64,
}

/// `[network]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Network {
    /// Private networks and hosts that may be reached.
    #[serde(deserialize_with = "value::reach")]
    pub allow: Vec<Allowed>,
    /// Ports that may be reached besides 443 and 8443.
    pub ports: Vec<u16>,
    /// Further certificate authorities, PEM.
    pub ca_file: Option<PathBuf>,
}

/// `[metrics]`
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Metrics {
    /// Serve `/_metrics`.
    pub enabled: bool,
    /// Who may read it.
    #[serde(deserialize_with = "value::networks")]
    pub allow: Vec<Cidr>,
}

/// `[log]`
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// In the form of `RUST_LOG`.
    pub filter: String,
    /// The form of a line.
    pub format: LogFormat,
}

/// The form of a line on stderr.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object per line.
    Json,
}

/// `[test]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Test {
    /// Serve the built-in issuer.
    pub issuer: bool,
    /// Let the clock be moved.
    pub clock: bool,
}

/// `[provider."ARN"]`
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Provider {
    /// How strictly tokens are read.
    pub checks: Checks,
    /// SAML: audiences besides AWS's own.
    pub audiences: Vec<String>,
    /// SAML: recipients and destinations besides AWS's own.
    pub addresses: Vec<String>,
    /// SAML: how far clocks may differ.
    #[serde(deserialize_with = "value::duration")]
    pub skew: Duration,
    /// Which claims become condition keys.
    pub claims: Claims,
    /// Claims exposed besides AWS's own, with their type.
    pub extended: BTreeMap<String, ClaimType>,
    /// Claim → session tag key.
    pub tags: BTreeMap<String, String>,
    /// Further certificate authorities, PEM.
    pub ca_file: Option<PathBuf>,
    /// Plain http on loopback.
    pub allow_http_loopback: bool,
    /// Keys from a file, never from the network.
    pub static_jwks: Option<PathBuf>,
    /// Private networks and hosts this provider may be reached at.
    #[serde(deserialize_with = "value::reach")]
    pub network_allow: Vec<Allowed>,
    /// Ports this provider may be reached at, besides those of everyone.
    pub network_ports: Vec<u16>,
    /// How long cached keys serve while the provider is down.
    #[serde(deserialize_with = "value::duration")]
    pub max_stale: Duration,
    /// The least time between fetches because of an unknown key id.
    #[serde(deserialize_with = "value::duration")]
    pub refetch_interval: Duration,
}

/// How strictly tokens are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Checks {
    /// What is safe.
    Strict,
    /// What AWS does.
    Aws,
}

/// Which claims become condition keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Claims {
    /// Those that AWS exposes.
    Aws,
    /// Those and the ones declared under `extended`.
    Extended,
}

/// The type of an extended claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClaimType {
    /// One text.
    String,
    /// Several texts: a multivalued key.
    List,
    /// A number.
    Number,
    /// True or false.
    Bool,
}

impl Config {
    /// Reads `text`, which was found at `path`; relative files are taken from its folder.
    ///
    /// # Errors
    /// Everything that is wrong with it, with positions.
    pub fn parse(path: &Path, text: &str) -> Result<Config, Faulty> {
        read::config(path, text)
    }

    /// The settings file that `--config` names, or `vestibule.toml` here, or the defaults.
    ///
    /// # Errors
    /// A named file that cannot be read; everything that is wrong with the file.
    pub fn read(named: Option<&Path>) -> Result<Config, Faulty> {
        const LIMIT: u64 = 1 << 20;
        let path = named.unwrap_or(Path::new("vestibule.toml"));
        let refused = |why: String| Faulty::whole(path, format!("cannot be read: {why}"));
        match std::fs::metadata(path) {
            Err(_) if named.is_none() => return Ok(Config::default()),
            Err(error) => return Err(refused(error.to_string())),
            Ok(meta) if meta.len() > LIMIT => return Err(refused("larger than 1 MiB".to_owned())),
            Ok(_) => {}
        }
        let text = std::fs::read_to_string(path).map_err(|error| refused(error.to_string()))?;
        Config::parse(path, &text)
    }
}

/// The value of an environment variable, if it is set and is text.
pub fn environment(name: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "config is the place that reads the environment")]
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

impl Default for Config {
    fn default() -> Config {
        Config {
            accounts: AccountId::parse("111122223333").into_iter().collect(),
            regions: Vec::new(),
            region: "us-east-1".to_owned(),
            listen: Listen::default(),
            tls: None,
            data: Data::default(),
            master_key: MasterKey::default(),
            log_book: LogBook::default(),
            network: Network::default(),
            metrics: Metrics::default(),
            log: Log::default(),
            test: Test::default(),
            provider: BTreeMap::new(),
        }
    }
}

impl Default for Listen {
    fn default() -> Listen {
        Listen {
            address: SocketAddr::from(([127, 0, 0, 1], 4570)),
            public_url: None,
            threads: 0,
            max_connections: 10_000,
            max_headers: 100,
            max_header_bytes: 64 << 10,
            header_timeout: Duration::from_secs(60),
            body_timeout: Duration::from_secs(30),
            body_memory: 256 << 20,
            body_patience: Duration::from_secs(2),
            drain: Duration::from_secs(10),
            trusted_proxies: Vec::new(),
        }
    }
}

impl Default for Tls {
    fn default() -> Tls {
        let names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).to_vec();
        Tls { certificate: None, key: None, generate: false, names }
    }
}

impl Default for Data {
    fn default() -> Data {
        Data { folder: PathBuf::from(".vestibule") }
    }
}

impl Default for LogBook {
    fn default() -> LogBook {
        LogBook {
            durability: Durability::Written,
            issuing: Durability::Synced,
            keep_for: Duration::from_secs(90 * 86_400),
            keep_bytes: 4 << 30,
            max_event_bytes: 64 << 10,
            flood_rate: 50,
            reserve_bytes: 64 << 20,
        }
    }
}

impl Default for Metrics {
    fn default() -> Metrics {
        let allow = ["127.0.0.0/8", "::1/128"].iter().filter_map(|net| net.parse().ok()).collect();
        Metrics { enabled: true, allow }
    }
}

impl Default for Log {
    fn default() -> Log {
        Log { filter: "info".to_owned(), format: LogFormat::Text }
    }
}

impl Default for Provider {
    fn default() -> Provider {
        Provider {
            checks: Checks::Strict,
            audiences: Vec::new(),
            addresses: Vec::new(),
            skew: Duration::from_secs(300),
            claims: Claims::Aws,
            extended: BTreeMap::new(),
            tags: BTreeMap::new(),
            ca_file: None,
            allow_http_loopback: false,
            static_jwks: None,
            network_allow: Vec::new(),
            network_ports: Vec::new(),
            max_stale: Duration::from_secs(86_400),
            refetch_interval: Duration::from_secs(10),
        }
    }
}
