//! `AssumeRole`: an AWS principal becomes a role's session.

use policy::{Context, SetBy, Tag};
use serde::{Deserialize, Serialize};

use super::arn;
use super::assume::{self, AssumedRoleUser, PolicyArn, Shown, Wanted};
use super::tags::{self, SessionTags};
use crate::action::{Action, Ask, Done, Effect};
use crate::audit::ours::check;
use crate::authorize::{Permit, no_such_role};
use crate::credentials::Credentials;
use crate::cx::Cx;
use crate::error::{Error, Result, code};
use crate::iam::mfa::{Proof, prove};

/// The action.
pub struct AssumeRole;

/// Its input.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    role_arn: String,
    role_session_name: String,
    policy: Option<String>,
    #[serde(default)]
    policy_arns: Vec<PolicyArn>,
    duration_seconds: Option<i64>,
    minimum_session_token_size: Option<u16>,
    #[serde(default)]
    tags: Vec<Tag>,
    #[serde(default)]
    transitive_tag_keys: Vec<String>,
    external_id: Option<String>,
    source_identity: Option<String>,
    serial_number: Option<String>,
    token_code: Option<String>,
    #[serde(default)]
    provided_contexts: Vec<serde_json::Value>,
}

/// Its result.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    credentials: Credentials,
    assumed_role_user: AssumedRoleUser,
    #[serde(skip_serializing_if = "Option::is_none")]
    packed_policy_size: Option<u64>,
    session_token_size: usize,
    session_token_utilization: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_identity: Option<String>,
}

impl Action for AssumeRole {
    const NAME: &'static str = "AssumeRole";
    const EFFECT: Effect = Effect::Issue;
    type Input = Input;
    type Output = Output;

    fn asks(cx: &Cx<'_>, input: &Input) -> Result<Vec<Ask>> {
        let (role_arn, _) = arn::role(&input.role_arn)?;
        refuse_unsupported(input)?;
        let proof = mfa(cx, input)?;
        let wanted = wanted(cx, input)?;
        let Some(role) = cx.world.role_by_arn(&role_arn) else {
            return Err(no_such_role(cx, "sts:AssumeRole", &role_arn));
        };
        let keys = |context: &mut Context| {
            if let Some(id) = &input.external_id {
                context.set("sts:ExternalId", id, SetBy::Request);
            }
            if proof.is_some() {
                Proof::tell(context);
            }
            // Tags that are handed on replace the target role's own of the same key before its
            // trust policy is asked.
            let mut handed_on = inherited(cx).tags;
            let own = &role.record.tags;
            handed_on.retain(|tag| own.iter().any(|known| tags::same(&known.key, &tag.key)));
            for family in ["aws:ResourceTag/", "iam:ResourceTag/"] {
                context.set_tags(family, &handed_on, SetBy::Session);
            }
        };
        let shown = Shown {
            name: wanted.name,
            passed: &input.tags,
            tags: &wanted.tags,
            source_identity: wanted.source_identity.as_deref(),
        };
        Ok(assume::trust_asks(cx, "sts:AssumeRole", role, &shown, keys))
    }

    async fn run(cx: &mut Cx<'_>, input: Input, _permit: Permit<Self>) -> Result<Done<Output>> {
        let (role_arn, account) = arn::role(&input.role_arn)?;
        cx.receipt.resource(Some(account.as_str()), "AWS::IAM::Role", role_arn.as_str());
        let Some(role) = cx.world.role_by_arn(&role_arn).cloned() else {
            return Err(Error::internal("the role that was asked for is gone within one call"));
        };
        let proof = mfa(cx, &input)?;
        let wanted = Wanted { mfa: proof.is_some(), ..wanted(cx, &input)? };
        let source_identity = wanted.source_identity.clone();
        let issued = assume::issue(cx, &role, wanted)?;
        let output = Output {
            session_token_size: issued.credentials.token_size(),
            session_token_utilization: issued.credentials.token_utilization(),
            credentials: issued.credentials,
            assumed_role_user: issued.user,
            packed_policy_size: issued.packed,
            source_identity,
        };
        Ok(Done::write(output, proof.map_or_else(Vec::new, Proof::change)))
    }
}

fn wanted<'a>(cx: &Cx<'_>, input: &'a Input) -> Result<Wanted<'a>> {
    Ok(Wanted {
        name: &input.role_session_name,
        seconds: input.duration_seconds,
        token_size: input.minimum_session_token_size,
        at_most: None,
        policy: input.policy.as_deref(),
        policy_arns: &input.policy_arns,
        tags: tags::merge(&input.tags, &input.transitive_tag_keys, &inherited(cx))?,
        source_identity: source_identity(cx, input.source_identity.as_deref())?,
        federated_provider: None,
        claims: Vec::new(),
        mfa: false,
    })
}

/// What the calling role session hands on; users' tags are never handed on.
fn inherited(cx: &Cx<'_>) -> SessionTags {
    match &cx.caller.session {
        Some(session) if cx.caller.is_role_session() => {
            tags::inherited(&session.tags, &session.transitive)
        }
        _ => SessionTags::default(),
    }
}

/// A source identity stays for the whole chain; naming the same one again is no change.
fn source_identity(cx: &Cx<'_>, requested: Option<&str>) -> Result<Option<String>> {
    let inherited = cx.caller.session.as_ref().and_then(|session| session.source_identity.clone());
    match (inherited, requested) {
        (Some(inherited), Some(requested)) if inherited != requested => Err(Error::new(
            code::VALIDATION_ERROR,
            "The source identity is already set for this assume role session",
        )
        .failing(check::SOURCE_IDENTITY, format!("none, or {inherited} again"), requested)),
        (Some(inherited), _) => Ok(Some(inherited)),
        (None, requested) => Ok(requested.map(str::to_owned)),
    }
}

/// The MFA device that the call shows, where it shows one.
fn mfa(cx: &Cx<'_>, input: &Input) -> Result<Option<Proof>> {
    prove(cx, input.serial_number.as_deref(), input.token_code.as_deref())
}

/// There are no trusted token issuers here: what cannot be checked is refused.
fn refuse_unsupported(input: &Input) -> Result<()> {
    match input.provided_contexts.is_empty() {
        true => Ok(()),
        false => Err(Error::new(
            code::VALIDATION_ERROR,
            "Invalid ProvidedContexts: no context provider is registered",
        )),
    }
}
