//! Policies of an organization. AWS's own are read and attached, and changed by nobody.

use policy::document::quota_size;
use policy::{Document, SetBy, Strictness, Tag};
use serde::{Deserialize, Serialize};

use super::organization::constraint;
use super::tag::{refused, tagged_ask};
use super::tree::{Described, Kind, OrgPolicy, OrganizationRecord, id};
use super::{Empty, INVALID_INPUT, Paging, ask, ask_about, cut, managed, put};
use crate::action::{Action, Ask, Done, Effect, Entry};
use crate::authorize::Permit;
use crate::cx::Cx;
use crate::error::{Code, Error, Result};
use crate::iam::entity::check_tags;

/// Characters of one policy. Source: AWS Organizations quotas.
const MAX_SIZE: usize = 5120;
/// Policies of one kind. Source: the same.
const MAX_POLICIES: usize = 1000;

/// The actions of this file.
pub const ACTIONS: [Entry; 5] = [
    Entry::of::<CreatePolicy>(),
    Entry::of::<DeletePolicy>(),
    Entry::of::<DescribePolicy>(),
    Entry::of::<ListPolicies>(),
    Entry::of::<UpdatePolicy>(),
];

const DUPLICATE: Code = Code::new("DuplicatePolicyException", 400);
const IN_USE: Code = Code::new("PolicyInUseException", 400);
const MALFORMED: Code = Code::new("MalformedPolicyDocumentException", 400);
const NOT_FOUND: Code = Code::new("PolicyNotFoundException", 400);

/// A policy as lists write it.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Summary {
    id: String,
    arn: String,
    name: String,
    description: String,
    #[serde(rename = "Type")]
    kind: Kind,
    aws_managed: bool,
}

/// A policy with its document.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Whole {
    policy_summary: Summary,
    content: String,
}

/// One policy.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct OnePolicy {
    policy: Whole,
}

/// A policy as lists write it.
pub fn summary(it: Described) -> Summary {
    Summary {
        id: it.id,
        arn: it.arn,
        name: it.policy.name,
        description: it.policy.description,
        kind: it.policy.kind,
        aws_managed: it.of_aws,
    }
}

fn one(record: &OrganizationRecord, id: &str) -> Result<OnePolicy> {
    let found = find(record, id)?;
    let content = found.policy.content.clone();
    Ok(OnePolicy { policy: Whole { policy_summary: summary(found), content } })
}

/// The policy of that id.
///
/// # Errors
/// `PolicyNotFoundException`.
pub fn find(record: &OrganizationRecord, id: &str) -> Result<Described> {
    record.policy(id).ok_or_else(|| {
        let text = "We can't find a policy with the PolicyId that you specified.";
        Error::new(NOT_FOUND, text)
    })
}

/// The kind that a request names.
///
/// # Errors
/// `InvalidInputException` for kinds that do not exist here.
pub fn kind(text: &str) -> Result<Kind> {
    Kind::parse(text).ok_or_else(|| {
        Error::new(INVALID_INPUT, format!("You specified an unsupported policy type: {text}."))
    })
}

fn check_content(kind: Kind, content: &str) -> Result<()> {
    if quota_size(content) > MAX_SIZE {
        return Err(constraint("You have exceeded the maximum size of a policy."));
    }
    let parsed = Document::parse(content, kind.language(), Strictness::Stored);
    parsed.map(|_| ()).map_err(|rejection| Error {
        code: MALFORMED,
        message: Some("The provided policy document does not meet the requirements of the specified policy type.".to_owned()),
        ..Error::policy(content, &rejection)
    })
}

fn check_name(record: &OrganizationRecord, kind: Kind, name: &str) -> Result<()> {
    match record.policies_of(kind).any(|it| it.policy.name == name) {
        true => Err(Error::new(DUPLICATE, "A policy with the same name already exists.")),
        false => Ok(()),
    }
}

/// A policy of the organization's own.
fn find_own(record: &OrganizationRecord, id: &str) -> Result<OrgPolicy> {
    let found = find(record, id)?;
    match found.of_aws {
        false => Ok(found.policy),
        true => Err(Error::new(
            INVALID_INPUT,
            "You can't modify or delete a policy that is managed by AWS.",
        )),
    }
}

/// `CreatePolicy`
pub struct CreatePolicy;

/// Its input.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreateInput {
    content: String,
    description: String,
    name: String,
    #[serde(rename = "Type")]
    kind: String,
    #[serde(default)]
    tags: Vec<Tag>,
}

impl Action for CreatePolicy {
    const NAME: &'static str = "CreatePolicy";
    const EFFECT: Effect = Effect::Write;
    type Input = CreateInput;
    type Output = OnePolicy;

    fn asks(cx: &Cx<'_>, input: &CreateInput) -> Result<Vec<Ask>> {
        let ask = ask(cx, Self::NAME, |_| None)?;
        let ask = ask.key("organizations:PolicyType", &input.kind, SetBy::Request);
        Ok(tagged_ask(ask, &input.tags))
    }

