//! What of a provider may be changed: its client ids and its thumbprints.

use serde::Deserialize;

use super::{ask, changed, find, thumbprints};
use crate::action::{Action, Ask, Done, Effect};
use crate::authorize::Permit;
use crate::cx::Cx;
use crate::error::{Error, Result};
use crate::iam::entity::INVALID_INPUT;
use crate::record::OidcProviderRecord;

/// `AddClientIDToOpenIDConnectProvider`: one that is there already is no error.
pub struct AddClientIdToOpenIdConnectProvider;

/// `RemoveClientIDFromOpenIDConnectProvider`: one that is not there is no error.
pub struct RemoveClientIdFromOpenIdConnectProvider;

/// `UpdateOpenIDConnectProviderThumbprint`: replaces the whole list.
pub struct UpdateOpenIdConnectProviderThumbprint;

/// A provider and one of its client ids.
#[derive(Deserialize)]
pub struct ClientInput {
    #[serde(rename = "OpenIDConnectProviderArn")]
    arn: String,
    #[serde(rename = "ClientID")]
    client_id: String,
}

/// A provider and its thumbprints.
#[derive(Deserialize)]
pub struct ThumbprintInput {
    #[serde(rename = "OpenIDConnectProviderArn")]
    arn: String,
    #[serde(rename = "ThumbprintList")]
    thumbprint_list: Vec<String>,
}

impl Action for AddClientIdToOpenIdConnectProvider {
    const NAME: &'static str = "AddClientIDToOpenIDConnectProvider";
    const EFFECT: Effect = Effect::Write;
    type Input = ClientInput;
    type Output = ();

    fn asks(cx: &Cx<'_>, input: &ClientInput) -> Result<Vec<Ask>> {
        Ok(vec![ask(cx, "iam:AddClientIDToOpenIDConnectProvider", &input.arn)?])
    }

    async fn run(cx: &mut Cx<'_>, input: ClientInput, _permit: Permit<Self>) -> Result<Done<()>> {
        let mut record = OidcProviderRecord::clone(&*find(cx, &input.arn)?);
        record.client_ids.push(input.client_id);
        record.client_ids = super::deduplicated(record.client_ids);
        Ok(Done::write((), changed(cx, record)))
    }
}

impl Action for RemoveClientIdFromOpenIdConnectProvider {
    const NAME: &'static str = "RemoveClientIDFromOpenIDConnectProvider";
    const EFFECT: Effect = Effect::Write;
    type Input = ClientInput;
    type Output = ();

    fn asks(cx: &Cx<'_>, input: &ClientInput) -> Result<Vec<Ask>> {
        Ok(vec![ask(cx, "iam:RemoveClientIDFromOpenIDConnectProvider", &input.arn)?])
    }

    async fn run(cx: &mut Cx<'_>, input: ClientInput, _permit: Permit<Self>) -> Result<Done<()>> {
        let mut record = OidcProviderRecord::clone(&*find(cx, &input.arn)?);
        record.client_ids.retain(|id| *id != input.client_id);
        Ok(Done::write((), changed(cx, record)))
    }
}

impl Action for UpdateOpenIdConnectProviderThumbprint {
    const NAME: &'static str = "UpdateOpenIDConnectProviderThumbprint";
    const EFFECT: Effect = Effect::Write;
    type Input = ThumbprintInput;
    type Output = ();

    fn asks(cx: &Cx<'_>, input: &ThumbprintInput) -> Result<Vec<Ask>> {
        Ok(vec![ask(cx, "iam:UpdateOpenIDConnectProviderThumbprint", &input.arn)?])
    }

    async fn run(
        cx: &mut Cx<'_>,
        input: ThumbprintInput,
        _permit: Permit<Self>,
    ) -> Result<Done<()>> {
        let mut record = OidcProviderRecord::clone(&*find(cx, &input.arn)?);
        if input.thumbprint_list.is_empty() {
            let text = "Thumbprint list must contain at least one entry.";
            return Err(Error::new(INVALID_INPUT, text));
        }
        record.thumbprints = thumbprints(&input.thumbprint_list)?;
        Ok(Done::write((), changed(cx, record)))
    }
}
