//! OpenID Connect identity tokens, judged as AWS STS judges them.
//!
//! ```text
//! peek(text) → Unverified      its issuer says which provider to look up; nothing is trusted
//! verify(Input) → Outcome      with keys: Verified, or the first Failure, and every Finding
//! inspect(..) → Inspection     without keys: Unproven, which cannot stand in for Verified
//! causes(..) → [Cause]         why a claim differs from what a policy wants, in plain words
//! ```

pub mod diagnose;
pub mod discovery;

mod issuer;
mod peek;
mod verify;

pub use diagnose::{Cause, Difference, causes};
pub use discovery::{Discovery, DiscoveryFault};
pub use issuer::Issuer;
pub use peek::{Unverified, fingerprint, peek};
pub use verify::{
    Input, Inspection, Outcome, Presented, ProviderRules, Unproven, Verified, inspect, verify,
    verify_text,
};
