//! What bears policies: roles, users and groups. One implementation of inline policies,
//! attachments, boundaries and tags serves all three.

use policy::{AccountId, SetBy, Tag};
use serde::{Deserialize, Serialize};

use super::entity::{self, ENTITY_ALREADY_EXISTS, LIMIT_EXCEEDED, NO_SUCH_ENTITY, asked_arn};
use super::{group, instance_profile, role, service_linked, user};
use crate::action::Ask;
use crate::cx::Cx;
use crate::error::{Error, Result};
use crate::record::{GroupRecord, Policies, RoleRecord, UserRecord};
use crate::world::{Account, Change, Entity, Kind, World};

/// An entity that bears policies, by its own names for what all of them can.
pub trait Bearer: Send + Sync + 'static {
    /// `role`: in ARNs and in AWS's sentences.
    const KIND: &'static str;
    /// `RoleName`: in answers.
    const NAME_FIELD: &'static str;
    /// All its inline policies together, in characters.
    const INLINE_QUOTA: usize;
    /// `PutRolePolicy`
    const PUT_POLICY: &'static str;
    /// `GetRolePolicy`
    const GET_POLICY: &'static str;
    /// `DeleteRolePolicy`
    const DELETE_POLICY: &'static str;
    /// `ListRolePolicies`
    const LIST_POLICIES: &'static str;
    /// `AttachRolePolicy`
    const ATTACH_POLICY: &'static str;
    /// `DetachRolePolicy`
    const DETACH_POLICY: &'static str;
    /// `ListAttachedRolePolicies`
    const LIST_ATTACHED: &'static str;
    /// `ListRoles`
    const LIST: &'static str;
    /// `Roles`: the list in its answer.
    const LIST_FIELD: &'static str;
    /// `DeleteRole`
    const DELETE: &'static str;
    /// The kind of its documents in the store.
    const STORED: Kind;
    /// The quota of the account for such entities, by AWS's name. Source: IAM quotas.
    const QUOTA: (&'static str, usize);
    /// What is stored of it.
    type Record: Clone + Send + Sync;
    /// As answers write it.
    type View: Serialize + Send;

    /// The one of that name, in whatever case, with its ARN.
    fn lookup<'a>(account: &'a Account, name: &str) -> Option<(&'a Self::Record, &'a str)>;
    /// All in the account, in the order of their lower-case names.
    fn all(account: &Account) -> impl Iterator<Item = &Self::Record>;
    /// Its name.
    fn name(record: &Self::Record) -> &str;
    /// Its view; lists leave the tags out, as AWS does.
    fn view(world: &World, record: &Self::Record) -> Self::View;
    /// What, beside policies, must be taken from it before it can be deleted, in AWS's words.
    fn held(world: &World, record: &Self::Record) -> Option<&'static str>;
    /// Its policies.
    fn policies(record: &Self::Record) -> &Policies;
    /// Its policies, to change.
    fn policies_mut(record: &mut Self::Record) -> &mut Policies;
    /// Its path.
    fn path(record: &Self::Record) -> &str;
    /// Its tags; groups have none.
    fn tags(record: &Self::Record) -> &[Tag];
    /// Its permissions boundary; groups have none.
    fn boundary(record: &Self::Record) -> Option<&str>;
    /// As the world takes it.
    fn entity(record: Self::Record) -> Entity;
    /// That its policies may be changed.
    ///
    /// # Errors
    /// `UnmodifiableEntity` for what only AWS changes.
    fn changeable(_record: &Self::Record) -> Result<()> {
        Ok(())
    }
}

/// A bearer that has tags and a boundary: a role or a user.
pub trait Principal: Bearer {
    /// `TagRole`
    const TAG: &'static str;
    /// `UntagRole`
    const UNTAG: &'static str;
    /// `ListRoleTags`
    const LIST_TAGS: &'static str;
    /// `PutRolePermissionsBoundary`
    const PUT_BOUNDARY: &'static str;
    /// `DeleteRolePermissionsBoundary`
    const DELETE_BOUNDARY: &'static str;
    /// Its tags, to change.
    fn tags_mut(record: &mut Self::Record) -> &mut Vec<Tag>;
    /// Its boundary, to change.
    fn boundary_mut(record: &mut Self::Record) -> &mut Option<String>;
}

