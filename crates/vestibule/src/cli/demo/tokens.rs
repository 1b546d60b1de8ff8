//! The demo's tokens: one good one, and each of the classic faults.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use claims::Claims;
use claims::jose::{Alg, SigningKey};
use serde_json::{Value, json};

use crate::cli::failure::Failure;

/// What the demo's tokens are made with.
pub struct Mint<'k> {
    /// The test issuer's key.
    pub key: &'k SigningKey,
    /// `iss`
    pub issuer: String,
    /// `iat`, in seconds.
    pub now: i64,
}

/// How a token differs from the good one.
#[derive(Clone, Copy, Default)]
pub struct Fault {
    /// Another `aud`.
    pub audience: Option<&'static str>,
    /// Another `sub`.
    pub subject: Option<&'static str>,
    /// Issued and expired so many seconds earlier.
    pub earlier: i64,
    /// Not valid for so many seconds.
    pub not_before: i64,
    /// A slash too many at the end of `iss`.
    pub slash: bool,
    /// Claims that were changed after signing.
    pub forged: bool,
    /// Signed with a key that the issuer does not publish.
    pub strange_key: bool,
}

impl Mint<'_> {
    /// A token of alice's for one project.
    ///
    /// # Errors
    /// If it cannot be signed.
    pub fn token(&self, project: &str, fault: Fault) -> Result<String, Failure> {
        let failed = |error: &dyn std::fmt::Display| Failure::new(error.to_string());
        let claims = self.claims(project, fault);
        if fault.strange_key {
            let key = SigningKey::generate(Alg::Rs256, "nobody-knows-me");
            let key = key.map_err(|error| failed(&error))?;
            return key.sign(&claims).map_err(|error| failed(&error));
        }
        let token = self.key.sign(&claims).map_err(|error| failed(&error))?;
        if !fault.forged {
            return Ok(token);
        }
        let forged = self.claims("sun", fault);
        let payload = serde_json::to_vec(&forged).map_err(|error| failed(&error))?;
        let mut parts = token.split('.');
        let (header, signature) = (parts.next().unwrap_or_default(), parts.nth(1));
        let payload = URL_SAFE_NO_PAD.encode(payload);
        Ok(format!("{header}.{payload}.{}", signature.unwrap_or_default()))
    }

    fn claims(&self, project: &str, fault: Fault) -> Claims {
        let now = self.now - fault.earlier;
        let slash = if fault.slash { "/" } else { "" };
        let mut claims = json!({
            "iss": format!("{}{slash}", self.issuer),
            "aud": fault.audience.unwrap_or("demo-app"),
            "sub": fault.subject.unwrap_or("user:alice"),
            "iat": now,
            "exp": now + 600,
            "email": "alice@example.com",
            "https://aws.amazon.com/tags": {
                "principal_tags": { "access-project": [project] },
                "transitive_tag_keys": ["access-project"],
            },
        });
        if let (Value::Object(members), true) = (&mut claims, fault.not_before > 0) {
            members.insert("nbf".to_owned(), json!(now + fault.not_before));
        }
        match claims {
            Value::Object(members) => Claims::new(members),
            _ => Claims::default(),
        }
    }
}
