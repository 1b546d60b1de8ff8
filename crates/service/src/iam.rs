//! Identity and Access Management: one file per noun. Source: IAM API Reference, 2010-05-08.

mod attached;
pub mod aws_managed;
mod bearer;
mod boundary;
pub mod entity;
mod inline;
mod oidc_provider;
pub mod page;
mod policy;
mod role;
mod tags;
mod trust;

use crate::registry::Api;

/// The service, with its actions by noun.
pub const API: Api = Api {
    name: "iam",
    source: "iam.amazonaws.com",
    actions: &[
        &attached::ACTIONS,
        &boundary::ACTIONS,
        &inline::ACTIONS,
        &oidc_provider::ACTIONS,
        &role::ACTIONS,
        &tags::ACTIONS,
    ],
};
