//! Opening what a data folder holds: store, keys, log book, and the plane over them.
//!
//! The server opens it under the folder's lock; commands that change something beside a running
//! server (`vestibule account`) open it too: the store orders their commits, and the server
//! follows them.

use std::{collections::HashMap, path::Path, sync::Arc};

use service::{
    audit::{BookOptions, Durability, FloodLimits, LogBook},
    idp::{ProviderSettings, fetch::Fetcher, jwks::Keys, network::NetworkPolicy},
    plane::{Parts, Plane},
    settings::{self, ClaimKind, ExtendedClaim, Settings},
};
use store::segment::{Limits, WriterId};

use crate::{
    clock::Clock,
    config::{self, Checks, ClaimType, Claims, Config, Provider},
    data::DataFolder,
    master_key,
};

/// Providers whose keys are kept in memory at once.
const PROVIDERS: usize = 4096;

/// An installation that is open.
pub struct Installation {
    /// What answers calls.
    pub plane: Arc<Plane>,
    /// The master key lies in the data folder, about which the operator must be told.
    pub key_beside_the_data: bool,
}

/// Who opens an installation.
#[derive(Clone, Copy, Debug)]
pub enum Opener<'a> {
    /// The server, under the folder's lock.
    Server {
        /// The URL at which it listens.
        url: &'a str,
        /// Whether it serves the built-in issuer below it: providers there may be reached although
        /// they are on loopback.
        test_issuer: bool,
    },
    /// A command, perhaps beside a server.
    Command,
}

impl Opener<'_> {
    /// The name under which it writes the log book; no two processes share one.
    fn writer(self) -> String {
        match self {
            Opener::Server { .. } => "server".to_owned(),
            Opener::Command => format!("command-{}", std::process::id()),
        }
    }
}

/// Why an installation does not open.
#[derive(Debug)]
pub struct NotOpen(String);

impl std::fmt::Display for NotOpen {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.0)
    }
}

impl std::error::Error for NotOpen {}

/// Opens the installation in `folder`.
///
/// # Errors
/// A master key, store or log book that cannot be used; a file that the settings name and that
/// cannot be read.
pub async fn open(
    config: &Config,
    folder: &DataFolder,
    clock: &Clock,
    opener: Opener<'_>,
) -> Result<Installation, NotOpen> {
    let failed = |error: &dyn std::fmt::Display| NotOpen(error.to_string());
    let keys = master_key::open(&config.master_key, folder).map_err(|error| failed(&error))?;
    let mut settings = service_settings(config)?;
    if let (Opener::Server { url, .. }, true) = (opener, settings.public_url.is_empty()) {
        url.clone_into(&mut settings.public_url);
    }
    if let Opener::Server { url: base, test_issuer: true } = opener {
        let authority = folder.tls().join("ca.pem");
        let provider = own_issuer(base, &authority)?;
        let name = base.split_once("://").map_or(base, |(_, name)| name);
        settings.providers = settings.providers.all_below(format!("{name}/_issuer"), provider);
    }
    let store =
        store::open(&store::Place::Sqlite(folder.store())).await.map_err(|error| failed(&error))?;
    let network =
        NetworkPolicy { allow: config.network.allow.clone(), ports: config.network.ports.clone() };
    let millis = {
        let clock = clock.clone();
        Arc::new(move || u64::try_from(clock.now().as_millisecond()).unwrap_or(0))
    };
    let parts = Parts {
        settings,
        keyring: keys.ring,
        store,
        book: Arc::new(log_book(config, folder, &opener.writer())?),
        idp: Keys::new(Fetcher::new(network, millis), PROVIDERS),
        clock: {
            let clock = clock.clone();
            Arc::new(move || clock.now())
        },
    };
    let plane = Plane::open(parts).await.map_err(|error| failed(&error))?;
    Ok(Installation { plane: Arc::new(plane), key_beside_the_data: keys.beside_the_data })
}

fn durability(wanted: config::Durability) -> Durability {
    match wanted {
        config::Durability::Written => Durability::Written,
        config::Durability::Synced => Durability::Synced,
    }
}

/// The log book.
fn log_book(config: &Config, folder: &DataFolder, writer: &str) -> Result<LogBook, NotOpen> {
    let wanted = &config.log_book;
    let writer = WriterId::new(writer)
        .ok_or_else(|| NotOpen(format!("{writer} is no name for a writer of the log book")))?;
    let usual = BookOptions::new(&folder.log(), writer);
    let options = BookOptions {
        event_bytes: usize::try_from(wanted.max_event_bytes).unwrap_or(usual.event_bytes),
        flood: FloodLimits { per_second: wanted.flood_rate, ..usual.flood },
        floor: durability(wanted.durability),
        keep: Limits { age: wanted.keep_for, bytes: wanted.keep_bytes },
        reserve_bytes: wanted.reserve_bytes,
        ..usual
    };
    let (book, recovery) = LogBook::open(options)
        .map_err(|error| NotOpen(format!("{}: {error}", folder.log().display())))?;
    if let Some((_, bytes)) = recovery.torn {
        tracing::warn!(bytes, "the log book's last entry was torn by a crash and is set aside");
    }
    Ok(book)
}

