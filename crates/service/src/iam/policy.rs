//! Managed policies: the account's own, which can be changed, and AWS's, which can only be read.

pub mod details;
mod entities;
mod list;
mod usage;
mod versions;

use std::sync::Arc;

use policy::{AccountId, Arn, Document, Kind, Strictness, Tag};
use serde::{Deserialize, Serialize};

pub use self::usage::Usage;
use super::aws_managed::{self, AwsManaged};
use super::entity::{
    self, DELETE_CONFLICT, ENTITY_ALREADY_EXISTS, INVALID_INPUT, LIMIT_EXCEEDED, NO_SUCH_ENTITY,
    TagView,
};
use super::tags::Tagged;
use crate::action::{Action, Ask, Done, Effect, Entry};
use crate::authorize::Permit;
use crate::cx::Cx;
use crate::error::{Error, Result, code};
use crate::ids::{Prefix, UniqueId};
use crate::record::{PolicyRecord, PolicyVersion};
use crate::time::iso_seconds;
use crate::world::{self, Account, Change, Entity, ManagedPolicy, World, document_of};

/// Customer-managed policies in one account. Source: IAM quotas.
pub const MAX_POLICIES: usize = 1500;
/// Versions of one policy. Source: IAM quotas.
pub const MAX_VERSIONS: usize = 5;

/// The actions of this noun.
pub const ACTIONS: [Entry; 10] = [
    Entry::of::<CreatePolicy>(),
    Entry::of::<versions::CreatePolicyVersion>(),
    Entry::of::<DeletePolicy>(),
    Entry::of::<versions::DeletePolicyVersion>(),
    Entry::of::<GetPolicy>(),
    Entry::of::<versions::GetPolicyVersion>(),
    Entry::of::<entities::ListEntitiesForPolicy>(),
    Entry::of::<list::ListPolicies>(),
    Entry::of::<versions::ListPolicyVersions>(),
    Entry::of::<versions::SetDefaultPolicyVersion>(),
];

/// A permissions boundary must be a policy that exists.
///
/// # Errors
/// `NoSuchEntity`.
pub fn check_boundary(world: &World, account: AccountId, arn: Option<&str>) -> Result<()> {
    let Some(arn) = arn else { return Ok(()) };
    match world.account(&account).and_then(|account| document_of(account, arn)) {
        Some(_) => Ok(()),
        None => Err(Error::new(
            NO_SUCH_ENTITY,
            format!("Scope ARN: {arn} does not exist or is not attachable."),
        )),
    }
}

/// A managed policy must exist to be attached.
///
/// # Errors
/// `ValidationError` for what is no ARN, `NoSuchEntity` for what does not exist.
pub fn attachable(world: &World, account: AccountId, arn: &str) -> Result<()> {
    parse(arn)?;
    match world.account(&account).and_then(|account| document_of(account, arn)) {
        Some(_) => Ok(()),
        None => Err(Error::new(
            NO_SUCH_ENTITY,
            format!("Policy {arn} does not exist or is not attachable."),
        )),
    }
}

fn parse(arn: &str) -> Result<Arn> {
    let invalid = || Error::new(code::VALIDATION_ERROR, "Invalid ARN:  Could not be parsed!");
    Arn::parse(arn).map_err(|_| invalid())
}

/// A managed policy that can be read.
pub enum Managed {
    /// The account's own.
    Own(Arc<ManagedPolicy>),
    /// One of AWS's.
    Aws(&'static AwsManaged),
}

impl Managed {
    /// All that the account sees, its own or AWS's or both, in the order of their ARNs.
    pub fn all(account: &Account, own: bool, aws: bool) -> Vec<Self> {
        let of_account = account.policies.iter().filter(|_| own).cloned().map(Self::Own);
        let of_aws = aws_managed::all().iter().filter(|_| aws).map(Self::Aws);
        let mut all: Vec<_> = of_account.chain(of_aws).collect();
        all.sort_by(|a, b| a.arn().cmp(b.arn()));
        all
    }

    /// Its ARN.
    pub fn arn(&self) -> &str {
        match self {
            Self::Own(policy) => policy.arn.as_str(),
            Self::Aws(policy) => &policy.arn,
        }
    }

