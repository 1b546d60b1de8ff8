//! The organization itself, and which kinds of policies are in force in it.

use policy::SetBy;
use serde::{Deserialize, Serialize};

use super::tree::{Kind, Member, OrganizationRecord};
use super::{CONSTRAINT_VIOLATION, Empty, Paging, ask, ask_about, cut, joined, managed, put};
use crate::action::{Action, Ask, Done, Effect, Entry};
use crate::authorize::Permit;
use crate::cx::Cx;
use crate::error::{Code, Error, Result};
use crate::record::AccountRecord;
use crate::world::{self, Change, Entity};

/// The actions of this file.
pub const ACTIONS: [Entry; 6] = [
    Entry::of::<CreateOrganization>(),
    Entry::of::<DeleteOrganization>(),
    Entry::of::<DescribeOrganization>(),
    Entry::of::<Toggle<false>>(),
    Entry::of::<Toggle<true>>(),
    Entry::of::<ListRoots>(),
];

const ALREADY_IN: Code = Code::new("AlreadyInOrganizationException", 400);
const NOT_EMPTY: Code = Code::new("OrganizationNotEmptyException", 400);
const ROOT_NOT_FOUND: Code = Code::new("RootNotFoundException", 400);
const ALREADY_ENABLED: Code = Code::new("PolicyTypeAlreadyEnabledException", 400);
/// The kind is not in force.
pub const NOT_ENABLED: Code = Code::new("PolicyTypeNotEnabledException", 400);
const NOT_AVAILABLE: Code = Code::new("PolicyTypeNotAvailableForOrganizationException", 400);

/// An organization as answers write it.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct View {
    id: String,
    arn: String,
    feature_set: &'static str,
    master_account_arn: String,
    master_account_id: String,
    master_account_email: String,
    available_policy_types: Vec<PolicyType>,
}

/// A kind of policy that is in force.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct PolicyType {
    #[serde(rename = "Type")]
    kind: Kind,
    status: &'static str,
}

const fn in_force(kind: Kind) -> PolicyType {
    PolicyType { kind, status: "ENABLED" }
}

/// One organization.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct OneOrganization {
    organization: View,
}

fn view(record: &OrganizationRecord) -> OneOrganization {
    let master = record.management.as_str();
    let email = record.member(master).map_or("", |member| &member.email);
    // AWS names the one kind here whether or not it is in force.
    let available = record.all_features.then_some(in_force(Kind::Scp));
    let organization = View {
        id: record.id.clone(),
        arn: record.arn(),
        feature_set: if record.all_features { "ALL" } else { "CONSOLIDATED_BILLING" },
        master_account_arn: record.node_arn(master).unwrap_or_default(),
        master_account_id: master.to_owned(),
        master_account_email: email.to_owned(),
        available_policy_types: available.into_iter().collect(),
    };
    OneOrganization { organization }
}

/// `CreateOrganization`: the caller's account manages it.
pub struct CreateOrganization;

/// Its input.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreateInput {
    feature_set: Option<String>,
}

impl Action for CreateOrganization {
    const NAME: &'static str = "CreateOrganization";
    const EFFECT: Effect = Effect::Write;
    type Input = CreateInput;
    type Output = OneOrganization;

    fn asks(cx: &Cx<'_>, _input: &CreateInput) -> Result<Vec<Ask>> {
        Ok(vec![ask(cx, Self::NAME, |_| None)?])
    }

    async fn run(
        cx: &mut Cx<'_>,
        input: CreateInput,
        _permit: Permit<Self>,
    ) -> Result<Done<OneOrganization>> {
        let account = &cx.account()?.record;
        if account.membership.is_some() {
            let text = "The AWS account is already a member of an organization.";
            return Err(Error::new(ALREADY_IN, text));
        }
        let management = Member {
            id: account.id,
            parent: String::new(),
            name: account.name.clone(),
            email: format!("{}@accounts.invalid", account.id),
            joined: cx.now.as_millisecond(),
            created: false,
            closed: None,
        };
        let all = input.feature_set.as_deref() != Some("CONSOLIDATED_BILLING");
        let record = OrganizationRecord::new(management, all);
        Ok(Done::write(view(&record), put(&cx.world, record)))
    }
}

/// It takes nothing.
#[derive(Deserialize)]
pub struct Nothing {}

/// `DescribeOrganization`: of its members too.
pub struct DescribeOrganization;

impl Action for DescribeOrganization {
    const NAME: &'static str = "DescribeOrganization";
    const EFFECT: Effect = Effect::Read;
    type Input = Nothing;
    type Output = OneOrganization;

    fn asks(cx: &Cx<'_>, _input: &Nothing) -> Result<Vec<Ask>> {
        Ok(vec![ask(cx, Self::NAME, |_| None)?])
    }

