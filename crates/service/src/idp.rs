//! Everything that reaches out to an identity provider, behind one network policy.
//!
//! STS asks [`jwks::Keys::find`] for the signing keys of one registered provider; IAM asks
//! [`discovery::thumbprints`] when a provider is created without any. Nothing else in the
//! product opens a connection to an address that a tenant chose.
//!
//! What can go wrong is in [`IdpError`]: small, cloneable (concurrent callers share one fetch and
//! so one failure), free of AWS codes and of anything secret.

pub mod discovery;
pub mod fetch;
pub mod jwks;
pub mod network;
pub mod tls;

#[cfg(test)]
mod testbed;

use std::{fmt, sync::Arc, time::Duration};

use claims::{Checks, oidc::Issuer};
use policy::{AccountId, Arn};

use self::{
    fetch::FetchError,
    network::NetworkPolicy,
    tls::{Thumbprint, TlsFailure},
};

/// Milliseconds since the Unix epoch, from whoever owns time (`vestibule::clock`, or a test).
pub type Clock = Arc<dyn Fn() -> u64 + Send + Sync>;

/// What a cached key set belongs to.
///
/// ATTACK: never the issuer alone. Two accounts may register the same issuer with different
/// thumbprints, and a key set fetched for one must not open the roles of the other; any change of
/// the provider raises its revision, which empties the cache.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ProviderKey {
    /// The account that registered the provider.
    pub account: AccountId,
    /// The provider's ARN, `arn:aws:iam::ACCOUNT:oidc-provider/HOST/PATH`.
    pub arn: Arn,
    /// The revision at which the provider was last written; grows with every change.
    pub revision: u64,
}

/// One registered OIDC provider as far as reaching it is concerned. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Provider {
    /// Whose keys these are.
    pub key: Arc<ProviderKey>,
    /// The issuer, exactly as `iss` must be.
    pub issuer: Arc<Issuer>,
    /// The registered thumbprints, at most five.
    pub thumbprints: Arc<[Thumbprint]>,
    /// The operator's settings for this provider.
    pub settings: Arc<ProviderSettings>,
}

/// The operator's settings for one provider: plain data, read from the configuration elsewhere.
#[derive(Debug, Clone)]
pub struct ProviderSettings {
    /// Private certificate authorities in PEM that may vouch for this provider's servers.
    pub ca_pem: Option<Arc<str>>,
    /// Permits plain `http` and any port, for loopback addresses only.
    pub allow_http_loopback: bool,
    /// What this provider may reach beyond the installation's own policy.
    pub network: NetworkPolicy,
    /// A JWKS document for a provider that cannot be reached: no connection is ever made.
    pub static_jwks: Option<Arc<str>>,
    /// How strictly its keys are judged.
    pub checks: Checks,
    /// How long keys count as fresh when the provider does not say (`Cache-Control: max-age`).
    pub fresh: Duration,
    /// The shortest and longest freshness that a provider's `max-age` may ask for.
    pub fresh_bounds: (Duration, Duration),
    /// How old keys may grow while the provider is unreachable; afterwards they are not used.
    pub max_stale: Duration,
    /// The least time between two fetches that an unknown key id or a failure gives rise to.
    pub refetch_interval: Duration,
}

/// The issuer that a registered URL stands for: `https`, or `http` where the operator has marked
/// this provider as a loopback one.
#[must_use]
pub fn issuer(registered: &str, settings: Option<&ProviderSettings>) -> Issuer {
    match settings.is_some_and(|settings| settings.allow_http_loopback) {
        true => Issuer::from_url(format!("http://{registered}")),
        false => Issuer::from_registered(registered),
    }
}

impl Default for ProviderSettings {
    fn default() -> Self {
        const MINUTE: Duration = Duration::from_secs(60);
        const HOUR: Duration = Duration::from_secs(3600);
        Self {
            ca_pem: None,
            allow_http_loopback: false,
            network: NetworkPolicy::default(),
            static_jwks: None,
            checks: Checks::default(),
            fresh: HOUR,
            fresh_bounds: (5 * MINUTE, 24 * HOUR),
            max_stale: 24 * HOUR,
            refetch_interval: Duration::from_secs(10),
        }
    }
}

/// Which of a provider's documents was being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Document {
    /// `ISSUER/.well-known/openid-configuration`.
    Discovery,
    /// The key set at `jwks_uri`.
    Keys,
}

impl fmt::Display for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Discovery => "discovery document",
            Self::Keys => "key set",
        })
    }
}

/// Why there are no usable keys for a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IdpError {
    /// The provider's server is not trusted: neither a known root nor a thumbprint vouches for it.
    /// STS answers `InvalidIdentityToken`, "… HTTPS certificate doesn't match configured
    /// thumbprint".
    Certificate {
        /// The document that was asked for.
        document: Document,
        /// What was wrong with the certificate.
        failure: TlsFailure,
    },
    /// The document could not be had. STS answers `IDPCommunicationError`.
    Unreachable {
        /// The document that was asked for.
        document: Document,
        /// What went wrong.
        cause: FetchError,
    },
    /// The document was had and is of no use. STS answers `IDPCommunicationError`.
    BadDocument {
        /// The document that was read.
        document: Document,
        /// What is wrong with it, clipped to 300 characters.
        reason: Box<str>,
    },
}

impl IdpError {
    fn of(document: Document, cause: FetchError) -> Self {
        match cause {
            FetchError::Tls(failure) if failure.is_distrust() => {
                Self::Certificate { document, failure }
            }
            cause => Self::Unreachable { document, cause },
        }
    }

    fn bad(document: Document, fault: &impl fmt::Display) -> Self {
        // The provider chose some of these words, so they are bounded.
        Self::BadDocument { document, reason: fault.to_string().chars().take(300).collect() }
    }
}

impl fmt::Display for IdpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Certificate { document, failure } => write!(f, "{document}: {failure}"),
            Self::Unreachable { document, cause } => write!(f, "{document}: {cause}"),
            Self::BadDocument { document, reason } => write!(f, "{document}: {reason}"),
        }
    }
}

impl std::error::Error for IdpError {}
