//! Who belongs to a group.

use serde::Deserialize;

use super::{View, view};
use crate::action::{Action, Ask, Done, Effect};
use crate::authorize::Permit;
use crate::cx::Cx;
use crate::error::{Error, Result};
use crate::iam::bearer::{Group, User, ask, find, put};
use crate::iam::entity::LIMIT_EXCEEDED;
use crate::iam::page::{Listing, Wanted, page};

/// Groups that one user may belong to. Source: IAM quotas.
pub const MAX_GROUPS: usize = 10;

/// A group and a user.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    group_name: String,
    user_name: String,
}

/// `AddUserToGroup`: adding again changes nothing.
pub struct AddUserToGroup;

impl Action for AddUserToGroup {
    const NAME: &'static str = "AddUserToGroup";
    const EFFECT: Effect = Effect::Write;
    type Input = Input;
    type Output = ();

    fn asks(cx: &Cx<'_>, input: &Input) -> Result<Vec<Ask>> {
        Ok(vec![ask::<Group>(cx, Self::NAME, &input.group_name)?])
    }

    async fn run(cx: &mut Cx<'_>, input: Input, _permit: Permit<Self>) -> Result<Done<()>> {
        let account = cx.caller.account()?;
        let group = find::<Group>(&cx.world, account, &input.group_name)?;
        let mut user = find::<User>(&cx.world, account, &input.user_name)?.clone();
        if user.groups.iter().any(|name| name.eq_ignore_ascii_case(&group.name)) {
            return Ok(Done::read(()));
        }
        if user.groups.len() >= MAX_GROUPS {
            let text = format!("Cannot exceed quota for GroupsPerUser: {MAX_GROUPS}");
            return Err(Error::new(LIMIT_EXCEEDED, text));
        }
        user.groups.push(group.name.clone());
        Ok(Done::write((), put::<User>(user)))
    }
}

/// `RemoveUserFromGroup`: removing who does not belong to it changes nothing.
pub struct RemoveUserFromGroup;

impl Action for RemoveUserFromGroup {
    const NAME: &'static str = "RemoveUserFromGroup";
    const EFFECT: Effect = Effect::Write;
    type Input = Input;
    type Output = ();

    fn asks(cx: &Cx<'_>, input: &Input) -> Result<Vec<Ask>> {
        Ok(vec![ask::<Group>(cx, Self::NAME, &input.group_name)?])
    }

    async fn run(cx: &mut Cx<'_>, input: Input, _permit: Permit<Self>) -> Result<Done<()>> {
        let account = cx.caller.account()?;
        find::<Group>(&cx.world, account, &input.group_name)?;
        let mut user = find::<User>(&cx.world, account, &input.user_name)?.clone();
        user.groups.retain(|name| !name.eq_ignore_ascii_case(&input.group_name));
        Ok(Done::write((), put::<User>(user)))
    }
}

/// `ListGroupsForUser`
pub struct ListGroupsForUser;

/// Its input.
#[derive(Deserialize)]
pub struct ListInput {
    #[serde(rename = "UserName")]
    name: String,
    #[serde(flatten)]
    wanted: Wanted,
}

impl Action for ListGroupsForUser {
    const NAME: &'static str = "ListGroupsForUser";
    const EFFECT: Effect = Effect::Read;
    type Input = ListInput;
    type Output = Listing<View>;

    fn asks(cx: &Cx<'_>, input: &ListInput) -> Result<Vec<Ask>> {
        Ok(vec![ask::<User>(cx, Self::NAME, &input.name)?])
    }

    async fn run(
        cx: &mut Cx<'_>,
        input: ListInput,
        _permit: Permit<Self>,
    ) -> Result<Done<Listing<View>>> {
        let account = cx.account()?;
        let user = find::<User>(&cx.world, account.record.id, &input.name)?;
        let mut groups: Vec<_> =
            user.groups.iter().filter_map(|name| account.groups.find(name)).collect();
        groups.sort_by_key(|group| group.record.name.to_ascii_lowercase());
        let page = page(
            cx.operation.name,
            groups,
            |group| group.record.name.to_ascii_lowercase(),
            &input.wanted,
        )?;
        Ok(Done::read(page.map(|group| view(&group.record)).listed("Groups")))
    }
}
