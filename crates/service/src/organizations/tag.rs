//! Tags of roots, units, accounts and policies.

use policy::{SetBy, Tag};
use serde::{Deserialize, Serialize};

use super::tree::OrganizationRecord;
use super::{Empty, INVALID_INPUT, Paging, TARGET_NOT_FOUND, ask_about, cut, managed, put};
use crate::action::{Action, Ask, Done, Effect, Entry};
use crate::authorize::Permit;
use crate::cx::Cx;
use crate::error::{Error, Result};
use crate::iam::entity::{self, TagView, tagged, untagged};

/// The actions of this file.
pub const ACTIONS: [Entry; 3] =
    [Entry::of::<ListTagsForResource>(), Entry::of::<TagResource>(), Entry::of::<UntagResource>()];

impl OrganizationRecord {
    /// Gives tags to a resource, in place of those it has.
    pub fn set_tags(&mut self, id: &str, tags: Vec<Tag>) {
        match tags.is_empty() {
            true => self.tags.remove(id),
            false => self.tags.insert(id.to_owned(), tags),
        };
    }

    fn tags_of(&self, id: &str) -> Result<Vec<Tag>> {
        match self.resource_arn(id) {
            Some(_) => Ok(self.tags.get(id).cloned().unwrap_or_default()),
            None => Err(Error::new(
                TARGET_NOT_FOUND,
                "We can't find a root, OU, account, or policy with the TargetId that you specified.",
            )),
        }
    }

    /// The ARN of a node or of a policy of its own.
    fn resource_arn(&self, id: &str) -> Option<String> {
        let own = self.policy(id).filter(|policy| !policy.of_aws).map(|policy| policy.arn);
        own.or_else(|| self.node_arn(id))
    }
}

/// What is made with tags needs leave for both.
pub fn tagged_ask(making: Ask, tags: &[Tag]) -> Vec<Ask> {
    let making = making.request_tags(tags);
    entity::with_tagging(making, tags, "organizations:TagResource")
}

/// A refusal of tags under this service's code.
pub fn refused(error: Error) -> Error {
    Error { code: INVALID_INPUT, ..error }
}

/// `TagResource`
pub struct TagResource;

/// Its input.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct TagInput {
    resource_id: String,
    tags: Vec<Tag>,
}

impl Action for TagResource {
    const NAME: &'static str = "TagResource";
    const EFFECT: Effect = Effect::Write;
    type Input = TagInput;
    type Output = Empty;

    fn asks(cx: &Cx<'_>, input: &TagInput) -> Result<Vec<Ask>> {
        Ok(vec![ask_about(cx, Self::NAME, &input.resource_id)?.request_tags(&input.tags)])
    }

    async fn run(cx: &mut Cx<'_>, input: TagInput, _permit: Permit<Self>) -> Result<Done<Empty>> {
        let mut record = OrganizationRecord::clone(managed(cx)?);
        let tags = record.tags_of(&input.resource_id)?;
        let tags = tagged(&tags, &input.tags).map_err(refused)?;
        record.set_tags(&input.resource_id, tags);
        Ok(Done::write(Empty {}, put(&cx.world, record)))
    }
}

/// `UntagResource`
pub struct UntagResource;

/// Its input.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct UntagInput {
    resource_id: String,
    tag_keys: Vec<String>,
}

impl Action for UntagResource {
    const NAME: &'static str = "UntagResource";
    const EFFECT: Effect = Effect::Write;
    type Input = UntagInput;
    type Output = Empty;

    fn asks(cx: &Cx<'_>, input: &UntagInput) -> Result<Vec<Ask>> {
        let mut ask = ask_about(cx, Self::NAME, &input.resource_id)?;
        ask.question.context.set_many("aws:TagKeys", &input.tag_keys, SetBy::Request);
        Ok(vec![ask])
    }

    async fn run(cx: &mut Cx<'_>, input: UntagInput, _permit: Permit<Self>) -> Result<Done<Empty>> {
        let mut record = OrganizationRecord::clone(managed(cx)?);
        let tags = record.tags_of(&input.resource_id)?;
        record.set_tags(&input.resource_id, untagged(&tags, &input.tag_keys));
        Ok(Done::write(Empty {}, put(&cx.world, record)))
    }
}

/// `ListTagsForResource`: never more than one page.
pub struct ListTagsForResource;

/// Its input.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListInput {
    resource_id: String,
    next_token: Option<String>,
}

/// Its result.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListOutput {
    tags: Vec<TagView>,
}

impl Action for ListTagsForResource {
    const NAME: &'static str = "ListTagsForResource";
    const EFFECT: Effect = Effect::Read;
    type Input = ListInput;
    type Output = ListOutput;

    fn asks(cx: &Cx<'_>, input: &ListInput) -> Result<Vec<Ask>> {
        Ok(vec![ask_about(cx, Self::NAME, &input.resource_id)?])
    }

    async fn run(
        cx: &mut Cx<'_>,
        input: ListInput,
        _permit: Permit<Self>,
    ) -> Result<Done<ListOutput>> {
        let tags = managed(cx)?.tags_of(&input.resource_id)?;
        let all = i64::try_from(entity::MAX_TAGS).ok();
        let wanted = Paging { next_token: input.next_token, max_results: all };
        let (tags, _) = cut(cx, tags, |tag| tag.key.clone(), &wanted)?;
        Ok(Done::read(ListOutput { tags: entity::views(&tags) }))
    }
}
