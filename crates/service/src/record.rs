//! What the store keeps of each entity, as JSON documents.
//!
//! Records are plain facts; what is compiled from them lives in [`crate::world`]. A field that is
//! added later must have a default, so that older stores stay readable.

use policy::{AccountId, Tag};
use serde::{Deserialize, Serialize};

use crate::ids::{AccessKeyId, UniqueId};

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
    /// Its name within the entity.
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
    /// When it last issued credentials, and for which region.
    #[serde(default)]
    pub last_used: Option<(Millis, String)>,
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
