//! One account of the world: its entities, each with what is compiled from it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use policy::{Arn, Compiled};

use super::change::{Entity, Kind};
use super::table::Table;
use super::{Corrupt, Names, compile};
use crate::ids::UniqueId;
use crate::record::{
    AccountRecord, CredentialReportRecord, GroupRecord, InstanceProfileRecord, MfaDeviceRecord,
    OidcProviderRecord, PolicyRecord, RoleRecord, SamlProviderRecord, ServerCertificateRecord,
    UserRecord,
};

/// An account.
#[derive(Clone, Debug)]
pub struct Account {
    /// Its own facts.
    pub record: AccountRecord,
    /// Service control policies over its principals, by level; none outside an organization.
    pub scps: Option<Vec<Arc<Compiled>>>,
    /// Resource control policies over its resources, likewise.
    pub rcps: Option<Vec<Arc<Compiled>>>,
    /// Roles by name.
    pub roles: Table<Role>,
    /// Users by name.
    pub users: Table<User>,
    /// Groups by name.
    pub groups: Table<Group>,
    /// Customer-managed policies by name.
    pub policies: Table<ManagedPolicy>,
    /// OpenID Connect providers by URL without scheme.
    pub oidc_providers: HashMap<String, Arc<OidcProviderRecord>>,
    /// SAML providers by name.
    pub saml_providers: BTreeMap<String, Arc<SamlProvider>>,
    /// Server certificates by name.
    pub server_certificates: Table<ServerCertificateRecord>,
    /// Instance profiles by name.
    pub instance_profiles: Table<InstanceProfileRecord>,
    /// Virtual MFA devices by path and name.
    pub mfa_devices: BTreeMap<String, Arc<MfaDeviceRecord>>,
    /// The last credential report.
    pub credential_report: Option<Arc<CredentialReportRecord>>,
    by_id: HashMap<UniqueId, Named>,
}

/// A role, ready to decide with.
#[derive(Clone, Debug)]
pub struct Role {
    /// Its facts.
    pub record: RoleRecord,
    /// `arn:aws:iam::…:role/path/name`
    pub arn: Arn,
    /// Its trust policy.
    pub trust: Arc<Compiled>,
    /// All its identity policies.
    pub identity: Arc<Compiled>,
    /// Its permissions boundary.
    pub boundary: Option<Arc<Compiled>>,
}

/// A user, ready to decide with.
#[derive(Clone, Debug)]
pub struct User {
    /// Its facts.
    pub record: UserRecord,
    /// `arn:aws:iam::…:user/path/name`
    pub arn: Arn,
    /// All its identity policies, its groups' among them.
    pub identity: Arc<Compiled>,
    /// Its permissions boundary.
    pub boundary: Option<Arc<Compiled>>,
}

/// A group.
#[derive(Clone, Debug)]
pub struct Group {
    /// Its facts.
    pub record: GroupRecord,
    /// `arn:aws:iam::…:group/path/name`
    pub arn: Arn,
}

/// A customer-managed policy.
#[derive(Clone, Debug)]
pub struct ManagedPolicy {
    /// Its facts.
    pub record: PolicyRecord,
    /// `arn:aws:iam::…:policy/path/name`
    pub arn: Arn,
    /// The version in force, parsed.
    pub document: Arc<policy::Document>,
}

/// A SAML provider, ready to verify with.
#[derive(Clone, Debug)]
pub struct SamlProvider {
    /// Its facts.
    pub record: SamlProviderRecord,
    /// `arn:aws:iam::…:saml-provider/name`
    pub arn: Arn,
    /// The certificates of its metadata.
    pub certificates: Vec<claims::saml::Certificate>,
}

#[derive(Clone, Debug)]
enum Named {
    Role(String),
    User(String),
}

/// What a commit touched in one account, and so must be compiled again.
#[derive(Debug, Default)]
pub(super) struct Touched {
    roles: HashMap<String, RoleRecord>,
    users: HashMap<String, UserRecord>,
    policies: HashMap<String, PolicyRecord>,
    /// ARNs of policies that changed or went.
    policy_arns: Names,
    /// Lower-case names of groups that changed or went.
    groups: Names,
}

impl Account {
    /// An account with nothing in it yet.
    pub(super) fn new(record: AccountRecord) -> Result<Self, Corrupt> {
        Ok(Self {
            scps: compile::levels(record.scps.as_deref(), policy::Kind::Scp)?,
            rcps: compile::levels(record.rcps.as_deref(), policy::Kind::Rcp)?,
            record,
            roles: Table::default(),
            users: Table::default(),
            groups: Table::default(),
            policies: Table::default(),
            oidc_providers: HashMap::new(),
            saml_providers: BTreeMap::new(),
            server_certificates: Table::default(),
            instance_profiles: Table::default(),
            mfa_devices: BTreeMap::new(),
            credential_report: None,
            by_id: HashMap::new(),
        })
    }

    /// Takes other facts, and compiles the organization's policies in them.
    pub(super) fn take(&mut self, record: AccountRecord) -> Result<(), Corrupt> {
        self.scps = compile::levels(record.scps.as_deref(), policy::Kind::Scp)?;
        self.rcps = compile::levels(record.rcps.as_deref(), policy::Kind::Rcp)?;
        self.record = record;
        Ok(())
    }

    /// The role of that unique id, if it still lives.
    pub fn role_by_id(&self, id: &UniqueId) -> Option<&Arc<Role>> {
        match self.by_id.get(id)? {
            Named::Role(name) => self.roles.find(name).filter(|role| role.record.id == *id),
            Named::User(_) => None,
        }
    }

