//! Tags of roles, users, managed policies and SAML providers. Those of OpenID Connect providers are
//! another matter: their keys are case-sensitive.

use std::marker::PhantomData;

use policy::{SetBy, Tag};
use serde::Deserialize;

use super::bearer::{self, Principal, Role, User};
use super::entity::{TagView, tagged, untagged};
use super::page::{Listing, Wanted, page};
use super::policy::Policy;
use super::saml_provider::SamlProvider;
use crate::action::{Action, Ask, Done, Effect, Entry};
use crate::authorize::Permit;
use crate::cx::Cx;
use crate::error::Result;
use crate::world::Change;

/// The actions of this file.
pub const ACTIONS: [Entry; 12] = [
    Entry::of::<TagEntity<Role>>(),
    Entry::of::<TagEntity<User>>(),
    Entry::of::<TagEntity<Policy>>(),
    Entry::of::<TagEntity<SamlProvider>>(),
    Entry::of::<UntagEntity<Role>>(),
    Entry::of::<UntagEntity<User>>(),
    Entry::of::<UntagEntity<Policy>>(),
    Entry::of::<UntagEntity<SamlProvider>>(),
    Entry::of::<ListTags<Role>>(),
    Entry::of::<ListTags<User>>(),
    Entry::of::<ListTags<Policy>>(),
    Entry::of::<ListTags<SamlProvider>>(),
];

/// An entity with tags, named by its name or its ARN.
pub trait Tagged: Send + Sync + 'static {
    /// `TagRole`
    const TAG: &'static str;
    /// `UntagRole`
    const UNTAG: &'static str;
    /// `ListRoleTags`
    const LIST_TAGS: &'static str;
    /// What is stored of it.
    type Record: Send + Sync;

    /// What is asked about the one of that name.
    ///
    /// # Errors
    /// If the name cannot be one.
    fn ask(cx: &Cx<'_>, action: &str, name: &str) -> Result<Ask>;
    /// The one of that name.
    ///
    /// # Errors
    /// `NoSuchEntity`, in AWS's words.
    fn find(cx: &Cx<'_>, name: &str) -> Result<Self::Record>;
    /// Its tags.
    fn tags(record: &Self::Record) -> &[Tag];
    /// Its tags as they shall be.
    fn set_tags(record: &mut Self::Record, tags: Vec<Tag>);
    /// The entity as it shall be.
    fn put(record: Self::Record) -> Vec<Change>;
}

impl<B: Principal> Tagged for B {
    const TAG: &'static str = <B as Principal>::TAG;
    const UNTAG: &'static str = <B as Principal>::UNTAG;
    const LIST_TAGS: &'static str = <B as Principal>::LIST_TAGS;
    type Record = B::Record;

    fn ask(cx: &Cx<'_>, action: &str, name: &str) -> Result<Ask> {
        bearer::ask::<B>(cx, action, name)
    }
    fn find(cx: &Cx<'_>, name: &str) -> Result<B::Record> {
        bearer::find::<B>(&cx.world, cx.caller.account()?, name).cloned()
    }
    fn tags(record: &B::Record) -> &[Tag] {
        B::tags(record)
    }
    fn set_tags(record: &mut B::Record, tags: Vec<Tag>) {
        *B::tags_mut(record) = tags;
    }
    fn put(record: B::Record) -> Vec<Change> {
        bearer::put::<B>(record)
    }
}

/// `TagRole`, `TagUser`, `TagPolicy` and so on
pub struct TagEntity<B>(PhantomData<B>);

/// Its input.
#[derive(Deserialize)]
pub struct TagInput {
    #[serde(
        alias = "RoleName",
        alias = "UserName",
        alias = "PolicyArn",
        alias = "InstanceProfileName",
        alias = "ServerCertificateName",
        alias = "SerialNumber",
        alias = "SAMLProviderArn"
    )]
    name: String,
    #[serde(rename = "Tags")]
    tags: Vec<Tag>,
}

