//! The Security Token Service: one file per action. Source: AWS STS API Reference, 2011-06-15.

mod arn;
mod assume;
mod assume_role;
mod assume_role_with_web_identity;
mod duration;
mod federation;
mod get_caller_identity;
mod packed;
pub(crate) mod tags;
mod token_cache;

pub use self::federation::Federation;
pub use self::token_cache::TokenCache;

use crate::action::Entry;
use crate::registry::Api;

/// The service, with its actions in the order of their names.
pub const API: Api = Api {
    name: "sts",
    source: "sts.amazonaws.com",
    actions: &[&[
        Entry::of::<assume_role::AssumeRole>(),
        Entry::of::<assume_role_with_web_identity::AssumeRoleWithWebIdentity>(),
        Entry::of::<get_caller_identity::GetCallerIdentity>(),
    ]],
};
