//! OpenID Connect providers: whose tokens the account lets in. A provider is named by its URL
//! without scheme, so one that is made again under the same URL is the same to trust policies.

mod clients;
mod create;
mod tags;

use std::collections::BTreeSet;
use std::sync::Arc;

use policy::{AccountId, Arn};
use serde::{Deserialize, Serialize};

use super::entity::{INVALID_INPUT, NO_SUCH_ENTITY, TagView, views};
use crate::action::{Action, Ask, Done, Effect, Entry};
use crate::authorize::Permit;
use crate::cx::Cx;
use crate::error::{Code, Error, Result, code};
use crate::record::OidcProviderRecord;
use crate::time::iso_seconds;
use crate::world::{Change, Entity, Kind, exact};

/// The actions of this noun.
pub const ACTIONS: [Entry; 10] = [
    Entry::of::<clients::AddClientIdToOpenIdConnectProvider>(),
    Entry::of::<create::CreateOpenIdConnectProvider>(),
    Entry::of::<DeleteOpenIdConnectProvider>(),
    Entry::of::<GetOpenIdConnectProvider>(),
    Entry::of::<ListOpenIdConnectProviders>(),
    Entry::of::<tags::ListOpenIdConnectProviderTags>(),
    Entry::of::<clients::RemoveClientIdFromOpenIdConnectProvider>(),
    Entry::of::<tags::TagOpenIdConnectProvider>(),
    Entry::of::<tags::UntagOpenIdConnectProvider>(),
    Entry::of::<clients::UpdateOpenIdConnectProviderThumbprint>(),
];

/// The provider's server could not be reached.
const OPEN_ID_IDP_COMMUNICATION_ERROR: Code = Code::new("OpenIdIdpCommunicationError", 400);

/// An ARN alone, which is all that many calls take.
#[derive(Deserialize)]
pub struct ProviderArn {
    #[serde(rename = "OpenIDConnectProviderArn")]
    arn: String,
}

/// The ARN of a provider.
fn arn_of(account: AccountId, url: &str) -> String {
    format!("arn:aws:iam::{account}:oidc-provider/{url}")
}

/// What is asked about a provider that is named by its ARN.
fn ask(cx: &Cx<'_>, action: &str, arn: &str) -> Result<Ask> {
    let parsed = parse(arn)?;
    let account = parsed.account_id().ok_or_else(|| invalid(arn))?;
    let ask = Ask::identity(cx, action, arn, account);
    Ok(match find(cx, arn) {
        Ok(record) => ask.resource_tags(&record.tags),
        Err(_) => ask,
    })
}

/// The provider of that ARN in the caller's account.
///
/// # Errors
/// `NoSuchEntity`, in AWS's words.
fn find(cx: &Cx<'_>, arn: &str) -> Result<Arc<OidcProviderRecord>> {
    let missing =
        || Error::new(NO_SUCH_ENTITY, format!("OpenIDConnect Provider not found for arn {arn}"));
    let parsed = parse(arn)?;
    let account = cx.account()?;
    if parsed.account_id() != Some(account.record.id) {
        return Err(missing());
    }
    let url = parsed.resource().strip_prefix("oidc-provider/").unwrap_or_default();
    account.oidc_providers.get(url).cloned().ok_or_else(missing)
}

fn parse(arn: &str) -> Result<Arn> {
    let parsed = Arn::parse(arn).map_err(|_| invalid(arn))?;
    match parsed.service() == "iam" && parsed.resource().starts_with("oidc-provider/") {
        true => Ok(parsed),
        false => Err(invalid(arn)),
    }
}

fn invalid(arn: &str) -> Error {
    Error::new(code::VALIDATION_ERROR, format!("Invalid ARN: {arn}"))
}

/// A change of a provider: its revision grows, which empties all that was cached under it.
fn changed(cx: &Cx<'_>, mut record: OidcProviderRecord) -> Vec<Change> {
    // Commits are counted for ever: a provider that is made again never meets its old number.
    record.revision = (cx.world.revision.0 + 1).max(record.revision + 1);
    vec![Change::Put(Entity::OidcProvider(record))]
}

/// Client ids in the order given, each once.
fn deduplicated(ids: Vec<String>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    ids.into_iter().filter(|id| seen.insert(id.clone())).collect()
}

