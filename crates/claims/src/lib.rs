//! Tokens in, verified claims out. Keys and time are arguments; nothing here reaches a network,
//! a disk or a clock.
//!
//! The way of one token:
//! [`oidc::peek`] reads it without trusting it (so that its issuer can be looked up) →
//! [`oidc::verify`] judges it once and completely against one provider's rules and keys, giving
//! an [`oidc::Outcome`]: every check performed ([`Finding`]) and either [`oidc::Verified`] or the
//! first [`Failure`] in the order in which AWS answers.
//!
//! Who calls this: the service's `AssumeRoleWithWebIdentity`, the command line (offline checks,
//! minting), the test issuer. What can go wrong: a token is refused; nothing panics, whatever the
//! bytes are.

pub mod jose;
pub mod mapping;
pub mod mint;
pub mod oidc;
pub mod saml;
pub mod tags;

mod claim_set;
mod failure;
mod finding;

pub use claim_set::Claims;
pub use failure::{Failure, Malformed};
pub use finding::{Check, Finding, Text, Verdict};

use serde::{Deserialize, Serialize};

/// How closely to follow AWS where AWS is more lenient than is prudent.
///
/// Codes and texts are AWS's in both; only the set of accepted tokens differs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Checks {
    /// Refuses what is ambiguous or unwise even if AWS takes it: duplicate JSON members, times as
    /// strings, a JWK whose `alg` contradicts the token's, ambiguous key ids, access-token types.
    #[default]
    Strict,
    /// What AWS has been observed to do.
    Aws,
}

/// Seconds since 1970-01-01T00:00:00Z, as in JWT's `NumericDate` (RFC 7519 section 2), whole.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct UnixTime(pub i64);

impl UnixTime {
    /// This time moved by `seconds`, stopping at the ends of the range.
    #[must_use]
    pub fn plus(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds))
    }
}

impl std::fmt::Display for UnixTime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}
