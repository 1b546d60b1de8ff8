//! From an issuer to the place of its keys (OpenID Connect Discovery 1.0, section 4).

use claims::oidc::{Discovery, Issuer, discovery::Transport};

use super::{
    Document, IdpError, ProviderSettings,
    fetch::{Fetched, Fetcher},
    tls::{Pins, Thumbprint},
};

/// Fetches and reads an issuer's discovery document.
pub(super) async fn discover(
    fetcher: &Fetcher,
    issuer: &Issuer,
    settings: &ProviderSettings,
    pins: Pins<'_>,
) -> Result<(Discovery, Fetched), IdpError> {
    let document = Document::Discovery;
    let fetched = fetcher
        .get(&Discovery::url(issuer), settings, pins)
        .await
        .map_err(|cause| IdpError::of(document, cause))?;
    let transport =
        if settings.allow_http_loopback { Transport::LoopbackHttp } else { Transport::Https };
    let discovery = Discovery::parse(&fetched.body, issuer, transport)
        .map_err(|fault| IdpError::bad(document, &fault))?;
    Ok((discovery, fetched))
}

/// The thumbprints that IAM stores for a provider created without any: of the top intermediate of
/// the server behind `jwks_uri`; and of the issuer's own server if that one differs and nothing
/// else vouches for it, because its discovery document could not be fetched again otherwise.
/// Empty if nothing but plain http on a loopback address is involved.
///
/// # Errors
/// Any [`IdpError`]: IAM answers `OpenIdIdpCommunicationError`.
pub async fn thumbprints(
    fetcher: &Fetcher,
    issuer: &Issuer,
    settings: &ProviderSettings,
) -> Result<Vec<Thumbprint>, IdpError> {
    let (discovery, issuers) = discover(fetcher, issuer, settings, Pins::FirstUse).await?;
    let keys = fetcher
        .get(&discovery.jwks_uri, settings, Pins::FirstUse)
        .await
        .map_err(|cause| IdpError::of(Document::Keys, cause))?;
    let mut found = Vec::from_iter(keys.thumbprint);
    if issuers.verified_by.is_none() {
        found.extend(issuers.thumbprint);
    }
    found.dedup();
    Ok(found)
}

#[cfg(test)]
mod tests;
