//! Identity and Access Management: one file per noun. Source: IAM API Reference, 2010-05-08.

pub mod aws_managed;
pub mod entity;
mod oidc_provider;
pub mod page;
mod policy;
mod role;
mod trust;

use crate::registry::Api;

/// The service, with its actions by noun.
pub const API: Api = Api {
    name: "iam",
    source: "iam.amazonaws.com",
    actions: &[&oidc_provider::ACTIONS, &role::ACTIONS],
};
