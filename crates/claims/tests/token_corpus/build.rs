//! Making the corpus: keys from `corpus/tokens/keys`, one builder per case.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use claims::jose::{Alg, SigningKey, jwks};
use serde_json::{Map, Value, json};

use crate::run::corpus;

/// The clock of every case, unless it says otherwise.
pub(crate) const NOW: i64 = 1_790_000_000;
pub(crate) const ISSUER: &str = "https://idp.example/tenant";
pub(crate) const CLIENT: &str = "sts.amazonaws.com";
pub(crate) const ROLE: &str = "arn:aws:iam::123456789012:role/deploy";

/// A test key with the encodings of its public part.
pub(crate) struct TestKey {
    pub(crate) signing: SigningKey,
    pub(crate) spki: Vec<u8>,
    pub(crate) certificate: String,
}

pub(crate) struct Keys {
    pub(crate) rsa1: TestKey,
    pub(crate) rsa2: TestKey,
    pub(crate) mallory: TestKey,
    pub(crate) p256: TestKey,
    pub(crate) p384: TestKey,
    pub(crate) p521: TestKey,
    pub(crate) weak: Value,
}

impl Keys {
    pub(crate) fn load() -> Self {
        let [rsa1, rsa2, mallory, p256, p384, p521] =
            ["rsa-1", "rsa-2", "mallory", "p256", "p384", "p521"].map(|name| {
                let file = read_key(name);
                let text = |field: &str| file[field].as_str().unwrap().to_owned();
                let bytes = |field: &str| STANDARD.decode(text(field)).unwrap();
                let alg = Alg::named(&text("alg")).unwrap();
                TestKey {
                    signing: SigningKey::from_pkcs8(alg, text("kid"), &bytes("pkcs8")).unwrap(),
                    spki: bytes("spki"),
                    certificate: text("certificate"),
                }
            });
        Self { rsa1, rsa2, mallory, p256, p384, p521, weak: read_key("weak-rsa-1024") }
    }

    /// What the issuer of the corpus publishes: one RSA key, one on P-256.
    pub(crate) fn published(&self) -> Value {
        jwks([&self.rsa1.signing, &self.p256.signing])
    }
}

impl TestKey {
    /// The public key as a JWK with members changed; null removes one.
    pub(crate) fn jwk_with(&self, changes: Value) -> Value {
        with(self.signing.public_jwk(), changes)
    }

    /// A JWKS of this key alone, with members changed.
    pub(crate) fn jwks_with(&self, changes: Value) -> Value {
        json!({ "keys": [self.jwk_with(changes)] })
    }

    /// The usual token: usual header, usual claims.
    pub(crate) fn usual(&self) -> String {
        self.token(json!({}), json!({}))
    }

    /// A token whose usual header and claims are changed; null removes a member.
    pub(crate) fn token(&self, header: Value, claims: Value) -> String {
        self.raw(&with(self.header(), header).to_string(), &usual_claims(claims).to_string())
    }

    /// A token of which a claim is really null.
    pub(crate) fn token_with_null(&self, claim: &str) -> String {
        let mut claims = usual_claims(json!({}));
        claims[claim] = Value::Null;
        self.raw(&self.header().to_string(), &claims.to_string())
    }

    /// A token over this very text.
    pub(crate) fn raw(&self, header: &str, claims: &str) -> String {
        self.signing.sign_parts(header.as_bytes(), claims.as_bytes()).unwrap()
    }

    /// A token with the usual header over this very claims text.
    pub(crate) fn claims_text(&self, claims: &str) -> String {
        self.raw(&self.header().to_string(), claims)
    }

    pub(crate) fn header(&self) -> Value {
        json!({ "alg": self.signing.alg(), "typ": "JWT", "kid": self.signing.kid() })
    }
}

pub(crate) fn usual_claims(changes: Value) -> Value {
    let usual = json!({
        "iss": ISSUER, "sub": "repo:acme/api:ref:refs/heads/main", "aud": CLIENT,
        "iat": NOW - 10, "nbf": NOW - 10, "exp": NOW + 3600, "jti": "0001",
    });
    with(usual, changes)
}

pub(crate) fn with(mut object: Value, changes: Value) -> Value {
    let members: &mut Map<String, Value> = object.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => drop(members.remove(name)),
            value => drop(members.insert(name.clone(), value.clone())),
        }
    }
    object
}

pub(crate) fn b64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The token with another signature.
pub(crate) fn resigned(token: &str, signature: impl AsRef<[u8]>) -> String {
    format!("{}.{}", token.rsplit_once('.').unwrap().0, b64(signature))
}

pub(crate) fn signature_of(token: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(token.rsplit_once('.').unwrap().1).unwrap()
}

/// One file of the corpus.
pub(crate) struct Case {
    fields: Value,
}

/// What a mode says: accepted, or failure, check and text.
pub(crate) type Expect = Option<(&'static str, &'static str, String)>;

pub(crate) const ACCEPTED: Expect = None;

impl Case {
    /// A case that both modes refuse; the twin is the usual RSA token.
    pub(crate) fn new(
        keys: &Keys,
        name: &str,
        fault: &str,
        source: &str,
        token: String,
        expect: Expect,
    ) -> Self {
        let fields = json!({
            "case": name, "fault": fault, "source": source, "now": NOW,
            "rules": { "issuer": ISSUER, "client_ids": [CLIENT] },
            "jwks": keys.published(), "token": token, "twin": { "token": keys.rsa1.usual() },
        });
        Self { fields }.strict(expect.clone()).aws(expect)
    }

