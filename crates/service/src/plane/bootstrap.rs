//! The first account and its administrator, and every further one.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use policy::AccountId;
use zeroize::Zeroizing;

use super::{ACCESS_KEY, CommitError, Plane};
use crate::audit::{Draft, UserIdentity};
use crate::ids::{self, AccessKeyId};
use crate::record::{AccessKeyRecord, AccountRecord, UserRecord};
use crate::world::{Change, Entity};

/// The administrator of a new account, with the secret that is shown once.
pub struct Admin {
    /// The account.
    pub account: AccountId,
    /// The user's name.
    pub user: String,
    /// The access key's id.
    pub access_key: AccessKeyId,
    /// Its secret.
    pub secret: Zeroizing<String>,
}

/// Why an installation cannot open, or an account cannot be made.
#[derive(Debug)]
pub enum BootstrapError {
    /// The store refuses.
    Store(store::Error),
    /// The store holds what cannot be read.
    Corrupt(String),
    /// The log book refuses.
    Book(String),
    /// There is such an account already.
    Exists(AccountId),
    /// There is no such account.
    Missing(AccountId),
    /// A policy is refused.
    Policy(String),
    /// A key could not be sealed.
    Seal(String),
}

impl std::fmt::Display for BootstrapError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Store(error) => write!(f, "the store cannot be used: {error}"),
            Self::Corrupt(why) => write!(f, "the store holds what cannot be read: {why}"),
            Self::Book(why) => write!(f, "the log book cannot be used: {why}"),
            Self::Exists(account) => write!(f, "account {account} exists already"),
            Self::Missing(account) => write!(f, "there is no account {account}"),
            Self::Policy(why) => write!(f, "the policy is refused: {why}"),
            Self::Seal(why) => write!(f, "a secret cannot be sealed: {why}"),
        }
    }
}

impl std::error::Error for BootstrapError {}

impl From<store::Error> for BootstrapError {
    fn from(error: store::Error) -> Self {
        Self::Store(error)
    }
}

impl From<CommitError> for BootstrapError {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Stale => Self::Corrupt("the configuration changed meanwhile".to_owned()),
            CommitError::Corrupt(why) => Self::Corrupt(why),
            CommitError::Store(error) => Self::Store(error),
        }
    }
}

impl Plane {
    /// Makes the first account if there is none; `fixed` gives its administrator a known key,
    /// which only an explicit switch of the operator may.
    ///
    /// # Errors
    /// If it cannot be stored.
    pub async fn bootstrap(
        &self,
        fixed: Option<(AccessKeyId, Zeroizing<String>)>,
    ) -> Result<Option<Admin>, BootstrapError> {
        match self.world().accounts().is_empty() {
            true => self.create_account(self.settings.account, "first", fixed).await.map(Some),
            false => Ok(None),
        }
    }

    /// Makes an account with an administrator `admin`, whose access key is returned once.
    ///
    /// # Errors
    /// If there is such an account, or it cannot be stored.
    pub async fn create_account(
        &self,
        id: AccountId,
        name: &str,
        fixed: Option<(AccessKeyId, Zeroizing<String>)>,
    ) -> Result<Admin, BootstrapError> {
        const ADMIN: &str = "admin";
        let _writer = self.writer().await;
        let world = self.world();
        if world.known(&id).is_some() {
            return Err(BootstrapError::Exists(id));
        }
        let now = self.now();
        let (key, secret) = fixed.unwrap_or_else(|| {
            (AccessKeyId::long_term(), Zeroizing::new(ids::secret_access_key()))
        });
        let mut user = UserRecord::new(id, ADMIN.to_owned(), "/".to_owned(), now.as_millisecond());
        user.policies.attached.push("arn:aws:iam::aws:policy/AdministratorAccess".to_owned());
        let access_key = AccessKeyRecord {
            id: key.clone(),
            account: id,
            user: Some(ADMIN.to_owned()),
            sealed_secret: self.seal_secret(&key, &secret)?,
            active: true,
            created: now.as_millisecond(),
        };
        let account = AccountRecord::new(id, name.to_owned(), now.as_millisecond());
        let changes = [
            Change::Put(Entity::Account(account)),
            Change::Put(Entity::User(user)),
            Change::Put(Entity::AccessKey(access_key)),
        ];

        let mut draft = Draft::new(&ids::uuid(), now);
        draft.call("vestibule", "CreateAccount", false);
        draft.caller(
            UserIdentity { invoked_by: Some("operator".to_owned()), ..UserIdentity::unknown() },
            true,
        );
        draft.account(id.as_str());
        draft.request(&serde_json::json!({ "AccountId": id, "AccountName": name }));
        draft.response(&serde_json::json!({ "UserName": ADMIN, "AccessKeyId": key }));
        draft.allowed();
        let event = draft.finish(now);
        self.commit(&world, &changes, &event).await?;
        self.deliver_receipts().await?;
        Ok(Admin { account: id, user: ADMIN.to_owned(), access_key: key, secret })
    }

    /// Seals a secret access key, bound to its id.
    ///
    /// # Errors
    /// If the key ring cannot seal.
    pub(crate) fn seal_secret(
        &self,
        id: &AccessKeyId,
        secret: &str,
    ) -> Result<String, BootstrapError> {
        self.keyring
            .seal(ACCESS_KEY, id.as_str().as_bytes(), secret.as_bytes())
            .map(|envelope| STANDARD.encode(envelope))
            .map_err(|error| BootstrapError::Seal(error.to_string()))
    }
}