    /// The user of that unique id, if it still lives.
    pub fn user_by_id(&self, id: &UniqueId) -> Option<&Arc<User>> {
        match self.by_id.get(id)? {
            Named::User(name) => self.users.find(name).filter(|user| user.record.id == *id),
            Named::Role(_) => None,
        }
    }

    /// The customer-managed policy of that ARN.
    pub fn policy_by_arn(&self, arn: &str) -> Option<&Arc<ManagedPolicy>> {
        let name = arn.rsplit('/').next()?;
        self.policies.find(name).filter(|policy| policy.arn.as_str() == arn)
    }

    pub(super) fn put(&mut self, entity: &Entity, touched: &mut Touched) {
        match entity {
            Entity::Role(record) => {
                touched.roles.insert(record.name.to_ascii_lowercase(), record.clone());
            }
            Entity::User(record) => {
                touched.users.insert(record.name.to_ascii_lowercase(), record.clone());
            }
            Entity::Policy(record) => {
                touched.policies.insert(record.name.to_ascii_lowercase(), record.clone());
            }
            Entity::Group(record) => {
                let group = Group {
                    arn: compile::arn("group", &record.account, &record.path, &record.name),
                    record: record.clone(),
                };
                touched.groups.insert(record.name.to_ascii_lowercase());
                self.groups.put(&record.name, Arc::new(group));
            }
            Entity::OidcProvider(record) => {
                self.oidc_providers.insert(record.url.clone(), Arc::new(record.clone()));
            }
            Entity::SamlProvider(record) => {
                let provider = compile::saml_provider(record);
                self.saml_providers.insert(record.name.clone(), Arc::new(provider));
            }
            Entity::ServerCertificate(record) => {
                self.server_certificates.put(&record.name, Arc::new(record.clone()));
            }
            Entity::InstanceProfile(record) => {
                self.instance_profiles.put(&record.name, Arc::new(record.clone()));
            }
            Entity::MfaDevice(record) => {
                self.mfa_devices.insert(record.key(), Arc::new(record.clone()));
            }
            Entity::CredentialReport(record) => {
                self.credential_report = Some(Arc::new(record.clone()));
            }
            // The world keeps accounts, keys and organizations itself.
            Entity::Account(_) | Entity::AccessKey(_) | Entity::Organization(_) => {}
        }
    }

    pub(super) fn delete(&mut self, kind: Kind, name: &str, touched: &mut Touched) {
        match kind {
            Kind::Role => {
                touched.roles.remove(name);
                if let Some(role) = self.roles.remove(name) {
                    self.by_id.remove(&role.record.id);
                }
            }
            Kind::User => {
                touched.users.remove(name);
                if let Some(user) = self.users.remove(name) {
                    self.by_id.remove(&user.record.id);
                }
            }
            Kind::Policy => {
                touched.policies.remove(name);
                if let Some(policy) = self.policies.remove(name) {
                    touched.policy_arns.insert(policy.arn.to_string());
                }
            }
            Kind::Group => {
                touched.groups.insert(name.to_owned());
                self.groups.remove(name);
            }
            Kind::OidcProvider => {
                self.oidc_providers.remove(name);
            }
            Kind::SamlProvider => {
                self.saml_providers.remove(name);
            }
            Kind::ServerCertificate => {
                self.server_certificates.remove(name);
            }
            Kind::InstanceProfile => {
                self.instance_profiles.remove(name);
            }
            Kind::MfaDevice => {
                self.mfa_devices.remove(name);
            }
            Kind::CredentialReport => self.credential_report = None,
            Kind::Account | Kind::AccessKey | Kind::Organization => {}
        }
    }

    /// Compiles what a commit touched, and everyone whose policies it changed.
    pub(super) fn recompile(&mut self, touched: &Touched) -> Result<(), Corrupt> {
        let mut policy_arns = touched.policy_arns.clone();
        for record in touched.policies.values() {
            let policy = compile::managed(record)?;
            policy_arns.insert(policy.arn.to_string());
            self.policies.put(&record.name, Arc::new(policy));
        }

        let affected = |policies: &crate::record::Policies, boundary: Option<&String>| {
            policies.attached.iter().chain(boundary).any(|arn| policy_arns.contains(arn))
        };
        let mut groups = touched.groups.clone();
        for group in self.groups.iter() {
            if affected(&group.record.policies, None) {
                groups.insert(group.record.name.to_ascii_lowercase());
            }
        }
        let mut roles: Vec<RoleRecord> = touched.roles.values().cloned().collect();
        roles.extend(
            self.roles
                .iter()
                .map(|role| &role.record)
                .filter(|record| {
                    !touched.roles.contains_key(&record.name.to_ascii_lowercase())
                        && affected(&record.policies, record.boundary.as_ref())
                })
                .cloned(),
        );
        let mut users: Vec<UserRecord> = touched.users.values().cloned().collect();
        users.extend(
            self.users
                .iter()
                .map(|user| &user.record)
                .filter(|record| {
                    !touched.users.contains_key(&record.name.to_ascii_lowercase())
                        && (affected(&record.policies, record.boundary.as_ref())
                            || record
                                .groups
                                .iter()
                                .any(|name| groups.contains(&name.to_ascii_lowercase())))
                })
                .cloned(),
        );

        for record in roles {
            let role = compile::role(self, record)?;
            self.by_id.insert(role.record.id.clone(), Named::Role(role.record.name.clone()));
            self.roles.put(&role.record.name.clone(), Arc::new(role));
        }
        for record in users {
            let user = compile::user(self, record)?;
            self.by_id.insert(user.record.id.clone(), Named::User(user.record.name.clone()));
            self.users.put(&user.record.name.clone(), Arc::new(user));
        }
        Ok(())
    }
}
