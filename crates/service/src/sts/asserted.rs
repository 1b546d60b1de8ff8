//! The bearer of a verified SAML assertion, and the condition keys that it becomes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use claims::saml::{DecryptionKey, Verified};
use policy::{Context, SetBy};
use zeroize::Zeroizing;

use super::tags::SessionTags;
use super::used::Digest;
use crate::error::{Error, Result};
use crate::ids::UniqueId;
use crate::plane::{Plane, SAML_PRIVATE_KEY};
use crate::record::{SamlPrivateKey, SamlProviderRecord};
use crate::world::SamlProvider;

/// A proven caller.
#[derive(Debug)]
pub struct Asserted {
    /// The provider whose assertion it is.
    pub provider: Arc<SamlProvider>,
    /// What it says.
    pub verified: Verified,
    /// Its session tags.
    pub tags: SessionTags,
    /// AWS's name for the pair of issuer and provider.
    pub name_qualifier: String,
    /// The assertion and the request, where no assertion is taken twice.
    pub once: Option<(Digest, Digest)>,
}

impl Asserted {
    /// Sets AWS's keys of SAML (IAM User Guide, "Available keys for SAML-based AWS STS
    /// federation").
    pub fn set_keys(&self, context: &mut Context) {
        let verified = &self.verified;
        let doc = doc(&self.provider.record);
        for (name, value) in [
            ("saml:aud", verified.recipient.as_str()),
            ("saml:iss", &verified.issuer),
            ("saml:sub", &verified.subject),
            ("saml:sub_type", &verified.subject_type),
            ("saml:doc", &doc),
            ("saml:namequalifier", &self.name_qualifier),
        ] {
            context.set(name, value, SetBy::SamlAttribute);
        }
        for key in &verified.keys {
            match key.values.as_slice() {
                [one] if !key.many => context.set(key.name, one, SetBy::SamlAttribute),
                many => context.set_many(key.name, many, SetBy::SamlAttribute),
            };
        }
    }

    /// What stays a condition key in the session.
    pub fn kept_claims(&self) -> Vec<(String, Vec<String>)> {
        let kept = |name: &str, value: &str| (name.to_owned(), vec![value.to_owned()]);
        vec![
            kept("saml:namequalifier", &self.name_qualifier),
            kept("saml:sub", &self.verified.subject),
            kept("saml:sub_type", &self.verified.subject_type),
        ]
    }
}

/// `ACCOUNT/provider`
fn doc(provider: &SamlProviderRecord) -> String {
    format!("{}/{}", provider.account, provider.name)
}

/// `base64(SHA1(issuer + account + "/" + provider))`: one name for the same subject of the same
/// provider, whoever the issuer is.
pub fn name_qualifier(issuer: &str, provider: &SamlProviderRecord) -> String {
    let text = format!("{issuer}{}", doc(provider));
    STANDARD.encode(digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes()))
}

/// Private keys that have been opened. Key ids are never used twice, so an entry cannot go stale.
#[derive(Default)]
pub(crate) struct SamlKeys {
    opened: Mutex<HashMap<UniqueId, DecryptionKey>>,
}

impl SamlKeys {
    /// Opened keys that are kept, at most.
    const ROOM: usize = 256;

    /// The provider's keys.
    ///
    /// # Errors
    /// If the master key does not open one.
    pub(super) fn of(
        &self,
        plane: &Plane,
        provider: &SamlProviderRecord,
    ) -> Result<Vec<DecryptionKey>> {
        provider.private_keys.iter().map(|key| self.opened(plane, key)).collect()
    }

    fn opened(&self, plane: &Plane, key: &SamlPrivateKey) -> Result<DecryptionKey> {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = opened.get(&key.id) {
            return Ok(found.clone());
        }
        let fresh = open(plane, key).ok_or_else(|| {
            Error::internal(format!("the private key {} cannot be opened", key.id))
        })?;
        if opened.len() >= Self::ROOM {
            opened.clear();
        }
        opened.insert(key.id.clone(), fresh.clone());
        Ok(fresh)
    }
}

fn open(plane: &Plane, key: &SamlPrivateKey) -> Option<DecryptionKey> {
    let envelope = STANDARD.decode(&key.sealed).ok()?;
    let id = key.id.as_str().as_bytes();
    let pem = Zeroizing::new(plane.keyring.open(SAML_PRIVATE_KEY, id, &envelope).ok()?);
    DecryptionKey::from_pem(std::str::from_utf8(&pem).ok()?)
}
