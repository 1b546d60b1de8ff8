//! Whole calls against a whole plane, in one process: signed, decoded, decided, committed and
//! recorded as a client's would be. Every accept has its twin that is denied, for the stated reason.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod account;
mod accounts;
mod authorization;
mod credentials;
mod delegation;
mod federation;
mod federation_token;
mod instance_profiles;
mod last_accessed;
mod memberships;
mod mfa;
mod nouns;
mod organization;
mod organizations;
mod outbound;
mod pages;
mod passwords;
mod registry;
mod saml;
#[path = "../../../claims/tests/saml/idp.rs"]
#[allow(clippy::string_slice, reason = "it cuts texts that it has made itself")]
mod saml_idp;
mod scene;
mod server_certificates;
mod sessions;
mod simulate;
mod stories;
mod support;
mod tags;
mod unread;
mod uses;
mod vectors;
mod withdrawal;
mod writers;
