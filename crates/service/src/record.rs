//! What the store keeps of each entity, as JSON documents.
//!
//! Records are plain facts; what is compiled from them lives in [`crate::world`]. A field that is
//! added later must have a default, so that older stores stay readable.

use policy::{AccountId, Tag};
use serde::{Deserialize, Serialize};

use crate::ids::{AccessKeyId, Prefix, UniqueId};

/// Milliseconds since the Unix epoch.
pub type Millis = i64;

/// An AWS account.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AccountRecord {
    /// The twelve digits.
    pub id: AccountId,
    /// A name for people.
    pub name: String,
    /// Its alias, unique in the installation.
    #[serde(default)]
    pub alias: Option<String>,
    /// When it was made.
    pub created: Millis,
    /// Service control policies by level, from an organization's root down; none outside one.
    #[serde(default)]
    pub scps: Option<Vec<Vec<InlinePolicy>>>,
    /// Resource control policies, likewise.
    #[serde(default)]
    pub rcps: Option<Vec<Vec<InlinePolicy>>>,
    /// Where in an organization it is; its policies above come from there.
    #[serde(default)]
    pub membership: Option<Membership>,
    /// What passwords must be like; none is AWS's default.
    #[serde(default)]
    pub password_policy: Option<PasswordPolicy>,
    /// Of STS's global endpoint: 1 for tokens of the first form, 2 for those of the second.
    #[serde(default)]
    pub token_version: Option<u8>,
    /// The account as an issuer of tokens for services elsewhere.
    #[serde(default)]
    pub outbound: Option<OutboundRecord>,
    /// When its organization closed it: nobody of it calls any more, and nobody enters it.
    #[serde(default)]
    pub closed: Option<Millis>,
}

/// An account as an issuer of tokens.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OutboundRecord {
    /// What its URL ends in; stays the same for ever.
    pub id: String,
    /// Whether it issues.
    pub enabled: bool,
    /// One for each algorithm.
    pub keys: Vec<OutboundKey>,
    /// Public parts of the keys before these.
    #[serde(default)]
    pub previous: Vec<serde_json::Value>,
}

/// A key that signs tokens.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OutboundKey {
    /// The name under which it is published.
    pub kid: String,
    /// `RS256` or `ES384`.
    pub alg: String,
    /// The private part (PKCS#8), sealed under the master key and bound to the name.
    pub sealed: String,
    /// The public part, as a JWK.
    pub public: serde_json::Value,
}

impl AccountRecord {
    /// An account with nothing said about it yet.
    pub const fn new(id: AccountId, name: String, created: Millis) -> Self {
        Self {
            id,
            name,
            alias: None,
            created,
            scps: None,
            rcps: None,
            membership: None,
            password_policy: None,
            token_version: None,
            outbound: None,
            closed: None,
        }
    }
}

/// An account's place in an organization.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Membership {
    /// `o-…`
    pub organization: String,
    /// `o-…/r-…/ou-…/`, down to the account.
    pub path: String,
}

/// What an account asks of its users' passwords.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasswordPolicy {
    /// 6 to 128 characters.
    pub minimum_length: i64,
    /// One of `! @ # $ % ^ & * ( ) _ + - = [ ] { } | '`.
    pub symbols: bool,
    /// A digit.
    pub numbers: bool,
    /// An upper-case letter of the basic Latin alphabet.
    pub uppercase: bool,
    /// A lower-case letter of the basic Latin alphabet.
    pub lowercase: bool,
    /// Whether users may change their own.
    pub users_may_change: bool,
    /// Days after which one expires; none is never.
    pub max_age: Option<i64>,
    /// How many of the last ones may not come again.
    pub reuse_prevention: Option<i64>,
    /// Whether an expired one can only be replaced by an administrator.
    pub hard_expiry: Option<bool>,
}

/// What users and roles have in common: policies that may be put inside or attached.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policies {
    /// Inline policies by name, in order of name (names compare case-insensitively).
    #[serde(default)]
    pub inline: Vec<InlinePolicy>,
    /// ARNs of attached managed policies, in order of attachment.
    #[serde(default)]
    pub attached: Vec<String>,
}

/// A policy inside an entity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InlinePolicy {
    /// Its name within the entity; of an organization's policy, its ARN.
    pub name: String,
    /// The JSON text as it was given.
    pub document: String,
}

/// A role.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RoleRecord {
    /// The owner.
    pub account: AccountId,
    /// Unique in the account without regard to case.
    pub name: String,
    /// `/` or `/…/`.
    pub path: String,
    /// `AROA…`.
    pub id: UniqueId,
    /// When it was made.
    pub created: Millis,
    /// Free text.
    #[serde(default)]
    pub description: Option<String>,
    /// Seconds, 3600 to 43200.
    pub max_session: i64,
    /// The trust policy; user and role ARNs in it are replaced by their unique ids.
    pub trust: String,
    /// Inline and attached policies.
    #[serde(default)]
    pub policies: Policies,
    /// ARN of the permissions boundary.
    #[serde(default)]
    pub boundary: Option<String>,
    /// At most 50.
    #[serde(default)]
    pub tags: Vec<Tag>,
}

