//! What all ways of assuming a role share, once the caller is proven and the trust policy agrees.

use std::sync::Arc;

use policy::{AccountId, Context, Document, SetBy, Strictness, Tag};
use serde::{Deserialize, Serialize};

use super::tags::SessionTags;
use super::{duration, packed};
use crate::action::Ask;
use crate::credentials::{self, Credentials, PACKED_POLICY_TOO_LARGE, Session, Who};
use crate::cx::Cx;
use crate::error::{Error, Result, code};
use crate::ids::UniqueId;
use crate::world::{self, Role};

/// A managed session policy as requests name it.
#[derive(Debug, Clone, Deserialize)]
pub struct PolicyArn {
    /// The policy's ARN.
    #[serde(rename = "arn")]
    pub arn: Option<String>,
}

/// What a request may say of the session that it wants.
#[derive(Debug, Default)]
pub struct Wanted<'a> {
    /// `RoleSessionName`
    pub name: &'a str,
    /// `DurationSeconds`
    pub seconds: Option<i64>,
    /// `MinimumSessionTokenSize`
    pub token_size: Option<u16>,
    /// Seconds after which the session ends in any case.
    pub at_most: Option<i64>,
    /// `Policy`
    pub policy: Option<&'a str>,
    /// `PolicyArns`
    pub policy_arns: &'a [PolicyArn],
    /// Passed and inherited tags.
    pub tags: SessionTags,
    /// Set now or inherited.
    pub source_identity: Option<String>,
    /// `aws:FederatedProvider`
    pub federated_provider: Option<String>,
    /// Claims that stay condition keys.
    pub claims: Vec<(String, Vec<String>)>,
    /// Whether the call showed a code of an MFA device.
    pub mfa: bool,
}

/// What a trust policy is shown of the session that is wanted.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    /// `RoleSessionName`
    pub name: &'a str,
    /// The tags of this call: `aws:RequestTag`.
    pub passed: &'a [Tag],
    /// Passed and inherited tags.
    pub tags: &'a SessionTags,
    /// Set now or inherited.
    pub source_identity: Option<&'a str>,
}

/// The role and the session as answers name them.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct AssumedRoleUser {
    /// `AROA…:session`
    pub assumed_role_id: String,
    /// `arn:aws:sts::…:assumed-role/role/session`
    pub arn: String,
}

/// An issued role session.
pub struct Issued {
    /// For the client, and nobody else.
    pub credentials: Credentials,
    /// Who the client now is.
    pub user: AssumedRoleUser,
    /// Percentage; none when nothing was packed.
    pub packed: Option<u64>,
}

/// The trust ask of every AssumeRole call, and separate ones for tags and for a source identity
/// where there are some. `own_keys` adds what only this call shows.
pub fn trust_asks(
    cx: &Cx<'_>,
    action: &str,
    role: &Arc<Role>,
    shown: &Shown<'_>,
    own_keys: impl FnOnce(&mut Context),
) -> Vec<Ask> {
    let mut ask = Ask::trust(cx, action, role).request_tags(shown.passed).key(
        "sts:RoleSessionName",
        shown.name,
        SetBy::Request,
    );
    let context = &mut ask.question.context;
    if !shown.tags.transitive.is_empty() {
        context.set_many("sts:TransitiveTagKeys", &shown.tags.transitive, SetBy::Request);
    }
    if let Some(identity) = shown.source_identity {
        context.set("sts:SourceIdentity", identity, SetBy::Request);
    }
    own_keys(context);
    let tag_session = (!shown.tags.tags.is_empty()).then(|| ask.about("sts:TagSession"));
    let set_source = shown.source_identity.is_some().then(|| ask.about("sts:SetSourceIdentity"));
    std::iter::once(ask).chain(tag_session).chain(set_source).collect()
}

/// Issues the session.
///
/// # Errors
/// A duration that the role or the chain does not permit, a session policy that is none, or too
/// much to pack.
pub fn issue(cx: &mut Cx<'_>, role: &Arc<Role>, wanted: Wanted<'_>) -> Result<Issued> {
    let chained = cx.caller.is_role_session();
    let seconds = duration::of_role(wanted.seconds, role.record.max_session, chained)?;
    let seconds = wanted.at_most.map_or(seconds, |most| seconds.min(most));
    let policy_arns = session_policies(cx, role.record.account, wanted.policy, wanted.policy_arns)?;
    let issued = cx.now.as_second() * 1000;
    let session = Session {
        who: Who::Role {
            id: role.record.id.clone(),
            role: role.record.name.clone(),
            session: wanted.name.to_owned(),
        },
        account: role.record.account,
        issued,
        expires: issued + seconds * 1000,
        tags: wanted.tags.tags,
        transitive: wanted.tags.transitive,
        source_identity: wanted.source_identity,
        policy: wanted.policy.map(str::to_owned),
        policy_arns,
        federated_provider: wanted.federated_provider,
        claims: wanted.claims,
        mfa: wanted.mfa.then_some(issued),
    };
    let packed = packed::size(&session)?;
    let credentials = credentials::issue(&cx.plane.keyring, &session, wanted.token_size)?;
    Ok(Issued { credentials, user: assumed(role, wanted.name, &role.record.id), packed })
}

/// Checks session policies as they are passed; the ARNs in the order given.
///
/// # Errors
/// `MalformedPolicyDocument`, or what is wrong with an ARN.
pub fn session_policies(
    cx: &Cx<'_>,
    account: AccountId,
    inline: Option<&str>,
    arns: &[PolicyArn],
) -> Result<Vec<String>> {
    if let Some(text) = inline {
        Document::parse(text, policy::Kind::Session, Strictness::Session)
            .map_err(|rejection| Error::policy(text, &rejection))?;
    }
    if arns.len() > MAX_ARNS {
        let text = format!(
            "1 validation error detected: Value at 'policyArns' failed to satisfy constraint: Member must have length less than or equal to {MAX_ARNS}"
        );
        return Err(Error::new(code::VALIDATION_ERROR, text));
    }
    let known = cx.world.account(&account);
    let mut found = Vec::with_capacity(arns.len());
    for PolicyArn { arn } in arns {
        let arn = arn.as_deref().unwrap_or_default();
        let exists = known.is_some_and(|account| world::document_of(account, arn).is_some());
        if !exists {
            return Err(Error::new(
                code::VALIDATION_ERROR,
                format!("Policy {arn} does not exist or is not attachable."),
            ));
        }
        found.push(arn.to_owned());
    }
    let characters = inline.map_or(0, |text| text.chars().count())
        + found.iter().map(String::len).sum::<usize>();
    if characters > MAX_CHARACTERS {
        return Err(Error::new(
            PACKED_POLICY_TOO_LARGE,
            format!(
                "Session policies have {characters} characters, which is over the limit of {MAX_CHARACTERS}."
            ),
        ));
    }
    Ok(found)
}

/// Managed session policies of one session. Source: the `PolicyArns` parameter.
const MAX_ARNS: usize = 10;

/// Inline and managed session policies together, in characters. Source: STS quotas.
const MAX_CHARACTERS: usize = 2048;

fn assumed(role: &Role, session: &str, id: &UniqueId) -> AssumedRoleUser {
    AssumedRoleUser {
        assumed_role_id: format!("{id}:{session}"),
        arn: format!(
            "arn:aws:sts::{}:assumed-role/{}/{session}",
            role.record.account, role.record.name
        ),
    }
}
