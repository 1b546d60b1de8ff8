//! `GetAccessKeyInfo`: which account an access key belongs to.

use serde::{Deserialize, Serialize};

use crate::action::{Action, Ask, Done, Effect};
use crate::authorize::Permit;
use crate::cx::Cx;
use crate::error::{Error, Result, code};
use crate::ids::AccessKeyId;

/// The action.
pub struct GetAccessKeyInfo;

/// Its input.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    access_key_id: String,
}

/// Its result.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    account: String,
}

impl Action for GetAccessKeyInfo {
    const NAME: &'static str = "GetAccessKeyInfo";
    const EFFECT: Effect = Effect::Read;
    type Input = Input;
    type Output = Output;

    fn asks(cx: &Cx<'_>, _input: &Input) -> Result<Vec<Ask>> {
        Ok(vec![Ask::identity(cx, "sts:GetAccessKeyInfo", "*", cx.caller.account()?)])
    }

    async fn run(cx: &mut Cx<'_>, input: Input, _permit: Permit<Self>) -> Result<Done<Output>> {
        // A temporary key is not stored, and tells its account itself; whether it ever was given, nobody knows.
        let id = AccessKeyId::from(input.access_key_id.as_str());
        let told = id.temporary_of().filter(|account| cx.world.account(account).is_some());
        let account = match (cx.world.access_key(&id), told) {
            (Some(key), _) => key.account,
            (None, Some(account)) => account,
            (None, None) => {
                let text = format!("The access key ID {id} is not valid.");
                return Err(Error::new(code::VALIDATION_ERROR, text));
            }
        };
        Ok(Done::read(Output { account: account.to_string() }))
    }
}
