//! Whether the account's principals may have tokens for services elsewhere, and who issues them.

use serde::Serialize;

use super::account::{Nothing, ask};
use crate::action::{Action, Ask, Done, Effect, Entry};
use crate::authorize::Permit;
use crate::cx::Cx;
use crate::error::{Code, Error, Result};
use crate::ids;
use crate::record::{AccountRecord, OutboundRecord};
use crate::sts::outbound::new_keys;
use crate::world::{Change, Entity};

/// The actions of this file.
pub const ACTIONS: [Entry; 3] = [
    Entry::of::<DisableOutboundWebIdentityFederation>(),
    Entry::of::<EnableOutboundWebIdentityFederation>(),
    Entry::of::<GetOutboundWebIdentityFederationInfo>(),
];

const FEATURE_DISABLED: Code = Code::new("FeatureDisabled", 404);
const FEATURE_ENABLED: Code = Code::new("FeatureEnabled", 409);

/// The account's issuer, while it issues.
fn enabled(cx: &Cx<'_>) -> Result<OutboundRecord> {
    let record = cx.account()?.record.outbound.clone().filter(|record| record.enabled);
    record.ok_or_else(|| {
        let text = "Outbound identity federation is disabled for your account.";
        Error::new(FEATURE_DISABLED, text)
    })
}

fn put(cx: &Cx<'_>, outbound: OutboundRecord) -> Result<Vec<Change>> {
    let account = cx.account()?.record.clone();
    let record = AccountRecord { outbound: Some(outbound), ..account };
    Ok(vec![Change::Put(Entity::Account(record))])
}

/// `EnableOutboundWebIdentityFederation`: with fresh keys; the issuer's name stays the same.
pub struct EnableOutboundWebIdentityFederation;

/// Its result.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct EnableOutput {
    issuer_identifier: String,
}

impl Action for EnableOutboundWebIdentityFederation {
    const NAME: &'static str = "EnableOutboundWebIdentityFederation";
    const EFFECT: Effect = Effect::Write;
    type Input = Nothing;
    type Output = EnableOutput;

    fn asks(cx: &Cx<'_>, _input: &Nothing) -> Result<Vec<Ask>> {
        ask(cx, Self::NAME)
    }

    async fn run(
        cx: &mut Cx<'_>,
        _input: Nothing,
        _permit: Permit<Self>,
    ) -> Result<Done<EnableOutput>> {
        if enabled(cx).is_ok() {
            let text = "Outbound identity federation is already enabled for your account.";
            return Err(Error::new(FEATURE_ENABLED, text));
        }
        let keys = new_keys(cx.plane).await?;
        let before = cx.account()?.record.outbound.clone();
        let record = OutboundRecord {
            id: before.as_ref().map_or_else(ids::uuid, |before| before.id.clone()),
            enabled: true,
            keys,
            // Tokens of the keys before live for an hour at most.
            previous: before.into_iter().flat_map(|it| it.keys).map(|key| key.public).collect(),
        };
        let output = EnableOutput { issuer_identifier: record.issuer(cx.plane) };
        Ok(Done::write(output, put(cx, record)?))
    }
}

/// `DisableOutboundWebIdentityFederation`: no more tokens; those there are can still be verified.
pub struct DisableOutboundWebIdentityFederation;

impl Action for DisableOutboundWebIdentityFederation {
    const NAME: &'static str = "DisableOutboundWebIdentityFederation";
    const EFFECT: Effect = Effect::Write;
    type Input = Nothing;
    type Output = ();

    fn asks(cx: &Cx<'_>, _input: &Nothing) -> Result<Vec<Ask>> {
        ask(cx, Self::NAME)
    }

    async fn run(cx: &mut Cx<'_>, _input: Nothing, _permit: Permit<Self>) -> Result<Done<()>> {
        let record = OutboundRecord { enabled: false, ..enabled(cx)? };
        Ok(Done::write((), put(cx, record)?))
    }
}

/// `GetOutboundWebIdentityFederationInfo`
pub struct GetOutboundWebIdentityFederationInfo;

/// Its result.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetOutput {
    issuer_identifier: String,
    jwt_vending_enabled: bool,
}

impl Action for GetOutboundWebIdentityFederationInfo {
    const NAME: &'static str = "GetOutboundWebIdentityFederationInfo";
    const EFFECT: Effect = Effect::Read;
    type Input = Nothing;
    type Output = GetOutput;

    fn asks(cx: &Cx<'_>, _input: &Nothing) -> Result<Vec<Ask>> {
        ask(cx, Self::NAME)
    }

    async fn run(
        cx: &mut Cx<'_>,
        _input: Nothing,
        _permit: Permit<Self>,
    ) -> Result<Done<GetOutput>> {
        let issuer_identifier = enabled(cx)?.issuer(cx.plane);
        Ok(Done::read(GetOutput { issuer_identifier, jwt_vending_enabled: true }))
    }
}
