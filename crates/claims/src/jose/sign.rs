//! Making tokens: for the test issuer and for `token mint`.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING,
    ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm, KeyPair,
    RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RsaKeyPair,
};
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use crate::Claims;
use crate::jose::alg::{Alg, Family};
use crate::jose::{b64, der};

/// A private key with the algorithm it is for and the id it is published under.
///
/// Has no `Debug`, no `Display` and no `Serialize`: the private part leaves only through
/// [`SigningKey::to_pkcs8`].
pub struct SigningKey {
    kid: String,
    alg: Alg,
    pair: Pair,
}

enum Pair {
    Rsa(RsaKeyPair),
    Ec(EcdsaKeyPair),
}

/// Why a signing key could not be had or used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SigningFault {
    /// The crypto library could not make a key.
    Generate,
    /// Not a PKCS#8 private key for this algorithm.
    Pkcs8,
    /// The crypto library could not sign.
    Sign,
    /// The claims cannot be written as JSON.
    Json,
}

impl std::fmt::Display for SigningFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Generate => "could not generate a key",
            Self::Pkcs8 => "not a PKCS#8 private key for this algorithm",
            Self::Sign => "could not sign",
            Self::Json => "the claims cannot be written as JSON",
        })
    }
}

impl std::error::Error for SigningFault {}

impl SigningKey {
    /// A new key: RSA of 2048 bits, or on the algorithm's curve.
    ///
    /// # Errors
    /// [`SigningFault::Generate`].
    pub fn generate(alg: Alg, kid: impl Into<String>) -> Result<Self, SigningFault> {
        let pair = match curve(alg) {
            None => RsaKeyPair::generate(KeySize::Rsa2048).map(Pair::Rsa),
            Some(curve) => EcdsaKeyPair::generate(curve).map(Pair::Ec),
        };
        pair.map(|pair| Self { kid: kid.into(), alg, pair }).map_err(|_| SigningFault::Generate)
    }

    /// A key from its PKCS#8 form (RFC 5208, DER).
    ///
    /// # Errors
    /// [`SigningFault::Pkcs8`] if it is none, or not for this algorithm.
    pub fn from_pkcs8(alg: Alg, kid: impl Into<String>, der: &[u8]) -> Result<Self, SigningFault> {
        let pair = match curve(alg) {
            None => RsaKeyPair::from_pkcs8(der).map(Pair::Rsa),
            Some(curve) => EcdsaKeyPair::from_pkcs8(curve, der).map(Pair::Ec),
        };
        pair.map(|pair| Self { kid: kid.into(), alg, pair }).map_err(|_| SigningFault::Pkcs8)
    }

    /// The private key in PKCS#8 form, to be kept where only its owner reads it.
    ///
    /// # Errors
    /// [`SigningFault::Pkcs8`] if the library cannot write it.
    pub fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, SigningFault> {
        match &self.pair {
            Pair::Rsa(pair) => AsDer::<Pkcs8V1Der>::as_der(pair)
                .map(|der| Zeroizing::new(der.as_ref().to_vec()))
                .map_err(|_| SigningFault::Pkcs8),
            Pair::Ec(pair) => pair
                .to_pkcs8v1()
                .map(|der| Zeroizing::new(der.as_ref().to_vec()))
                .map_err(|_| SigningFault::Pkcs8),
        }
    }

    /// The id it is published under.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The algorithm it is for.
    #[must_use]
    pub fn alg(&self) -> Alg {
        self.alg
    }

    /// The public part as a JWK.
    #[must_use]
    pub fn public_jwk(&self) -> Value {
        let (kid, alg) = (&self.kid, self.alg.name());
        match &self.pair {
            Pair::Rsa(pair) => {
                let (n, e) = der::rsa_public_key(pair.public_key().as_ref()).unwrap_or_default();
                let (n, e) = (b64::encode(n), b64::encode(e));
                json!({ "kid": kid, "use": "sig", "alg": alg, "kty": "RSA", "n": n, "e": e })
            }
            Pair::Ec(pair) => {
                let family = self.alg.family();
                let size = family.coordinate().unwrap_or_default();
                let point = pair.public_key().as_ref().get(1..).unwrap_or_default();
                let (x, y) = point.split_at_checked(size).unwrap_or_default();
                let (crv, x, y) = (family.name(), b64::encode(x), b64::encode(y));
                json!({
                    "kid": kid, "use": "sig", "alg": alg, "kty": "EC", "crv": crv, "x": x, "y": y
                })
            }
        }
    }

    /// A signed token with the usual header: `alg`, `typ: JWT`, `kid`.
    ///
    /// # Errors
    /// [`SigningFault::Sign`], [`SigningFault::Json`].
    pub fn sign(&self, claims: &Claims) -> Result<String, SigningFault> {
        let header = json!({ "alg": self.alg.name(), "typ": "JWT", "kid": self.kid });
        let header = serde_json::to_vec(&header).map_err(|_| SigningFault::Json)?;
        let claims = serde_json::to_vec(claims).map_err(|_| SigningFault::Json)?;
        self.sign_parts(&header, &claims)
    }

    /// A token over these very bytes as header and claims, however wrong they are: for tests.
    ///
    /// # Errors
    /// [`SigningFault::Sign`].
    pub fn sign_parts(&self, header: &[u8], claims: &[u8]) -> Result<String, SigningFault> {
        let signed = format!("{}.{}", b64::encode(header), b64::encode(claims));
        let signature = self.signature(signed.as_bytes())?;
        Ok(format!("{signed}.{}", b64::encode(signature)))
    }

    /// The bare signature over these bytes, in JWS's form.
    ///
    /// # Errors
    /// [`SigningFault::Sign`].
    pub fn signature(&self, message: &[u8]) -> Result<Vec<u8>, SigningFault> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Rsa(pair) => {
                let padding = match self.alg {
                    Alg::Rs384 => &RSA_PKCS1_SHA384,
                    Alg::Rs512 => &RSA_PKCS1_SHA512,
                    _ => &RSA_PKCS1_SHA256,
                };
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(padding, &random, message, &mut signature)
                    .map(|()| signature)
                    .map_err(|_| SigningFault::Sign)
            }
            Pair::Ec(pair) => pair
                .sign(&random, message)
                .map(|signature| signature.as_ref().to_vec())
                .map_err(|_| SigningFault::Sign),
        }
    }
}

/// The JWKS document that publishes these keys.
#[must_use]
pub fn jwks<'k>(keys: impl IntoIterator<Item = &'k SigningKey>) -> Value {
    let keys: Vec<Value> = keys.into_iter().map(SigningKey::public_jwk).collect();
    let mut document = Map::new();
    document.insert("keys".to_owned(), Value::Array(keys));
    Value::Object(document)
}

fn curve(alg: Alg) -> Option<&'static EcdsaSigningAlgorithm> {
    match alg.family() {
        Family::Rsa => None,
        Family::P256 => Some(&ECDSA_P256_SHA256_FIXED_SIGNING),
        Family::P384 => Some(&ECDSA_P384_SHA384_FIXED_SIGNING),
        Family::P521 => Some(&ECDSA_P521_SHA512_FIXED_SIGNING),
    }
}
