//! `ListEntitiesForPolicy`: who uses a policy, and how.

use serde::{Deserialize, Serialize};

use super::list::UsageFilter;
use super::{ask, find};
use crate::action::{Action, Ask, Done, Effect};
use crate::authorize::Permit;
use crate::cx::Cx;
use crate::error::Result;
use crate::iam::bearer::{Bearer, Group, Role, User};
use crate::iam::page::{Page, Wanted, page};
use crate::world::Account;

/// The action.
pub struct ListEntitiesForPolicy;

/// Its input.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    policy_arn: String,
    entity_filter: Option<String>,
    path_prefix: Option<String>,
    policy_usage_filter: Option<UsageFilter>,
    #[serde(flatten)]
    wanted: Wanted,
}

/// Its result.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    policy_groups: Vec<GroupView>,
    policy_users: Vec<UserView>,
    policy_roles: Vec<RoleView>,
    is_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    marker: Option<String>,
}

/// A group that uses it.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GroupView {
    group_name: String,
    group_id: String,
}

/// A user who uses it.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct UserView {
    user_name: String,
    user_id: String,
}

/// A role that uses it.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct RoleView {
    role_name: String,
    role_id: String,
}

/// One page goes through all three kinds, in the order of their names on the wire.
struct Using {
    kind: &'static str,
    name: String,
    id: String,
}

impl Input {
    fn users_of<B: Bearer>(&self, account: &Account, id: fn(&B::Record) -> String) -> Vec<Using> {
        let prefix = self.path_prefix.as_deref().unwrap_or("/");
        let kind = crate::iam::entity::capital(B::KIND);
        if self.entity_filter.as_ref().is_some_and(|wanted| *wanted != kind) {
            return Vec::new();
        }
        let uses = |record: &B::Record| {
            let attached = B::policies(record).attached.contains(&self.policy_arn);
            let bounds = B::boundary(record) == Some(self.policy_arn.as_str());
            match self.policy_usage_filter {
                None => attached || bounds,
                Some(UsageFilter::PermissionsPolicy) => attached,
                Some(UsageFilter::PermissionsBoundary) => bounds,
            }
        };
        B::all(account)
            .filter(|record| B::path(record).starts_with(prefix) && uses(record))
            .map(|record| Using { kind: B::KIND, name: B::name(record).to_owned(), id: id(record) })
            .collect()
    }
}

impl Action for ListEntitiesForPolicy {
    const NAME: &'static str = "ListEntitiesForPolicy";
    const EFFECT: Effect = Effect::Read;
    type Input = Input;
    type Output = Output;

    fn asks(cx: &Cx<'_>, input: &Input) -> Result<Vec<Ask>> {
        Ok(vec![ask(cx, Self::NAME, &input.policy_arn)?])
    }

    async fn run(cx: &mut Cx<'_>, input: Input, _permit: Permit<Self>) -> Result<Done<Output>> {
        find(cx, &input.policy_arn)?;
        let account = cx.account()?;
        let mut all = input.users_of::<Group>(account, |it| it.id.to_string());
        all.extend(input.users_of::<Role>(account, |it| it.id.to_string()));
        all.extend(input.users_of::<User>(account, |it| it.id.to_string()));
        let key = |it: &Using| format!("{}/{}", it.kind, it.name.to_ascii_lowercase());
        let Page { items, is_truncated, marker } =
            page(cx.operation.name, all, key, &input.wanted)?;
        let mut out = Output {
            policy_groups: Vec::new(),
            policy_users: Vec::new(),
            policy_roles: Vec::new(),
            is_truncated,
            marker,
        };
        for Using { kind, name, id } in items {
            match kind {
                Group::KIND => out.policy_groups.push(GroupView { group_name: name, group_id: id }),
                User::KIND => out.policy_users.push(UserView { user_name: name, user_id: id }),
                _ => out.policy_roles.push(RoleView { role_name: name, role_id: id }),
            }
        }
        Ok(Done::read(out))
    }
}
