//! Inline policies of roles, users and groups.

use std::marker::PhantomData;

use policy::{Document, Kind, Strictness};
use serde::ser::SerializeStruct;
use serde::{Deserialize, Serialize, Serializer};

use super::bearer::{Bearer, Group, Role, User, ask, find, find_to_change, put};
use super::entity::{LIMIT_EXCEEDED, NO_SUCH_ENTITY, encoded};
use super::page::{Listing, Wanted, page};
use crate::action::{Action, Ask, Done, Effect, Entry};
use crate::authorize::Permit;
use crate::cx::Cx;
use crate::error::{Error, Result};
use crate::record::{InlinePolicy, Policies};

/// The actions of this file.
pub const ACTIONS: [Entry; 12] = [
    Entry::of::<Put<Role>>(),
    Entry::of::<Put<User>>(),
    Entry::of::<Put<Group>>(),
    Entry::of::<Get<Role>>(),
    Entry::of::<Get<User>>(),
    Entry::of::<Get<Group>>(),
    Entry::of::<Delete<Role>>(),
    Entry::of::<Delete<User>>(),
    Entry::of::<Delete<Group>>(),
    Entry::of::<List<Role>>(),
    Entry::of::<List<User>>(),
    Entry::of::<List<Group>>(),
];

/// `Put…Policy`: makes or replaces.
pub struct Put<B>(PhantomData<B>);

/// Its input.
#[derive(Deserialize)]
pub struct PutInput {
    #[serde(alias = "RoleName", alias = "UserName", alias = "GroupName")]
    name: String,
    #[serde(rename = "PolicyName")]
    policy_name: String,
    #[serde(rename = "PolicyDocument")]
    policy_document: String,
}

impl<B: Bearer> Action for Put<B> {
    const NAME: &'static str = B::PUT_POLICY;
    const EFFECT: Effect = Effect::Write;
    type Input = PutInput;
    type Output = ();

    fn asks(cx: &Cx<'_>, input: &PutInput) -> Result<Vec<Ask>> {
        Ok(vec![ask::<B>(cx, Self::NAME, &input.name)?])
    }

    async fn run(cx: &mut Cx<'_>, input: PutInput, _permit: Permit<Self>) -> Result<Done<()>> {
        let mut record = find_to_change::<B>(cx, &input.name)?;
        Document::parse(&input.policy_document, Kind::Identity, Strictness::Stored)
            .map_err(|rejection| Error::policy(&input.policy_document, &rejection))?;
        let policies = B::policies_mut(&mut record);
        // Replacing takes the new casing of the name, as AWS does.
        policies.inline.retain(|policy| !policy.name.eq_ignore_ascii_case(&input.policy_name));
        policies
            .inline
            .push(InlinePolicy { name: input.policy_name, document: input.policy_document });
        policies.inline.sort_by_key(|policy| policy.name.to_ascii_lowercase());
        check_quota::<B>(policies, &input.name)?;
        Ok(Done::write((), put::<B>(record)))
    }
}

/// `Get…Policy`
pub struct Get<B>(PhantomData<B>);

/// A bearer and one of its policies.
#[derive(Deserialize)]
pub struct OneInput {
    #[serde(alias = "RoleName", alias = "UserName", alias = "GroupName")]
    name: String,
    #[serde(rename = "PolicyName")]
    policy_name: String,
}

/// Its result.
pub struct GetOutput {
    name_field: &'static str,
    name: String,
    policy: InlinePolicy,
}

impl Serialize for GetOutput {
    fn serialize<S: Serializer>(&self, to: S) -> std::result::Result<S::Ok, S::Error> {
        let mut out = to.serialize_struct("GetPolicy", 3)?;
        out.serialize_field(self.name_field, &self.name)?;
        out.serialize_field("PolicyName", &self.policy.name)?;
        out.serialize_field("PolicyDocument", &encoded(&self.policy.document))?;
        out.end()
    }
}

