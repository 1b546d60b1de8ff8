//! Which policies are attached to what.

use policy::SetBy;
use serde::{Deserialize, Serialize};

use super::organization::{constraint, not_enabled};
use super::policy::{Policies, find, kind};
use super::tree::{Kind, Node, OrganizationRecord};
use super::{Empty, Paging, TARGET_NOT_FOUND, ask_about, cut, managed, put};
use crate::action::{Action, Ask, Done, Effect, Entry};
use crate::authorize::Permit;
use crate::cx::Cx;
use crate::error::{Code, Error, Result};

/// Policies of one kind on one node. Source: AWS Organizations quotas.
const MAX_ATTACHED: usize = 5;

/// The actions of this file.
pub const ACTIONS: [Entry; 4] = [
    Entry::of::<AttachPolicy>(),
    Entry::of::<DetachPolicy>(),
    Entry::of::<ListPoliciesForTarget>(),
    Entry::of::<ListTargetsForPolicy>(),
];

const DUPLICATE: Code = Code::new("DuplicatePolicyAttachmentException", 400);
const NOT_ATTACHED: Code = Code::new("PolicyNotAttachedException", 400);

/// A policy and a node.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    policy_id: String,
    target_id: String,
}

impl Input {
    /// Both the policy and the node are asked about.
    fn asks(&self, cx: &Cx<'_>, action: &str) -> Result<Vec<Ask>> {
        let policy = ask_about(cx, action, &self.policy_id)?;
        // ATTACK: the target is asked about with its own tags, never with the policy's: who may
        // attach what is tagged may not attach it wherever she likes. `corpus/iam/asks.txt`
        let target = ask_about(cx, action, &self.target_id)?;
        let kind = policy.question.context.find_key("organizations:PolicyType");
        let target = match kind.and_then(|kind| kind.single()) {
            Some(kind) => target.key("organizations:PolicyType", kind, SetBy::Resource),
            None => target,
        };
        Ok(vec![policy, target])
    }

    /// The organization, the kind of the policy, and whether it is attached.
    fn found(&self, cx: &Cx<'_>) -> Result<(OrganizationRecord, Kind, bool)> {
        let record = OrganizationRecord::clone(managed(cx)?);
        let kind = find(&record, &self.policy_id)?.policy.kind;
        check_target(&record, &self.target_id)?;
        if !record.enabled.contains(&kind) {
            return Err(not_enabled());
        }
        let attached = record.attached_to(&self.target_id, kind).any(|it| it.id == self.policy_id);
        Ok((record, kind, attached))
    }
}

fn check_target(record: &OrganizationRecord, id: &str) -> Result<()> {
    match record.node(id) {
        Some(_) => Ok(()),
        None => {
            let text = "We can't find a root, OU, or account with the TargetId that you specified.";
            Err(Error::new(TARGET_NOT_FOUND, text))
        }
    }
}

/// `AttachPolicy`
pub struct AttachPolicy;

impl Action for AttachPolicy {
    const NAME: &'static str = "AttachPolicy";
    const EFFECT: Effect = Effect::Write;
    type Input = Input;
    type Output = Empty;

    fn asks(cx: &Cx<'_>, input: &Input) -> Result<Vec<Ask>> {
        input.asks(cx, Self::NAME)
    }

    async fn run(cx: &mut Cx<'_>, input: Input, _permit: Permit<Self>) -> Result<Done<Empty>> {
        let (mut record, kind, attached) = input.found(cx)?;
        if attached {
            let text = "The selected policy is already attached to the specified target.";
            return Err(Error::new(DUPLICATE, text));
        }
        if record.attached_to(&input.target_id, kind).count() >= MAX_ATTACHED {
            let text = "You have attached the maximum number of policies to the specified target.";
            return Err(constraint(text));
        }
        record.attached.entry(input.target_id).or_default().push(input.policy_id);
        Ok(Done::write(Empty {}, put(&cx.world, record)))
    }
}

/// `DetachPolicy`: never the last of its kind, which would leave nothing allowed by accident.
pub struct DetachPolicy;

impl Action for DetachPolicy {
    const NAME: &'static str = "DetachPolicy";
    const EFFECT: Effect = Effect::Write;
    type Input = Input;
    type Output = Empty;

