//! From an issuer to the place of its keys (OpenID Connect Discovery 1.0, section 4).

use serde::Deserialize;

use super::{
    Document, IdpError, ProviderSettings,
    fetch::{Fetched, Fetcher},
    tls::{Pins, Thumbprint, VerifiedBy},
};

/// What a discovery document says about keys.
#[derive(Debug, Clone)]
pub(super) struct Discovered {
    pub(super) jwks_uri: Box<str>,
    pub(super) thumbprint: Option<Thumbprint>,
    pub(super) verified_by: Option<VerifiedBy>,
}

/// The two members that matter here; the rest of the document is the browser's business.
#[derive(Deserialize)]
struct Members {
    issuer: Box<str>,
    jwks_uri: Box<str>,
}

/// Fetches and reads an issuer's discovery document.
pub(super) async fn discover(
    fetcher: &Fetcher,
    issuer: &str,
    settings: &ProviderSettings,
    pins: Pins<'_>,
) -> Result<Discovered, IdpError> {
    let document = Document::Discovery;
    let url = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
    let Fetched { body, thumbprint, verified_by, .. } =
        fetcher.get(&url, settings, pins).await.map_err(|cause| IdpError::of(document, cause))?;
    let bad = |reason: &str| IdpError::BadDocument { document, reason: reason.into() };
    let Members { issuer: named, jwks_uri } = serde_json::from_slice(&body)
        .map_err(|_| bad("not a JSON object with the texts issuer and jwks_uri"))?;
    // ATTACK: mix-up of issuers. A document that names another issuer is not this one's.
    if *named != *issuer {
        return Err(bad("it names another issuer"));
    }
    Ok(Discovered { jwks_uri, thumbprint, verified_by })
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
    issuer: &str,
    settings: &ProviderSettings,
) -> Result<Vec<Thumbprint>, IdpError> {
    let discovered = discover(fetcher, issuer, settings, Pins::FirstUse).await?;
    let keys = fetcher
        .get(&discovered.jwks_uri, settings, Pins::FirstUse)
        .await
        .map_err(|cause| IdpError::of(Document::Keys, cause))?;
    let mut found = Vec::from_iter(keys.thumbprint);
    if discovered.verified_by.is_none() {
        found.extend(discovered.thumbprint);
    }
    found.dedup();
    Ok(found)
}

#[cfg(test)]
mod tests;
