//! Groups: create, read, and who belongs to them. A user's record names its groups.

mod members;

use serde::{Deserialize, Serialize};

pub use self::members::MAX_GROUPS;
use super::bearer::{Group, ask, find, put, vacant};
use super::page::{Page, Wanted, page};
use super::{entity, user};
use crate::action::{Action, Ask, Done, Effect, Entry};
use crate::authorize::Permit;
use crate::cx::Cx;
use crate::error::Result;
use crate::ids::{Prefix, UniqueId};
use crate::record::{GroupRecord, Policies, UserRecord};
use crate::time::iso_seconds;
use crate::world::{Account, Change, Entity, World};

/// The actions of this noun.
pub const ACTIONS: [Entry; 5] = [
    Entry::of::<members::AddUserToGroup>(),
    Entry::of::<CreateGroup>(),
    Entry::of::<GetGroup>(),
    Entry::of::<members::ListGroupsForUser>(),
    Entry::of::<members::RemoveUserFromGroup>(),
];

/// A group as answers write it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct View {
    path: String,
    group_name: String,
    group_id: String,
    arn: String,
    create_date: String,
}

/// A group's view.
pub fn view(record: &GroupRecord) -> View {
    View {
        path: record.path.clone(),
        group_name: record.name.clone(),
        group_id: record.id.to_string(),
        arn: entity::arn("group", &record.account, &record.path, &record.name),
        create_date: iso_seconds(record.created),
    }
}

/// What must be taken from a group before it can be deleted.
pub fn held(world: &World, record: &GroupRecord) -> Option<&'static str> {
    let mut members = world.account(&record.account).into_iter().flat_map(|it| members(it, record));
    members.next().map(|_| "must remove users from group first.")
}

/// The group's users, as they shall be when it has another name.
pub fn members_under(world: &World, record: &GroupRecord, name: &str) -> Vec<Change> {
    let account = world.account(&record.account);
    let members = account.into_iter().flat_map(|account| members(account, record));
    let renamed = |user: &UserRecord| {
        let mut user = user.clone();
        for group in user.groups.iter_mut().filter(|it| it.eq_ignore_ascii_case(&record.name)) {
            name.clone_into(group);
        }
        Change::Put(Entity::User(user))
    };
    members.map(renamed).collect()
}

/// The users who belong to a group, in the order of their names.
fn members<'a>(
    account: &'a Account,
    group: &'a GroupRecord,
) -> impl Iterator<Item = &'a UserRecord> {
    let users = account.users.iter().map(|user| &user.record);
    users.filter(|user| user.groups.iter().any(|name| name.eq_ignore_ascii_case(&group.name)))
}

/// `CreateGroup`
pub struct CreateGroup;

/// Its input.
#[derive(Deserialize)]
pub struct CreateInput {
    #[serde(rename = "Path")]
    path: Option<String>,
    #[serde(rename = "GroupName")]
    name: String,
}

/// One group.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct OneGroup {
    group: View,
}

impl Action for CreateGroup {
    const NAME: &'static str = "CreateGroup";
    const EFFECT: Effect = Effect::Write;
    type Input = CreateInput;
    type Output = OneGroup;

    fn asks(cx: &Cx<'_>, input: &CreateInput) -> Result<Vec<Ask>> {
        let account = cx.caller.account()?;
        let arn = entity::arn("group", &account, input.path.as_deref().unwrap_or("/"), &input.name);
        Ok(vec![Ask::identity(cx, "iam:CreateGroup", &arn, account)])
    }

    async fn run(
        cx: &mut Cx<'_>,
        input: CreateInput,
        _permit: Permit<Self>,
    ) -> Result<Done<OneGroup>> {
        let account = cx.caller.account()?;
        vacant::<Group>(cx.account()?, &input.name)?;
        let record = GroupRecord {
            account,
            name: input.name,
            path: input.path.unwrap_or_else(|| "/".to_owned()),
            id: UniqueId::fresh(Prefix::Group),
            created: cx.now.as_millisecond(),
            policies: Policies::default(),
        };
        Ok(Done::write(OneGroup { group: view(&record) }, put::<Group>(record)))
    }
}

/// `GetGroup`: the group, and its users by pages.
pub struct GetGroup;

/// Its input.
#[derive(Deserialize)]
pub struct GetInput {
    #[serde(rename = "GroupName")]
    name: String,
    #[serde(flatten)]
    wanted: Wanted,
}

/// Its result.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetOutput {
    group: View,
    users: Vec<user::View>,
    is_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    marker: Option<String>,
}

impl Action for GetGroup {
    const NAME: &'static str = "GetGroup";
    const EFFECT: Effect = Effect::Read;
    type Input = GetInput;
    type Output = GetOutput;

    fn asks(cx: &Cx<'_>, input: &GetInput) -> Result<Vec<Ask>> {
        Ok(vec![ask::<Group>(cx, Self::NAME, &input.name)?])
    }

    async fn run(
        cx: &mut Cx<'_>,
        input: GetInput,
        _permit: Permit<Self>,
    ) -> Result<Done<GetOutput>> {
        let account = cx.account()?;
        let record = find::<Group>(&cx.world, account.record.id, &input.name)?;
        let users = members(account, record);
        let Page { items, is_truncated, marker } =
            page(cx.operation.name, users, |user| user.name.to_ascii_lowercase(), &input.wanted)?
                .map(|user| user::view(user, false));
        Ok(Done::read(GetOutput { group: view(record), users: items, is_truncated, marker }))
    }
}