    fn path(&self) -> &str {
        match self {
            Self::Own(policy) => &policy.record.path,
            Self::Aws(policy) => &policy.path,
        }
    }
}

/// The policy of that ARN, as the caller's account sees it.
///
/// # Errors
/// `NoSuchEntity`, in AWS's words.
fn find(cx: &Cx<'_>, arn: &str) -> Result<Managed> {
    parse(arn)?;
    let own = cx.account()?.policy_by_arn(arn).cloned().map(Managed::Own);
    own.or_else(|| aws_managed::find(arn).map(Managed::Aws)).ok_or_else(|| missing(arn))
}

/// The account's own policy of that ARN: AWS's cannot be changed by anyone.
///
/// # Errors
/// `NoSuchEntity` or `InvalidInput`.
fn find_own(cx: &Cx<'_>, arn: &str) -> Result<Arc<ManagedPolicy>> {
    match find(cx, arn)? {
        Managed::Own(policy) => Ok(policy),
        Managed::Aws(_) => {
            let text = format!("Policy {arn} is managed by AWS and cannot be changed.");
            Err(Error::new(INVALID_INPUT, text))
        }
    }
}

fn missing(arn: &str) -> Error {
    Error::new(NO_SUCH_ENTITY, format!("Policy {arn} was not found."))
}

/// What is asked about a policy that is named by its ARN. AWS's policies are everyone's to read.
fn ask(cx: &Cx<'_>, action: &str, arn: &str) -> Result<Ask> {
    let own = cx.caller.account()?;
    let owner = parse(arn)?.account_id().unwrap_or(own);
    let ask = Ask::identity(cx, &format!("iam:{action}"), arn, owner);
    let found = cx.account()?.policy_by_arn(arn);
    Ok(found.map_or(ask.clone(), |policy| ask.resource_tags(&policy.record.tags)))
}

/// Reads a document that shall be a managed policy.
///
/// # Errors
/// `MalformedPolicyDocument` or `LimitExceeded`, in AWS's words.
fn check_document(text: &str) -> Result<()> {
    use policy::document::{quota, quota_size};
    Document::parse(text, Kind::Identity, Strictness::Stored)
        .map_err(|rejection| Error::policy(text, &rejection))?;
    match quota_size(text) <= quota::MANAGED {
        true => Ok(()),
        false => Err(Error::new(
            LIMIT_EXCEEDED,
            format!("Cannot exceed quota for PolicySize: {}", quota::MANAGED),
        )),
    }
}

/// A policy as it shall be, changed now.
fn put(record: PolicyRecord) -> Vec<Change> {
    vec![Change::Put(Entity::Policy(record))]
}

/// Managed policies, to what all tagged entities share.
pub struct Policy;

impl Tagged for Policy {
    const TAG: &'static str = "TagPolicy";
    const UNTAG: &'static str = "UntagPolicy";
    const LIST_TAGS: &'static str = "ListPolicyTags";
    type Record = PolicyRecord;

    fn ask(cx: &Cx<'_>, action: &str, arn: &str) -> Result<Ask> {
        ask(cx, action, arn)
    }
    fn find(cx: &Cx<'_>, arn: &str) -> Result<PolicyRecord> {
        find_own(cx, arn).map(|policy| policy.record.clone())
    }
    fn tags(record: &PolicyRecord) -> &[Tag] {
        &record.tags
    }
    fn set_tags(record: &mut PolicyRecord, tags: Vec<Tag>) {
        record.tags = tags;
    }
    fn put(record: PolicyRecord) -> Vec<Change> {
        put(record)
    }
}

/// A policy as answers write it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct View {
    policy_name: String,
    policy_id: String,
    arn: String,
    path: String,
    default_version_id: String,
    attachment_count: usize,
    permissions_boundary_usage_count: usize,
    is_attachable: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    create_date: String,
    update_date: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<TagView>,
}

/// When AWS's managed policies are said to have been made: their dates differ, and nothing hangs
/// on them.
const AWS_POLICIES_SINCE: &str = "2015-02-06T18:39:46Z";

/// A policy's view; only `GetPolicy` tells its description, and lists leave its tags out.
fn view(policy: &Managed, usage: &Usage<'_>, listed: bool) -> View {
    let (attachments, boundaries) = usage.of(policy.arn());
    let mut view = match policy {
        Managed::Own(policy) => of_record(&policy.record),
        Managed::Aws(policy) => View {
            policy_name: policy.name.clone(),
            policy_id: policy.id.clone(),
            arn: policy.arn.clone(),
            path: policy.path.clone(),
            default_version_id: "v1".to_owned(),
            attachment_count: 0,
            permissions_boundary_usage_count: 0,
            is_attachable: true,
            description: Some(policy.description.clone()),
            create_date: AWS_POLICIES_SINCE.to_owned(),
            update_date: AWS_POLICIES_SINCE.to_owned(),
            tags: Vec::new(),
        },
    };
    view.attachment_count = attachments;
    view.permissions_boundary_usage_count = boundaries;
    if listed {
        view.description = None;
        view.tags.clear();
    }
    view
}

fn of_record(record: &PolicyRecord) -> View {
    View {
        policy_name: record.name.clone(),
        policy_id: record.id.to_string(),
        arn: entity::arn("policy", &record.account, &record.path, &record.name),
        path: record.path.clone(),
        default_version_id: format!("v{}", record.default_version),
        attachment_count: 0,
        permissions_boundary_usage_count: 0,
        is_attachable: true,
        description: record.description.clone(),
        create_date: iso_seconds(record.created),
        update_date: iso_seconds(record.updated),
        tags: entity::views(&record.tags),
    }
}

