//! Changes of the configuration, and how entities are named in the store.

use policy::AccountId;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::organizations::OrganizationRecord;
use crate::record::{
    AccessKeyRecord, AccountRecord, CredentialReportRecord, GroupRecord, InstanceProfileRecord,
    MfaDeviceRecord, OidcProviderRecord, PolicyRecord, RoleRecord, SamlProviderRecord,
    ServerCertificateRecord, UserRecord,
};

/// An entity as the store keeps it.
#[derive(Clone, Debug)]
pub enum Entity {
    /// An account.
    Account(AccountRecord),
    /// A role.
    Role(RoleRecord),
    /// A user.
    User(UserRecord),
    /// A group.
    Group(GroupRecord),
    /// A customer-managed policy.
    Policy(PolicyRecord),
    /// A long-term access key.
    AccessKey(AccessKeyRecord),
    /// An OpenID Connect provider.
    OidcProvider(OidcProviderRecord),
    /// A SAML provider.
    SamlProvider(SamlProviderRecord),
    /// A server certificate.
    ServerCertificate(ServerCertificateRecord),
    /// An instance profile.
    InstanceProfile(InstanceProfileRecord),
    /// A virtual MFA device.
    MfaDevice(MfaDeviceRecord),
    /// A credential report.
    CredentialReport(CredentialReportRecord),
    /// An organization of accounts.
    Organization(OrganizationRecord),
}

/// What kind of document an entity is; the store keeps it as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `account`
    Account,
    /// `role`
    Role,
    /// `user`
    User,
    /// `group`
    Group,
    /// `policy`
    Policy,
    /// `access-key`
    AccessKey,
    /// `oidc-provider`
    OidcProvider,
    /// `saml-provider`
    SamlProvider,
    /// `server-certificate`
    ServerCertificate,
    /// `instance-profile`
    InstanceProfile,
    /// `mfa-device`
    MfaDevice,
    /// `credential-report`
    CredentialReport,
    /// `organization`
    Organization,
}

/// One change: an entity as it shall be, or the one that shall be gone.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "changes are few and short-lived")]
pub enum Change {
    /// Make or replace.
    Put(Entity),
    /// Remove.
    Delete(Kind, String),
}

impl Kind {
    /// The store's name for the kind.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Role => "role",
            Self::User => "user",
            Self::Group => "group",
            Self::Policy => "policy",
            Self::AccessKey => "access-key",
            Self::OidcProvider => "oidc-provider",
            Self::SamlProvider => "saml-provider",
            Self::ServerCertificate => "server-certificate",
            Self::InstanceProfile => "instance-profile",
            Self::MfaDevice => "mfa-device",
            Self::CredentialReport => "credential-report",
            Self::Organization => "organization",
        }
    }

    /// The kind of the given name.
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "account" => Self::Account,
            "role" => Self::Role,
            "user" => Self::User,
            "group" => Self::Group,
            "policy" => Self::Policy,
            "access-key" => Self::AccessKey,
            "oidc-provider" => Self::OidcProvider,
            "saml-provider" => Self::SamlProvider,
            "server-certificate" => Self::ServerCertificate,
            "instance-profile" => Self::InstanceProfile,
            "mfa-device" => Self::MfaDevice,
            "credential-report" => Self::CredentialReport,
            "organization" => Self::Organization,
            _ => return None,
        })
    }
}