/// A user.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct UserRecord {
    /// The owner.
    pub account: AccountId,
    /// Unique in the account without regard to case.
    pub name: String,
    /// `/` or `/…/`.
    pub path: String,
    /// `AIDA…`.
    pub id: UniqueId,
    /// When it was made.
    pub created: Millis,
    /// Inline and attached policies.
    #[serde(default)]
    pub policies: Policies,
    /// ARN of the permissions boundary.
    #[serde(default)]
    pub boundary: Option<String>,
    /// At most 50.
    #[serde(default)]
    pub tags: Vec<Tag>,
    /// Names of the groups it belongs to.
    #[serde(default)]
    pub groups: Vec<String>,
    /// Its password, where it has one.
    #[serde(default)]
    pub login: Option<LoginProfile>,
    /// Its SSH keys, at most five.
    #[serde(default)]
    pub ssh_keys: Vec<UserCredential<SshPublicKey>>,
    /// Its X.509 certificates, at most two.
    #[serde(default)]
    pub certificates: Vec<UserCredential<SigningCertificate>>,
    /// Its passwords for single services, at most two for each.
    #[serde(default)]
    pub service_credentials: Vec<UserCredential<ServiceCredential>>,
}

impl UserRecord {
    /// A user with a fresh id and nothing else about it.
    pub fn new(account: AccountId, name: String, path: String, created: Millis) -> Self {
        Self {
            account,
            name,
            path,
            id: UniqueId::fresh(Prefix::User),
            created,
            policies: Policies::default(),
            boundary: None,
            tags: Vec::new(),
            groups: Vec::new(),
            login: None,
            ssh_keys: Vec::new(),
            certificates: Vec::new(),
            service_credentials: Vec::new(),
        }
    }
}

/// What a user proves itself by to single services.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct UserCredential<T> {
    /// Its id: `APKA…`, `ACCA…`, or a certificate's hash.
    pub id: String,
    /// Whether it may be used.
    pub active: bool,
    /// When it was made or uploaded.
    pub created: Millis,
    /// What is particular to its kind.
    pub of: T,
}

/// An RSA key that signs in by SSH.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SshPublicKey {
    /// The key as SSH writes it (RFC 4253 section 6.6), in base64.
    pub blob: String,
}

/// An X.509 certificate.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SigningCertificate {
    /// The PEM text as it was given.
    pub body: String,
}

/// A password for one service.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ServiceCredential {
    /// `codecommit.amazonaws.com`
    pub service: String,
    /// What the service knows the user by.
    pub alias: String,
    /// SHA-256 of the secret, which is random, in base64.
    pub hash: String,
    /// When it is no longer valid.
    #[serde(default)]
    pub expires: Option<Millis>,
}

/// A user's password.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LoginProfile {
    /// When the user first got one.
    pub created: Millis,
    /// When this one was set.
    pub changed: Millis,
    /// Whether it must be changed when it is next used.
    pub reset_required: bool,
    /// Hashes of this one and of those before it, newest first; see [`crate::iam::password`].
    pub hashes: Vec<String>,
}

/// A group of users.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GroupRecord {
    /// The owner.
    pub account: AccountId,
    /// Unique in the account without regard to case.
    pub name: String,
    /// `/` or `/…/`.
    pub path: String,
    /// `AGPA…`.
    pub id: UniqueId,
    /// When it was made.
    pub created: Millis,
    /// Inline and attached policies.
    #[serde(default)]
    pub policies: Policies,
}

/// A customer-managed policy with its versions.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PolicyRecord {
    /// The owner.
    pub account: AccountId,
    /// Unique in the account without regard to case.
    pub name: String,
    /// `/` or `/…/`.
    pub path: String,
    /// `ANPA…`.
    pub id: UniqueId,
    /// When it was made.
    pub created: Millis,
    /// When a version was last added or made the default.
    pub updated: Millis,
    /// Free text.
    #[serde(default)]
    pub description: Option<String>,
    /// One to five, oldest first.
    pub versions: Vec<PolicyVersion>,
    /// The number of the version in force.
    pub default_version: u32,
    /// The number that the next version gets: numbers are never used twice.
    pub next_version: u32,
    /// At most 50.
    #[serde(default)]
    pub tags: Vec<Tag>,
}

/// One version of a managed policy.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PolicyVersion {
    /// 1 for `v1`.
    pub number: u32,
    /// The JSON text as it was given.
    pub document: String,
    /// When it was made.
    pub created: Millis,
}

/// A long-term access key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AccessKeyRecord {
    /// `AKIA…`, unique in the installation.
    pub id: AccessKeyId,
    /// The owner.
    pub account: AccountId,
    /// The user's name; none for the account's root.
    pub user: Option<String>,
    /// The secret access key, sealed under the master key and bound to the key's id.
    pub sealed_secret: String,
    /// Whether it may be used.
    pub active: bool,
    /// When it was made.
    pub created: Millis,
}

