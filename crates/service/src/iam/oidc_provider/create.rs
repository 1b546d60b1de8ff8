//! `CreateOpenIDConnectProvider`.

use policy::Tag;
use serde::{Deserialize, Serialize};

use super::{OPEN_ID_IDP_COMMUNICATION_ERROR, arn_of, changed, deduplicated, thumbprints};
use crate::action::{Action, Ask, Done, Effect};
use crate::authorize::Permit;
use crate::cx::Cx;
use crate::error::{Error, Result};
use crate::iam::entity::{
    self, ENTITY_ALREADY_EXISTS, INVALID_INPUT, LIMIT_EXCEEDED, TagView, views, with_tagging,
};
use crate::idp::{self, discovery};
use crate::record::OidcProviderRecord;

/// Providers in one account. Source: IAM quotas.
const MAX_PROVIDERS: usize = 100;
/// Client ids of one provider. Source: IAM quotas.
const MAX_CLIENT_IDS: usize = 100;

/// The action.
pub struct CreateOpenIdConnectProvider;

/// Its input.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Input {
    url: String,
    #[serde(rename = "ClientIDList", default)]
    client_id_list: Vec<String>,
    #[serde(default)]
    thumbprint_list: Vec<String>,
    #[serde(default)]
    tags: Vec<Tag>,
}

/// Its result.
#[derive(Serialize)]
pub struct Output {
    #[serde(rename = "OpenIDConnectProviderArn")]
    arn: String,
    #[serde(rename = "Tags", skip_serializing_if = "Vec::is_empty")]
    tags: Vec<TagView>,
}

impl Action for CreateOpenIdConnectProvider {
    const NAME: &'static str = "CreateOpenIDConnectProvider";
    const EFFECT: Effect = Effect::Write;
    type Input = Input;
    type Output = Output;

    fn asks(cx: &Cx<'_>, input: &Input) -> Result<Vec<Ask>> {
        let account = cx.caller.account()?;
        let arn = arn_of(account, &registered(cx, &input.url)?);
        let ask = Ask::identity(cx, "iam:CreateOpenIDConnectProvider", &arn, account)
            .request_tags(&input.tags);
        Ok(with_tagging(ask, &input.tags, "iam:TagOpenIDConnectProvider"))
    }

    async fn run(cx: &mut Cx<'_>, input: Input, _permit: Permit<Self>) -> Result<Done<Output>> {
        let account = cx.account()?;
        let id = account.record.id;
        let url = registered(cx, &input.url)?;
        if account.oidc_providers.contains_key(&url) {
            let text = format!("Provider with url {} already exists.", input.url);
            return Err(Error::new(ENTITY_ALREADY_EXISTS, text));
        }
        if account.oidc_providers.len() >= MAX_PROVIDERS {
            let text = format!(
                "Cannot exceed quota for OpenIdConnectProvidersPerAccount: {MAX_PROVIDERS}"
            );
            return Err(Error::new(LIMIT_EXCEEDED, text));
        }
        let client_ids = deduplicated(input.client_id_list);
        if client_ids.len() > MAX_CLIENT_IDS {
            let text = format!(
                "Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: {MAX_CLIENT_IDS}"
            );
            return Err(Error::new(LIMIT_EXCEEDED, text));
        }
        entity::check_tags(&input.tags)?;
        let thumbprints = match input.thumbprint_list.is_empty() {
            true => fetched(cx, id, &url).await?,
            false => thumbprints(&input.thumbprint_list)?,
        };
        let record = OidcProviderRecord {
            account: id,
            url,
            client_ids,
            thumbprints,
            created: cx.now.as_millisecond(),
            revision: 0,
            tags: input.tags,
        };
        let output = Output { arn: arn_of(id, &record.url), tags: views(&record.tags) };
        Ok(Done::write(output, changed(cx, record)))
    }
}

/// The thumbprint that IAM stores by itself: of the last certificate that the provider's server
/// sends. A provider whose keys are configured is not connected to.
async fn fetched(cx: &Cx<'_>, account: policy::AccountId, url: &str) -> Result<Vec<String>> {
    let settings = cx.plane.settings.providers.get(&arn_of(account, url));
    let reach = settings.map(|settings| settings.reach.clone()).unwrap_or_default();
    if reach.static_jwks.is_some() {
        return Ok(Vec::new());
    }
    let issuer = idp::issuer(url, Some(&reach));
    if reach.allow_http_loopback {
        return Ok(Vec::new());
    }
    let found = discovery::thumbprints(cx.plane.idp.fetcher(), &issuer, &reach).await;
    let found = found.map_err(|error| {
        Error::new(
            OPEN_ID_IDP_COMMUNICATION_ERROR,
            format!(
                "Please check .well-known/openid-configuration of provider: https://{url} is valid."
            ),
        )
        .because(error.to_string())
    })?;
    Ok(found.iter().map(ToString::to_string).collect())
}

/// The URL as the provider's name. Plain http passes only for a provider that the operator's
/// configuration marks as a loopback one.
fn registered(cx: &Cx<'_>, url: &str) -> Result<String> {
    let Some(rest) = url.strip_prefix("http://") else { return name_of(url) };
    let arn = arn_of(cx.caller.account()?, rest);
    match cx.plane.settings.providers.get(&arn) {
        Some(settings) if settings.reach.allow_http_loopback => name_of(&format!("https://{rest}")),
        _ => name_of(url),
    }
}

/// The name in an `https` URL: no scheme, no `:443`; case and trailing slash stay.
///
/// # Errors
/// `InvalidInput` for what cannot be an issuer.
fn name_of(url: &str) -> Result<String> {
    let invalid = |why: &str| {
        Error::new(INVALID_INPUT, format!("Invalid Open ID Connect Provider URL {why}"))
    };
    let rest = url.strip_prefix("https://").ok_or_else(|| invalid("must begin with https://"))?;
    if rest.contains(['?', '#', '@']) || rest.is_empty() || rest.starts_with('/') {
        return Err(invalid(url));
    }
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    Ok(format!("{}{path}", host.strip_suffix(":443").unwrap_or(host)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_becomes_a_name_without_losing_its_slash_or_case() {
        let name = |url| name_of(url).unwrap();
        assert_eq!(name("https://Idp.example/Realms/a/"), "Idp.example/Realms/a/");
        assert_eq!(name("https://idp.example:443/x"), "idp.example/x");
        assert_eq!(name("https://idp.example:8443"), "idp.example:8443");
        for wrong in
            ["http://idp.example", "https://idp.example?a=b", "https://u@idp.example", "https://"]
        {
            assert_eq!(name_of(wrong).unwrap_err().code.name, "InvalidInput", "{wrong}");
        }
    }
}
