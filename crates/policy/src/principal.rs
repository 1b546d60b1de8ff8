//! Who asks.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::arn::{AccountId, Arn};

/// An IAM unique id: `AIDA…` for a user, `AROA…` for a role. Never used again after deletion,
/// which is why principals in stored policies are bound to it and not to the ARN.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UniqueId(Arc<str>);

impl UniqueId {
    /// Takes the text as it is.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for UniqueId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// The caller, as policies see it (spec A7, A9, A10).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Principal {
    /// Nobody proved anything.
    Anonymous,
    /// The account's root user.
    Root {
        /// The account.
        account: AccountId,
    },
    /// An IAM user, with long-term keys or a GetSessionToken session.
    User {
        /// With path.
        arn: Arn,
        /// `AIDA…`.
        id: UniqueId,
        /// Owner.
        account: AccountId,
    },
    /// A session of a role, however it began.
    RoleSession {
        /// The role, with path: what `aws:PrincipalArn` shows.
        role_arn: Arn,
        /// `AROA…`.
        role_id: UniqueId,
        /// `arn:aws:sts::A:assumed-role/R/S`, without path.
        session_arn: Arn,
        /// Owner of the role.
        account: AccountId,
    },
    /// A GetFederationToken session.
    FederatedUser {
        /// `arn:aws:sts::A:federated-user/N`.
        arn: Arn,
        /// The IAM user that made it.
        user_arn: Arn,
        /// `AIDA…` of that user.
        user_id: UniqueId,
        /// Owner.
        account: AccountId,
    },
    /// The bearer of a verified OIDC token, in AssumeRoleWithWebIdentity: no identity side.
    WebIdentity {
        /// The IAM OIDC provider's ARN, or the bare domain of a built-in provider.
        provider: Arc<str>,
        /// The provider's account (built-in: the role's).
        account: AccountId,
    },
    /// The bearer of a verified SAML assertion, in AssumeRoleWithSAML: no identity side.
    Saml {
        /// The IAM SAML provider's ARN.
        provider: Arn,
        /// The provider's account.
        account: AccountId,
    },
    /// An AWS service.
    Service {
        /// `ec2.amazonaws.com`.
        name: Arc<str>,
    },
}

impl Principal {
    /// The account the caller belongs to; none for anonymous callers and services.
    #[must_use]
    pub fn account(&self) -> Option<AccountId> {
        match self {
            Self::Anonymous | Self::Service { .. } => None,
            Self::Root { account }
            | Self::User { account, .. }
            | Self::RoleSession { account, .. }
            | Self::FederatedUser { account, .. }
            | Self::WebIdentity { account, .. }
            | Self::Saml { account, .. } => Some(*account),
        }
    }

    /// How AWS names the caller in a denial: the user's, session's or root's ARN, the provider,
    /// the service, or `anonymous`.
    #[must_use]
    pub fn shown(&self) -> std::borrow::Cow<'_, str> {
        match self {
            Self::Anonymous => "anonymous".into(),
            Self::Root { account } => account.root_arn().as_str().to_owned().into(),
            Self::User { arn, .. } | Self::FederatedUser { arn, .. } => arn.as_str().into(),
            Self::RoleSession { session_arn, .. } => session_arn.as_str().into(),
            Self::WebIdentity { provider, .. } => (&**provider).into(),
            Self::Saml { provider, .. } => provider.as_str().into(),
            Self::Service { name } => (&**name).into(),
        }
    }

    /// The value of `aws:PrincipalArn`: the role for a session, none for unsigned callers
    /// (spec C1, A10).
    #[must_use]
    pub fn key_arn(&self) -> Option<Arn> {
        match self {
            Self::Root { account } => Some(account.root_arn()),
            Self::User { arn, .. } | Self::FederatedUser { arn, .. } => Some(arn.clone()),
            Self::RoleSession { role_arn, .. } => Some(role_arn.clone()),
            Self::Anonymous
            | Self::WebIdentity { .. }
            | Self::Saml { .. }
            | Self::Service { .. } => None,
        }
    }

    /// Whether the caller comes with a token or assertion instead of a signature.
    #[must_use]
    pub fn is_unsigned_federation(&self) -> bool {
        matches!(self, Self::WebIdentity { .. } | Self::Saml { .. })
    }
}

#[cfg(test)]
mod tests {
    use crate::case::principal;

    #[test]
    fn the_key_of_a_principal_is_its_role_or_itself_and_nothing_for_strangers() {
        let iam = |rest: &str| Some(format!("arn:aws:iam::111122223333:{rest}"));
        for (who, key, shown) in [
            ("root", iam("root"), "arn:aws:iam::111122223333:root"),
            ("user/t/ann", iam("user/t/ann"), "arn:aws:iam::111122223333:user/t/ann"),
            ("role/t/R:s", iam("role/t/R"), "arn:aws:sts::111122223333:assumed-role/R/s"),
            (
                "federated/F:ann",
                Some("arn:aws:sts::111122223333:federated-user/F".to_owned()),
                "arn:aws:sts::111122223333:federated-user/F",
            ),
            ("anonymous", None, "anonymous"),
            ("oidc:idp.test", None, "idp.test"),
            ("service:ec2.amazonaws.com", None, "ec2.amazonaws.com"),
        ] {
            let who = principal(who).unwrap();
            assert_eq!(who.key_arn().map(|arn| arn.to_string()), key);
            assert_eq!(who.shown(), shown);
        }
    }
}
