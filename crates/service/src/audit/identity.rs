//! `userIdentity`: who called, in the forms that CloudTrail knows (spec E).
//!
//! One struct with optional members, as in CloudTrail's own schema; the constructors are the
//! forms. Nothing here is trusted by anyone: it is a report.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The kinds of caller. AWS's kinds that this product has no notion of are left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
pub enum IdentityKind {
    /// An account's root user.
    Root,
    /// A user with a long-term key or a `GetSessionToken` session.
    IAMUser,
    /// A role session.
    AssumedRole,
    /// A `GetFederationToken` session.
    FederatedUser,
    /// Somebody of another account: all that the owner of a resource is told.
    AWSAccount,
    /// A service of the server itself.
    AWSService,
    /// The subject of an OIDC token, proven or merely claimed (see `vestibule.proven`).
    WebIdentityUser,
    /// The subject of a SAML assertion.
    SAMLUser,
    /// Nothing could be read.
    #[default]
    Unknown,
}

/// Who called.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct UserIdentity {
    /// Which kind; it says which members to expect.
    #[serde(rename = "type")]
    pub kind: IdentityKind,
    /// The unique id: `AIDA…`, `AROA…:session`, `<providerArn>:<aud>:<sub>`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub principal_id: Option<String>,
    /// The caller's ARN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arn: Option<String>,
    /// The caller's account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_id: Option<String>,
    /// The key that signed, in full: a key's id is no secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_key_id: Option<String>,
    /// The friendly name; a token's subject for federated users.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_name: Option<String>,
    /// The provider's ARN, or the domain of one of AWS's built-in ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity_provider: Option<String>,
    /// The service, for [`IdentityKind::AWSService`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invoked_by: Option<String>,
    /// How the session came to be, for temporary credentials.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_context: Option<Box<SessionContext>>,
}

/// How a session came to be.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SessionContext {
    /// The role or user behind the session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_issuer: Option<SessionIssuer>,
    /// The identity provider's share; AWS writes `{}` when there was none.
    pub web_id_federation_data: WebIdFederation,
    /// MFA and age.
    pub attributes: SessionAttributes,
    /// The source identity, frozen in the session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_identity: Option<String>,
}

/// The role or user that a session stands on.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SessionIssuer {
    /// `Role`, `IAMUser` or `Root`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its unique id.
    pub principal_id: String,
    /// Its ARN.
    pub arn: String,
    /// Its account.
    pub account_id: String,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_name: Option<String>,
}

/// What the identity provider said.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct WebIdFederation {
    /// The provider's ARN or built-in domain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub federated_provider: Option<String>,
    /// Attributes of AWS's built-in providers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attributes: Option<BTreeMap<String, String>>,
}

/// MFA and age of a session.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SessionAttributes {
    /// `2026-01-01T00:00:00Z`.
    pub creation_date: String,
    /// `true` or `false`, as text, as AWS writes it.
    pub mfa_authenticated: String,
}

impl UserIdentity {
    /// Nothing could be read.
    #[must_use]
    pub fn unknown() -> Self {
        Self::default()
    }

    /// The root user of `account`.
    #[must_use]
    pub fn root(account: &str, access_key_id: Option<&str>) -> Self {
        Self {
            kind: IdentityKind::Root,
            principal_id: Some(account.to_owned()),
            arn: Some(format!("arn:aws:iam::{account}:root")),
            account_id: Some(account.to_owned()),
            access_key_id: access_key_id.map(str::to_owned),
            ..Self::default()
        }
    }

    /// A user; `session` for `GetSessionToken` credentials.
    #[must_use]
    pub fn user(
        unique_id: &str,
        arn: &str,
        account: &str,
        name: &str,
        access_key_id: &str,
        session: Option<SessionContext>,
    ) -> Self {
        Self {
            kind: IdentityKind::IAMUser,
            principal_id: Some(unique_id.to_owned()),
            arn: Some(arn.to_owned()),
            account_id: Some(account.to_owned()),
            access_key_id: Some(access_key_id.to_owned()),
            user_name: Some(name.to_owned()),
            session_context: session.map(Box::new),
            ..Self::default()
        }
    }

