//! The Security Token Service: one file per action. Source: AWS STS API Reference, 2011-06-15.

mod arn;
mod asserted;
mod assume;
mod assume_role;
mod assume_role_with_saml;
mod assume_role_with_web_identity;
pub mod decode_authorization_message;
mod duration;
mod federation;
mod get_access_key_info;
mod get_caller_identity;
mod get_federation_token;
mod get_session_token;
mod get_web_identity_token;
pub(crate) mod outbound;
mod packed;
pub(crate) mod tags;
mod token_cache;
mod used;

pub(crate) use self::asserted::SamlKeys;
pub use self::federation::{Federated, Federation};
pub use self::token_cache::TokenCache;
pub(crate) use self::used::UsedAssertions;

use crate::action::Entry;
use crate::audit::ours::check;
use crate::cx::Cx;
use crate::error::{Error, Result, code};
use crate::registry::Api;

/// The service, with its actions in the order of their names.
pub const API: Api = Api {
    name: "sts",
    source: "sts.amazonaws.com",
    actions: &[&[
        Entry::of::<assume_role::AssumeRole>(),
        Entry::of::<assume_role_with_saml::AssumeRoleWithSaml>(),
        Entry::of::<assume_role_with_web_identity::AssumeRoleWithWebIdentity>(),
        Entry::of::<decode_authorization_message::DecodeAuthorizationMessage>(),
        Entry::of::<get_access_key_info::GetAccessKeyInfo>(),
        Entry::of::<get_caller_identity::GetCallerIdentity>(),
        Entry::of::<get_federation_token::GetFederationToken>(),
        Entry::of::<get_session_token::GetSessionToken>(),
        Entry::of::<get_web_identity_token::GetWebIdentityToken>(),
    ]],
};

/// Only long-term keys vouch for a user: a session cannot prolong itself.
fn refuse_session(cx: &Cx<'_>, action: &str) -> Result<()> {
    match cx.caller.session {
        None => Ok(()),
        Some(_) => Err(Error::new(
            code::ACCESS_DENIED,
            format!("Cannot call {action} with session credentials"),
        )
        .failing(check::SESSION_KIND, "long-term keys", "the credentials of a session")),
    }
}
