//! Versions of a managed policy: at most five, one of them in force. Numbers are never used twice.

use serde::{Deserialize, Serialize};

use super::{MAX_VERSIONS, Managed, PolicyArn, ask, check_document, find, find_own, put};
use crate::action::{Action, Ask, Done, Effect};
use crate::authorize::Permit;
use crate::cx::Cx;
use crate::error::{Error, Result};
use crate::iam::entity::{DELETE_CONFLICT, LIMIT_EXCEEDED, NO_SUCH_ENTITY, encoded};
use crate::iam::page::{Listing, Wanted, page};
use crate::record::{PolicyRecord, PolicyVersion};
use crate::time::iso_seconds;

/// A version as answers write it; only `GetPolicyVersion` tells its document.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct View {
    #[serde(skip_serializing_if = "Option::is_none")]
    document: Option<String>,
    version_id: String,
    is_default_version: bool,
    create_date: String,
}

/// The versions of a policy, newest first, without their documents.
fn views(policy: &Managed) -> Vec<(View, &str)> {
    match policy {
        Managed::Own(policy) => {
            let record = &policy.record;
            let newest_first = record.versions.iter().rev();
            newest_first.map(|it| (view(record, it), it.document.as_str())).collect()
        }
        Managed::Aws(policy) => {
            let view = View {
                document: None,
                version_id: "v1".to_owned(),
                is_default_version: true,
                create_date: super::AWS_POLICIES_SINCE.to_owned(),
            };
            vec![(view, policy.text.as_str())]
        }
    }
}

/// The same with them.
pub fn with_documents(policy: &Managed) -> Vec<View> {
    let whole = |(view, text)| View { document: Some(encoded(text)), ..view };
    views(policy).into_iter().map(whole).collect()
}

fn view(record: &PolicyRecord, version: &PolicyVersion) -> View {
    View {
        document: None,
        version_id: format!("v{}", version.number),
        is_default_version: version.number == record.default_version,
        create_date: iso_seconds(version.created),
    }
}

/// The number of a version that exists.
fn existing(record: &PolicyRecord, arn: &str, version_id: &str) -> Result<u32> {
    let numbers = record.versions.iter().map(|version| version.number);
    let named = |number: &u32| format!("v{number}") == version_id;
    numbers.into_iter().find(named).ok_or_else(|| missing(arn, version_id))
}

fn missing(arn: &str, version_id: &str) -> Error {
    let text = format!("Policy {arn} version {version_id} does not exist or is not attachable.");
    Error::new(NO_SUCH_ENTITY, text)
}

/// `CreatePolicyVersion`
pub struct CreatePolicyVersion;

/// Its input.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreateInput {
    policy_arn: String,
    policy_document: String,
    #[serde(default)]
    set_as_default: bool,
}

/// One version.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct OneVersion {
    policy_version: View,
}

impl Action for CreatePolicyVersion {
    const NAME: &'static str = "CreatePolicyVersion";
    const EFFECT: Effect = Effect::Write;
    type Input = CreateInput;
    type Output = OneVersion;

    fn asks(cx: &Cx<'_>, input: &CreateInput) -> Result<Vec<Ask>> {
        Ok(vec![ask(cx, Self::NAME, &input.policy_arn)?])
    }

    async fn run(
        cx: &mut Cx<'_>,
        input: CreateInput,
        _permit: Permit<Self>,
    ) -> Result<Done<OneVersion>> {
        let mut record = find_own(cx, &input.policy_arn)?.record.clone();
        check_document(&input.policy_document)?;
        if record.versions.len() >= MAX_VERSIONS {
            let text = format!(
                "A managed policy can have up to {MAX_VERSIONS} versions. Before you create a new version, you must delete an existing version."
            );
            return Err(Error::new(LIMIT_EXCEEDED, text));
        }
        let now = cx.now.as_millisecond();
        let version = PolicyVersion {
            number: record.next_version,
            document: input.policy_document,
            created: now,
        };
        record.next_version += 1;
        record.updated = now;
        if input.set_as_default {
            record.default_version = version.number;
        }
        let policy_version = view(&record, &version);
        record.versions.push(version);
        Ok(Done::write(OneVersion { policy_version }, put(record)))
    }
}

/// A version of a policy.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct VersionInput {
    policy_arn: String,
    version_id: String,
}