/// Thumbprints as they are kept: lower case, at most five.
///
/// # Errors
/// `InvalidInput`, in AWS's words.
fn thumbprints(given: &[String]) -> Result<Vec<String>> {
    if given.len() > 5 {
        return Err(Error::new(
            INVALID_INPUT,
            "Thumbprint list must contain fewer than 5 entries.",
        ));
    }
    given
        .iter()
        .map(|text| match text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            true => Ok(text.to_ascii_lowercase()),
            false => Err(Error::new(INVALID_INPUT, format!("Invalid thumbprint: {text}"))),
        })
        .collect()
}

/// `GetOpenIDConnectProvider`
pub struct GetOpenIdConnectProvider;

/// Its result.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetOutput {
    url: String,
    #[serde(rename = "ClientIDList")]
    client_id_list: Vec<String>,
    thumbprint_list: Vec<String>,
    create_date: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<TagView>,
}

impl Action for GetOpenIdConnectProvider {
    const NAME: &'static str = "GetOpenIDConnectProvider";
    const EFFECT: Effect = Effect::Read;
    type Input = ProviderArn;
    type Output = GetOutput;

    fn asks(cx: &Cx<'_>, input: &ProviderArn) -> Result<Vec<Ask>> {
        Ok(vec![ask(cx, "iam:GetOpenIDConnectProvider", &input.arn)?])
    }

    async fn run(
        cx: &mut Cx<'_>,
        input: ProviderArn,
        _permit: Permit<Self>,
    ) -> Result<Done<GetOutput>> {
        let record = find(cx, &input.arn)?;
        Ok(Done::read(GetOutput {
            url: record.url.clone(),
            client_id_list: record.client_ids.clone(),
            thumbprint_list: record.thumbprints.clone(),
            create_date: iso_seconds(record.created),
            tags: views(&record.tags),
        }))
    }
}

/// `ListOpenIDConnectProviders`
pub struct ListOpenIdConnectProviders;

/// It takes nothing.
#[derive(Deserialize)]
pub struct Nothing {}

/// Its result.
#[derive(Serialize)]
pub struct ListOutput {
    #[serde(rename = "OpenIDConnectProviderList")]
    list: Vec<ListItem>,
}

/// One provider in a list.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListItem {
    arn: String,
}

impl Action for ListOpenIdConnectProviders {
    const NAME: &'static str = "ListOpenIDConnectProviders";
    const EFFECT: Effect = Effect::Read;
    type Input = Nothing;
    type Output = ListOutput;

    fn asks(cx: &Cx<'_>, _input: &Nothing) -> Result<Vec<Ask>> {
        let account = cx.caller.account()?;
        let arn = arn_of(account, "*");
        Ok(vec![Ask::identity(cx, "iam:ListOpenIDConnectProviders", &arn, account)])
    }

    async fn run(
        cx: &mut Cx<'_>,
        _input: Nothing,
        _permit: Permit<Self>,
    ) -> Result<Done<ListOutput>> {
        let account = cx.account()?;
        let mut list: Vec<ListItem> = account
            .oidc_providers
            .keys()
            .map(|url| ListItem { arn: arn_of(account.record.id, url) })
            .collect();
        list.sort_by(|a, b| a.arn.cmp(&b.arn));
        Ok(Done::read(ListOutput { list }))
    }
}

/// `DeleteOpenIDConnectProvider`
pub struct DeleteOpenIdConnectProvider;

impl Action for DeleteOpenIdConnectProvider {
    const NAME: &'static str = "DeleteOpenIDConnectProvider";
    const EFFECT: Effect = Effect::Write;
    type Input = ProviderArn;
    type Output = ();

    fn asks(cx: &Cx<'_>, input: &ProviderArn) -> Result<Vec<Ask>> {
        Ok(vec![ask(cx, "iam:DeleteOpenIDConnectProvider", &input.arn)?])
    }

    async fn run(cx: &mut Cx<'_>, input: ProviderArn, _permit: Permit<Self>) -> Result<Done<()>> {
        let record = find(cx, &input.arn).map_err(|error| match error.code {
            NO_SUCH_ENTITY => Error::new(
                NO_SUCH_ENTITY,
                format!("OpenId connect Provider {} cannot be found.", input.arn),
            ),
            _ => error,
        })?;
        let id = exact(&record.account, &record.url);
        Ok(Done::write((), vec![Change::Delete(Kind::OidcProvider, id)]))
    }
}