impl Entity {
    /// The kind.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Account(_) => Kind::Account,
            Self::Role(_) => Kind::Role,
            Self::User(_) => Kind::User,
            Self::Group(_) => Kind::Group,
            Self::Policy(_) => Kind::Policy,
            Self::AccessKey(_) => Kind::AccessKey,
            Self::OidcProvider(_) => Kind::OidcProvider,
            Self::SamlProvider(_) => Kind::SamlProvider,
            Self::ServerCertificate(_) => Kind::ServerCertificate,
            Self::InstanceProfile(_) => Kind::InstanceProfile,
            Self::MfaDevice(_) => Kind::MfaDevice,
            Self::CredentialReport(_) => Kind::CredentialReport,
            Self::Organization(_) => Kind::Organization,
        }
    }

    /// The account that owns it; an account owns itself.
    pub const fn owner(&self) -> &AccountId {
        match self {
            Self::Account(it) => &it.id,
            Self::Role(it) => &it.account,
            Self::User(it) => &it.account,
            Self::Group(it) => &it.account,
            Self::Policy(it) => &it.account,
            Self::AccessKey(it) => &it.account,
            Self::OidcProvider(it) => &it.account,
            Self::SamlProvider(it) => &it.account,
            Self::ServerCertificate(it) => &it.account,
            Self::InstanceProfile(it) => &it.account,
            Self::MfaDevice(it) => &it.account,
            Self::CredentialReport(it) => &it.account,
            Self::Organization(it) => &it.management,
        }
    }

    /// The id in the store: unique per kind. Names compare without regard to case; URLs and names of
    /// SAML providers exactly.
    pub fn id(&self) -> String {
        match self {
            Self::Account(account) => account.id.to_string(),
            Self::Role(role) => named(&role.account, &role.name),
            Self::User(user) => named(&user.account, &user.name),
            Self::Group(group) => named(&group.account, &group.name),
            Self::Policy(policy) => named(&policy.account, &policy.name),
            Self::AccessKey(key) => key.id.to_string(),
            Self::OidcProvider(provider) => exact(&provider.account, &provider.url),
            Self::SamlProvider(provider) => exact(&provider.account, &provider.name),
            Self::ServerCertificate(certificate) => named(&certificate.account, &certificate.name),
            Self::InstanceProfile(profile) => named(&profile.account, &profile.name),
            Self::MfaDevice(device) => exact(&device.account, &device.key()),
            Self::CredentialReport(report) => exact(&report.account, ""),
            Self::Organization(organization) => organization.id.clone(),
        }
    }

    /// The document that the store keeps.
    ///
    /// # Errors
    /// Never for the types above; the signature is the serializer's.
    pub fn document(&self) -> serde_json::Result<store::Document> {
        let kind = store::Kind::new(self.kind().text());
        Ok(store::Document::new(kind, self.id(), self.body()?))
    }

    fn body(&self) -> serde_json::Result<Vec<u8>> {
        match self {
            Self::Account(it) => json(it),
            Self::Role(it) => json(it),
            Self::User(it) => json(it),
            Self::Group(it) => json(it),
            Self::Policy(it) => json(it),
            Self::AccessKey(it) => json(it),
            Self::OidcProvider(it) => json(it),
            Self::SamlProvider(it) => json(it),
            Self::ServerCertificate(it) => json(it),
            Self::InstanceProfile(it) => json(it),
            Self::MfaDevice(it) => json(it),
            Self::CredentialReport(it) => json(it),
            Self::Organization(it) => json(it),
        }
    }

    /// Reads a document back.
    ///
    /// # Errors
    /// If the bytes are not this kind's document.
    pub fn read(kind: Kind, body: &[u8]) -> serde_json::Result<Self> {
        Ok(match kind {
            Kind::Account => Self::Account(read(body)?),
            Kind::Role => Self::Role(read(body)?),
            Kind::User => Self::User(read(body)?),
            Kind::Group => Self::Group(read(body)?),
            Kind::Policy => Self::Policy(read(body)?),
            Kind::AccessKey => Self::AccessKey(read(body)?),
            Kind::OidcProvider => Self::OidcProvider(read(body)?),
            Kind::SamlProvider => Self::SamlProvider(read(body)?),
            Kind::ServerCertificate => Self::ServerCertificate(read(body)?),
            Kind::InstanceProfile => Self::InstanceProfile(read(body)?),
            Kind::MfaDevice => Self::MfaDevice(read(body)?),
            Kind::CredentialReport => Self::CredentialReport(read(body)?),
            Kind::Organization => Self::Organization(read(body)?),
        })
    }
}

/// The store id of an entity whose name compares without regard to case.
pub fn named(account: &AccountId, name: &str) -> String {
    format!("{account}/{}", name.to_ascii_lowercase())
}

/// The store id of an entity whose name compares exactly.
pub fn exact(account: &AccountId, name: &str) -> String {
    format!("{account}/{name}")
}

fn json<T: Serialize>(it: &T) -> serde_json::Result<Vec<u8>> {
    serde_json::to_vec(it)
}

fn read<T: DeserializeOwned>(body: &[u8]) -> serde_json::Result<T> {
    serde_json::from_slice(body)
}
