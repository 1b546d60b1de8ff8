//! JSON object signing (RFC 7515, 7517, 7518), only what identity tokens need.
//!
//! Compact serialization, six algorithms, public keys from a JWKS document. The algorithm is a
//! property of the *key*; the header can only name one that fits it.

pub mod alg;
pub mod json;
pub mod jwk;
pub mod jws;
pub mod sign;

mod b64;
pub(crate) mod der;
mod verify;

pub use alg::Alg;
pub use der::rsa_components;
pub use jwk::{JwksFault, KeyMiss, KeySet, KeyVerdict, Unusable};
pub use sign::{SigningKey, jwks};
