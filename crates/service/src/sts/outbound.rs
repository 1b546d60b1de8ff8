//! Outbound identity: this installation as the issuer of tokens that others trust. Each account is
//! an issuer of its own, with its own keys, below `/_tokens/` of the server's URL.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use claims::jose::{Alg, SigningKey};
use data_encoding::HEXLOWER;
use serde_json::{Value, json};
use store::seal::Purpose;
use zeroize::Zeroizing;

use crate::error::{Error, Result};
use crate::plane::Plane;
use crate::record::{OutboundKey, OutboundRecord};

/// The sub-key that seals signing keys.
const SIGNING_KEY: Purpose = Purpose::new("token signing key");

/// What a caller may choose. Source: GetWebIdentityToken.
pub const ALGORITHMS: [Alg; 2] = [Alg::Rs256, Alg::Es384];

/// The path below which issuers are served.
const BELOW: &str = "/_tokens/";

impl OutboundRecord {
    /// The issuer's URL: `iss` of its tokens.
    pub fn issuer(&self, plane: &Plane) -> String {
        format!("{}{BELOW}{}", plane.settings.public_url, self.id)
    }
}

/// Fresh keys, one for each algorithm.
///
/// # Errors
/// If the crypto library makes none.
pub async fn new_keys(plane: &Plane) -> Result<Vec<OutboundKey>> {
    let made = tokio::task::spawn_blocking(|| ALGORITHMS.map(|alg| SigningKey::generate(alg, "")));
    let made = made.await.map_err(|error| Error::internal(error.to_string()))?;
    made.into_iter().map(|key| kept(plane, &key.map_err(|it| failed(&it))?)).collect()
}

/// A key as it is kept: named by its public part, its private part sealed under that name.
fn kept(plane: &Plane, key: &SigningKey) -> Result<OutboundKey> {
    let mut public = key.public_jwk();
    let print = digest(&SHA256, public.to_string().as_bytes());
    let kid = HEXLOWER.encode(print.as_ref().get(..16).unwrap_or_default());
    if let Some(members) = public.as_object_mut() {
        members.insert("kid".to_owned(), Value::from(kid.as_str()));
    }
    let der = key.to_pkcs8().map_err(|it| failed(&it))?;
    let envelope = plane.keyring.seal(SIGNING_KEY, kid.as_bytes(), &der);
    let sealed = STANDARD.encode(envelope.map_err(|it| failed(&it))?);
    Ok(OutboundKey { kid, alg: key.alg().name().to_owned(), sealed, public })
}

/// The account's key for an algorithm, ready to sign.
///
/// # Errors
/// If it cannot be opened.
pub fn signing_key(plane: &Plane, record: &OutboundRecord, alg: Alg) -> Result<SigningKey> {
    let kept = record.keys.iter().find(|key| key.alg == alg.name());
    let kept = kept.ok_or_else(|| Error::internal("an issuer without its keys"))?;
    let envelope = STANDARD.decode(&kept.sealed).map_err(|it| failed(&it))?;
    let der = plane.keyring.open(SIGNING_KEY, kept.kid.as_bytes(), &envelope);
    let der = Zeroizing::new(der.map_err(|it| failed(&it))?.to_vec());
    SigningKey::from_pkcs8(alg, kept.kid.as_str(), &der).map_err(|it| failed(&it))
}

fn failed(error: &dyn std::fmt::Display) -> Error {
    Error::internal(format!("a token signing key: {error}"))
}

impl Plane {
    /// The public document of an issuer at `path`, the part after `/_tokens/`: its discovery
    /// document (OpenID Connect Discovery 1.0) or its keys (RFC 7517). Kept as long as the account
    /// has keys, so that tokens outlive a switch that was turned off.
    pub fn issuer_document(&self, path: &str) -> Option<Value> {
        let (id, document) = path.split_once('/')?;
        let world = self.world();
        let accounts = world.accounts();
        let mut issuers = accounts.iter().filter_map(|account| account.record.outbound.as_ref());
        let record = issuers.find(|record| record.id == id)?;
        let issuer = record.issuer(self);
        match document {
            ".well-known/openid-configuration" => Some(json!({
                "issuer": issuer,
                "jwks_uri": format!("{issuer}/.well-known/jwks.json"),
                "response_types_supported": ["id_token"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ALGORITHMS.map(Alg::name),
                "claims_supported": ["iss", "sub", "aud", "exp", "iat", "jti"],
            })),
            ".well-known/jwks.json" => {
                let now = record.keys.iter().map(|key| &key.public);
                let keys: Vec<_> = now.chain(&record.previous).collect();
                Some(json!({ "keys": keys }))
            }
            _ => None,
        }
    }
}