impl<B: Bearer> Action for Get<B> {
    const NAME: &'static str = B::GET_POLICY;
    const EFFECT: Effect = Effect::Read;
    type Input = OneInput;
    type Output = GetOutput;

    fn asks(cx: &Cx<'_>, input: &OneInput) -> Result<Vec<Ask>> {
        Ok(vec![ask::<B>(cx, Self::NAME, &input.name)?])
    }

    async fn run(
        cx: &mut Cx<'_>,
        input: OneInput,
        _permit: Permit<Self>,
    ) -> Result<Done<GetOutput>> {
        let record = find::<B>(&cx.world, cx.caller.account()?, &input.name)?;
        let policy = named::<B>(B::policies(record), &input.policy_name)?.clone();
        Ok(Done::read(GetOutput { name_field: B::NAME_FIELD, name: input.name, policy }))
    }
}

/// `Delete…Policy`
pub struct Delete<B>(PhantomData<B>);

impl<B: Bearer> Action for Delete<B> {
    const NAME: &'static str = B::DELETE_POLICY;
    const EFFECT: Effect = Effect::Write;
    type Input = OneInput;
    type Output = ();

    fn asks(cx: &Cx<'_>, input: &OneInput) -> Result<Vec<Ask>> {
        Ok(vec![ask::<B>(cx, Self::NAME, &input.name)?])
    }

    async fn run(cx: &mut Cx<'_>, input: OneInput, _permit: Permit<Self>) -> Result<Done<()>> {
        let mut record = find_to_change::<B>(cx, &input.name)?;
        named::<B>(B::policies(&record), &input.policy_name)?;
        let policies = B::policies_mut(&mut record);
        policies.inline.retain(|policy| !policy.name.eq_ignore_ascii_case(&input.policy_name));
        Ok(Done::write((), put::<B>(record)))
    }
}

/// `List…Policies`
pub struct List<B>(PhantomData<B>);

/// Its input.
#[derive(Deserialize)]
pub struct ListInput {
    #[serde(alias = "RoleName", alias = "UserName", alias = "GroupName")]
    name: String,
    #[serde(flatten)]
    wanted: Wanted,
}

impl<B: Bearer> Action for List<B> {
    const NAME: &'static str = B::LIST_POLICIES;
    const EFFECT: Effect = Effect::Read;
    type Input = ListInput;
    type Output = Listing<String>;

    fn asks(cx: &Cx<'_>, input: &ListInput) -> Result<Vec<Ask>> {
        Ok(vec![ask::<B>(cx, Self::NAME, &input.name)?])
    }

    async fn run(
        cx: &mut Cx<'_>,
        input: ListInput,
        _permit: Permit<Self>,
    ) -> Result<Done<Listing<String>>> {
        let record = find::<B>(&cx.world, cx.caller.account()?, &input.name)?;
        let names = B::policies(record).inline.iter().map(|policy| policy.name.clone());
        let page = page(cx.operation.name, names, |name| name.to_ascii_lowercase(), &input.wanted)?;
        Ok(Done::read(page.listed("PolicyNames")))
    }
}

fn named<'r, B: Bearer>(policies: &'r Policies, name: &str) -> Result<&'r InlinePolicy> {
    let found = policies.inline.iter().find(|policy| policy.name.eq_ignore_ascii_case(name));
    found.ok_or_else(|| {
        let text = format!("The {} policy with name {name} cannot be found.", B::KIND);
        Error::new(NO_SUCH_ENTITY, text)
    })
}

fn check_quota<B: Bearer>(policies: &Policies, name: &str) -> Result<()> {
    let quota_size = |policy: &InlinePolicy| policy::document::quota_size(&policy.document);
    let size: usize = policies.inline.iter().map(quota_size).sum();
    match size <= B::INLINE_QUOTA {
        true => Ok(()),
        false => Err(Error::new(
            LIMIT_EXCEEDED,
            format!(
                "Maximum policy size of {} bytes exceeded for {} {name}",
                B::INLINE_QUOTA,
                B::KIND
            ),
        )),
    }
}
