//! Accounts that leave, are taken out, or are closed. From then on nothing of the organization binds
//! those that left; a closed account is nobody's door any more.

use serde::Deserialize;

use super::account::find;
use super::organization::constraint;
use super::tree::OrganizationRecord;
use super::{Empty, ask, ask_about, joined, managed, put};
use crate::action::{Action, Ask, Done, Effect, Entry};
use crate::authorize::Permit;
use crate::cx::Cx;
use crate::error::{Code, Error, Result};
use crate::record::{AccountRecord, Millis};
use crate::world::{Change, Entity, World};

/// The actions of this file.
pub const ACTIONS: [Entry; 3] = [
    Entry::of::<CloseAccount>(),
    Entry::of::<LeaveOrganization>(),
    Entry::of::<RemoveAccountFromOrganization>(),
];

const ALREADY_CLOSED: Code = Code::new("AccountAlreadyClosedException", 400);
const MASTER_CANNOT_LEAVE: Code = Code::new("MasterCannotLeaveOrganizationException", 400);

/// Accounts that may be closed within thirty days where a tenth of the members is less. Source: AWS
/// Organizations quotas.
const MAX_CLOSED: usize = 10;
const THIRTY_DAYS: Millis = 30 * 86_400_000;

/// An account alone.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    account_id: String,
}

/// The organization without the account, and the account without the organization.
///
/// # Errors
/// For the managing account, delegated administrators and closed accounts.
fn without(world: &World, organization: &OrganizationRecord, id: &str) -> Result<Vec<Change>> {
    let mut record = organization.clone();
    let member = find(&record, id)?.clone();
    if member.id == record.management {
        let text = "You can't remove a management account from an organization. If you want the management account to become a member account in another organization, you must first delete the current organization of the management account.";
        return Err(Error::new(MASTER_CANNOT_LEAVE, text));
    }
    if record.delegated.contains_key(id) {
        return Err(constraint(
            "You can't remove an account that is a delegated administrator of the organization.",
        ));
    }
    if member.closed.is_some() {
        return Err(constraint("You can't remove a closed account from an organization."));
    }
    record.accounts.retain(|it| it.id != member.id);
    record.attached.remove(id);
    record.tags.remove(id);
    let account = world.account(&member.id).map(|account| account.record.clone());
    let account = account.ok_or_else(|| Error::internal("a member that is no account"))?;
    let free = AccountRecord { membership: None, scps: None, rcps: None, ..account };
    let mut changes = put(world, record);
    changes.push(Change::Put(Entity::Account(free)));
    Ok(changes)
}

/// `RemoveAccountFromOrganization`: the managing account lets a member go.
pub struct RemoveAccountFromOrganization;

impl Action for RemoveAccountFromOrganization {
    const NAME: &'static str = "RemoveAccountFromOrganization";
    const EFFECT: Effect = Effect::Write;
    type Input = Input;
    type Output = Empty;

    fn asks(cx: &Cx<'_>, input: &Input) -> Result<Vec<Ask>> {
        Ok(vec![ask_about(cx, Self::NAME, &input.account_id)?])
    }

    async fn run(cx: &mut Cx<'_>, input: Input, _permit: Permit<Self>) -> Result<Done<Empty>> {
        Ok(Done::write(Empty {}, without(&cx.world, managed(cx)?, &input.account_id)?))
    }
}

/// `LeaveOrganization`: a member goes by itself, unless a policy above it denies.
pub struct LeaveOrganization;

/// It takes nothing.
#[derive(Deserialize)]
pub struct Nothing {}

impl Action for LeaveOrganization {
    const NAME: &'static str = "LeaveOrganization";
    const EFFECT: Effect = Effect::Write;
    type Input = Nothing;
    type Output = Empty;

    fn asks(cx: &Cx<'_>, _input: &Nothing) -> Result<Vec<Ask>> {
        Ok(vec![ask(cx, Self::NAME, |_| None)?])
    }

    async fn run(cx: &mut Cx<'_>, _input: Nothing, _permit: Permit<Self>) -> Result<Done<Empty>> {
        let own = cx.caller.account()?;
        Ok(Done::write(Empty {}, without(&cx.world, joined(cx)?, own.as_str())?))
    }
}

/// `CloseAccount`: for good, and at once.
pub struct CloseAccount;

impl Action for CloseAccount {
    const NAME: &'static str = "CloseAccount";
    const EFFECT: Effect = Effect::Write;
    type Input = Input;
    type Output = Empty;

    fn asks(cx: &Cx<'_>, input: &Input) -> Result<Vec<Ask>> {
        Ok(vec![ask_about(cx, Self::NAME, &input.account_id)?])
    }

    async fn run(cx: &mut Cx<'_>, input: Input, _permit: Permit<Self>) -> Result<Done<Empty>> {
        let mut record = OrganizationRecord::clone(managed(cx)?);
        let now = cx.now.as_millisecond();
        let member = find(&record, &input.account_id)?;
        if member.closed.is_some() {
            let text = "You attempted to close an account that is already closed.";
            return Err(Error::new(ALREADY_CLOSED, text));
        }
        if member.id == record.management {
            return Err(constraint("You can't close the management account of an organization."));
        }
        if record.delegated.contains_key(&input.account_id) {
            return Err(constraint(
                "You can't close an account that is a delegated administrator of the organization.",
            ));
        }
        let lately = |at: Option<Millis>| at.is_some_and(|at| now - at < THIRTY_DAYS);
        let closed = record.accounts.iter().filter(|it| lately(it.closed)).count();
        if closed >= MAX_CLOSED.max(record.accounts.len() / 10) {
            return Err(constraint("You have exceeded close account quota for the past 30 days."));
        }
        let account = cx.world.account(&member.id).map(|account| account.record.clone());
        let account = account.ok_or_else(|| Error::internal("a member that is no account"))?;
        if let Some(member) = record.accounts.iter_mut().find(|it| it.id == account.id) {
            member.closed = Some(now);
        }
        let closed = AccountRecord { closed: Some(now), ..account };
        let mut changes = put(&cx.world, record);
        changes.push(Change::Put(Entity::Account(closed)));
        Ok(Done::write(Empty {}, changes))
    }
}
