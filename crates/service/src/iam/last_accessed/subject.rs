//! Whom a question is about, by its ARN: who acts for it, and the policies that give it something.

use std::sync::Arc;

use policy::{Document, Kind, Strictness};

use crate::action::Ask;
use crate::cx::Cx;
use crate::error::{Error, Result};
use crate::iam::bearer::{self, Bearer, Group, Role, User};
use crate::iam::entity::NO_SUCH_ENTITY;
use crate::world::{self, Account};

/// One policy, and where it comes from.
pub struct Held {
    /// Its name.
    pub name: String,
    /// Of a managed one.
    pub arn: Option<String>,
    /// Of an inline one: the kind of its owner (`user`), and the owner's name.
    pub owner: Option<(&'static str, String)>,
    /// What it says.
    pub document: Arc<Document>,
}

/// Somebody who acts.
pub struct Actor {
    /// With its path.
    pub arn: String,
    /// `AIDA…`, `AROA…`
    pub id: String,
    /// Its name.
    pub name: String,
    /// `/` or `/…/`.
    pub path: String,
    /// `USER`, `ROLE`
    pub kind: &'static str,
}

/// A user, a role, a group or a managed policy.
pub enum Subject<'w> {
    /// A user.
    User(&'w Arc<world::User>),
    /// A role.
    Role(&'w Arc<world::Role>),
    /// A group.
    Group(&'w Arc<world::Group>),
    /// A managed policy that exists, by its ARN.
    Policy(String, Arc<Document>),
}

/// What is asked about it: its ARN, and its tags.
///
/// # Errors
/// If nobody is proven.
pub fn ask(cx: &Cx<'_>, action: &str, arn: &str) -> Result<Ask> {
    let account = cx.account()?;
    match Subject::find(account, arn) {
        Ok(Subject::User(user)) => bearer::ask::<User>(cx, action, &user.record.name),
        Ok(Subject::Role(role)) => bearer::ask::<Role>(cx, action, &role.record.name),
        Ok(Subject::Group(group)) => bearer::ask::<Group>(cx, action, &group.record.name),
        _ => {
            let ask = Ask::identity(cx, &format!("iam:{action}"), arn, account.record.id);
            let own = account.policy_by_arn(arn);
            Ok(own.map_or(ask.clone(), |policy| ask.resource_tags(&policy.record.tags)))
        }
    }
}

impl<'w> Subject<'w> {
    /// What has that ARN in the account, or is AWS's.
    ///
    /// # Errors
    /// `NoSuchEntity`.
    pub fn find(account: &'w Account, arn: &str) -> Result<Self> {
        let name = arn.rsplit('/').next().unwrap_or_default();
        let user = account.users.find(name).filter(|it| it.arn.as_str() == arn);
        let role = account.roles.find(name).filter(|it| it.arn.as_str() == arn);
        let group = account.groups.find(name).filter(|it| it.arn.as_str() == arn);
        let policy = || Some(Self::Policy(arn.to_owned(), world::document_of(account, arn)?));
        let found = user.map(Self::User).or(role.map(Self::Role)).or(group.map(Self::Group));
        found
            .or_else(policy)
            .ok_or_else(|| Error::new(NO_SUCH_ENTITY, format!("ARN {arn} cannot be found.")))
    }

    /// Its policies, a user's groups' among them.
    pub fn held(&self, account: &Account) -> Vec<Held> {
        match self {
            Self::User(user) => {
                let mut held = of::<User>(account, &user.record);
                let groups = user.record.groups.iter();
                for group in groups.filter_map(|name| account.groups.find(name)) {
                    held.extend(of::<Group>(account, &group.record));
                }
                held
            }
            Self::Role(role) => of::<Role>(account, &role.record),
            Self::Group(group) => of::<Group>(account, &group.record),
            Self::Policy(arn, document) => vec![Held {
                name: arn.rsplit('/').next().unwrap_or_default().to_owned(),
                arn: Some(arn.clone()),
                owner: None,
                document: Arc::clone(document),
            }],
        }
    }

    /// Who acts by it: itself, a group's members, or whoever has a policy.
    pub fn actors(&self, account: &Account) -> Vec<Actor> {
        let users = account.users.iter();
        match self {
            Self::User(user) => vec![of_user(user)],
            Self::Role(role) => vec![of_role(role)],
            Self::Group(group) => {
                let name = &group.record.name;
                let within = |it: &&Arc<world::User>| {
                    it.record.groups.iter().any(|own| own.eq_ignore_ascii_case(name))
                };
                users.filter(within).map(|it| of_user(it)).collect()
            }
            Self::Policy(arn, _) => {
                let has = |user: &&Arc<world::User>| {
                    let groups = user.record.groups.iter();
                    let mut groups = groups.filter_map(|name| account.groups.find(name));
                    user.record.policies.attached.contains(arn)
                        || groups.any(|it| it.record.policies.attached.contains(arn))
                };
                let roles = account.roles.iter();
                let roles = roles.filter(|it| it.record.policies.attached.contains(arn));
                let roles = roles.map(|it| of_role(it));
                users.filter(has).map(|it| of_user(it)).chain(roles).collect()
            }
        }
    }
}

fn of<B: Bearer>(account: &Account, record: &B::Record) -> Vec<Held> {
    let policies = B::policies(record);
    let inline = policies.inline.iter().filter_map(|it| {
        let document = Document::parse(&it.document, Kind::Identity, Strictness::Stored).ok()?;
        let owner = Some((B::KIND, B::name(record).to_owned()));
        Some(Held { name: it.name.clone(), arn: None, owner, document: Arc::new(document) })
    });
    let attached = policies.attached.iter().filter_map(|arn| {
        let name = arn.rsplit('/').next()?.to_owned();
        let document = world::document_of(account, arn)?;
        Some(Held { name, arn: Some(arn.clone()), owner: None, document })
    });
    inline.chain(attached).collect()
}

fn of_user(user: &world::User) -> Actor {
    let it = &user.record;
    Actor {
        arn: user.arn.to_string(),
        id: it.id.to_string(),
        name: it.name.clone(),
        path: it.path.clone(),
        kind: "USER",
    }
}

fn of_role(role: &world::Role) -> Actor {
    let it = &role.record;
    Actor {
        arn: role.arn.to_string(),
        id: it.id.to_string(),
        name: it.name.clone(),
        path: it.path.clone(),
        kind: "ROLE",
    }
}