/// A credential report, as it was made.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CredentialReportRecord {
    /// The account that it is about.
    pub account: AccountId,
    /// When it was made.
    pub generated: Millis,
    /// Comma-separated values.
    pub content: String,
}

/// An instance profile: what hands a role to a machine.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct InstanceProfileRecord {
    /// The owner.
    pub account: AccountId,
    /// Unique in the account without regard to case.
    pub name: String,
    /// `/` or `/…/`.
    pub path: String,
    /// `AIPA…`.
    pub id: UniqueId,
    /// When it was made.
    pub created: Millis,
    /// The name of the one role in it.
    #[serde(default)]
    pub role: Option<String>,
    /// At most 50.
    #[serde(default)]
    pub tags: Vec<Tag>,
}

/// A server certificate with its private key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ServerCertificateRecord {
    /// The owner.
    pub account: AccountId,
    /// Unique in the account without regard to case.
    pub name: String,
    /// `/` or `/…/`.
    pub path: String,
    /// `ASCA…`.
    pub id: UniqueId,
    /// When it was uploaded.
    pub uploaded: Millis,
    /// When it is no longer valid.
    pub expires: Millis,
    /// The certificate in PEM, as it was given.
    pub body: String,
    /// The certificates above it in PEM, as they were given.
    #[serde(default)]
    pub chain: Option<String>,
    /// The private key's PEM text, sealed under the master key and bound to the certificate's id.
    pub sealed_key: String,
    /// At most 50.
    #[serde(default)]
    pub tags: Vec<Tag>,
}

/// A virtual device of multi-factor authentication (RFC 6238).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MfaDeviceRecord {
    /// The owner.
    pub account: AccountId,
    /// Its name, unique with its path in the account.
    pub name: String,
    /// `/` or `/…/`.
    pub path: String,
    /// The seed, sealed under the master key and bound to the serial number.
    pub sealed_seed: String,
    /// Whose it is, and since when; nobody's until it is enabled.
    #[serde(default)]
    pub enabled: Option<MfaEnabled>,
    /// At most 50.
    #[serde(default)]
    pub tags: Vec<Tag>,
}

impl MfaDeviceRecord {
    /// Path and name: what the account knows it by.
    pub fn key(&self) -> String {
        format!("{}{}", self.path, self.name)
    }

    /// Its serial number, which is its ARN.
    pub fn serial(&self) -> String {
        format!("arn:aws:iam::{}:mfa{}", self.account, self.key())
    }
}

/// An MFA device in use.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MfaEnabled {
    /// The user's name.
    pub user: String,
    /// Since when.
    pub since: Millis,
    /// Steps of 30 seconds by which the device is ahead of our clock.
    pub drift: i64,
    /// The last step whose code was taken: neither it nor an earlier one is taken again.
    pub last_step: i64,
}

/// A SAML provider: an identity provider by its metadata.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SamlProviderRecord {
    /// The owner.
    pub account: AccountId,
    /// Unique in the account.
    pub name: String,
    /// `SAMLSP…`.
    pub id: UniqueId,
    /// The metadata as it was given.
    pub metadata: String,
    /// The issuer of its assertions, from the metadata.
    pub entity_id: String,
    /// The certificates that it signs with, from the metadata: DER in base64.
    pub certificates: Vec<String>,
    /// Whether assertions must come encrypted; none if that was never said.
    #[serde(default)]
    pub encryption_required: Option<bool>,
    /// At most two keys that assertions may be encrypted to, oldest first.
    #[serde(default)]
    pub private_keys: Vec<SamlPrivateKey>,
    /// When it was made.
    pub created: Millis,
    /// At most 50.
    #[serde(default)]
    pub tags: Vec<Tag>,
}

/// A key that assertions may be encrypted to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SamlPrivateKey {
    /// `SAMLPK…`.
    pub id: UniqueId,
    /// The PEM text, sealed under the master key and bound to the key's id.
    pub sealed: String,
    /// When it was added.
    pub added: Millis,
}

/// An OpenID Connect provider.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OidcProviderRecord {
    /// The owner.
    pub account: AccountId,
    /// The issuer URL without `https://`, case and trailing slash kept.
    pub url: String,
    /// Audiences that may come in.
    pub client_ids: Vec<String>,
    /// SHA-1 of the certificates that anchor a privately issued chain, lower-case hexadecimal.
    pub thumbprints: Vec<String>,
    /// When it was made.
    pub created: Millis,
    /// Counts every change, and starts from the commit that made the provider again, so
    /// that nothing cached for an earlier one of the same name is ever used.
    pub revision: u64,
    /// Keys are case-sensitive here, unlike elsewhere.
    #[serde(default)]
    pub tags: Vec<Tag>,
}
