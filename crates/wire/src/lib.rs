//! How AWS bytes look: signatures, the query and JSON protocols, input tables, error bodies.
//!
//! `vestibule` and `service` call this crate on the way in (`sigv4`, [`query`], [`json11`], then
//! [`shape`] to turn a form into checked values) and on the way out ([`query_xml`], [`json11`],
//! [`error_body`]). It holds no state but a cache of signing keys, does no input or output, reads no
//! clock, and knows nothing of policies or tokens. What can go wrong is named per module as small
//! enums whose `Display` is the sentence AWS sends.

pub mod error_body;
pub mod json11;
pub mod query;
pub mod query_xml;
pub mod shape;
pub mod sigv4;