/// A bearer that can take another name or path: a user or a group.
pub trait Renamed: Bearer {
    /// `UpdateUser`
    const UPDATE: &'static str;
    /// Gives it another name and path.
    fn rename(record: &mut Self::Record, name: String, path: String);
    /// Entities that know it by its name, as they shall be under the new one.
    fn followers(world: &World, record: &Self::Record, name: &str) -> Vec<Change>;
}

/// A name alone.
#[derive(Deserialize)]
pub struct Named {
    /// The bearer's name.
    #[serde(alias = "RoleName", alias = "UserName", alias = "GroupName")]
    pub name: String,
}

/// The bearer of that name in the caller's account.
///
/// # Errors
/// `NoSuchEntity`, in AWS's words.
pub fn find<'w, B: Bearer>(
    world: &'w World,
    account: AccountId,
    name: &str,
) -> Result<&'w B::Record> {
    let found = world.account(&account).and_then(|account| B::lookup(account, name));
    found.map(|(record, _)| record).ok_or_else(|| missing(B::KIND, name))
}

/// The same one, to be changed.
///
/// # Errors
/// `NoSuchEntity`, or `UnmodifiableEntity` for what only AWS changes.
pub fn find_to_change<B: Bearer>(cx: &Cx<'_>, name: &str) -> Result<B::Record> {
    let record = find::<B>(&cx.world, cx.caller.account()?, name)?;
    B::changeable(record)?;
    Ok(record.clone())
}

/// How AWS says that there is none.
pub fn missing(kind: &str, name: &str) -> Error {
    Error::new(NO_SUCH_ENTITY, format!("The {kind} with name {name} cannot be found."))
}

/// There is room for one more of that name.
///
/// # Errors
/// `EntityAlreadyExists` or `LimitExceeded`, in AWS's words.
pub fn vacant<B: Bearer>(account: &Account, name: &str) -> Result<()> {
    if B::lookup(account, name).is_some() {
        return Err(taken::<B>(name));
    }
    let (quota, most) = B::QUOTA;
    match B::all(account).count() < most {
        true => Ok(()),
        false => {
            Err(Error::new(LIMIT_EXCEEDED, format!("Cannot exceed quota for {quota}: {most}")))
        }
    }
}

/// How AWS says that the name is another's.
pub fn taken<B: Bearer>(name: &str) -> Error {
    let text = format!("{} with name {name} already exists.", entity::capital(B::KIND));
    Error::new(ENTITY_ALREADY_EXISTS, text)
}

/// Actions that see the boundary of whom they are about: those that change what somebody may, and
/// what a role is. Source: Service Authorization Reference, IAM.
const ASKED_OF_BOUNDARY: [&str; 17] = [
    "AttachRolePolicy",
    "AttachUserPolicy",
    "DeleteRole",
    "DeleteRolePermissionsBoundary",
    "DeleteRolePolicy",
    "DeleteUserPermissionsBoundary",
    "DeleteUserPolicy",
    "DetachRolePolicy",
    "DetachUserPolicy",
    "GetRole",
    "PutRolePermissionsBoundary",
    "PutRolePolicy",
    "PutUserPermissionsBoundary",
    "PutUserPolicy",
    "UpdateAssumeRolePolicy",
    "UpdateRole",
    "UpdateRoleDescription",
];

/// What is asked about a bearer that is named: its ARN, its tags and its boundary if it exists,
/// else its ARN without a path, so that who may not see it does not learn whether it exists.
///
/// # Errors
/// If nobody is proven.
pub fn ask<B: Bearer>(cx: &Cx<'_>, action: &str, name: &str) -> Result<Ask> {
    let account = cx.caller.account()?;
    let found = cx.world.account(&account).and_then(|account| B::lookup(account, name));
    let arn = asked_arn(B::KIND, &account, found.map(|(_, arn)| arn), name);
    let mut ask = Ask::identity(cx, &format!("iam:{action}"), &arn, account);
    if let Some((record, _)) = found {
        ask = ask.principal_tags(B::tags(record));
        if let Some(boundary) = B::boundary(record).filter(|_| ASKED_OF_BOUNDARY.contains(&action))
        {
            ask = ask.key("iam:PermissionsBoundary", boundary, SetBy::Resource);
        }
    }
    Ok(ask)
}

/// A bearer as it shall be.
pub fn put<B: Bearer>(record: B::Record) -> Vec<Change> {
    vec![Change::Put(B::entity(record))]
}

/// Roles.
pub struct Role;
/// Users.
pub struct User;
/// Groups.
pub struct Group;

