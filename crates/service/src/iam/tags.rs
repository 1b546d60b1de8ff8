//! Tags of roles and users.

use std::marker::PhantomData;

use policy::{SetBy, Tag};
use serde::{Deserialize, Serialize};

use super::bearer::{Principal, Role, User, ask, find, put};
use super::entity::{TagView, tagged, untagged, views};
use super::page::{Page, Wanted, page};
use crate::action::{Action, Ask, Done, Effect, Entry};
use crate::authorize::Permit;
use crate::cx::Cx;
use crate::error::Result;

/// The actions of this file.
pub const ACTIONS: [Entry; 6] = [
    Entry::of::<TagPrincipal<Role>>(),
    Entry::of::<TagPrincipal<User>>(),
    Entry::of::<UntagPrincipal<Role>>(),
    Entry::of::<UntagPrincipal<User>>(),
    Entry::of::<ListTags<Role>>(),
    Entry::of::<ListTags<User>>(),
];

/// `TagRole`, `TagUser`
pub struct TagPrincipal<B>(PhantomData<B>);

/// Its input.
#[derive(Deserialize)]
pub struct TagInput {
    #[serde(alias = "RoleName", alias = "UserName")]
    name: String,
    #[serde(rename = "Tags")]
    tags: Vec<Tag>,
}

impl<B: Principal> Action for TagPrincipal<B> {
    const NAME: &'static str = B::TAG;
    const EFFECT: Effect = Effect::Write;
    type Input = TagInput;
    type Output = ();

    fn asks(cx: &Cx<'_>, input: &TagInput) -> Result<Vec<Ask>> {
        Ok(vec![ask::<B>(cx, Self::NAME, &input.name)?.request_tags(&input.tags)])
    }

    async fn run(cx: &mut Cx<'_>, input: TagInput, _permit: Permit<Self>) -> Result<Done<()>> {
        let mut record = find::<B>(&cx.world, cx.caller.account()?, &input.name)?.clone();
        *B::tags_mut(&mut record) = tagged(B::tags(&record), &input.tags)?;
        Ok(Done::write((), put::<B>(record)))
    }
}

/// `UntagRole`, `UntagUser`
pub struct UntagPrincipal<B>(PhantomData<B>);

/// Its input.
#[derive(Deserialize)]
pub struct UntagInput {
    #[serde(alias = "RoleName", alias = "UserName")]
    name: String,
    #[serde(rename = "TagKeys")]
    tag_keys: Vec<String>,
}

impl<B: Principal> Action for UntagPrincipal<B> {
    const NAME: &'static str = B::UNTAG;
    const EFFECT: Effect = Effect::Write;
    type Input = UntagInput;
    type Output = ();

    fn asks(cx: &Cx<'_>, input: &UntagInput) -> Result<Vec<Ask>> {
        let mut ask = ask::<B>(cx, Self::NAME, &input.name)?;
        ask.question.context.set_many("aws:TagKeys", &input.tag_keys, SetBy::Request);
        Ok(vec![ask])
    }

    async fn run(cx: &mut Cx<'_>, input: UntagInput, _permit: Permit<Self>) -> Result<Done<()>> {
        let mut record = find::<B>(&cx.world, cx.caller.account()?, &input.name)?.clone();
        *B::tags_mut(&mut record) = untagged(B::tags(&record), &input.tag_keys);
        Ok(Done::write((), put::<B>(record)))
    }
}

/// `ListRoleTags`, `ListUserTags`
pub struct ListTags<B>(PhantomData<B>);

/// Its input.
#[derive(Deserialize)]
pub struct ListInput {
    #[serde(alias = "RoleName", alias = "UserName")]
    name: String,
    #[serde(flatten)]
    wanted: Wanted,
}

/// Its result.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListOutput {
    tags: Vec<TagView>,
    is_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    marker: Option<String>,
}

impl<B: Principal> Action for ListTags<B> {
    const NAME: &'static str = B::LIST_TAGS;
    const EFFECT: Effect = Effect::Read;
    type Input = ListInput;
    type Output = ListOutput;

    fn asks(cx: &Cx<'_>, input: &ListInput) -> Result<Vec<Ask>> {
        Ok(vec![ask::<B>(cx, Self::NAME, &input.name)?])
    }

    async fn run(
        cx: &mut Cx<'_>,
        input: ListInput,
        _permit: Permit<Self>,
    ) -> Result<Done<ListOutput>> {
        let record = find::<B>(&cx.world, cx.caller.account()?, &input.name)?;
        let mut tags = B::tags(record).to_vec();
        tags.sort_by(|a, b| a.key.cmp(&b.key));
        let Page { items, is_truncated, marker } =
            page(tags, |tag| tag.key.clone(), &input.wanted)?;
        Ok(Done::read(ListOutput { tags: views(&items), is_truncated, marker }))
    }
}
