//! `GetAccountAuthorizationDetails`: everybody with all their policies, page by page.

use serde::{Deserialize, Serialize};

use super::account;
use super::attached::{self, Attached};
use super::entity::{self, BoundaryView, TagView, encoded};
use super::instance_profile;
use super::page::{Page, Wanted, page};
use super::policy::details::{self, Details};
use super::policy::{Managed, Usage};
use super::role::LastUsed;
use super::trust;
use crate::action::{Action, Ask, Done, Effect, Entry};
use crate::authorize::Permit;
use crate::cx::Cx;
use crate::error::Result;
use crate::record::{GroupRecord, Policies, RoleRecord, UserRecord};
use crate::time::iso_seconds;
use crate::world::Account;

/// The actions of this file.
pub const ACTIONS: [Entry; 1] = [Entry::of::<GetAccountAuthorizationDetails>()];

/// The action.
pub struct GetAccountAuthorizationDetails;

/// Its input.
#[derive(Deserialize)]
pub struct Input {
    #[serde(rename = "Filter", default)]
    filter: Vec<Kind>,
    #[serde(flatten)]
    wanted: Wanted,
}

/// What is told of.
#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
pub enum Kind {
    /// Users.
    User,
    /// Roles.
    Role,
    /// Groups.
    Group,
    /// The account's own policies.
    LocalManagedPolicy,
    /// AWS's, as far as they are used.
    #[serde(rename = "AWSManagedPolicy")]
    AwsManagedPolicy,
}

/// Its result.
#[derive(Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    user_detail_list: Vec<UserDetail>,
    group_detail_list: Vec<GroupDetail>,
    role_detail_list: Vec<RoleDetail>,
    policies: Vec<Details>,
    is_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    marker: Option<String>,
}

/// An inline policy with its document.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct InlineDetail {
    policy_name: String,
    policy_document: String,
}

/// A user.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct UserDetail {
    path: String,
    user_name: String,
    user_id: String,
    arn: String,
    create_date: String,
    user_policy_list: Vec<InlineDetail>,
    group_list: Vec<String>,
    attached_managed_policies: Vec<Attached>,
    #[serde(skip_serializing_if = "Option::is_none")]
    permissions_boundary: Option<BoundaryView>,
    tags: Vec<TagView>,
}

/// A group.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GroupDetail {
    path: String,
    group_name: String,
    group_id: String,
    arn: String,
    create_date: String,
    group_policy_list: Vec<InlineDetail>,
    attached_managed_policies: Vec<Attached>,
}

/// A role.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct RoleDetail {
    path: String,
    role_name: String,
    role_id: String,
    arn: String,
    create_date: String,
    assume_role_policy_document: String,
    instance_profile_list: Vec<instance_profile::View>,
    role_policy_list: Vec<InlineDetail>,
    attached_managed_policies: Vec<Attached>,
    #[serde(skip_serializing_if = "Option::is_none")]
    permissions_boundary: Option<BoundaryView>,
    tags: Vec<TagView>,
    role_last_used: LastUsed,
}

fn inline(policies: &Policies) -> Vec<InlineDetail> {
    let detail = |policy: &crate::record::InlinePolicy| InlineDetail {
        policy_name: policy.name.clone(),
        policy_document: encoded(&policy.document),
    };
    policies.inline.iter().map(detail).collect()
}

fn user(record: &UserRecord) -> UserDetail {
    UserDetail {
        path: record.path.clone(),
        user_name: record.name.clone(),
        user_id: record.id.to_string(),
        arn: entity::arn("user", &record.account, &record.path, &record.name),
        create_date: iso_seconds(record.created),
        user_policy_list: inline(&record.policies),
        group_list: record.groups.clone(),
        attached_managed_policies: attached::views(&record.policies.attached),
        permissions_boundary: entity::boundary_view(record.boundary.as_ref()),
        tags: entity::views(&record.tags),
    }
}

