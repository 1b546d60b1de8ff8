//! Accounts of an organization: made in it, moved within it, told of.

use policy::{AccountId, Tag};
use serde::{Deserialize, Serialize};

use super::tag::{refused, tagged_ask};
use super::tree::{Made, Member, OrganizationRecord, id};
use super::unit::{BelowInput, check_parent};
use super::{Empty, Paging, ask, ask_about, cut, managed, put};
use crate::action::{Action, Ask, Done, Effect, Entry};
use crate::authorize::Permit;
use crate::cx::Cx;
use crate::error::{Code, Error, Result};
use crate::iam::entity::check_tags;
use crate::ids::{self, Prefix, UniqueId};
use crate::record::{AccountRecord, Millis, Policies, RoleRecord};
use crate::world::{Change, Entity, World};

/// The role that lets the managing account in, where the call names none. Source: CreateAccount.
const DEFAULT_ROLE: &str = "OrganizationAccountAccessRole";
const ADMINISTRATOR: &str = "arn:aws:iam::aws:policy/AdministratorAccess";

/// The actions of this file.
pub const ACTIONS: [Entry; 7] = [
    Entry::of::<CreateAccount>(),
    Entry::of::<DescribeAccount>(),
    Entry::of::<DescribeCreateAccountStatus>(),
    Entry::of::<ListAccounts>(),
    Entry::of::<ListAccountsForParent>(),
    Entry::of::<ListCreateAccountStatus>(),
    Entry::of::<MoveAccount>(),
];

const ACCOUNT_NOT_FOUND: Code = Code::new("AccountNotFoundException", 400);
const DESTINATION_NOT_FOUND: Code = Code::new("DestinationParentNotFoundException", 400);
const DUPLICATE: Code = Code::new("DuplicateAccountException", 400);
const SOURCE_NOT_FOUND: Code = Code::new("SourceParentNotFoundException", 400);
const STATUS_NOT_FOUND: Code = Code::new("CreateAccountStatusNotFoundException", 400);

/// Whole seconds since 1970, as this protocol writes times.
pub(super) const fn seconds(at: Millis) -> i64 {
    at.div_euclid(1000)
}

/// How the making of an account went.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Status {
    id: String,
    account_name: String,
    state: &'static str,
    requested_timestamp: i64,
    completed_timestamp: i64,
    account_id: String,
}

/// One status.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct OneStatus {
    create_account_status: Status,
}

fn status(id: &str, made: &Made) -> Status {
    Status {
        id: id.to_owned(),
        account_name: made.name.clone(),
        state: "SUCCEEDED",
        requested_timestamp: seconds(made.at),
        completed_timestamp: seconds(made.at),
        account_id: made.account.to_string(),
    }
}

/// `CreateAccount`: done when it is answered.
pub struct CreateAccount;

/// Its input.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreateInput {
    email: String,
    account_name: String,
    role_name: Option<String>,
    #[serde(default)]
    tags: Vec<Tag>,
}

impl CreateInput {
    /// The role by which the managing account's people come in.
    fn role(&self, account: AccountId, management: AccountId, now: Millis) -> RoleRecord {
        let trust = serde_json::json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow",
            "Principal": {"AWS": management.root_arn().as_str()},
            "Action": "sts:AssumeRole",
        }]});
        RoleRecord {
            account,
            name: self.role_name.clone().unwrap_or_else(|| DEFAULT_ROLE.to_owned()),
            path: "/".to_owned(),
            id: UniqueId::fresh(Prefix::Role),
            created: now,
            description: None,
            max_session: crate::iam::DEFAULT_SESSION,
            trust: trust.to_string(),
            policies: Policies { inline: Vec::new(), attached: vec![ADMINISTRATOR.to_owned()] },
            boundary: None,
            tags: Vec::new(),
        }
    }
}

impl Action for CreateAccount {
    const NAME: &'static str = "CreateAccount";
    const EFFECT: Effect = Effect::Write;
    type Input = CreateInput;
    type Output = OneStatus;

    fn asks(cx: &Cx<'_>, input: &CreateInput) -> Result<Vec<Ask>> {
        Ok(tagged_ask(ask(cx, Self::NAME, |_| None)?, &input.tags))
    }

    async fn run(
        cx: &mut Cx<'_>,
        input: CreateInput,
        _permit: Permit<Self>,
    ) -> Result<Done<OneStatus>> {
        let mut record = OrganizationRecord::clone(managed(cx)?);
        check_tags(&input.tags).map_err(refused)?;
        let now = cx.now.as_millisecond();
        let account = free_number(&cx.world)?;
        let name = &input.account_name;
        record.accounts.push(Member {
            id: account,
            parent: record.root.clone(),
            name: name.clone(),
            email: input.email.clone(),
            joined: now,
            created: true,
            closed: None,
        });
        record.attach_defaults(account.as_str());
        let request = id("car-", 32);
        let made = Made { account, name: name.clone(), at: now };
        record.made.insert(request.clone(), made.clone());
        let role = input.role(account, record.management, now);
        record.set_tags(account.as_str(), input.tags);

        let own = record.placed(&AccountRecord::new(account, name.clone(), now));
        let mut changes = vec![Change::Put(Entity::Account(own)), Change::Put(Entity::Role(role))];
        changes.extend(put(&cx.world, record));
        let create_account_status = status(&request, &made);
        Ok(Done::write(OneStatus { create_account_status }, changes))
    }
}

