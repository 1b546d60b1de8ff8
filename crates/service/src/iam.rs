//! Identity and Access Management: one file per noun. Source: IAM API Reference, 2010-05-08.

mod access_key;
mod account;
mod attached;
mod authorization_details;
pub mod aws_managed;
mod bearer;
mod boundary;
mod credential_report;
mod credentials;
mod delete;
pub mod entity;
mod group;
mod inline;
mod instance_profile;
mod last_accessed;
pub(crate) use self::last_accessed::Jobs;
mod list;
mod login_profile;
pub mod mfa;
mod oidc_provider;
mod outbound;
pub mod page;
mod password;
pub mod password_policy;
mod policy;
mod rename;
mod role;
pub use self::role::DEFAULT_SESSION;
mod saml_provider;
mod server_certificate;
mod service_linked;
mod simulate;
mod tags;
mod trust;
mod user;
mod x509;

use crate::registry::Api;

/// The service, with its actions by noun.
pub const API: Api = Api {
    name: "iam",
    source: "iam.amazonaws.com",
    actions: &[
        &access_key::ACTIONS,
        &account::ACTIONS,
        &attached::ACTIONS,
        &authorization_details::ACTIONS,
        &boundary::ACTIONS,
        &credential_report::ACTIONS,
        &credentials::ACTIONS,
        &delete::ACTIONS,
        &group::ACTIONS,
        &inline::ACTIONS,
        &instance_profile::ACTIONS,
        &last_accessed::ACTIONS,
        &list::ACTIONS,
        &login_profile::ACTIONS,
        &mfa::ACTIONS,
        &oidc_provider::ACTIONS,
        &outbound::ACTIONS,
        &password_policy::ACTIONS,
        &policy::ACTIONS,
        &rename::ACTIONS,
        &role::ACTIONS,
        &server_certificate::ACTIONS,
        &service_linked::ACTIONS,
        &saml_provider::ACTIONS,
        &simulate::ACTIONS,
        &tags::ACTIONS,
        &user::ACTIONS,
    ],
};