/// One policy.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct OnePolicy {
    policy: View,
}

/// A policy's ARN alone.
#[derive(Deserialize)]
pub struct PolicyArn {
    #[serde(rename = "PolicyArn")]
    arn: String,
}

/// `CreatePolicy`
pub struct CreatePolicy;

/// Its input.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreateInput {
    #[serde(rename = "PolicyName")]
    name: String,
    path: Option<String>,
    policy_document: String,
    description: Option<String>,
    #[serde(default)]
    tags: Vec<Tag>,
}

impl Action for CreatePolicy {
    const NAME: &'static str = "CreatePolicy";
    const EFFECT: Effect = Effect::Write;
    type Input = CreateInput;
    type Output = OnePolicy;

    fn asks(cx: &Cx<'_>, input: &CreateInput) -> Result<Vec<Ask>> {
        let account = cx.caller.account()?;
        let path = input.path.as_deref().unwrap_or("/");
        let arn = entity::arn("policy", &account, path, &input.name);
        let ask = Ask::identity(cx, "iam:CreatePolicy", &arn, account).request_tags(&input.tags);
        Ok(entity::with_tagging(ask, &input.tags, "iam:TagPolicy"))
    }

    async fn run(
        cx: &mut Cx<'_>,
        input: CreateInput,
        _permit: Permit<Self>,
    ) -> Result<Done<OnePolicy>> {
        let account = cx.account()?;
        if account.policies.find(&input.name).is_some() {
            let text = format!(
                "A policy called {} already exists. Duplicate names are not allowed.",
                input.name
            );
            return Err(Error::new(ENTITY_ALREADY_EXISTS, text));
        }
        if account.policies.len() >= MAX_POLICIES {
            let text = format!("Cannot exceed quota for PoliciesPerAccount: {MAX_POLICIES}");
            return Err(Error::new(LIMIT_EXCEEDED, text));
        }
        entity::check_tags(&input.tags)?;
        check_document(&input.policy_document)?;
        let now = cx.now.as_millisecond();
        let record = PolicyRecord {
            account: account.record.id,
            name: input.name,
            path: input.path.unwrap_or_else(|| "/".to_owned()),
            id: UniqueId::fresh(Prefix::Policy),
            created: now,
            updated: now,
            description: input.description,
            versions: vec![PolicyVersion {
                number: 1,
                document: input.policy_document,
                created: now,
            }],
            default_version: 1,
            next_version: 2,
            tags: input.tags,
        };
        let policy = View { description: None, ..of_record(&record) };
        Ok(Done::write(OnePolicy { policy }, put(record)))
    }
}

/// `GetPolicy`
pub struct GetPolicy;

impl Action for GetPolicy {
    const NAME: &'static str = "GetPolicy";
    const EFFECT: Effect = Effect::Read;
    type Input = PolicyArn;
    type Output = OnePolicy;

    fn asks(cx: &Cx<'_>, input: &PolicyArn) -> Result<Vec<Ask>> {
        Ok(vec![ask(cx, Self::NAME, &input.arn)?])
    }

    async fn run(
        cx: &mut Cx<'_>,
        input: PolicyArn,
        _permit: Permit<Self>,
    ) -> Result<Done<OnePolicy>> {
        let policy = find(cx, &input.arn)?;
        let usage = Usage::in_account(cx.account()?);
        Ok(Done::read(OnePolicy { policy: view(&policy, &usage, false) }))
    }
}

/// `DeletePolicy`: only when nothing uses it and its default version is the only one.
pub struct DeletePolicy;

impl Action for DeletePolicy {
    const NAME: &'static str = "DeletePolicy";
    const EFFECT: Effect = Effect::Write;
    type Input = PolicyArn;
    type Output = ();

    fn asks(cx: &Cx<'_>, input: &PolicyArn) -> Result<Vec<Ask>> {
        Ok(vec![ask(cx, Self::NAME, &input.arn)?])
    }

    async fn run(cx: &mut Cx<'_>, input: PolicyArn, _permit: Permit<Self>) -> Result<Done<()>> {
        let policy = find_own(cx, &input.arn)?;
        if Usage::in_account(cx.account()?).of(&input.arn) != (0, 0) {
            let text = "Cannot delete a policy attached to entities.";
            return Err(Error::new(DELETE_CONFLICT, text));
        }
        if policy.record.versions.len() > 1 {
            let text = "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.";
            return Err(Error::new(DELETE_CONFLICT, text));
        }
        let id = world::named(&policy.record.account, &policy.record.name);
        Ok(Done::write((), vec![Change::Delete(world::Kind::Policy, id)]))
    }
}