/// Twelve digits that are nobody's.
fn free_number(world: &World) -> Result<AccountId> {
    const TRIES: usize = 16;
    let number = |_| {
        let digits = u64::from_be_bytes(ids::random::<8>()) % 1_000_000_000_000;
        AccountId::parse(&format!("{digits:012}")).ok()
    };
    let free = (0..TRIES).filter_map(number).find(|id| world.known(id).is_none());
    free.ok_or_else(|| Error::internal("no account number is free"))
}

/// `DescribeCreateAccountStatus`
pub struct DescribeCreateAccountStatus;

/// Its input.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct StatusInput {
    create_account_request_id: String,
}

impl Action for DescribeCreateAccountStatus {
    const NAME: &'static str = "DescribeCreateAccountStatus";
    const EFFECT: Effect = Effect::Read;
    type Input = StatusInput;
    type Output = OneStatus;

    fn asks(cx: &Cx<'_>, _input: &StatusInput) -> Result<Vec<Ask>> {
        Ok(vec![ask(cx, Self::NAME, |_| None)?])
    }

    async fn run(
        cx: &mut Cx<'_>,
        input: StatusInput,
        _permit: Permit<Self>,
    ) -> Result<Done<OneStatus>> {
        let id = &input.create_account_request_id;
        let made = managed(cx)?.made.get(id).ok_or_else(|| {
            let text = "We can't find a create account request with the CreateAccountRequestId that you specified.";
            Error::new(STATUS_NOT_FOUND, text)
        })?;
        Ok(Done::read(OneStatus { create_account_status: status(id, made) }))
    }
}

/// `ListCreateAccountStatus`
pub struct ListCreateAccountStatus;

/// Its input.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct StatesInput {
    states: Option<Vec<String>>,
    #[serde(flatten)]
    wanted: Paging,
}

/// Its result.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Statuses {
    create_account_statuses: Vec<Status>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

impl Action for ListCreateAccountStatus {
    const NAME: &'static str = "ListCreateAccountStatus";
    const EFFECT: Effect = Effect::Read;
    type Input = StatesInput;
    type Output = Statuses;

    fn asks(cx: &Cx<'_>, _input: &StatesInput) -> Result<Vec<Ask>> {
        Ok(vec![ask(cx, Self::NAME, |_| None)?])
    }

    async fn run(
        cx: &mut Cx<'_>,
        input: StatesInput,
        _permit: Permit<Self>,
    ) -> Result<Done<Statuses>> {
        let all = managed(cx)?.made.iter().map(|(id, made)| status(id, made));
        let states = input.states.unwrap_or_default();
        let wanted =
            all.filter(|it| states.is_empty() || states.iter().any(|state| state == it.state));
        let (create_account_statuses, next_token) =
            cut(cx, wanted, |it| it.id.clone(), &input.wanted)?;
        Ok(Done::read(Statuses { create_account_statuses, next_token }))
    }
}

/// An account as answers write it.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct View {
    id: String,
    arn: String,
    email: String,
    name: String,
    status: &'static str,
    state: &'static str,
    joined_method: &'static str,
    joined_timestamp: i64,
    /// Of all others only.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) paths: Vec<String>,
    /// Of delegated administrators only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) delegation_enabled_date: Option<i64>,
}

pub(super) fn view(record: &OrganizationRecord, member: &Member) -> View {
    View {
        id: member.id.to_string(),
        arn: record.node_arn(member.id.as_str()).unwrap_or_default(),
        email: member.email.clone(),
        name: member.name.clone(),
        status: if member.closed.is_some() { "SUSPENDED" } else { "ACTIVE" },
        state: if member.closed.is_some() { "CLOSED" } else { "ACTIVE" },
        joined_method: if member.created { "CREATED" } else { "INVITED" },
        joined_timestamp: seconds(member.joined),
        paths: record
            .path(member.id.as_str())
            .map(|it| format!("{it}{}/", member.id))
            .into_iter()
            .collect(),
        delegation_enabled_date: None,
    }
}

/// The account of that number.
///
/// # Errors
/// `AccountNotFoundException`.
pub(super) fn find<'a>(record: &'a OrganizationRecord, id: &str) -> Result<&'a Member> {
    record.member(id).ok_or_else(|| {
        let text = "You specified an account that doesn't exist.";
        Error::new(ACCOUNT_NOT_FOUND, text)
    })
}

