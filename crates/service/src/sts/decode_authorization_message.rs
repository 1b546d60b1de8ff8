//! `DecodeAuthorizationMessage`, and the messages that it decodes.
//!
//! Every denial by policy carries one, in a response header. It is an encrypted, self-contained
//! account of the decision in AWS's shape; it opens in the account whose caller was denied.

use std::io::{Read as _, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use policy::{Ask as Question, Decision, SetBy, Verdict};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::seal::{Keyring, Purpose};

use crate::action::{Action, Ask, Done, Effect};
use crate::authorize::Permit;
use crate::cx::Cx;
use crate::error::{Code, Error, Result};

const MESSAGE: Purpose = Purpose::new("authorization message");
const INVALID: Code = Code::new("InvalidAuthorizationMessageException", 400);
/// The longest encoded message that the API takes. Source: STS API Reference.
const MAX_ENCODED: usize = 10_240;
/// The longest decoded message, so that a message cannot be a bomb even to its own maker.
const MAX_DECODED: u64 = 256 * 1024;

/// The action.
pub struct DecodeAuthorizationMessage;

/// Its input.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    encoded_message: String,
}

/// Its result.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    decoded_message: String,
}

impl Action for DecodeAuthorizationMessage {
    const NAME: &'static str = "DecodeAuthorizationMessage";
    const EFFECT: Effect = Effect::Read;
    type Input = Input;
    type Output = Output;

    fn asks(cx: &Cx<'_>, _input: &Input) -> Result<Vec<Ask>> {
        Ok(vec![Ask::identity(cx, "sts:DecodeAuthorizationMessage", "*", cx.caller.account()?)])
    }

    async fn run(cx: &mut Cx<'_>, input: Input, _permit: Permit<Self>) -> Result<Done<Output>> {
        let account = cx.caller.account()?;
        let decoded = open(&cx.plane.keyring, account.as_str(), &input.encoded_message);
        let decoded_message =
            decoded.ok_or_else(|| Error::new(INVALID, "The message could not be decoded."))?;
        Ok(Done::read(Output { decoded_message }))
    }
}

/// The message of a denial, for the account that may open it; none if it would be too long.
pub fn encode(
    keyring: &Keyring,
    account: &str,
    ask: &Question,
    decision: &Decision,
) -> Option<String> {
    let text = message(ask, decision).to_string();
    let mut packer = DeflateEncoder::new(Vec::new(), Compression::fast());
    packer.write_all(text.as_bytes()).ok()?;
    let packed = packer.finish().ok()?;
    let envelope = keyring.seal(MESSAGE, account.as_bytes(), &packed).ok()?;
    Some(URL_SAFE_NO_PAD.encode(envelope)).filter(|encoded| encoded.len() <= MAX_ENCODED)
}

fn open(keyring: &Keyring, account: &str, encoded: &str) -> Option<String> {
    let envelope = URL_SAFE_NO_PAD.decode(encoded).ok()?;
    let packed = keyring.open(MESSAGE, account.as_bytes(), &envelope).ok()?;
    let mut text = String::new();
    DeflateDecoder::new(packed.as_slice()).take(MAX_DECODED).read_to_string(&mut text).ok()?;
    Some(text)
}

/// AWS's shape: Deny statements that matched, and the context of the request.
fn message(ask: &Question, decision: &Decision) -> Value {
    // Of a foreign resource the caller learns nothing but that it may not: neither which side
    // denied, nor the resource's tags, nor whether it exists.
    let own = ask.is_same_account();
    let denied = own && decision.verdict == Verdict::ExplicitDeny;
    let statements: Vec<Value> = decision
        .determining
        .iter()
        .filter(|_| denied)
        .map(|statement| {
            json!({
                "statementId": statement.sid.as_deref().unwrap_or_default(),
                "effect": "DENY",
                "principals": { "items": [{ "value": principal_id(ask) }] },
                "principalGroups": { "items": [] },
                "actions": { "items": [{ "value": ask.action.as_str() }] },
                "resources": { "items": [{ "value": ask.resource.as_str() }] },
                "conditions": { "items": [] },
            })
        })
        .collect();
    let conditions: Vec<Value> = ask
        .context
        .iter()
        .filter(|entry| own || entry.set_by() != SetBy::Resource)
        .map(|entry| {
            let values: Vec<Value> =
                entry.values().map(|value| json!({ "value": value })).collect();
            json!({ "key": entry.key(), "values": { "items": values } })
        })
        .collect();
    let arn = ask.principal.shown();
    json!({
        "allowed": false,
        "explicitDeny": denied,
        "matchedStatements": { "items": statements },
        "failures": { "items": [] },
        "context": {
            "principal": {
                "id": principal_id(ask),
                "name": arn.rsplit('/').next().unwrap_or_default(),
                "arn": arn,
            },
            "action": ask.action.as_str(),
            "resource": ask.resource.as_str(),
            "conditions": { "items": conditions },
        },
    })
}

fn principal_id(ask: &Question) -> String {
    let id = ask.context.find_key("aws:userid");
    id.and_then(|entry| entry.single().map(str::to_owned)).unwrap_or_default()
}
