//! The private keys of a provider.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use claims::saml::DecryptionKey;

use crate::cx::Cx;
use crate::error::{Error, Result};
use crate::iam::entity::{INVALID_INPUT, LIMIT_EXCEEDED, NO_SUCH_ENTITY};
use crate::ids::{Prefix, UniqueId};
use crate::plane::SAML_PRIVATE_KEY;
use crate::record::{SamlPrivateKey, SamlProviderRecord};

/// One in use, one on its way in or out. Source: IAM User Guide, "Manage SAML encryption keys".
const MAX_KEYS: usize = 2;

/// Adds a key.
///
/// # Errors
/// `InvalidInput` for what is no key that we can use, `LimitExceeded` for a third.
pub(super) fn add(cx: &Cx<'_>, record: &mut SamlProviderRecord, pem: &str) -> Result<()> {
    if DecryptionKey::from_pem(pem).is_none() {
        let text = "Private key must be an RSA key of 2048 to 8192 bits in PEM format";
        return Err(Error::new(INVALID_INPUT, text));
    }
    if record.private_keys.len() >= MAX_KEYS {
        let text = format!("Cannot exceed quota for PrivateKeysPerSAMLProvider: {MAX_KEYS}");
        return Err(Error::new(LIMIT_EXCEEDED, text));
    }
    let id = UniqueId::fresh(Prefix::SamlPrivateKey);
    let sealed = cx
        .plane
        .keyring
        .seal(SAML_PRIVATE_KEY, id.as_str().as_bytes(), pem.as_bytes())
        .map_err(|error| Error::internal(format!("a key could not be sealed: {error}")))?;
    let sealed = STANDARD.encode(sealed);
    record.private_keys.push(SamlPrivateKey { id, sealed, added: cx.now.as_millisecond() });
    Ok(())
}

/// Takes a key away.
///
/// # Errors
/// `NoSuchEntity`.
pub(super) fn remove(record: &mut SamlProviderRecord, id: &str) -> Result<()> {
    let place = record.private_keys.iter().position(|key| key.id.as_str() == id);
    let place = place.ok_or_else(|| {
        Error::new(NO_SUCH_ENTITY, format!("The private key with id {id} cannot be found."))
    })?;
    record.private_keys.remove(place);
    Ok(())
}

/// Encryption can only be demanded where something can be decrypted.
///
/// # Errors
/// `InvalidInput`.
pub(super) fn check(record: &SamlProviderRecord) -> Result<()> {
    match record.encryption_required == Some(true) && record.private_keys.is_empty() {
        true => {
            Err(Error::new(INVALID_INPUT, "AssertionEncryptionMode Required needs a private key"))
        }
        false => Ok(()),
    }
}
