//! Who issued a token: an exact string, never normalised.

use serde::{Deserialize, Serialize};

/// Google's tokens name their issuer with or without the scheme; AWS accepts both.
const GOOGLE: &str = "accounts.google.com";

/// A provider's issuer: its URL with scheme, exactly as it must stand in `iss`.
///
/// INVARIANT: compared byte for byte. Case, port and a trailing slash are significant.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Issuer(String);

impl Issuer {
    /// From a URL with scheme, such as `https://token.actions.githubusercontent.com`.
    #[must_use]
    pub fn from_url(url: impl Into<String>) -> Self {
        Self(url.into())
    }

    /// From the form that IAM stores and shows: host and path without `https://`.
    #[must_use]
    pub fn from_registered(name: &str) -> Self {
        Self(format!("https://{name}"))
    }

    /// The URL with scheme.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Host and path without scheme: the provider's name in ARNs and condition keys.
    #[must_use]
    pub fn registered(&self) -> &str {
        without_scheme(&self.0)
    }

    /// Under which name to look for the provider of a token with this `iss`. `None` if no provider
    /// can have it.
    #[must_use]
    pub fn registered_name_of(iss: &str) -> Option<&str> {
        let named = without_scheme(iss);
        (named.len() < iss.len() || iss == GOOGLE).then_some(named)
    }

    /// Whether a token with this `iss` is this issuer's.
    ///
    /// ATTACK: an issuer that differs by a slash, by case or by scheme is another issuer
    /// (corpus/tokens/oidc/iss-*.json).
    #[must_use]
    pub fn accepts(&self, iss: &str) -> bool {
        self.0 == iss || (iss == GOOGLE && self.0.strip_prefix("https://") == Some(GOOGLE))
    }
}

impl std::fmt::Display for Issuer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

fn without_scheme(url: &str) -> &str {
    url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")).unwrap_or(url)
}
