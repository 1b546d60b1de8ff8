//! The context keys that policies mention: what a simulation of them will want to be told.

use std::collections::BTreeSet;

use policy::{Kind, PolicyId, PolicyKind};
use serde::{Deserialize, Serialize};

use super::subject::{Found, invalid_item, read};
use super::{Source, ask};
use crate::action::{Action, Ask, Done, Effect};
use crate::authorize::Permit;
use crate::cx::Cx;
use crate::error::Result;

/// Their names as written, sorted; those that differ in case are told apart, as by AWS.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Output {
    context_key_names: BTreeSet<String>,
}

/// `GetContextKeysForCustomPolicy`
pub struct GetContextKeysForCustomPolicy;

/// Its input.
#[derive(Deserialize)]
pub struct CustomInput {
    #[serde(default, rename = "PolicyInputList")]
    policies: Vec<String>,
}

impl Action for GetContextKeysForCustomPolicy {
    const NAME: &'static str = "GetContextKeysForCustomPolicy";
    const EFFECT: Effect = Effect::Read;
    type Input = CustomInput;
    type Output = Output;

    fn asks(cx: &Cx<'_>, _input: &CustomInput) -> Result<Vec<Ask>> {
        let account = cx.caller.account()?;
        Ok(vec![Ask::identity(cx, "iam:GetContextKeysForCustomPolicy", "*", account)])
    }

    async fn run(
        _cx: &mut Cx<'_>,
        input: CustomInput,
        _permit: Permit<Self>,
    ) -> Result<Done<Output>> {
        Ok(Done::read(Output { context_key_names: mentioned(&input.policies)? }))
    }
}

/// `GetContextKeysForPrincipalPolicy`: of all that the principal has, its groups' policies and its
/// boundary too.
pub struct GetContextKeysForPrincipalPolicy;

/// Its input.
#[derive(Deserialize)]
pub struct PrincipalInput {
    #[serde(rename = "PolicySourceArn")]
    source: String,
    #[serde(default, rename = "PolicyInputList")]
    policies: Vec<String>,
}

impl Action for GetContextKeysForPrincipalPolicy {
    const NAME: &'static str = "GetContextKeysForPrincipalPolicy";
    const EFFECT: Effect = Effect::Read;
    type Input = PrincipalInput;
    type Output = Output;

    fn asks(cx: &Cx<'_>, input: &PrincipalInput) -> Result<Vec<Ask>> {
        Ok(vec![ask(cx, Self::NAME, &input.source)?])
    }

    async fn run(
        cx: &mut Cx<'_>,
        input: PrincipalInput,
        _permit: Permit<Self>,
    ) -> Result<Done<Output>> {
        let mut names = mentioned(&input.policies)?;
        let found = Found::of(cx, &Source::read(&input.source)?)?;
        for named in found.identity.iter().chain(found.boundary.iter().flatten()) {
            names.extend(named.document.mentioned_keys().into_iter().map(str::to_owned));
        }
        Ok(Done::read(Output { context_key_names: names }))
    }
}

/// The keys of policies of any kind.
fn mentioned(policies: &[String]) -> Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for (text, at) in policies.iter().zip(1..) {
        let parsed = |kind| {
            let id = PolicyId::new("", PolicyKind::Inline);
            read(text, kind, id, &invalid_item(at))
        };
        let named = parsed(Kind::Identity).or_else(|error| {
            parsed(Kind::Resource).or_else(|_| parsed(Kind::Trust)).map_err(|_| error)
        })?;
        names.extend(named.document.mentioned_keys().into_iter().map(str::to_owned));
    }
    Ok(names)
}
