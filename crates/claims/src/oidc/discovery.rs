//! An issuer's discovery document (OpenID Connect Discovery 1.0, sections 3 and 4).

use serde::Serialize;
use serde_json::Value;

use crate::jose::json::{self, JsonFault, Limits};
use crate::oidc::Issuer;

/// Longest document that is read, in bytes.
pub const MAX_DISCOVERY_BYTES: usize = 256 * 1024;

const LIMITS: Limits = Limits { bytes: MAX_DISCOVERY_BYTES, depth: 16, values: 4096 };

/// What we need of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Discovery {
    /// Where the issuer's keys are.
    pub jwks_uri: String,
    /// The signature algorithms that the issuer says it uses. Only for explanations.
    pub algorithms: Vec<String>,
}

/// Over which transport keys may be fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// `https` only.
    Https,
    /// Also plain `http`, but only to this machine: for test issuers whose provider the
    /// configuration marks so.
    LoopbackHttp,
}

/// Why a discovery document cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum DiscoveryFault {
    /// Not a JSON object within the limits.
    Json(JsonFault),
    /// Its `issuer` is not the provider's (section 4.3).
    Issuer {
        /// The provider's issuer.
        wanted: String,
        /// The document's.
        had: String,
    },
    /// `jwks_uri` is missing or not a string.
    NoJwksUri,
    /// `jwks_uri` is not a URL that keys may be fetched from.
    JwksUri {
        /// The URL.
        uri: String,
    },
}

impl std::fmt::Display for DiscoveryFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Json(fault) => write!(f, "the discovery document is {fault}"),
            Self::Issuer { wanted, had } => {
                write!(f, "the discovery document says issuer {had:?}, the provider is {wanted:?}")
            }
            Self::NoJwksUri => f.write_str("the discovery document has no jwks_uri"),
            Self::JwksUri { uri } => write!(f, "jwks_uri {uri:?} is not an https URL"),
        }
    }
}

impl Discovery {
    /// Where an issuer's document is: the issuer, one slash, the well-known path.
    #[must_use]
    pub fn url(issuer: &Issuer) -> String {
        let base = issuer.as_str();
        format!("{}/.well-known/openid-configuration", base.strip_suffix('/').unwrap_or(base))
    }

    /// Reads a document that was fetched for `issuer`.
    ///
    /// # Errors
    /// If it is unreadable, is another issuer's, or names no place that keys may come from.
    pub fn parse(
        document: &[u8],
        issuer: &Issuer,
        transport: Transport,
    ) -> Result<Self, DiscoveryFault> {
        let members = json::object(document, LIMITS).map_err(DiscoveryFault::Json)?.members;
        let text = |name| members.get(name).and_then(Value::as_str);
        // ATTACK: a document of another issuer would lend that issuer's keys to this one.
        let had = text("issuer").unwrap_or_default();
        if had != issuer.as_str() {
            return Err(DiscoveryFault::Issuer {
                wanted: issuer.as_str().to_owned(),
                had: had.to_owned(),
            });
        }
        let uri = text("jwks_uri").ok_or(DiscoveryFault::NoJwksUri)?;
        if !fetchable(uri, transport) {
            return Err(DiscoveryFault::JwksUri { uri: uri.to_owned() });
        }
        let algorithms = match members.get("id_token_signing_alg_values_supported") {
            Some(Value::Array(names)) => {
                names.iter().filter_map(Value::as_str).map(str::to_owned).collect()
            }
            _ => Vec::new(),
        };
        Ok(Self { jwks_uri: uri.to_owned(), algorithms })
    }
}

fn fetchable(uri: &str, transport: Transport) -> bool {
    if uri.len() > 2048 || uri.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return false;
    }
    let authority = |rest: &str| rest.split(['/', '?', '#']).next().unwrap_or_default().to_owned();
    let plain = |host: &str| !host.is_empty() && !host.contains('@');
    match (uri.strip_prefix("https://"), uri.strip_prefix("http://"), transport) {
        (Some(rest), _, _) => plain(&authority(rest)),
        (_, Some(rest), Transport::LoopbackHttp) => is_loopback(&authority(rest)),
        _ => false,
    }
}

fn is_loopback(authority: &str) -> bool {
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issuer() -> Issuer {
        Issuer::from_registered("idp.example/tenant/")
    }

    fn parse(issuer_member: &str, jwks_uri: &str, transport: Transport) -> Option<DiscoveryFault> {
        let document = serde_json::json!({ "issuer": issuer_member, "jwks_uri": jwks_uri });
        Discovery::parse(document.to_string().as_bytes(), &issuer(), transport).err()
    }

    #[test]
    fn url_has_one_slash() {
        let wanted = "https://idp.example/tenant/.well-known/openid-configuration";
        assert_eq!(Discovery::url(&issuer()), wanted);
        assert_eq!(Discovery::url(&Issuer::from_registered("idp.example/tenant")), wanted);
    }

    #[test]
    fn issuer_must_be_the_same_to_the_byte() {
        let good = "https://idp.example/tenant/";
        assert_eq!(parse(good, "https://keys.example/k", Transport::Https), None);
        for other in ["https://idp.example/tenant", "https://IDP.example/tenant/", ""] {
            let fault = parse(other, "https://keys.example/k", Transport::Https);
            assert!(matches!(fault, Some(DiscoveryFault::Issuer { .. })), "{other}");
        }
    }

    #[test]
    fn keys_come_over_https_or_marked_loopback() {
        let good = "https://idp.example/tenant/";
        let refused = |uri: &str, transport| {
            matches!(parse(good, uri, transport), Some(DiscoveryFault::JwksUri { .. }))
        };
        for uri in ["http://keys.example/k", "file:///etc/passwd", "https://", "https://u@h/k"] {
            assert!(refused(uri, Transport::Https), "{uri}");
            assert!(refused(uri, Transport::LoopbackHttp), "{uri}");
        }
        for uri in ["http://127.0.0.1:9/k", "http://[::1]:9/k", "http://localhost/k"] {
            assert!(refused(uri, Transport::Https), "{uri}");
            assert!(!refused(uri, Transport::LoopbackHttp), "{uri}");
        }
        assert!(refused("http://127.0.0.1.evil.example/k", Transport::LoopbackHttp));
        assert!(refused("http://localhost@evil.example/k", Transport::LoopbackHttp));
    }

    #[test]
    fn a_document_without_keys_is_refused() {
        let document = br#"{"issuer":"https://idp.example/tenant/"}"#;
        assert_eq!(
            Discovery::parse(document, &issuer(), Transport::Https),
            Err(DiscoveryFault::NoJwksUri)
        );
    }
}