impl Bearer for Role {
    const KIND: &'static str = "role";
    const NAME_FIELD: &'static str = "RoleName";
    const INLINE_QUOTA: usize = policy::document::quota::ROLE_INLINE;
    const PUT_POLICY: &'static str = "PutRolePolicy";
    const GET_POLICY: &'static str = "GetRolePolicy";
    const DELETE_POLICY: &'static str = "DeleteRolePolicy";
    const LIST_POLICIES: &'static str = "ListRolePolicies";
    const ATTACH_POLICY: &'static str = "AttachRolePolicy";
    const DETACH_POLICY: &'static str = "DetachRolePolicy";
    const LIST_ATTACHED: &'static str = "ListAttachedRolePolicies";
    const LIST: &'static str = "ListRoles";
    const LIST_FIELD: &'static str = "Roles";
    const DELETE: &'static str = "DeleteRole";
    const STORED: Kind = Kind::Role;
    const QUOTA: (&'static str, usize) = ("RolesPerAccount", 1000);
    type Record = RoleRecord;
    type View = role::View;

    fn lookup<'a>(account: &'a Account, name: &str) -> Option<(&'a RoleRecord, &'a str)> {
        account.roles.find(name).map(|role| (&role.record, role.arn.as_str()))
    }
    fn all(account: &Account) -> impl Iterator<Item = &RoleRecord> {
        account.roles.iter().map(|role| &role.record)
    }
    fn name(record: &RoleRecord) -> &str {
        &record.name
    }
    fn view(world: &World, record: &RoleRecord) -> role::View {
        role::view(world, record)
    }
    fn held(world: &World, record: &RoleRecord) -> Option<&'static str> {
        instance_profile::held(world, record)
    }
    fn policies(record: &RoleRecord) -> &Policies {
        &record.policies
    }
    fn policies_mut(record: &mut RoleRecord) -> &mut Policies {
        &mut record.policies
    }
    fn path(record: &RoleRecord) -> &str {
        &record.path
    }
    fn tags(record: &RoleRecord) -> &[Tag] {
        &record.tags
    }
    fn boundary(record: &RoleRecord) -> Option<&str> {
        record.boundary.as_deref()
    }
    fn entity(record: RoleRecord) -> Entity {
        Entity::Role(record)
    }
    fn changeable(record: &RoleRecord) -> Result<()> {
        service_linked::changeable(record)
    }
}

impl Principal for Role {
    const TAG: &'static str = "TagRole";
    const UNTAG: &'static str = "UntagRole";
    const LIST_TAGS: &'static str = "ListRoleTags";
    const PUT_BOUNDARY: &'static str = "PutRolePermissionsBoundary";
    const DELETE_BOUNDARY: &'static str = "DeleteRolePermissionsBoundary";
    fn tags_mut(record: &mut RoleRecord) -> &mut Vec<Tag> {
        &mut record.tags
    }
    fn boundary_mut(record: &mut RoleRecord) -> &mut Option<String> {
        &mut record.boundary
    }
}

impl Bearer for User {
    const KIND: &'static str = "user";
    const NAME_FIELD: &'static str = "UserName";
    const INLINE_QUOTA: usize = policy::document::quota::USER_INLINE;
    const PUT_POLICY: &'static str = "PutUserPolicy";
    const GET_POLICY: &'static str = "GetUserPolicy";
    const DELETE_POLICY: &'static str = "DeleteUserPolicy";
    const LIST_POLICIES: &'static str = "ListUserPolicies";
    const ATTACH_POLICY: &'static str = "AttachUserPolicy";
    const DETACH_POLICY: &'static str = "DetachUserPolicy";
    const LIST_ATTACHED: &'static str = "ListAttachedUserPolicies";
    const LIST: &'static str = "ListUsers";
    const LIST_FIELD: &'static str = "Users";
    const DELETE: &'static str = "DeleteUser";
    const STORED: Kind = Kind::User;
    const QUOTA: (&'static str, usize) = ("UsersPerAccount", 5000);
    type Record = UserRecord;
    type View = user::View;

    fn lookup<'a>(account: &'a Account, name: &str) -> Option<(&'a UserRecord, &'a str)> {
        account.users.find(name).map(|user| (&user.record, user.arn.as_str()))
    }
    fn all(account: &Account) -> impl Iterator<Item = &UserRecord> {
        account.users.iter().map(|user| &user.record)
    }
    fn name(record: &UserRecord) -> &str {
        &record.name
    }
    fn view(_world: &World, record: &UserRecord) -> user::View {
        user::view(record, false)
    }
    fn held(world: &World, record: &UserRecord) -> Option<&'static str> {
        user::held(world, record)
    }
    fn policies(record: &UserRecord) -> &Policies {
        &record.policies
    }
    fn policies_mut(record: &mut UserRecord) -> &mut Policies {
        &mut record.policies
    }
    fn path(record: &UserRecord) -> &str {
        &record.path
    }
    fn tags(record: &UserRecord) -> &[Tag] {
        &record.tags
    }
    fn boundary(record: &UserRecord) -> Option<&str> {
        record.boundary.as_deref()
    }
    fn entity(record: UserRecord) -> Entity {
        Entity::User(record)
    }
}

