//! What the nouns of IAM share: their codes, their names in ARNs and answers, their tags.

use policy::{AccountId, Tag};
use serde::{Deserialize, Serialize};

use crate::action::Ask;
use crate::cx::Cx;
use crate::error::{Code, Error, Result, code};
use crate::sts::tags::same;

/// It exists already.
pub const ENTITY_ALREADY_EXISTS: Code = Code::new("EntityAlreadyExists", 409);
/// There is none.
pub const NO_SUCH_ENTITY: Code = Code::new("NoSuchEntity", 404);
/// Something still hangs on it.
pub const DELETE_CONFLICT: Code = Code::new("DeleteConflict", 409);
/// A quota is used up.
pub const LIMIT_EXCEEDED: Code = Code::new("LimitExceeded", 409);
/// A value is not acceptable.
pub const INVALID_INPUT: Code = Code::new("InvalidInput", 400);
/// The entity may not be changed by its owner.
pub const UNMODIFIABLE_ENTITY: Code = Code::new("UnmodifiableEntity", 400);

/// Tags on any one entity. Source: IAM quotas.
pub const MAX_TAGS: usize = 50;

/// A tag as answers write it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct TagView {
    key: String,
    value: String,
}

/// A permissions boundary as answers write it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct BoundaryView {
    permissions_boundary_type: &'static str,
    permissions_boundary_arn: String,
}

/// A boundary's view.
pub fn boundary_view(arn: Option<&String>) -> Option<BoundaryView> {
    arn.map(|arn| BoundaryView {
        permissions_boundary_type: "Policy",
        permissions_boundary_arn: arn.clone(),
    })
}

/// Tags as answers write them.
pub fn views(tags: &[Tag]) -> Vec<TagView> {
    tags.iter().cloned().map(TagView::from).collect()
}

impl From<Tag> for TagView {
    fn from(tag: Tag) -> Self {
        Self { key: tag.key, value: tag.value }
    }
}

/// The ARN of an IAM entity: `kind` is `role`, `user`, `group`, `policy`.
pub fn arn(kind: &str, account: &AccountId, path: &str, name: &str) -> String {
    format!("arn:aws:iam::{account}:{kind}{path}{name}")
}

/// The ARN that is asked for when an entity is named: the entity's own, or, where there is none,
/// the one without a path, as AWS does.
pub fn asked_arn(kind: &str, account: &AccountId, found: Option<&str>, name: &str) -> String {
    found.map_or_else(|| arn(kind, account, "/", name), str::to_owned)
}

/// What is asked about an entity that is named and bears no policies: of `found`, its ARN and tags.
///
/// # Errors
/// If nobody is proven.
pub fn ask(
    cx: &Cx<'_>,
    action: &str,
    kind: &str,
    found: Option<(String, &[Tag])>,
    name: &str,
) -> Result<Ask> {
    let account = cx.caller.account()?;
    let (own, tags) = found.unzip();
    let arn = asked_arn(kind, &account, own.as_deref(), name);
    let ask = Ask::identity(cx, &format!("iam:{action}"), &arn, account);
    Ok(match tags {
        Some(tags) => ask.resource_tags(tags),
        None => ask,
    })
}

/// An entity that is made with tags needs leave for both: `making`, and the same about `tagging`.
pub fn with_tagging(making: Ask, tags: &[Tag], tagging: &str) -> Vec<Ask> {
    match tags.is_empty() {
        true => vec![making],
        false => vec![making.clone(), making.about(tagging)],
    }
}

/// Puts tags over those that are there.
///
/// # Errors
/// Duplicate or reserved keys, or too many tags.
pub fn tagged(now: &[Tag], added: &[Tag]) -> Result<Vec<Tag>> {
    check_tags(added)?;
    let mut tags = now.to_vec();
    for tag in added {
        match tags.iter_mut().find(|known| same(&known.key, &tag.key)) {
            Some(known) => *known = tag.clone(),
            None => tags.push(tag.clone()),
        }
    }
    if tags.len() > MAX_TAGS {
        let text =
            format!("The number of tags has reached the maximum limit. Maximum limit: {MAX_TAGS}");
        return Err(Error::new(LIMIT_EXCEEDED, text));
    }
    Ok(tags)
}

/// Takes tags away; keys that are not there are ignored, as on AWS.
pub fn untagged(now: &[Tag], keys: &[String]) -> Vec<Tag> {
    now.iter().filter(|tag| !keys.iter().any(|key| same(key, &tag.key))).cloned().collect()
}

/// # Errors
/// Duplicate or reserved keys.
pub fn check_tags(tags: &[Tag]) -> Result<()> {
    if Tag::duplicate(tags).is_some() {
        let text = "Duplicate tag keys found. Please note that Tag keys are case insensitive.";
        return Err(Error::new(INVALID_INPUT, text));
    }
    match tags.iter().any(Tag::is_reserved) {
        true => Err(Error::new(
            code::VALIDATION_ERROR,
            "Tag keys starting with 'aws:' are reserved for system use.",
        )),
        false => Ok(()),
    }
}

/// `role` as AWS writes it at the start of a sentence or in the middle of a name: `Role`.
pub fn capital(kind: &str) -> String {
    let mut letters = kind.chars();
    letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
}

/// RFC 3986 percent-encoding of a policy document, as IAM's answers carry it.
pub fn encoded(document: &str) -> String {
    use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
    const UNRESERVED: &AsciiSet =
        &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
    utf8_percent_encode(document, UNRESERVED).to_string()
}
