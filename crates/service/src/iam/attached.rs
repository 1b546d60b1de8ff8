//! Attachments of managed policies to roles, users and groups.

use std::marker::PhantomData;

use policy::SetBy;
use serde::{Deserialize, Serialize};

use super::bearer::{Bearer, Group, Role, User, ask, find, find_to_change, put};
use super::entity::{LIMIT_EXCEEDED, NO_SUCH_ENTITY, capital};
use super::page::{Listing, Wanted, page};
use super::policy::attachable;
use crate::action::{Action, Ask, Done, Effect, Entry};
use crate::authorize::Permit;
use crate::cx::Cx;
use crate::error::{Error, Result};

/// Policies attached to one entity. Source: IAM quotas.
pub const MAX_ATTACHED: usize = 10;

/// The actions of this file.
pub const ACTIONS: [Entry; 9] = [
    Entry::of::<Attach<Role>>(),
    Entry::of::<Attach<User>>(),
    Entry::of::<Attach<Group>>(),
    Entry::of::<Detach<Role>>(),
    Entry::of::<Detach<User>>(),
    Entry::of::<Detach<Group>>(),
    Entry::of::<List<Role>>(),
    Entry::of::<List<User>>(),
    Entry::of::<List<Group>>(),
];

/// A bearer and a managed policy.
#[derive(Deserialize)]
pub struct Input {
    #[serde(alias = "RoleName", alias = "UserName", alias = "GroupName")]
    name: String,
    #[serde(rename = "PolicyArn")]
    policy_arn: String,
}

/// `Attach…Policy`: attaching again changes nothing.
pub struct Attach<B>(PhantomData<B>);

impl<B: Bearer> Action for Attach<B> {
    const NAME: &'static str = B::ATTACH_POLICY;
    const EFFECT: Effect = Effect::Write;
    type Input = Input;
    type Output = ();

    fn asks(cx: &Cx<'_>, input: &Input) -> Result<Vec<Ask>> {
        let ask = ask::<B>(cx, Self::NAME, &input.name)?;
        Ok(vec![ask.key("iam:PolicyARN", &input.policy_arn, SetBy::Request)])
    }

    async fn run(cx: &mut Cx<'_>, input: Input, _permit: Permit<Self>) -> Result<Done<()>> {
        let account = cx.caller.account()?;
        let mut record = find_to_change::<B>(cx, &input.name)?;
        attachable(&cx.world, account, &input.policy_arn)?;
        let attached = &mut B::policies_mut(&mut record).attached;
        if attached.contains(&input.policy_arn) {
            return Ok(Done::read(()));
        }
        if attached.len() >= MAX_ATTACHED {
            let text =
                format!("Cannot exceed quota for PoliciesPer{}: {MAX_ATTACHED}", capital(B::KIND));
            return Err(Error::new(LIMIT_EXCEEDED, text));
        }
        attached.push(input.policy_arn);
        Ok(Done::write((), put::<B>(record)))
    }
}

/// `Detach…Policy`
pub struct Detach<B>(PhantomData<B>);

impl<B: Bearer> Action for Detach<B> {
    const NAME: &'static str = B::DETACH_POLICY;
    const EFFECT: Effect = Effect::Write;
    type Input = Input;
    type Output = ();

    fn asks(cx: &Cx<'_>, input: &Input) -> Result<Vec<Ask>> {
        let ask = ask::<B>(cx, Self::NAME, &input.name)?;
        Ok(vec![ask.key("iam:PolicyARN", &input.policy_arn, SetBy::Request)])
    }

    async fn run(cx: &mut Cx<'_>, input: Input, _permit: Permit<Self>) -> Result<Done<()>> {
        let mut record = find_to_change::<B>(cx, &input.name)?;
        let attached = &mut B::policies_mut(&mut record).attached;
        let before = attached.len();
        attached.retain(|arn| *arn != input.policy_arn);
        if attached.len() == before {
            let text = format!("Policy {} was not found.", input.policy_arn);
            return Err(Error::new(NO_SUCH_ENTITY, text));
        }
        Ok(Done::write((), put::<B>(record)))
    }
}

/// `ListAttached…Policies`
pub struct List<B>(PhantomData<B>);

/// Its input.
#[derive(Deserialize)]
pub struct ListInput {
    #[serde(alias = "RoleName", alias = "UserName", alias = "GroupName")]
    name: String,
    #[serde(rename = "PathPrefix")]
    path_prefix: Option<String>,
    #[serde(flatten)]
    wanted: Wanted,
}

/// One attachment.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Attached {
    policy_name: String,
    policy_arn: String,
}

/// Attachments as answers write them.
pub fn views<'a>(arns: impl IntoIterator<Item = &'a String>) -> Vec<Attached> {
    arns.into_iter().map(|arn| view(arn)).collect()
}

fn view(arn: &str) -> Attached {
    Attached {
        policy_name: arn.rsplit('/').next().unwrap_or_default().to_owned(),
        policy_arn: arn.to_owned(),
    }
}

impl<B: Bearer> Action for List<B> {
    const NAME: &'static str = B::LIST_ATTACHED;
    const EFFECT: Effect = Effect::Read;
    type Input = ListInput;
    type Output = Listing<Attached>;

    fn asks(cx: &Cx<'_>, input: &ListInput) -> Result<Vec<Ask>> {
        Ok(vec![ask::<B>(cx, Self::NAME, &input.name)?])
    }

    async fn run(
        cx: &mut Cx<'_>,
        input: ListInput,
        _permit: Permit<Self>,
    ) -> Result<Done<Listing<Attached>>> {
        let record = find::<B>(&cx.world, cx.caller.account()?, &input.name)?;
        let prefix = format!(":policy{}", input.path_prefix.as_deref().unwrap_or("/"));
        let mut arns: Vec<&String> =
            B::policies(record).attached.iter().filter(|arn| arn.contains(&prefix)).collect();
        arns.sort();
        let page = page(cx.operation.name, arns, |arn| (*arn).clone(), &input.wanted)?;
        Ok(Done::read(page.map(|arn| view(arn)).listed("AttachedPolicies")))
    }
}