impl Principal for User {
    const TAG: &'static str = "TagUser";
    const UNTAG: &'static str = "UntagUser";
    const LIST_TAGS: &'static str = "ListUserTags";
    const PUT_BOUNDARY: &'static str = "PutUserPermissionsBoundary";
    const DELETE_BOUNDARY: &'static str = "DeleteUserPermissionsBoundary";
    fn tags_mut(record: &mut UserRecord) -> &mut Vec<Tag> {
        &mut record.tags
    }
    fn boundary_mut(record: &mut UserRecord) -> &mut Option<String> {
        &mut record.boundary
    }
}

impl Renamed for User {
    const UPDATE: &'static str = "UpdateUser";
    fn rename(record: &mut UserRecord, name: String, path: String) {
        record.name = name;
        record.path = path;
    }
    fn followers(world: &World, record: &UserRecord, name: &str) -> Vec<Change> {
        user::held_under(world, record, name)
    }
}

impl Bearer for Group {
    const KIND: &'static str = "group";
    const NAME_FIELD: &'static str = "GroupName";
    const INLINE_QUOTA: usize = policy::document::quota::GROUP_INLINE;
    const PUT_POLICY: &'static str = "PutGroupPolicy";
    const GET_POLICY: &'static str = "GetGroupPolicy";
    const DELETE_POLICY: &'static str = "DeleteGroupPolicy";
    const LIST_POLICIES: &'static str = "ListGroupPolicies";
    const ATTACH_POLICY: &'static str = "AttachGroupPolicy";
    const DETACH_POLICY: &'static str = "DetachGroupPolicy";
    const LIST_ATTACHED: &'static str = "ListAttachedGroupPolicies";
    const LIST: &'static str = "ListGroups";
    const LIST_FIELD: &'static str = "Groups";
    const DELETE: &'static str = "DeleteGroup";
    const STORED: Kind = Kind::Group;
    const QUOTA: (&'static str, usize) = ("GroupsPerAccount", 300);
    type Record = GroupRecord;
    type View = group::View;

    fn lookup<'a>(account: &'a Account, name: &str) -> Option<(&'a GroupRecord, &'a str)> {
        account.groups.find(name).map(|group| (&group.record, group.arn.as_str()))
    }
    fn all(account: &Account) -> impl Iterator<Item = &GroupRecord> {
        account.groups.iter().map(|group| &group.record)
    }
    fn name(record: &GroupRecord) -> &str {
        &record.name
    }
    fn view(_world: &World, record: &GroupRecord) -> group::View {
        group::view(record)
    }
    fn held(world: &World, record: &GroupRecord) -> Option<&'static str> {
        group::held(world, record)
    }
    fn policies(record: &GroupRecord) -> &Policies {
        &record.policies
    }
    fn policies_mut(record: &mut GroupRecord) -> &mut Policies {
        &mut record.policies
    }
    fn path(record: &GroupRecord) -> &str {
        &record.path
    }
    fn tags(_record: &GroupRecord) -> &[Tag] {
        &[]
    }
    fn boundary(_record: &GroupRecord) -> Option<&str> {
        None
    }
    fn entity(record: GroupRecord) -> Entity {
        Entity::Group(record)
    }
}

impl Renamed for Group {
    const UPDATE: &'static str = "UpdateGroup";
    fn rename(record: &mut GroupRecord, name: String, path: String) {
        record.name = name;
        record.path = path;
    }
    fn followers(world: &World, record: &GroupRecord, name: &str) -> Vec<Change> {
        group::members_under(world, record, name)
    }
}
