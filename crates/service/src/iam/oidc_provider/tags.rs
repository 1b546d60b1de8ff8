//! Tags of providers: their keys are case-sensitive, unlike those of roles and users.

use policy::Tag;
use serde::Deserialize;

use super::{ask, changed, find};
use crate::action::{Action, Ask, Done, Effect};
use crate::authorize::Permit;
use crate::cx::Cx;
use crate::error::{Error, Result};
use crate::iam::entity::TagView;
use crate::iam::entity::{LIMIT_EXCEEDED, MAX_TAGS, check_tags};
use crate::iam::page::{Listing, Wanted};
use crate::iam::tags::listed;
use crate::record::OidcProviderRecord;

/// `ListOpenIDConnectProviderTags`
pub struct ListOpenIdConnectProviderTags;

/// `TagOpenIDConnectProvider`
pub struct TagOpenIdConnectProvider;

/// `UntagOpenIDConnectProvider`
pub struct UntagOpenIdConnectProvider;

/// A provider and tags.
#[derive(Deserialize)]
pub struct TagInput {
    #[serde(rename = "OpenIDConnectProviderArn")]
    arn: String,
    #[serde(rename = "Tags")]
    tags: Vec<Tag>,
}

/// A provider and keys of tags.
#[derive(Deserialize)]
pub struct UntagInput {
    #[serde(rename = "OpenIDConnectProviderArn")]
    arn: String,
    #[serde(rename = "TagKeys")]
    tag_keys: Vec<String>,
}

/// A provider, and which of its tags.
#[derive(Deserialize)]
pub struct ListInput {
    #[serde(rename = "OpenIDConnectProviderArn")]
    arn: String,
    #[serde(flatten)]
    wanted: Wanted,
}

impl Action for ListOpenIdConnectProviderTags {
    const NAME: &'static str = "ListOpenIDConnectProviderTags";
    const EFFECT: Effect = Effect::Read;
    type Input = ListInput;
    type Output = Listing<TagView>;

    fn asks(cx: &Cx<'_>, input: &ListInput) -> Result<Vec<Ask>> {
        Ok(vec![ask(cx, "iam:ListOpenIDConnectProviderTags", &input.arn)?])
    }

    async fn run(
        cx: &mut Cx<'_>,
        input: ListInput,
        _permit: Permit<Self>,
    ) -> Result<Done<Listing<TagView>>> {
        let provider = find(cx, &input.arn)?;
        Ok(Done::read(listed(cx, &provider.tags, &input.wanted)?))
    }
}

impl Action for TagOpenIdConnectProvider {
    const NAME: &'static str = "TagOpenIDConnectProvider";
    const EFFECT: Effect = Effect::Write;
    type Input = TagInput;
    type Output = ();

    fn asks(cx: &Cx<'_>, input: &TagInput) -> Result<Vec<Ask>> {
        let ask = ask(cx, "iam:TagOpenIDConnectProvider", &input.arn)?;
        Ok(vec![ask.request_tags(&input.tags)])
    }

    async fn run(cx: &mut Cx<'_>, input: TagInput, _permit: Permit<Self>) -> Result<Done<()>> {
        let mut record = OidcProviderRecord::clone(&*find(cx, &input.arn)?);
        check_tags(&input.tags)?;
        for tag in input.tags {
            match record.tags.iter_mut().find(|known| known.key == tag.key) {
                Some(known) => *known = tag,
                None => record.tags.push(tag),
            }
        }
        if record.tags.len() > MAX_TAGS {
            let text = format!(
                "The number of tags has reached the maximum limit. Maximum limit: {MAX_TAGS}"
            );
            return Err(Error::new(LIMIT_EXCEEDED, text));
        }
        Ok(Done::write((), changed(cx, record)))
    }
}

impl Action for UntagOpenIdConnectProvider {
    const NAME: &'static str = "UntagOpenIDConnectProvider";
    const EFFECT: Effect = Effect::Write;
    type Input = UntagInput;
    type Output = ();

    fn asks(cx: &Cx<'_>, input: &UntagInput) -> Result<Vec<Ask>> {
        let mut ask = ask(cx, "iam:UntagOpenIDConnectProvider", &input.arn)?;
        let keys = input.tag_keys.iter();
        ask.question.context.set_many("aws:TagKeys", keys, policy::SetBy::Request);
        Ok(vec![ask])
    }

    async fn run(cx: &mut Cx<'_>, input: UntagInput, _permit: Permit<Self>) -> Result<Done<()>> {
        let mut record = OidcProviderRecord::clone(&*find(cx, &input.arn)?);
        record.tags.retain(|tag| !input.tag_keys.contains(&tag.key));
        Ok(Done::write((), changed(cx, record)))
    }
}