/// The service's settings; files that they name are read now, so that a fault shows at the start.
///
/// # Errors
/// A file that cannot be read; an account list without an account.
pub fn service_settings(config: &Config) -> Result<Settings, NotOpen> {
    let account = config.accounts.first().copied();
    let account = account.ok_or_else(|| NotOpen("accounts: none".to_owned()))?;
    let everyone = config.network.ca_file.as_deref().map(text).transpose()?;
    let mut providers = HashMap::new();
    for (arn, provider) in &config.provider {
        providers.insert(arn.clone(), provider_settings(provider, everyone.as_deref())?);
    }
    let providers = settings::Providers::new(providers);
    let regions = Some(config.regions.clone()).filter(|regions| !regions.is_empty());
    let issuing = durability(config.log_book.issuing);
    let public_url = config.listen.public_url.clone().unwrap_or_default();
    let region = config.region.clone();
    Ok(Settings { region, regions, public_url, account, providers, issuing })
}

fn provider_settings(
    provider: &Provider,
    everyone: Option<&str>,
) -> Result<settings::Provider, NotOpen> {
    let checks = match provider.checks {
        Checks::Strict => claims::Checks::Strict,
        Checks::Aws => claims::Checks::Aws,
    };
    let own = provider.ca_file.as_deref().map(text).transpose()?;
    let authorities: Vec<&str> = own.as_deref().into_iter().chain(everyone).collect();
    let authorities = authorities.join("\n");
    let keys = provider.static_jwks.as_deref().map(text).transpose()?;
    let extended = match provider.claims {
        Claims::Aws => Vec::new(),
        Claims::Extended => {
            let claim = |(name, kind): (&String, &ClaimType)| ExtendedClaim {
                name: name.clone(),
                kind: claim_kind(*kind),
            };
            provider.extended.iter().map(claim).collect()
        }
    };
    let mapped = provider.tags.iter().map(|(claim, tag)| claims::mapping::MappedClaim {
        claim: claims::mapping::ClaimPath::new(claim),
        tag: tag.clone(),
    });
    Ok(settings::Provider {
        checks,
        saml: settings::Saml {
            audiences: provider.audiences.clone(),
            addresses: provider.addresses.clone(),
            skew: i64::try_from(provider.skew.as_secs()).ok(),
        },
        extended_claims: extended,
        tag_mapping: claims::mapping::Mapping(mapped.collect()),
        reach: ProviderSettings {
            ca_pem: Some(authorities).filter(|pem| !pem.is_empty()).map(Into::into),
            allow_http_loopback: provider.allow_http_loopback,
            network: NetworkPolicy {
                allow: provider.network_allow.clone(),
                ports: provider.network_ports.clone(),
            },
            static_jwks: keys.map(Into::into),
            checks,
            max_stale: provider.max_stale,
            refetch_interval: provider.refetch_interval,
            ..ProviderSettings::default()
        },
    })
}

/// How the server reaches its own test issuer.
fn own_issuer(base: &str, authority: &Path) -> Result<settings::Provider, NotOpen> {
    let mut reach = ProviderSettings::default();
    match base.rsplit_once(':').and_then(|(_, port)| port.parse().ok()) {
        Some(port) if base.starts_with("https://") => {
            let loopback = ["127.0.0.0/8", "::1/128"];
            reach.network = NetworkPolicy {
                allow: loopback.iter().filter_map(|net| net.parse().ok()).collect(),
                ports: vec![port],
            };
            if authority.exists() {
                reach.ca_pem = Some(text(authority)?.into());
            }
        }
        _ => reach.allow_http_loopback = true,
    }
    Ok(settings::Provider { reach, ..settings::Provider::default() })
}

fn claim_kind(kind: ClaimType) -> ClaimKind {
    match kind {
        ClaimType::String => ClaimKind::String,
        ClaimType::List => ClaimKind::List,
        ClaimType::Number => ClaimKind::Number,
        ClaimType::Bool => ClaimKind::Bool,
    }
}

fn text(path: &Path) -> Result<String, NotOpen> {
    std::fs::read_to_string(path).map_err(|error| NotOpen(format!("{}: {error}", path.display())))
}