/// `DescribeAccount`
pub struct DescribeAccount;

/// Its input.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeInput {
    account_id: String,
}

/// One account.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct OneAccount {
    account: View,
}

impl Action for DescribeAccount {
    const NAME: &'static str = "DescribeAccount";
    const EFFECT: Effect = Effect::Read;
    type Input = DescribeInput;
    type Output = OneAccount;

    fn asks(cx: &Cx<'_>, input: &DescribeInput) -> Result<Vec<Ask>> {
        Ok(vec![ask_about(cx, Self::NAME, &input.account_id)?])
    }

    async fn run(
        cx: &mut Cx<'_>,
        input: DescribeInput,
        _permit: Permit<Self>,
    ) -> Result<Done<OneAccount>> {
        let record = managed(cx)?;
        let account = view(record, find(record, &input.account_id)?);
        Ok(Done::read(OneAccount { account }))
    }
}

/// Accounts by pages.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Accounts {
    accounts: Vec<View>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

impl Accounts {
    fn of(cx: &Cx<'_>, parent: Option<&str>, wanted: &Paging) -> Result<Self> {
        let record = managed(cx)?;
        let below = |member: &&Member| parent.is_none_or(|parent| member.parent == parent);
        let mut members: Vec<_> = record.accounts.iter().filter(below).collect();
        members.sort_by_key(|member| member.id.as_str());
        let (members, next_token) = cut(cx, members, |member| member.id.to_string(), wanted)?;
        let accounts = members.into_iter().map(|member| view(record, member)).collect();
        Ok(Self { accounts, next_token })
    }
}

/// `ListAccounts`
pub struct ListAccounts;

impl Action for ListAccounts {
    const NAME: &'static str = "ListAccounts";
    const EFFECT: Effect = Effect::Read;
    type Input = Paging;
    type Output = Accounts;

    fn asks(cx: &Cx<'_>, _input: &Paging) -> Result<Vec<Ask>> {
        Ok(vec![ask(cx, Self::NAME, |_| None)?])
    }

    async fn run(cx: &mut Cx<'_>, input: Paging, _permit: Permit<Self>) -> Result<Done<Accounts>> {
        Ok(Done::read(Accounts::of(cx, None, &input)?))
    }
}

/// `ListAccountsForParent`: those right below it.
pub struct ListAccountsForParent;

impl Action for ListAccountsForParent {
    const NAME: &'static str = "ListAccountsForParent";
    const EFFECT: Effect = Effect::Read;
    type Input = BelowInput;
    type Output = Accounts;

    fn asks(cx: &Cx<'_>, input: &BelowInput) -> Result<Vec<Ask>> {
        Ok(vec![ask_about(cx, Self::NAME, &input.parent_id)?])
    }

    async fn run(
        cx: &mut Cx<'_>,
        input: BelowInput,
        _permit: Permit<Self>,
    ) -> Result<Done<Accounts>> {
        let record = managed(cx)?;
        check_parent(record, &input.parent_id)?;
        Ok(Done::read(Accounts::of(cx, Some(&input.parent_id), &input.wanted)?))
    }
}

/// `MoveAccount`: other policies are above it from then on.
pub struct MoveAccount;

/// Its input.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct MoveInput {
    account_id: String,
    source_parent_id: String,
    destination_parent_id: String,
}

impl Action for MoveAccount {
    const NAME: &'static str = "MoveAccount";
    const EFFECT: Effect = Effect::Write;
    type Input = MoveInput;
    type Output = Empty;

    /// About the account and about both places.
    fn asks(cx: &Cx<'_>, input: &MoveInput) -> Result<Vec<Ask>> {
        let nodes = [&input.account_id, &input.source_parent_id, &input.destination_parent_id];
        nodes.into_iter().map(|id| ask_about(cx, Self::NAME, id)).collect()
    }

    async fn run(cx: &mut Cx<'_>, input: MoveInput, _permit: Permit<Self>) -> Result<Done<Empty>> {
        let mut record = OrganizationRecord::clone(managed(cx)?);
        let member = find(&record, &input.account_id)?;
        if member.parent != input.source_parent_id {
            let text = "We can't find a source root or OU with the ParentId that you specified.";
            return Err(Error::new(SOURCE_NOT_FOUND, text));
        }
        if !record.is_parent(&input.destination_parent_id) {
            let text = "We can't find the destination container (a root or OU) with the ParentId that you specified.";
            return Err(Error::new(DESTINATION_NOT_FOUND, text));
        }
        if input.source_parent_id == input.destination_parent_id {
            let text = "That account is already present in the specified destination.";
            return Err(Error::new(DUPLICATE, text));
        }
        let moved = record.accounts.iter_mut().find(|it| it.id.as_str() == input.account_id);
        if let Some(member) = moved {
            member.parent = input.destination_parent_id;
        }
        Ok(Done::write(Empty {}, put(&cx.world, record)))
    }
}