impl<B: Tagged> Action for TagEntity<B> {
    const NAME: &'static str = B::TAG;
    const EFFECT: Effect = Effect::Write;
    type Input = TagInput;
    type Output = ();

    fn asks(cx: &Cx<'_>, input: &TagInput) -> Result<Vec<Ask>> {
        Ok(vec![B::ask(cx, Self::NAME, &input.name)?.request_tags(&input.tags)])
    }

    async fn run(cx: &mut Cx<'_>, input: TagInput, _permit: Permit<Self>) -> Result<Done<()>> {
        let mut record = B::find(cx, &input.name)?;
        let tags = tagged(B::tags(&record), &input.tags)?;
        B::set_tags(&mut record, tags);
        Ok(Done::write((), B::put(record)))
    }
}

/// `UntagRole`, `UntagUser`, `UntagPolicy` and so on
pub struct UntagEntity<B>(PhantomData<B>);

/// Its input.
#[derive(Deserialize)]
pub struct UntagInput {
    #[serde(
        alias = "RoleName",
        alias = "UserName",
        alias = "PolicyArn",
        alias = "InstanceProfileName",
        alias = "ServerCertificateName",
        alias = "SerialNumber",
        alias = "SAMLProviderArn"
    )]
    name: String,
    #[serde(rename = "TagKeys")]
    tag_keys: Vec<String>,
}

impl<B: Tagged> Action for UntagEntity<B> {
    const NAME: &'static str = B::UNTAG;
    const EFFECT: Effect = Effect::Write;
    type Input = UntagInput;
    type Output = ();

    fn asks(cx: &Cx<'_>, input: &UntagInput) -> Result<Vec<Ask>> {
        let mut ask = B::ask(cx, Self::NAME, &input.name)?;
        ask.question.context.set_many("aws:TagKeys", &input.tag_keys, SetBy::Request);
        Ok(vec![ask])
    }

    async fn run(cx: &mut Cx<'_>, input: UntagInput, _permit: Permit<Self>) -> Result<Done<()>> {
        let mut record = B::find(cx, &input.name)?;
        let tags = untagged(B::tags(&record), &input.tag_keys);
        B::set_tags(&mut record, tags);
        Ok(Done::write((), B::put(record)))
    }
}

/// `ListRoleTags`, `ListUserTags`, `ListPolicyTags` and so on
pub struct ListTags<B>(PhantomData<B>);

/// Its input.
#[derive(Deserialize)]
pub struct ListInput {
    #[serde(
        alias = "RoleName",
        alias = "UserName",
        alias = "PolicyArn",
        alias = "InstanceProfileName",
        alias = "ServerCertificateName",
        alias = "SerialNumber",
        alias = "SAMLProviderArn"
    )]
    name: String,
    #[serde(flatten)]
    wanted: Wanted,
}

/// A page of these tags.
///
/// # Errors
/// A marker that is none of this action's.
pub fn listed(cx: &Cx<'_>, tags: &[Tag], wanted: &Wanted) -> Result<Listing<TagView>> {
    let mut tags = tags.to_vec();
    tags.sort_by(|a, b| a.key.cmp(&b.key));
    let page = page(cx.operation.name, tags, |tag| tag.key.clone(), wanted)?;
    Ok(page.map(TagView::from).listed("Tags"))
}

impl<B: Tagged> Action for ListTags<B> {
    const NAME: &'static str = B::LIST_TAGS;
    const EFFECT: Effect = Effect::Read;
    type Input = ListInput;
    type Output = Listing<TagView>;

    fn asks(cx: &Cx<'_>, input: &ListInput) -> Result<Vec<Ask>> {
        Ok(vec![B::ask(cx, Self::NAME, &input.name)?])
    }

    async fn run(
        cx: &mut Cx<'_>,
        input: ListInput,
        _permit: Permit<Self>,
    ) -> Result<Done<Listing<TagView>>> {
        let record = B::find(cx, &input.name)?;
        Ok(Done::read(listed(cx, B::tags(&record), &input.wanted)?))
    }
}