    pub(crate) fn strict(self, expect: Expect) -> Self {
        self.expect("strict", expect)
    }

    pub(crate) fn aws(self, expect: Expect) -> Self {
        self.expect("aws", expect)
    }

    fn expect(mut self, mode: &str, expect: Expect) -> Self {
        self.fields["expect"][mode] = match expect {
            None => json!("accepted"),
            Some(("jwks", ..)) => json!("jwks"),
            Some((failure, check, text)) => {
                json!({ "failure": failure, "check": check, "text": text })
            }
        };
        self
    }

    /// Sets a field of the case, and so of the twin if that does not set it itself.
    pub(crate) fn field(mut self, name: &str, value: Value) -> Self {
        self.fields[name] = value;
        self
    }

    /// What the twin has instead. Replaces the usual twin.
    pub(crate) fn twin(mut self, fields: Value) -> Self {
        self.fields["twin"] = fields;
        self
    }

    /// Writes the file unless it is there.
    pub(crate) fn write(&self) -> bool {
        let name = self.fields["case"].as_str().unwrap();
        let path = corpus().join("oidc").join(format!("{name}.json"));
        if path.exists() {
            return false;
        }
        std::fs::write(path, format!("{}\n", serde_json::to_string_pretty(&self.fields).unwrap()))
            .unwrap();
        true
    }

    pub(crate) fn name(&self) -> String {
        self.fields["case"].as_str().unwrap().to_owned()
    }
}

fn read_key(name: &str) -> Value {
    let path = corpus().join("keys").join(format!("{name}.json"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The texts, written out here once more so that the corpus does not believe the code.
pub(crate) mod says {
    use super::Expect;

    const NOT_A_JWT: &str = "The ID Token provided is not a valid JWT. \
        (You may see this error if you sent an Access Token)";
    const NOT_VALIDATED: &str = "The web identity token provided could not be validated. \
        See the AssumeRoleWithWebIdentity documentation for requirements.";

    fn of(failure: &'static str, check: &'static str, text: impl Into<String>) -> Expect {
        Some((failure, check, text.into()))
    }
    pub(crate) fn not_a_jwt(check: &'static str) -> Expect {
        of("NotAJwt", check, NOT_A_JWT)
    }
    pub(crate) fn algorithm() -> Expect {
        of("Algorithm", "algorithm", NOT_A_JWT)
    }
    pub(crate) fn critical() -> Expect {
        of("Critical", "critical", NOT_A_JWT)
    }
    pub(crate) fn key() -> Expect {
        of(
            "Key",
            "key",
            "Couldn't retrieve verification key from your identity provider,  please reference \
             AssumeRoleWithWebIdentity documentation for requirements",
        )
    }
    pub(crate) fn jwks() -> Expect {
        of("jwks", "", "")
    }
    pub(crate) fn signature() -> Expect {
        of("Signature", "signature", NOT_VALIDATED)
    }
    pub(crate) fn issuer(iss: &str) -> Expect {
        let text = format!("No OpenIDConnect provider found in your account for {iss}");
        of("Issuer", "issuer", text)
    }
    pub(crate) fn missing(claim: &str) -> Expect {
        let check = if claim == "iss" { "issuer" } else { "required-claims" };
        of("MissingClaim", check, format!("Missing a required claim: {claim}"))
    }
    pub(crate) fn empty_aud() -> Expect {
        of("EmptyClaim", "required-claims", "Claim is not allowed to be empty: aud")
    }
    pub(crate) fn claim_type(check: &'static str) -> Expect {
        of("ClaimType", check, NOT_VALIDATED)
    }
    pub(crate) fn subject_null() -> Expect {
        of("SubjectNull", "subject", "Unknown error validating third-party token")
    }
    pub(crate) fn timestamp(check: &'static str) -> Expect {
        of("Timestamp", check, "Invalid timestamp in token claims.")
    }
    pub(crate) fn expired(now_less_leeway: i64, exp: i64) -> Expect {
        let text = format!(
            "Token expired: current date/time {now_less_leeway} must be before the expiration \
             date/time {exp}"
        );
        of("Expired", "expiry", text)
    }
    pub(crate) fn issued_in_future(iat: i64) -> Expect {
        of("IssuedInFuture", "issued-at", format!("Token issued in the future: {iat}"))
    }
    pub(crate) fn not_yet_valid(now_plus_leeway: i64, nbf: i64) -> Expect {
        let text = format!(
            "Token not yet valid: current date/time {now_plus_leeway} must be after or equal to \
             the not-before date/time {nbf}"
        );
        of("NotYetValid", "not-before", text)
    }
    pub(crate) fn many_audiences() -> Expect {
        of(
            "ManyAudiences",
            "audience",
            "Token audience contains more than one audience while authorized party is not present",
        )
    }
    pub(crate) fn audience() -> Expect {
        of("Audience", "audience", NOT_VALIDATED)
    }
    pub(crate) fn tags() -> Expect {
        of("Tags", "tags", "principal_tags passed in claim is not in correct format.")
    }
    pub(crate) fn source_identity() -> Expect {
        let text = "source_identity passed in claim is not in correct format.";
        of("SourceIdentity", "source-identity", text)
    }
    pub(crate) fn role() -> Expect {
        let text = "The target role ARN is not present in the roles claim of the identity token";
        of("RoleNotListed", "roles", text)
    }
}
