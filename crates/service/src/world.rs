//! The world: all that decides, as one immutable, compiled snapshot.
//!
//! A request takes the snapshot once and is answered from it alone. A commit makes the next
//! snapshot, which shares everything that did not change; only what a change touches is compiled
//! again. Nothing here waits for a disk or a network.

mod account;
mod change;
mod compile;
mod table;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use policy::AccountId;

pub use self::account::{Account, Group, ManagedPolicy, Role, SamlProvider, User};
pub use self::change::{Change, Entity, Kind, exact, named};
pub use self::compile::{document_of, named_managed, policies_of, rcp_full_access};
pub use self::table::Table;
use crate::ids::AccessKeyId;
use crate::organizations::OrganizationRecord;
use crate::record::AccessKeyRecord;

/// Counts commits; the same number names the same world on every node.
pub type Revision = store::Revision;

/// One snapshot.
#[derive(Clone, Debug, Default)]
pub struct World {
    /// The commit that made it.
    pub revision: Revision,
    accounts: HashMap<AccountId, Arc<Account>>,
    keys: HashMap<AccessKeyId, Arc<AccessKeyRecord>>,
    organizations: HashMap<String, Arc<OrganizationRecord>>,
}

/// A stored document that cannot be read or compiled: the store was changed by something else.
#[derive(Debug, PartialEq, Eq)]
pub struct Corrupt {
    /// Which document.
    pub document: String,
    /// What is wrong with it.
    pub reason: String,
}

impl World {
    /// The account, if it is one of ours and not closed.
    pub fn account(&self, id: &AccountId) -> Option<&Arc<Account>> {
        self.known(id).filter(|account| account.record.closed.is_none())
    }

    /// The same, closed or not.
    pub fn known(&self, id: &AccountId) -> Option<&Arc<Account>> {
        self.accounts.get(id)
    }

    /// All accounts, in the order of their ids.
    pub fn accounts(&self) -> Vec<&Arc<Account>> {
        let mut all: Vec<_> = self.accounts.values().collect();
        all.sort_by(|a, b| a.record.id.as_str().cmp(b.record.id.as_str()));
        all
    }

    /// The long-term access key of that id.
    pub fn access_key(&self, id: &AccessKeyId) -> Option<&Arc<AccessKeyRecord>> {
        self.keys.get(id)
    }

    /// The organization that the account belongs to.
    pub fn organization_of(&self, account: &AccountId) -> Option<&Arc<OrganizationRecord>> {
        let membership = self.account(account)?.record.membership.as_ref()?;
        self.organizations.get(&membership.organization)
    }

    /// The access keys of one user, or of the account's root, oldest first.
    pub fn keys_of(&self, account: &AccountId, user: Option<&str>) -> Vec<&Arc<AccessKeyRecord>> {
        let mut keys: Vec<_> = self
            .keys
            .values()
            .filter(|key| key.account == *account)
            .filter(|key| match (key.user.as_deref(), user) {
                (Some(owner), Some(user)) => owner.eq_ignore_ascii_case(user),
                (None, None) => true,
                _ => false,
            })
            .collect();
        keys.sort_by(|a, b| (a.created, a.id.as_str()).cmp(&(b.created, b.id.as_str())));
        keys
    }

    /// The role of that ARN, path and all; names in an ARN compare exactly.
    pub fn role_by_arn(&self, arn: &policy::Arn) -> Option<&Arc<Role>> {
        let account = self.account(&arn.account_id()?)?;
        let name = arn.resource().rsplit('/').next()?;
        account.roles.find(name).filter(|role| role.arn == *arn)
    }

    /// The next snapshot.
    ///
    /// # Errors
    /// If a document cannot be compiled; this snapshot stays as it is.
    pub fn apply(&self, revision: Revision, changes: &[Change]) -> Result<Self, Corrupt> {
        let mut next = self.clone();
        next.revision = revision;
        let mut touched = HashMap::<AccountId, account::Touched>::new();
        for change in changes {
            next.apply_one(change, &mut touched)?;
        }
        for (id, touched) in touched {
            if let Some(account) = next.accounts.get_mut(&id) {
                Arc::make_mut(account).recompile(&touched)?;
            }
        }
        Ok(next)
    }

    fn apply_one(
        &mut self,
        change: &Change,
        touched: &mut HashMap<AccountId, account::Touched>,
    ) -> Result<(), Corrupt> {
        match change {
            Change::Put(Entity::Account(record)) => match self.accounts.get_mut(&record.id) {
                Some(account) => Arc::make_mut(account).take(record.clone())?,
                None => {
                    let account = Account::new(record.clone())?;
                    self.accounts.insert(record.id, Arc::new(account));
                }
            },
            Change::Put(Entity::AccessKey(record)) => {
                self.keys.insert(record.id.clone(), Arc::new(record.clone()));
            }
            Change::Put(Entity::Organization(record)) => {
                self.organizations.insert(record.id.clone(), Arc::new(record.clone()));
            }
            Change::Put(entity) => {
                let id = entity.owner();
                if let Some(account) = self.accounts.get_mut(id) {
                    let touched = touched.entry(*id).or_default();
                    Arc::make_mut(account).put(entity, touched);
                }
            }
            Change::Delete(Kind::AccessKey, id) => {
                self.keys.remove(&AccessKeyId::from(id.as_str()));
            }
            Change::Delete(Kind::Organization, id) => {
                self.organizations.remove(id);
            }
            Change::Delete(Kind::Account, id) => {
                if let Ok(id) = AccountId::parse(id) {
                    self.accounts.remove(&id);
                }
            }
            Change::Delete(kind, id) => {
                if let Some((account, name)) = id.split_once('/')
                    && let Ok(id) = AccountId::parse(account)
                    && let Some(account) = self.accounts.get_mut(&id)
                {
                    Arc::make_mut(account).delete(*kind, name, touched.entry(id).or_default());
                }
            }
        }
        Ok(())
    }
}

/// Names of policies and groups whose change makes others compile again.
type Names = BTreeSet<String>;
