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
        // A temporary key is not stored; only its own bearer can be told, by its own signature.
        let id = AccessKeyId::from(input.access_key_id.as_str());
        let own = cx.caller.access_key.as_ref() == Some(&id);
        let account = match cx.world.access_key(&id) {
            Some(key) => key.account,
            None if own => cx.caller.account()?,
            None => {
                let text = format!("The access key ID {id} is not valid.");
                return Err(Error::new(code::VALIDATION_ERROR, text));
            }
        };
        Ok(Done::read(Output { account: account.to_string() }))
    }
}
