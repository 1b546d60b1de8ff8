//! SAML providers: whose assertions the account lets in. A provider is its metadata, and the keys
//! that assertions may be encrypted to; the private ones are sealed in the store.

mod change;
mod keys;

use std::sync::Arc;

use policy::{AccountId, Arn, Tag};
use serde::{Deserialize, Serialize};

use super::entity::{self, NO_SUCH_ENTITY, TagView, views};
use super::tags::Tagged;
use crate::action::{Action, Ask, Done, Effect, Entry};
use crate::authorize::Permit;
use crate::cx::Cx;
use crate::error::{Error, Result, code};
use crate::record::{Millis, SamlProviderRecord};
use crate::time::iso_seconds;
use crate::world::{self, Change, Entity, Kind, exact};

/// The actions of this noun.
pub const ACTIONS: [Entry; 5] = [
    Entry::of::<change::CreateSamlProvider>(),
    Entry::of::<DeleteSamlProvider>(),
    Entry::of::<GetSamlProvider>(),
    Entry::of::<ListSamlProviders>(),
    Entry::of::<change::UpdateSamlProvider>(),
];

/// The noun, for what it shares with others.
pub struct SamlProvider;

/// An ARN alone, which is all that many calls take.
#[derive(Deserialize)]
pub struct ProviderArn {
    #[serde(rename = "SAMLProviderArn")]
    arn: String,
}

/// The ARN of a provider.
fn arn_of(account: AccountId, name: &str) -> String {
    entity::arn("saml-provider", &account, "/", name)
}

/// What is asked about a provider that is named by its ARN.
fn ask(cx: &Cx<'_>, action: &str, arn: &str) -> Result<Ask> {
    let (_, account) = parse(arn)?;
    let ask = Ask::identity(cx, &format!("iam:{action}"), arn, account);
    Ok(match find(cx, arn) {
        Ok(provider) => ask.resource_tags(&provider.record.tags),
        Err(_) => ask,
    })
}

/// The provider of that ARN in the caller's account.
///
/// # Errors
/// `NoSuchEntity`, in AWS's words.
fn find(cx: &Cx<'_>, arn: &str) -> Result<Arc<world::SamlProvider>> {
    let (name, owner) = parse(arn)?;
    let account = cx.account()?;
    let found = account.saml_providers.get(&name).filter(|_| owner == account.record.id);
    found
        .cloned()
        .ok_or_else(|| Error::new(NO_SUCH_ENTITY, format!("Manifest not found for arn {arn}")))
}

/// The name in a provider's ARN, and its account.
fn parse(arn: &str) -> Result<(String, AccountId)> {
    let invalid = || Error::new(code::VALIDATION_ERROR, format!("Invalid ARN: {arn}"));
    let parsed = Arn::parse(arn).map_err(|_| invalid())?;
    let name = parsed.resource().strip_prefix("saml-provider/").filter(|name| !name.is_empty());
    let fits = parsed.service() == "iam" && parsed.region().is_empty();
    match (name, parsed.account_id()) {
        (Some(name), Some(account)) if fits => Ok((name.to_owned(), account)),
        _ => Err(invalid()),
    }
}

fn put(record: SamlProviderRecord) -> Vec<Change> {
    vec![Change::Put(Entity::SamlProvider(record))]
}

/// A hundred years after it was made: AWS does not tell the metadata's own end.
fn valid_until(created: Millis) -> String {
    const HUNDRED_YEARS: Millis = 36_525 * 86_400_000;
    iso_seconds(created.saturating_add(HUNDRED_YEARS))
}

impl Tagged for SamlProvider {
    const TAG: &'static str = "TagSAMLProvider";
    const UNTAG: &'static str = "UntagSAMLProvider";
    const LIST_TAGS: &'static str = "ListSAMLProviderTags";
    type Record = SamlProviderRecord;

    fn ask(cx: &Cx<'_>, action: &str, arn: &str) -> Result<Ask> {
        ask(cx, action, arn)
    }
    fn find(cx: &Cx<'_>, arn: &str) -> Result<SamlProviderRecord> {
        find(cx, arn).map(|provider| provider.record.clone())
    }
    fn tags(record: &SamlProviderRecord) -> &[Tag] {
        &record.tags
    }
    fn set_tags(record: &mut SamlProviderRecord, tags: Vec<Tag>) {
        record.tags = tags;
    }
    fn put(record: SamlProviderRecord) -> Vec<Change> {
        put(record)
    }
}