    async fn run(
        cx: &mut Cx<'_>,
        _input: Nothing,
        _permit: Permit<Self>,
    ) -> Result<Done<OneOrganization>> {
        Ok(Done::read(view(joined(cx)?)))
    }
}

/// `DeleteOrganization`: only one without other accounts.
pub struct DeleteOrganization;

impl Action for DeleteOrganization {
    const NAME: &'static str = "DeleteOrganization";
    const EFFECT: Effect = Effect::Write;
    type Input = Nothing;
    type Output = Empty;

    fn asks(cx: &Cx<'_>, _input: &Nothing) -> Result<Vec<Ask>> {
        Ok(vec![ask(cx, Self::NAME, |_| None)?])
    }

    async fn run(cx: &mut Cx<'_>, _input: Nothing, _permit: Permit<Self>) -> Result<Done<Empty>> {
        let record = managed(cx)?;
        if record.accounts.len() > 1 || !record.units.is_empty() || !record.policies.is_empty() {
            let text = "To delete an organization you must first remove all member accounts (except the management account).";
            return Err(Error::new(NOT_EMPTY, text));
        }
        let account = AccountRecord { membership: None, ..cx.account()?.record.clone() };
        let gone = Change::Delete(world::Kind::Organization, record.id.clone());
        Ok(Done::write(Empty {}, vec![Change::Put(Entity::Account(account)), gone]))
    }
}

/// A root as answers write it.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Root {
    id: String,
    arn: String,
    name: &'static str,
    policy_types: Vec<PolicyType>,
}

fn root(record: &OrganizationRecord) -> Root {
    Root {
        id: record.root.clone(),
        arn: record.node_arn(&record.root).unwrap_or_default(),
        name: "Root",
        policy_types: record.enabled.iter().map(|kind| in_force(*kind)).collect(),
    }
}

/// `ListRoots`: there is one.
pub struct ListRoots;

/// Its result.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct RootsOutput {
    roots: Vec<Root>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

impl Action for ListRoots {
    const NAME: &'static str = "ListRoots";
    const EFFECT: Effect = Effect::Read;
    type Input = Paging;
    type Output = RootsOutput;

    fn asks(cx: &Cx<'_>, _input: &Paging) -> Result<Vec<Ask>> {
        Ok(vec![ask(cx, Self::NAME, |_| None)?])
    }

    async fn run(
        cx: &mut Cx<'_>,
        input: Paging,
        _permit: Permit<Self>,
    ) -> Result<Done<RootsOutput>> {
        let (roots, next_token) = cut(cx, [root(managed(cx)?)], |root| root.id.clone(), &input)?;
        Ok(Done::read(RootsOutput { roots, next_token }))
    }
}

/// `EnablePolicyType`, `DisablePolicyType`
pub struct Toggle<const ON: bool>;

/// Its input.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ToggleInput {
    root_id: String,
    policy_type: String,
}

/// One root.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct OneRoot {
    root: Root,
}

impl<const ON: bool> Action for Toggle<ON> {
    const NAME: &'static str = if ON { "EnablePolicyType" } else { "DisablePolicyType" };
    const EFFECT: Effect = Effect::Write;
    type Input = ToggleInput;
    type Output = OneRoot;

    fn asks(cx: &Cx<'_>, input: &ToggleInput) -> Result<Vec<Ask>> {
        let ask = ask_about(cx, Self::NAME, &input.root_id)?;
        Ok(vec![ask.key("organizations:PolicyType", &input.policy_type, SetBy::Request)])
    }

    async fn run(
        cx: &mut Cx<'_>,
        input: ToggleInput,
        _permit: Permit<Self>,
    ) -> Result<Done<OneRoot>> {
        let mut record = OrganizationRecord::clone(managed(cx)?);
        if input.root_id != record.root {
            let text = "We can't find a root with the RootId that you specified.";
            return Err(Error::new(ROOT_NOT_FOUND, text));
        }
        let kind = Kind::parse(&input.policy_type).filter(|_| record.all_features);
        let Some(kind) = kind else {
            let text = "This policy type is not available for your organization.";
            return Err(Error::new(NOT_AVAILABLE, text));
        };
        match (record.enabled.contains(&kind), ON) {
            (true, true) => {
                let text = "The specified policy type is already enabled.";
                return Err(Error::new(ALREADY_ENABLED, text));
            }
            (false, false) => return Err(not_enabled()),
            (false, true) => record.enable(kind),
            (true, false) => record.disable(kind),
        }
        Ok(Done::write(OneRoot { root: root(&record) }, put(&cx.world, record)))
    }
}

/// How AWS says that a kind is not in force.
pub fn not_enabled() -> Error {
    Error::new(NOT_ENABLED, "The specified policy type is not enabled.")
}

/// How AWS says that there is too much of something, or too little.
pub fn constraint(text: &str) -> Error {
    Error::new(CONSTRAINT_VIOLATION, text)
}
