//! `GetSessionToken`: a user's own temporary credentials, with all that the user may do.

use policy::Principal;
use serde::{Deserialize, Serialize};

use super::duration;
use crate::action::{Action, Ask, Done, Effect};
use crate::authorize::Permit;
use crate::credentials::{self, Credentials, Session, Who};
use crate::cx::Cx;
use crate::error::{Error, Result, code};
use crate::iam::mfa::{Proof, prove};

/// The action.
pub struct GetSessionToken;

/// Its input.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    duration_seconds: Option<i64>,
    minimum_session_token_size: Option<u16>,
    serial_number: Option<String>,
    token_code: Option<String>,
}

/// Its result.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    credentials: Credentials,
    session_token_size: usize,
    session_token_utilization: usize,
}

impl Action for GetSessionToken {
    const NAME: &'static str = "GetSessionToken";
    const EFFECT: Effect = Effect::Issue;
    type Input = Input;
    type Output = Output;

    fn asks(cx: &Cx<'_>, input: &Input) -> Result<Vec<Ask>> {
        super::refuse_session(cx, "GetSessionToken")?;
        mfa(cx, input)?;
        Ok(vec![Ask::public(cx, "sts:GetSessionToken", "AWS evaluates no permission for it")])
    }

    async fn run(cx: &mut Cx<'_>, input: Input, _permit: Permit<Self>) -> Result<Done<Output>> {
        let who = match &cx.caller.principal {
            Principal::Root { .. } => Who::Root,
            Principal::User { arn, id, .. } => Who::User {
                id: id.as_str().to_owned().into(),
                name: arn.resource_name().rsplit('/').next().unwrap_or_default().to_owned(),
            },
            _ => return Err(Error::new(code::ACCESS_DENIED, "Cannot call GetSessionToken")),
        };
        let seconds = duration::of_user(input.duration_seconds, matches!(who, Who::Root));
        let issued = cx.now.as_second() * 1000;
        let proof = mfa(cx, &input)?;
        let session = Session {
            who,
            account: cx.caller.account()?,
            issued,
            expires: issued + seconds * 1000,
            tags: Vec::new(),
            transitive: Vec::new(),
            source_identity: None,
            policy: None,
            policy_arns: Vec::new(),
            federated_provider: None,
            claims: Vec::new(),
            mfa: proof.as_ref().map(|_| issued),
        };
        let credentials =
            credentials::issue(&cx.plane.keyring, &session, input.minimum_session_token_size)?;
        let output = Output {
            session_token_size: credentials.token_size(),
            session_token_utilization: credentials.token_utilization(),
            credentials,
        };
        Ok(Done::write(output, proof.map_or_else(Vec::new, Proof::change)))
    }
}

/// The MFA device that the call shows, where it shows one.
fn mfa(cx: &Cx<'_>, input: &Input) -> Result<Option<Proof>> {
    prove(cx, input.serial_number.as_deref(), input.token_code.as_deref())
}