    async fn run(
        cx: &mut Cx<'_>,
        input: CreateInput,
        _permit: Permit<Self>,
    ) -> Result<Done<OnePolicy>> {
        let mut record = OrganizationRecord::clone(managed(cx)?);
        let kind = kind(&input.kind)?;
        check_name(&record, kind, &input.name)?;
        check_content(kind, &input.content)?;
        check_tags(&input.tags).map_err(refused)?;
        if record.policies_of(kind).count() > MAX_POLICIES {
            return Err(constraint("You have exceeded the allowed number of policies."));
        }
        let id = id("p-", 8);
        let policy = OrgPolicy {
            name: input.name,
            description: input.description,
            kind,
            content: input.content,
        };
        record.policies.insert(id.clone(), policy);
        record.set_tags(&id, input.tags);
        Ok(Done::write(one(&record, &id)?, put(&cx.world, record)))
    }
}

/// `UpdatePolicy`: what is not given stays.
pub struct UpdatePolicy;

/// Its input.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct UpdateInput {
    policy_id: String,
    name: Option<String>,
    description: Option<String>,
    content: Option<String>,
}

impl Action for UpdatePolicy {
    const NAME: &'static str = "UpdatePolicy";
    const EFFECT: Effect = Effect::Write;
    type Input = UpdateInput;
    type Output = OnePolicy;

    fn asks(cx: &Cx<'_>, input: &UpdateInput) -> Result<Vec<Ask>> {
        Ok(vec![ask_about(cx, Self::NAME, &input.policy_id)?])
    }

    async fn run(
        cx: &mut Cx<'_>,
        input: UpdateInput,
        _permit: Permit<Self>,
    ) -> Result<Done<OnePolicy>> {
        let mut record = OrganizationRecord::clone(managed(cx)?);
        let mut policy = find_own(&record, &input.policy_id)?;
        if let Some(name) = input.name.filter(|name| *name != policy.name) {
            check_name(&record, policy.kind, &name)?;
            policy.name = name;
        }
        if let Some(content) = input.content {
            check_content(policy.kind, &content)?;
            policy.content = content;
        }
        policy.description = input.description.unwrap_or(policy.description);
        record.policies.insert(input.policy_id.clone(), policy);
        Ok(Done::write(one(&record, &input.policy_id)?, put(&cx.world, record)))
    }
}

/// A policy's id alone.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PolicyId {
    policy_id: String,
}

/// `DescribePolicy`
pub struct DescribePolicy;

impl Action for DescribePolicy {
    const NAME: &'static str = "DescribePolicy";
    const EFFECT: Effect = Effect::Read;
    type Input = PolicyId;
    type Output = OnePolicy;

    fn asks(cx: &Cx<'_>, input: &PolicyId) -> Result<Vec<Ask>> {
        Ok(vec![ask_about(cx, Self::NAME, &input.policy_id)?])
    }

    async fn run(
        cx: &mut Cx<'_>,
        input: PolicyId,
        _permit: Permit<Self>,
    ) -> Result<Done<OnePolicy>> {
        Ok(Done::read(one(managed(cx)?, &input.policy_id)?))
    }
}

/// `DeletePolicy`: only one that is attached to nothing.
pub struct DeletePolicy;

impl Action for DeletePolicy {
    const NAME: &'static str = "DeletePolicy";
    const EFFECT: Effect = Effect::Write;
    type Input = PolicyId;
    type Output = Empty;

    fn asks(cx: &Cx<'_>, input: &PolicyId) -> Result<Vec<Ask>> {
        Ok(vec![ask_about(cx, Self::NAME, &input.policy_id)?])
    }

    async fn run(cx: &mut Cx<'_>, input: PolicyId, _permit: Permit<Self>) -> Result<Done<Empty>> {
        let mut record = OrganizationRecord::clone(managed(cx)?);
        find_own(&record, &input.policy_id)?;
        if record.attached.values().flatten().any(|id| *id == input.policy_id) {
            let text = "The policy is attached to one or more entities. You must detach it from all roots, OUs, and accounts before performing this operation.";
            return Err(Error::new(IN_USE, text));
        }
        record.policies.remove(&input.policy_id);
        record.tags.remove(&input.policy_id);
        Ok(Done::write(Empty {}, put(&cx.world, record)))
    }
}

/// `ListPolicies`
pub struct ListPolicies;

/// Its input.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListInput {
    filter: String,
    #[serde(flatten)]
    wanted: Paging,
}

/// Policies by pages.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Policies {
    policies: Vec<Summary>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

impl Policies {
    /// A page of these, in the order of their ids.
    pub(super) fn of(
        cx: &Cx<'_>,
        found: impl Iterator<Item = Described>,
        wanted: &Paging,
    ) -> Result<Self> {
        let mut found: Vec<_> = found.collect();
        found.sort_by(|a, b| a.id.cmp(&b.id));
        let (policies, next_token) = cut(cx, found, |it| it.id.clone(), wanted)?;
        Ok(Self { policies: policies.into_iter().map(summary).collect(), next_token })
    }
}

impl Action for ListPolicies {
    const NAME: &'static str = "ListPolicies";
    const EFFECT: Effect = Effect::Read;
    type Input = ListInput;
    type Output = Policies;

    fn asks(cx: &Cx<'_>, input: &ListInput) -> Result<Vec<Ask>> {
        let ask = ask(cx, Self::NAME, |_| None)?;
        Ok(vec![ask.key("organizations:PolicyType", &input.filter, SetBy::Request)])
    }

    async fn run(
        cx: &mut Cx<'_>,
        input: ListInput,
        _permit: Permit<Self>,
    ) -> Result<Done<Policies>> {
        let found = managed(cx)?.policies_of(kind(&input.filter)?);
        Ok(Done::read(Policies::of(cx, found, &input.wanted)?))
    }
}
