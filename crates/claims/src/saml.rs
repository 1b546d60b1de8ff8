//! SAML 2.0 responses, judged as AWS STS judges them, and in strict mode as SAML does.
//!
//! ```text
//! verify(Input) → Outcome      with certificates: Verified, or the first Failure, and every Finding
//! inspect(..) → Inspection     without: Unproven, which cannot stand in for Verified
//! Metadata::parse(xml)         an identity provider's entity id and certificates
//! ```
//!
//! INVARIANT: what is read comes from the very element that the signature covers, out of the one
//! parse on which the signature was checked.

mod attribute;
mod canonical;
mod certificate;
mod date;
mod diagnose;
mod encryption;
mod failure;
mod metadata;
mod signature;
mod verify;
mod xml;

pub use attribute::{AWS_PREFIX, Key};
pub use certificate::Certificate;
pub use encryption::DecryptionKey;
pub use failure::Failure;
pub use metadata::{Metadata, MetadataFault};
pub use signature::SignatureFault;
pub use verify::{
    Input, Inspection, Outcome, Presented, ProviderRules, Said, Unproven, Verified, Wanted,
    inspect, verify,
};
pub use xml::XmlFault;
