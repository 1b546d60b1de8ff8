//! `GetCallerIdentity`: who the caller is. Allowed to whoever has proven who they are.

use policy::Principal;
use serde::{Deserialize, Serialize};

use crate::action::{Action, Ask, Done, Effect};
use crate::authorize::Permit;
use crate::cx::Cx;
use crate::error::Result;

/// The action.
pub struct GetCallerIdentity;

/// It takes nothing.
#[derive(Deserialize)]
pub struct Input {}

/// Who calls.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    /// `AIDA…`, `AROA…:session`, `account:name`, or the account's id for its root.
    pub user_id: String,
    /// The account.
    pub account: String,
    /// The caller's ARN.
    pub arn: String,
}

impl Action for GetCallerIdentity {
    const NAME: &'static str = "GetCallerIdentity";
    const EFFECT: Effect = Effect::Read;
    type Input = Input;
    type Output = Output;

    fn asks(cx: &Cx<'_>, _input: &Input) -> Result<Vec<Ask>> {
        Ok(vec![Ask::public(
            cx,
            "sts:GetCallerIdentity",
            "no permission is needed, even under a Deny",
        )])
    }

    async fn run(cx: &mut Cx<'_>, _input: Input, _permit: Permit<Self>) -> Result<Done<Output>> {
        let account = cx.caller.account()?;
        let user_id = match &cx.caller.principal {
            Principal::User { id, .. } => id.to_string(),
            Principal::RoleSession { role_id, session_arn, .. } => {
                let session = session_arn.as_str().rsplit('/').next().unwrap_or_default();
                format!("{role_id}:{session}")
            }
            Principal::FederatedUser { arn, .. } => format!("{account}:{}", arn.resource_name()),
            _ => account.to_string(),
        };
        let arn = cx.caller.principal.shown().into_owned();
        Ok(Done::read(Output { user_id, account: account.to_string(), arn }))
    }
}