/// `GetSAMLProvider`
pub struct GetSamlProvider;

/// Its result.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetOutput {
    #[serde(rename = "SAMLProviderUUID")]
    id: String,
    #[serde(rename = "SAMLMetadataDocument")]
    metadata: String,
    create_date: String,
    valid_until: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<TagView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    assertion_encryption_mode: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    private_key_list: Vec<KeyView>,
}

/// A private key as answers write it: by its id alone.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct KeyView {
    key_id: String,
    timestamp: String,
}

impl Action for GetSamlProvider {
    const NAME: &'static str = "GetSAMLProvider";
    const EFFECT: Effect = Effect::Read;
    type Input = ProviderArn;
    type Output = GetOutput;

    fn asks(cx: &Cx<'_>, input: &ProviderArn) -> Result<Vec<Ask>> {
        Ok(vec![ask(cx, Self::NAME, &input.arn)?])
    }

    async fn run(
        cx: &mut Cx<'_>,
        input: ProviderArn,
        _permit: Permit<Self>,
    ) -> Result<Done<GetOutput>> {
        let provider = find(cx, &input.arn)?;
        let record = &provider.record;
        let mode = |required| if required { "Required" } else { "Allowed" };
        let keys = record
            .private_keys
            .iter()
            .map(|key| KeyView { key_id: key.id.to_string(), timestamp: iso_seconds(key.added) });
        Ok(Done::read(GetOutput {
            id: record.id.to_string(),
            metadata: record.metadata.clone(),
            create_date: iso_seconds(record.created),
            valid_until: valid_until(record.created),
            tags: views(&record.tags),
            assertion_encryption_mode: record.encryption_required.map(mode),
            private_key_list: keys.collect(),
        }))
    }
}

/// `ListSAMLProviders`
pub struct ListSamlProviders;

/// It takes nothing.
#[derive(Deserialize)]
pub struct Nothing {}

/// Its result.
#[derive(Serialize)]
pub struct ListOutput {
    #[serde(rename = "SAMLProviderList")]
    list: Vec<ListItem>,
}

/// One provider in a list.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListItem {
    arn: String,
    valid_until: String,
    create_date: String,
}

impl Action for ListSamlProviders {
    const NAME: &'static str = "ListSAMLProviders";
    const EFFECT: Effect = Effect::Read;
    type Input = Nothing;
    type Output = ListOutput;

    fn asks(cx: &Cx<'_>, _input: &Nothing) -> Result<Vec<Ask>> {
        let account = cx.caller.account()?;
        Ok(vec![Ask::identity(cx, "iam:ListSAMLProviders", &arn_of(account, "*"), account)])
    }

    async fn run(
        cx: &mut Cx<'_>,
        _input: Nothing,
        _permit: Permit<Self>,
    ) -> Result<Done<ListOutput>> {
        let providers = cx.account()?.saml_providers.values();
        let list = providers.map(|provider| ListItem {
            arn: provider.arn.to_string(),
            valid_until: valid_until(provider.record.created),
            create_date: iso_seconds(provider.record.created),
        });
        Ok(Done::read(ListOutput { list: list.collect() }))
    }
}

/// `DeleteSAMLProvider`
pub struct DeleteSamlProvider;

impl Action for DeleteSamlProvider {
    const NAME: &'static str = "DeleteSAMLProvider";
    const EFFECT: Effect = Effect::Write;
    type Input = ProviderArn;
    type Output = ();

    fn asks(cx: &Cx<'_>, input: &ProviderArn) -> Result<Vec<Ask>> {
        Ok(vec![ask(cx, Self::NAME, &input.arn)?])
    }

    async fn run(cx: &mut Cx<'_>, input: ProviderArn, _permit: Permit<Self>) -> Result<Done<()>> {
        let provider = find(cx, &input.arn)?;
        let id = exact(&provider.record.account, &provider.record.name);
        Ok(Done::write((), vec![Change::Delete(Kind::SamlProvider, id)]))
    }
}