    /// A role session: `principal_id` is `AROA…:session`, `arn` the assumed-role ARN.
    #[must_use]
    pub fn assumed_role(
        principal_id: &str,
        arn: &str,
        account: &str,
        access_key_id: &str,
        session: SessionContext,
    ) -> Self {
        Self {
            kind: IdentityKind::AssumedRole,
            principal_id: Some(principal_id.to_owned()),
            arn: Some(arn.to_owned()),
            account_id: Some(account.to_owned()),
            access_key_id: Some(access_key_id.to_owned()),
            session_context: Some(Box::new(session)),
            ..Self::default()
        }
    }

    /// A `GetFederationToken` session: `principal_id` is `<account>:<name>`.
    #[must_use]
    pub fn federated_user(
        principal_id: &str,
        arn: &str,
        account: &str,
        access_key_id: &str,
        session: SessionContext,
    ) -> Self {
        Self {
            kind: IdentityKind::FederatedUser,
            ..Self::assumed_role(principal_id, arn, account, access_key_id, session)
        }
    }

    /// The subject of an OIDC token. `provider` is the provider's ARN (a domain for the built-in
    /// ones); parts that could not be read are empty.
    #[must_use]
    pub fn web_identity(provider: &str, audience: &str, subject: &str) -> Self {
        Self {
            kind: IdentityKind::WebIdentityUser,
            principal_id: Some(format!("{provider}:{audience}:{subject}")),
            user_name: Some(subject.to_owned()),
            identity_provider: Some(provider.to_owned()),
            ..Self::default()
        }
    }

    /// The subject of a SAML assertion.
    #[must_use]
    pub fn saml(name_qualifier: &str, subject: &str) -> Self {
        Self {
            kind: IdentityKind::SAMLUser,
            principal_id: Some(format!("{name_qualifier}:{subject}")),
            user_name: Some(subject.to_owned()),
            identity_provider: Some(name_qualifier.to_owned()),
            ..Self::default()
        }
    }

    /// What another account is told of this caller: unique id and account, nothing else.
    #[must_use]
    pub fn seen_from_outside(&self) -> Self {
        match self.kind {
            // A federated caller has no account: AWS shows the token's subject to the role's owner.
            IdentityKind::WebIdentityUser | IdentityKind::SAMLUser | IdentityKind::Unknown => {
                self.clone()
            }
            _ => Self {
                kind: IdentityKind::AWSAccount,
                principal_id: self.principal_id.clone(),
                account_id: self.account_id.clone(),
                ..Self::default()
            },
        }
    }

    /// The name that `LookupEvents` filters by and shows.
    #[must_use]
    pub fn display_name(&self) -> Option<&str> {
        match self.kind {
            IdentityKind::Root => Some("root"),
            IdentityKind::AssumedRole | IdentityKind::FederatedUser => {
                self.principal_id.as_deref().and_then(|id| id.split_once(':')).map(|(_, name)| name)
            }
            _ => self.user_name.as_deref(),
        }
    }

    /// The shortest text that tells an operator who this is.
    #[must_use]
    pub fn who(&self) -> String {
        match self.kind {
            IdentityKind::WebIdentityUser | IdentityKind::SAMLUser => {
                let subject = self.user_name.as_deref().filter(|s| !s.is_empty());
                let provider = self.identity_provider.as_deref().filter(|p| !p.is_empty());
                match (subject, provider) {
                    (Some(subject), Some(provider)) => {
                        let short =
                            provider.split_once("-provider/").map_or(provider, |(_, name)| name);
                        format!("{subject} (from {short})")
                    }
                    (Some(subject), None) => subject.to_owned(),
                    (None, Some(provider)) => format!("somebody from {provider}"),
                    (None, None) => "somebody with a token".to_owned(),
                }
            }
            IdentityKind::Unknown => match self.access_key_id.as_deref() {
                Some(key) => format!("unknown, with key {key}"),
                None => "unknown".to_owned(),
            },
            IdentityKind::AWSAccount => match self.account_id.as_deref() {
                Some(account) => format!("somebody of account {account}"),
                None => "somebody of another account".to_owned(),
            },
            _ => self
                .arn
                .clone()
                .or_else(|| self.invoked_by.clone())
                .unwrap_or_else(|| "unknown".to_owned()),
        }
    }
}
