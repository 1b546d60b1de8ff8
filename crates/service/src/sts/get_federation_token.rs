//! `GetFederationToken`: a user vouches for somebody, within the session policies that it passes.

use policy::{Principal, Tag};
use serde::{Deserialize, Serialize};

use super::assume::{self, PolicyArn};
use super::tags::{self, SessionTags};
use super::{duration, packed};
use crate::action::{Action, Ask, Done, Effect};
use crate::authorize::Permit;
use crate::credentials::{self, Credentials, Session, Who};
use crate::cx::Cx;
use crate::error::{Error, Result, code};

/// The action.
pub struct GetFederationToken;

/// Its input.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    name: String,
    policy: Option<String>,
    #[serde(default)]
    policy_arns: Vec<PolicyArn>,
    duration_seconds: Option<i64>,
    minimum_session_token_size: Option<u16>,
    #[serde(default)]
    tags: Vec<Tag>,
}

/// Its result.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    credentials: Credentials,
    federated_user: FederatedUser,
    packed_policy_size: u64,
    session_token_size: usize,
    session_token_utilization: usize,
}

/// The federated user as answers name it.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct FederatedUser {
    federated_user_id: String,
    arn: String,
}

impl Action for GetFederationToken {
    const NAME: &'static str = "GetFederationToken";
    const EFFECT: Effect = Effect::Issue;
    type Input = Input;
    type Output = Output;

    fn asks(cx: &Cx<'_>, input: &Input) -> Result<Vec<Ask>> {
        super::refuse_session(cx, "GetFederationToken")?;
        tags::merge(&input.tags, &[], &SessionTags::default())?;
        let account = cx.caller.account()?;
        let arn = user_arn(account.as_str(), &input.name);
        let ask =
            Ask::identity(cx, "sts:GetFederationToken", &arn, account).request_tags(&input.tags);
        Ok(match input.tags.is_empty() {
            true => vec![ask],
            false => vec![ask.clone(), ask.about("sts:TagSession")],
        })
    }

    async fn run(cx: &mut Cx<'_>, input: Input, _permit: Permit<Self>) -> Result<Done<Output>> {
        let account = cx.caller.account()?;
        let id = match &cx.caller.principal {
            Principal::User { id, .. } => Some(id.as_str().to_owned().into()),
            Principal::Root { .. } => None,
            _ => return Err(Error::new(code::ACCESS_DENIED, "Cannot call GetFederationToken")),
        };
        let policy_arns =
            assume::session_policies(cx, account, input.policy.as_deref(), &input.policy_arns)?;
        let seconds = duration::of_user(input.duration_seconds, id.is_none());
        let issued = cx.now.as_second() * 1000;
        let session = Session {
            who: Who::Federated { id, name: input.name.clone() },
            account,
            issued,
            expires: issued + seconds * 1000,
            // The user's own tags stay below these: they are read when a request is decided.
            tags: input.tags,
            transitive: Vec::new(),
            source_identity: None,
            policy: input.policy,
            policy_arns,
            federated_provider: None,
            claims: Vec::new(),
            mfa: None,
        };
        let packed_policy_size = packed::size(&session)?.unwrap_or(0);
        let credentials =
            credentials::issue(&cx.plane.keyring, &session, input.minimum_session_token_size)?;
        let federated_user = FederatedUser {
            federated_user_id: format!("{account}:{}", input.name),
            arn: user_arn(account.as_str(), &input.name),
        };
        Ok(Done::read(Output {
            session_token_size: credentials.token_size(),
            session_token_utilization: credentials.token_utilization(),
            credentials,
            federated_user,
            packed_policy_size,
        }))
    }
}

fn user_arn(account: &str, name: &str) -> String {
    format!("arn:aws:sts::{account}:federated-user/{name}")
}