/// `GetPolicyVersion`
pub struct GetPolicyVersion;

impl Action for GetPolicyVersion {
    const NAME: &'static str = "GetPolicyVersion";
    const EFFECT: Effect = Effect::Read;
    type Input = VersionInput;
    type Output = OneVersion;

    fn asks(cx: &Cx<'_>, input: &VersionInput) -> Result<Vec<Ask>> {
        Ok(vec![ask(cx, Self::NAME, &input.policy_arn)?])
    }

    async fn run(
        cx: &mut Cx<'_>,
        input: VersionInput,
        _permit: Permit<Self>,
    ) -> Result<Done<OneVersion>> {
        let policy = find(cx, &input.policy_arn)?;
        let found = views(&policy).into_iter().find(|(it, _)| it.version_id == input.version_id);
        let (view, text) = found.ok_or_else(|| missing(&input.policy_arn, &input.version_id))?;
        let policy_version = View { document: Some(encoded(text)), ..view };
        Ok(Done::read(OneVersion { policy_version }))
    }
}

/// `ListPolicyVersions`
pub struct ListPolicyVersions;

/// Its input.
#[derive(Deserialize)]
pub struct ListInput {
    #[serde(flatten)]
    policy: PolicyArn,
    #[serde(flatten)]
    wanted: Wanted,
}

impl Action for ListPolicyVersions {
    const NAME: &'static str = "ListPolicyVersions";
    const EFFECT: Effect = Effect::Read;
    type Input = ListInput;
    type Output = Listing<View>;

    fn asks(cx: &Cx<'_>, input: &ListInput) -> Result<Vec<Ask>> {
        Ok(vec![ask(cx, Self::NAME, &input.policy.arn)?])
    }

    async fn run(
        cx: &mut Cx<'_>,
        input: ListInput,
        _permit: Permit<Self>,
    ) -> Result<Done<Listing<View>>> {
        let policy = find(cx, &input.policy.arn)?;
        let views = views(&policy).into_iter().map(|(view, _)| view);
        // Newest first: the marker counts down.
        let age = |view: &View| {
            let number = view.version_id.trim_start_matches('v').parse::<u32>().unwrap_or(0);
            format!("{:010}", u32::MAX - number)
        };
        let page = page(cx.operation.name, views, age, &input.wanted)?;
        Ok(Done::read(page.listed("Versions")))
    }
}

/// `DeletePolicyVersion`: any but the one in force.
pub struct DeletePolicyVersion;

impl Action for DeletePolicyVersion {
    const NAME: &'static str = "DeletePolicyVersion";
    const EFFECT: Effect = Effect::Write;
    type Input = VersionInput;
    type Output = ();

    fn asks(cx: &Cx<'_>, input: &VersionInput) -> Result<Vec<Ask>> {
        Ok(vec![ask(cx, Self::NAME, &input.policy_arn)?])
    }

    async fn run(cx: &mut Cx<'_>, input: VersionInput, _permit: Permit<Self>) -> Result<Done<()>> {
        let mut record = find_own(cx, &input.policy_arn)?.record.clone();
        let number = existing(&record, &input.policy_arn, &input.version_id)?;
        if number == record.default_version {
            let text = "Cannot delete the default version of a policy.";
            return Err(Error::new(DELETE_CONFLICT, text));
        }
        record.versions.retain(|version| version.number != number);
        Ok(Done::write((), put(record)))
    }
}

/// `SetDefaultPolicyVersion`
pub struct SetDefaultPolicyVersion;

impl Action for SetDefaultPolicyVersion {
    const NAME: &'static str = "SetDefaultPolicyVersion";
    const EFFECT: Effect = Effect::Write;
    type Input = VersionInput;
    type Output = ();

    fn asks(cx: &Cx<'_>, input: &VersionInput) -> Result<Vec<Ask>> {
        Ok(vec![ask(cx, Self::NAME, &input.policy_arn)?])
    }

    async fn run(cx: &mut Cx<'_>, input: VersionInput, _permit: Permit<Self>) -> Result<Done<()>> {
        let mut record = find_own(cx, &input.policy_arn)?.record.clone();
        record.default_version = existing(&record, &input.policy_arn, &input.version_id)?;
        record.updated = cx.now.as_millisecond();
        Ok(Done::write((), put(record)))
    }
}
