//! `CreateSAMLProvider` and `UpdateSAMLProvider`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use claims::UnixTime;
use claims::saml::Metadata;
use policy::Tag;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::keys;
use super::{arn_of, ask, find, put};
use crate::action::{Action, Ask, Done, Effect};
use crate::audit::ours::Check;
use crate::authorize::Permit;
use crate::cx::Cx;
use crate::error::{Error, Result};
use crate::iam::entity::{
    ENTITY_ALREADY_EXISTS, INVALID_INPUT, LIMIT_EXCEEDED, TagView, check_tags, views, with_tagging,
};
use crate::ids::{Prefix, UniqueId};
use crate::record::SamlProviderRecord;

/// Providers in one account. Source: IAM quotas.
const MAX_PROVIDERS: usize = 100;

/// `CreateSAMLProvider`
pub struct CreateSamlProvider;

/// Its input.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreateInput {
    #[serde(rename = "SAMLMetadataDocument")]
    metadata: String,
    name: String,
    #[serde(default)]
    tags: Vec<Tag>,
    assertion_encryption_mode: Option<Mode>,
    add_private_key: Option<Zeroizing<String>>,
}

/// Whether assertions must come encrypted.
#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
pub enum Mode {
    Required,
    Allowed,
}

/// Its result.
#[derive(Serialize)]
pub struct CreateOutput {
    #[serde(rename = "SAMLProviderArn")]
    arn: String,
    #[serde(rename = "Tags", skip_serializing_if = "Vec::is_empty")]
    tags: Vec<TagView>,
}

impl Action for CreateSamlProvider {
    const NAME: &'static str = "CreateSAMLProvider";
    const EFFECT: Effect = Effect::Write;
    type Input = CreateInput;
    type Output = CreateOutput;

    fn asks(cx: &Cx<'_>, input: &CreateInput) -> Result<Vec<Ask>> {
        let account = cx.caller.account()?;
        let ask =
            Ask::identity(cx, "iam:CreateSAMLProvider", &arn_of(account, &input.name), account)
                .request_tags(&input.tags);
        Ok(with_tagging(ask, &input.tags, "iam:TagSAMLProvider"))
    }

    async fn run(
        cx: &mut Cx<'_>,
        input: CreateInput,
        _permit: Permit<Self>,
    ) -> Result<Done<CreateOutput>> {
        let account = cx.account()?;
        let id = account.record.id;
        if account.saml_providers.contains_key(&input.name) {
            let text = format!("SAMLProvider {} already exists.", arn_of(id, &input.name));
            return Err(Error::new(ENTITY_ALREADY_EXISTS, text));
        }
        if account.saml_providers.len() >= MAX_PROVIDERS {
            let text = format!("Cannot exceed quota for SAMLProvidersPerAccount: {MAX_PROVIDERS}");
            return Err(Error::new(LIMIT_EXCEEDED, text));
        }
        check_tags(&input.tags)?;
        let mut record = SamlProviderRecord {
            account: id,
            name: input.name,
            id: UniqueId::fresh(Prefix::SamlProvider),
            metadata: String::new(),
            entity_id: String::new(),
            certificates: Vec::new(),
            encryption_required: input.assertion_encryption_mode.map(|it| it == Mode::Required),
            private_keys: Vec::new(),
            created: cx.now.as_millisecond(),
            tags: input.tags,
        };
        take_metadata(cx, &mut record, input.metadata)?;
        if let Some(pem) = &input.add_private_key {
            keys::add(cx, &mut record, pem)?;
        }
        keys::check(&record)?;
        let output = CreateOutput { arn: arn_of(id, &record.name), tags: views(&record.tags) };
        Ok(Done::write(output, put(record)))
    }
}

/// `UpdateSAMLProvider`
pub struct UpdateSamlProvider;

/// Its input.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct UpdateInput {
    #[serde(rename = "SAMLProviderArn")]
    arn: String,
    #[serde(rename = "SAMLMetadataDocument")]
    metadata: Option<String>,
    assertion_encryption_mode: Option<Mode>,
    add_private_key: Option<Zeroizing<String>>,
    remove_private_key: Option<String>,
}

/// Its result.
#[derive(Serialize)]
pub struct UpdateOutput {
    #[serde(rename = "SAMLProviderArn")]
    arn: String,
}

impl Action for UpdateSamlProvider {
    const NAME: &'static str = "UpdateSAMLProvider";
    const EFFECT: Effect = Effect::Write;
    type Input = UpdateInput;
    type Output = UpdateOutput;

    fn asks(cx: &Cx<'_>, input: &UpdateInput) -> Result<Vec<Ask>> {
        Ok(vec![ask(cx, Self::NAME, &input.arn)?])
    }

    async fn run(
        cx: &mut Cx<'_>,
        input: UpdateInput,
        _permit: Permit<Self>,
    ) -> Result<Done<UpdateOutput>> {
        let mut record = find(cx, &input.arn)?.record.clone();
        if let Some(metadata) = input.metadata {
            take_metadata(cx, &mut record, metadata)?;
        }
        if let Some(mode) = input.assertion_encryption_mode {
            record.encryption_required = Some(mode == Mode::Required);
        }
        if let Some(id) = &input.remove_private_key {
            keys::remove(&mut record, id)?;
        }
        if let Some(pem) = &input.add_private_key {
            keys::add(cx, &mut record, pem)?;
        }
        keys::check(&record)?;
        Ok(Done::write(UpdateOutput { arn: input.arn }, put(record)))
    }
}

/// Checks metadata and takes what matters out of it. Certificates outside their dates are taken,
/// as on AWS, and the receipt says so.
fn take_metadata(cx: &mut Cx<'_>, record: &mut SamlProviderRecord, text: String) -> Result<()> {
    let metadata = Metadata::parse(&text).map_err(|fault| {
        Error::new(INVALID_INPUT, "Could not parse metadata").because(fault.to_string())
    })?;
    for certificate in metadata.outdated(UnixTime(cx.now.as_second())) {
        let note = format!(
            "the certificate {} is outside its dates; assertions that it signs are taken all the \
             same",
            certificate.fingerprint
        );
        cx.receipt.check(Check::pass("metadata").note(note));
    }
    record.certificates = metadata.certificates.iter().map(|der| STANDARD.encode(der)).collect();
    record.entity_id = metadata.entity_id;
    record.metadata = text;
    Ok(())
}
