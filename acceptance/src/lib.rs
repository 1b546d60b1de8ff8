//! What an acceptance test stands on: the real binary on a free port, a real identity provider beside
//! it, and the clients that AWS's users already have.
//!
//! Nothing here knows the server from inside. Everything is started by the test that needs it, on a
//! port the system chose and in a folder of its own, and ends with it.
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test bench stops at the first thing that is not as it must be"
)]

mod ansible;
mod authenticator;
mod authority;
mod aws_cli;
mod boto3;
mod browser;
mod child;
mod client;
mod consumer;
mod federation;
mod http;
mod idp;
mod recorded;
mod saml_idp;
mod simplesamlphp;
mod tools;
mod vestibule;

pub use self::{
    ansible::Ansible,
    authenticator::{Authenticator, Scanned},
    authority::Authority,
    aws_cli::aws_cli_script,
    boto3::{Boto3, Credentials, Refusal, Session},
    browser::Browser,
    client::{Client, Identity, WebIdentity},
    consumer::Consumer,
    federation::{ACCOUNT, Federation, PROJECTS},
    http::{Answer, get, post_form, raw},
    idp::OidcProvider,
    recorded::{Parsed, Recorded},
    saml_idp::SamlIdp,
    simplesamlphp::SimpleSaml,
    tools::Tools,
    vestibule::{Setup, Vestibule},
};