fn group(record: &GroupRecord) -> GroupDetail {
    GroupDetail {
        path: record.path.clone(),
        group_name: record.name.clone(),
        group_id: record.id.to_string(),
        arn: entity::arn("group", &record.account, &record.path, &record.name),
        create_date: iso_seconds(record.created),
        group_policy_list: inline(&record.policies),
        attached_managed_policies: attached::views(&record.policies.attached),
    }
}

fn role(cx: &Cx<'_>, record: &RoleRecord) -> RoleDetail {
    let world = &*cx.world;
    let profiles = instance_profile::of_role(world, record);
    RoleDetail {
        path: record.path.clone(),
        role_name: record.name.clone(),
        role_id: record.id.to_string(),
        arn: entity::arn("role", &record.account, &record.path, &record.name),
        create_date: iso_seconds(record.created),
        assume_role_policy_document: encoded(&trust::shown(world, &record.trust)),
        instance_profile_list: profiles
            .map(|profile| instance_profile::view(world, profile, false))
            .collect(),
        role_policy_list: inline(&record.policies),
        attached_managed_policies: attached::views(&record.policies.attached),
        permissions_boundary: entity::boundary_view(record.boundary.as_ref()),
        tags: entity::views(&record.tags),
        role_last_used: LastUsed::of(cx, record),
    }
}

/// One of all that there is, in the order in which pages go through it.
enum Item<'a> {
    User(&'a UserRecord),
    Group(&'a GroupRecord),
    Role(&'a RoleRecord),
    Policy(Managed),
}

impl Item<'_> {
    fn key(&self) -> String {
        let lower = |name: &str| name.to_ascii_lowercase();
        match self {
            Self::User(record) => format!("1/{}", lower(&record.name)),
            Self::Group(record) => format!("2/{}", lower(&record.name)),
            Self::Role(record) => format!("3/{}", lower(&record.name)),
            Self::Policy(policy) => format!("4/{}", policy.arn()),
        }
    }
}

impl Input {
    fn items<'a>(&self, account: &'a Account, usage: &Usage<'_>) -> Vec<Item<'a>> {
        let wants = |kind| self.filter.is_empty() || self.filter.contains(&kind);
        let mut items = Vec::new();
        if wants(Kind::User) {
            items.extend(account.users.iter().map(|user| Item::User(&user.record)));
        }
        if wants(Kind::Group) {
            items.extend(account.groups.iter().map(|group| Item::Group(&group.record)));
        }
        if wants(Kind::Role) {
            items.extend(account.roles.iter().map(|role| Item::Role(&role.record)));
        }
        let (own, aws) = (wants(Kind::LocalManagedPolicy), wants(Kind::AwsManagedPolicy));
        let policies = Managed::all(account, own, aws).into_iter();
        // Of AWS's policies those that somebody has: all of them would tell nothing of the account.
        let told =
            policies.filter(|it| matches!(it, Managed::Own(_)) || usage.of(it.arn()) != (0, 0));
        items.extend(told.map(Item::Policy));
        items
    }
}

impl Action for GetAccountAuthorizationDetails {
    const NAME: &'static str = "GetAccountAuthorizationDetails";
    const EFFECT: Effect = Effect::Read;
    type Input = Input;
    type Output = Output;

    fn asks(cx: &Cx<'_>, _input: &Input) -> Result<Vec<Ask>> {
        account::ask(cx, Self::NAME)
    }

    async fn run(cx: &mut Cx<'_>, input: Input, _permit: Permit<Self>) -> Result<Done<Output>> {
        let account = cx.account()?;
        let usage = Usage::in_account(account);
        let items = input.items(account, &usage);
        let Page { items, is_truncated, marker } =
            page(cx.operation.name, items, Item::key, &input.wanted)?;
        let mut output = Output { is_truncated, marker, ..Output::default() };
        for item in items {
            match item {
                Item::User(record) => output.user_detail_list.push(user(record)),
                Item::Group(record) => output.group_detail_list.push(group(record)),
                Item::Role(record) => output.role_detail_list.push(role(cx, record)),
                Item::Policy(policy) => output.policies.push(details::of(&policy, &usage)),
            }
        }
        Ok(Done::read(output))
    }
}
