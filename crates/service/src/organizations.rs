//! AWS Organizations: a tree of accounts, and policies over it that bind for real. Every change
//! writes what follows from it into the accounts that it touches, in one commit. Source: AWS
//! Organizations API Reference, 2016-11-28.

mod account;
mod attachment;
mod membership;
mod organization;
mod policy;
mod service;
mod tag;
mod tree;
mod unit;

use std::sync::Arc;

use ::policy::SetBy;
use serde::{Deserialize, Serialize};

pub use self::tree::{Kind, OrganizationRecord};
use crate::action::{Ask, Effect};
use crate::cx::Cx;
use crate::error::{Code, Error, Result, code};
use crate::iam::page::{self, Wanted};
use crate::record::{AccountRecord, Membership};
use crate::registry::Api;
use crate::world::{Change, Entity, World};

/// The service, with its actions by noun.
pub const API: Api = Api {
    name: "organizations",
    source: "organizations.amazonaws.com",
    actions: &[
        &account::ACTIONS,
        &attachment::ACTIONS,
        &membership::ACTIONS,
        &organization::ACTIONS,
        &policy::ACTIONS,
        &service::ACTIONS,
        &tag::ACTIONS,
        &unit::ACTIONS,
    ],
};

const CONSTRAINT_VIOLATION: Code = Code::new("ConstraintViolationException", 400);
const INVALID_INPUT: Code = Code::new("InvalidInputException", 400);
const NOT_IN_USE: Code = Code::new("AWSOrganizationsNotInUseException", 400);
const TARGET_NOT_FOUND: Code = Code::new("TargetNotFoundException", 400);

/// The organization that the caller's account manages; what only reads, accounts that are delegated
/// administrators for some service may call, too (each such action's API reference).
///
/// # Errors
/// `AWSOrganizationsNotInUseException` outside of one, `AccessDeniedException` for its members.
fn managed<'c>(cx: &'c Cx<'_>) -> Result<&'c Arc<OrganizationRecord>> {
    let organization = joined(cx)?;
    let account = cx.caller.account()?;
    let reads = || API.action(cx.operation.name).is_some_and(|it| it.effect == Effect::Read);
    let delegated = || organization.delegated.contains_key(account.as_str());
    match account == organization.management || (delegated() && reads()) {
        true => Ok(organization),
        false => Err(Error::new(
            code::ACCESS_DENIED,
            "You don't have permissions to access this resource.",
        )),
    }
}

/// The organization that the caller's account belongs to.
///
/// # Errors
/// `AWSOrganizationsNotInUseException`.
fn joined<'c>(cx: &'c Cx<'_>) -> Result<&'c Arc<OrganizationRecord>> {
    let account = cx.caller.account()?;
    cx.world
        .organization_of(&account)
        .ok_or_else(|| Error::new(NOT_IN_USE, "Your account is not a member of an organization."))
}

/// What is asked of the caller's own policies: about `*` while there is no organization, so that
/// who may not ask does not learn whether there is one.
fn ask(
    cx: &Cx<'_>,
    action: &str,
    arn: impl FnOnce(&OrganizationRecord) -> Option<String>,
) -> Result<Ask> {
    let account = cx.caller.account()?;
    let arn = cx.world.organization_of(&account).and_then(|organization| arn(organization));
    let arn = arn.as_deref().unwrap_or("*");
    // Members ask by their own policies too: what is the managing account's alone is refused later.
    Ok(Ask::identity(cx, &format!("organizations:{action}"), arn, account))
}

/// What is asked about a policy, the root, a unit or an account, with its tags and, of a policy, its
/// kind.
fn ask_about(cx: &Cx<'_>, action: &str, id: &str) -> Result<Ask> {
    let ask = ask(cx, action, |record| {
        record.policy(id).map(|policy| policy.arn).or_else(|| record.node_arn(id))
    })?;
    let organization = cx.world.organization_of(&cx.caller.account()?);
    let Some(organization) = organization else { return Ok(ask) };
    let ask = ask.resource_tags(organization.tags.get(id).map_or(&[], |tags| tags));
    Ok(match organization.policy(id) {
        Some(it) => ask.key("organizations:PolicyType", it.policy.kind.text(), SetBy::Resource),
        None => ask,
    })
}

/// The organization as it shall be, and all that follows for accounts: their place in it, and the
/// policies above them.
fn put(world: &World, organization: OrganizationRecord) -> Vec<Change> {
    let mut changes = Vec::new();
    for member in &organization.accounts {
        let Some(account) = world.known(&member.id) else { continue };
        let now = organization.placed(&account.record);
        if !same_place(&now, &account.record) {
            changes.push(Change::Put(Entity::Account(now)));
        }
    }
    changes.push(Change::Put(Entity::Organization(organization)));
    changes
}

fn same_place(a: &AccountRecord, b: &AccountRecord) -> bool {
    (&a.membership, &a.scps, &a.rcps) == (&b.membership, &b.scps, &b.rcps)
}

/// A page that a caller wants.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Paging {
    next_token: Option<String>,
    max_results: Option<i64>,
}

/// Cuts the page out of items that come in the order of their keys.
///
/// # Errors
/// `InvalidInputException` for a token that is none of this operation's.
fn cut<T>(
    cx: &Cx<'_>,
    items: impl IntoIterator<Item = T>,
    key: impl Fn(&T) -> String,
    wanted: &Paging,
) -> Result<(Vec<T>, Option<String>)> {
    /// Items of a page where the caller says nothing. Source: the API's pagination.
    const DEFAULT: i64 = 20;
    let max_items = Some(wanted.max_results.unwrap_or(DEFAULT));
    let wanted = Wanted { marker: wanted.next_token.clone(), max_items };
    let page = page::page(cx.operation.name, items, key, &wanted)
        .map_err(|_| Error::new(INVALID_INPUT, "You specified an invalid value for NextToken."))?;
    Ok((page.items, page.marker))
}

/// Nothing is told.
#[derive(Serialize)]
pub struct Empty {}

impl OrganizationRecord {
    /// An account's record, with what follows for it from its place in the tree.
    fn placed(&self, account: &AccountRecord) -> AccountRecord {
        let id = &account.id;
        let path = self.path(id.as_str());
        AccountRecord {
            membership: path.map(|path| Membership { organization: self.id.clone(), path }),
            scps: self.levels(id, Kind::Scp),
            rcps: self.levels(id, Kind::Rcp),
            ..account.clone()
        }
    }
}