    fn asks(cx: &Cx<'_>, input: &Input) -> Result<Vec<Ask>> {
        input.asks(cx, Self::NAME)
    }

    async fn run(cx: &mut Cx<'_>, input: Input, _permit: Permit<Self>) -> Result<Done<Empty>> {
        let (mut record, kind, attached) = input.found(cx)?;
        if !attached {
            let text = "The policy isn't attached to the specified target in the specified root.";
            return Err(Error::new(NOT_ATTACHED, text));
        }
        let last = record.attached_to(&input.target_id, kind).count() == 1;
        let fixed = kind == Kind::Rcp && find(&record, &input.policy_id)?.of_aws;
        if last || fixed {
            let text = "You cannot remove the last policy attached to the specified target. You must have at least one attached at all times.";
            return Err(constraint(text));
        }
        if let Some(attached) = record.attached.get_mut(&input.target_id) {
            attached.retain(|id| *id != input.policy_id);
        }
        Ok(Done::write(Empty {}, put(&cx.world, record)))
    }
}

/// `ListPoliciesForTarget`: those that are attached to the node itself.
pub struct ListPoliciesForTarget;

/// Its input.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PoliciesInput {
    target_id: String,
    filter: String,
    #[serde(flatten)]
    wanted: Paging,
}

impl Action for ListPoliciesForTarget {
    const NAME: &'static str = "ListPoliciesForTarget";
    const EFFECT: Effect = Effect::Read;
    type Input = PoliciesInput;
    type Output = Policies;

    fn asks(cx: &Cx<'_>, input: &PoliciesInput) -> Result<Vec<Ask>> {
        let ask = ask_about(cx, Self::NAME, &input.target_id)?;
        Ok(vec![ask.key("organizations:PolicyType", &input.filter, SetBy::Request)])
    }

    async fn run(
        cx: &mut Cx<'_>,
        input: PoliciesInput,
        _permit: Permit<Self>,
    ) -> Result<Done<Policies>> {
        let record = managed(cx)?;
        check_target(record, &input.target_id)?;
        let found = record.attached_to(&input.target_id, kind(&input.filter)?);
        Ok(Done::read(Policies::of(cx, found, &input.wanted)?))
    }
}

/// `ListTargetsForPolicy`
pub struct ListTargetsForPolicy;

/// Its input.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct TargetsInput {
    policy_id: String,
    #[serde(flatten)]
    wanted: Paging,
}

/// Its result.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct TargetsOutput {
    targets: Vec<Target>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

/// What a policy is attached to.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Target {
    target_id: String,
    arn: String,
    name: String,
    #[serde(rename = "Type")]
    kind: &'static str,
}

fn target(record: &OrganizationRecord, id: &str) -> Option<Target> {
    let (name, kind) = match record.node(id)? {
        Node::Root => ("Root", "ROOT"),
        Node::Unit(unit) => (unit.name.as_str(), "ORGANIZATIONAL_UNIT"),
        Node::Account(member) => (member.name.as_str(), "ACCOUNT"),
    };
    Some(Target {
        target_id: id.to_owned(),
        arn: record.node_arn(id)?,
        name: name.to_owned(),
        kind,
    })
}

impl Action for ListTargetsForPolicy {
    const NAME: &'static str = "ListTargetsForPolicy";
    const EFFECT: Effect = Effect::Read;
    type Input = TargetsInput;
    type Output = TargetsOutput;

    fn asks(cx: &Cx<'_>, input: &TargetsInput) -> Result<Vec<Ask>> {
        Ok(vec![ask_about(cx, Self::NAME, &input.policy_id)?])
    }

    async fn run(
        cx: &mut Cx<'_>,
        input: TargetsInput,
        _permit: Permit<Self>,
    ) -> Result<Done<TargetsOutput>> {
        let record = managed(cx)?;
        find(record, &input.policy_id)?;
        let nodes = record.attached.iter().filter(|(_, ids)| ids.contains(&input.policy_id));
        let found = nodes.filter_map(|(node, _)| target(record, node));
        let (targets, next_token) = cut(cx, found, |it| it.target_id.clone(), &input.wanted)?;
        Ok(Done::read(TargetsOutput { targets, next_token }))
    }
}
