//! SAML: the corpus of attacks, laws over arbitrary bytes, and a second opinion.
#![allow(
    clippy::string_slice,
    clippy::indexing_slicing,
    reason = "tests on texts that they have made themselves"
)]

#[cfg(test)]
mod corpus;
#[cfg(test)]
mod differential;
#[cfg(test)]
mod idp;
#[cfg(test)]
mod laws;
