//! Tokens by the thousand, as a workload's issuer would send them, and the key set that checks them.

use aws_lc_rs::{
    rand::SystemRandom,
    rsa::{KeyPair, KeySize},
    signature::{KeyPair as _, RSA_PKCS1_SHA256},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{Outcome, machine};

/// The issuer, whose keys the server has from a file.
pub const ISSUER: &str = "https://issuer.bench.invalid";
/// The client its tokens are for.
pub const CLIENT: &str = "sts.amazonaws.com";

/// A key and what it signs.
pub struct Issuer {
    key: KeyPair,
}

impl Issuer {
    /// One with a new RSA-2048 key.
    pub fn new() -> Outcome<Issuer> {
        let key = KeyPair::generate(KeySize::Rsa2048).map_err(|error| error.to_string())?;
        Ok(Issuer { key })
    }

    /// Its public key.
    pub fn key_set(&self) -> Value {
        let public = self.key.public_key();
        let encoded = |bytes: &[u8]| BASE64.encode(bytes);
        json!({"keys": [{
            "kty": "RSA", "kid": "bench-1", "use": "sig", "alg": "RS256",
            "n": encoded(public.modulus().big_endian_without_leading_zero()),
            "e": encoded(public.exponent().big_endian_without_leading_zero()),
        }]})
    }

    /// So many tokens, no two alike, by both cores.
    pub fn mint(&self, count: usize) -> Outcome<Vec<String>> {
        let now = Timestamp::now().as_second();
        machine::on_both_cores(count, |number| self.token(number, now))
    }

    fn token(&self, number: usize, now: i64) -> Outcome<String> {
        let header = json!({"alg": "RS256", "kid": "bench-1", "typ": "JWT"});
        let claims = json!({
            "iss": ISSUER,
            "sub": format!("system:serviceaccount:heart:worker-{number}"),
            "aud": [CLIENT],
            "iat": now, "nbf": now, "exp": now + 7200,
            "jti": format!("5f2c1c1e-0000-4000-8000-{number:012}"),
            "groups": ["engineering", "heart"],
            "https://aws.amazon.com/tags": {
                "principal_tags": {
                    "access-project": ["heart"], "cost-center": ["12345"], "department": ["research"],
                },
                "transitive_tag_keys": ["access-project"],
            },
        });
        let mut token =
            format!("{}.{}", BASE64.encode(header.to_string()), BASE64.encode(claims.to_string()));
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), token.as_bytes(), &mut signature)
            .map_err(|error| error.to_string())?;
        token.push('.');
        token.push_str(&BASE64.encode(signature));
        Ok(token)
    }
}
