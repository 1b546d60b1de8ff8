//! SAML responses by the thousand, as an enterprise's identity provider would post them: an assertion
//! of its own for each, signed with RSA-2048.
//!
//! They are written in exclusive canonical form but for one namespace declaration that canonicalising
//! drops ([`UNUSED`]): what is signed is the text, and no canonicaliser is needed here.

use std::{fs, path::Path, process::Command};

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    digest,
    encoding::{AsDer, Pkcs8V1Der},
    rand::{self, SystemRandom},
    rsa::{KeyPair, KeySize, OAEP_SHA1_MGF1SHA1, OaepPublicEncryptingKey, PrivateDecryptingKey},
    signature::RSA_PKCS1_SHA256,
};
use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use jiff::{SignedDuration, Timestamp};

use crate::{Outcome, machine, server};

const ENTITY: &str = "https://idp.bench.invalid/metadata";
const SIGN_IN: &str = "https://signin.aws.amazon.com/saml";
/// Declared on every attribute's value, as Keycloak and others do; only a value uses it.
const UNUSED: &str = r#" xmlns:xs="http://www.w3.org/2001/XMLSchema""#;

/// What a response is like, besides the signature of its assertion.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Nothing more.
    Plain,
    /// The response is signed too.
    SignedTwice,
    /// The assertion is encrypted: AES-256-GCM under RSA-OAEP.
    Encrypted,
}

/// An identity provider: what it signs with, and the key of whom it encrypts to.
pub struct SignOn {
    key: KeyPair,
    certificate: String,
    ours: PrivateDecryptingKey,
    to: OaepPublicEncryptingKey,
}

/// What gets a signature, in two parts: it comes between them.
struct Element {
    id: String,
    head: String,
    tail: String,
}

impl SignOn {
    /// One with new RSA-2048 keys; `openssl` makes its certificate.
    pub fn new(folder: &Path) -> Outcome<SignOn> {
        let (key, certificate) = (folder.join("idp.key"), folder.join("idp.crt"));
        let made = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30"])
            .args(["-subj", "/CN=idp.bench.invalid", "-keyout"])
            .arg(&key)
            .arg("-out")
            .arg(&certificate)
            .output()
            .map_err(|error| format!("openssl: {error}"))?;
        if !made.status.success() {
            return Err(format!("openssl req said: {}", String::from_utf8_lossy(&made.stderr)));
        }
        let body = |path: &Path| -> Outcome<String> {
            let pem = fs::read_to_string(path).map_err(|error| error.to_string())?;
            Ok(pem.lines().filter(|line| !line.starts_with("-----")).collect())
        };
        let key = BASE64.decode(body(&key)?).map_err(|error| error.to_string())?;
        let key = KeyPair::from_pkcs8(&key).map_err(|error| error.to_string())?;
        let ours =
            PrivateDecryptingKey::generate(KeySize::Rsa2048).map_err(|error| error.to_string())?;
        let to =
            OaepPublicEncryptingKey::new(ours.public_key()).map_err(|error| error.to_string())?;
        Ok(SignOn { key, certificate: body(&certificate)?, ours, to })
    }

    /// Its metadata.
    pub fn metadata(&self) -> String {
        format!(
            r#"<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{ENTITY}"><md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data><ds:X509Certificate>{}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor><md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://idp.bench.invalid/sso"/></md:IDPSSODescriptor></md:EntityDescriptor>"#,
            self.certificate
        )
    }

    /// The private key that it encrypts to, for the server.
    pub fn private_key(&self) -> Outcome<String> {
        let der: Pkcs8V1Der<'_> = self.ours.as_der().map_err(|error| error.to_string())?;
        let body = BASE64.encode(der.as_ref());
        Ok(format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n"))
    }

    /// So many signed assertions, no two alike, by both cores.
    pub fn sign(&self, count: usize) -> Outcome<Vec<String>> {
        eprintln!("▸ signing {count} assertions");
        machine::on_both_cores(count, |number| self.assertion(number))
    }

    /// A response with each of these assertions, in base64, by both cores.
    pub fn respond(&self, kind: Kind, assertions: &[String]) -> Outcome<Vec<String>> {
        eprintln!("▸ {} responses around them", assertions.len());
        machine::on_both_cores(assertions.len(), |number| {
            let assertion = assertions.get(number).ok_or("no assertion")?;
            let encrypted;
            let inner = match kind {
                Kind::Encrypted => {
                    encrypted = self.encrypted(assertion)?;
                    &encrypted
                }
                Kind::Plain | Kind::SignedTwice => assertion,
            };
            let id = format!("_r{number:031}");
            let at = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
            let head = format!(
                r#"<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" Destination="{SIGN_IN}" ID="{id}" IssueInstant="{at}" Version="2.0"><saml:Issuer xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">{ENTITY}</saml:Issuer>"#
            );
            let tail = format!(
                r#"<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"></samlp:StatusCode></samlp:Status>{inner}</samlp:Response>"#
            );
            let response = Element { id, head, tail };
            let text = match kind {
                Kind::SignedTwice => self.signed(&response)?,
                Kind::Plain | Kind::Encrypted => response.head + &response.tail,
            };
            Ok(BASE64.encode(text))
        })
    }

    fn assertion(&self, number: usize) -> Outcome<String> {
        let now = Timestamp::now();
        let time = |seconds: i64| {
            (now + SignedDuration::from_secs(seconds)).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
        };
        let (at, begun, closes, ends) = (time(0), time(-60), time(3600), time(8 * 3600));
        let id = format!("_a{number:031}");
        let head = format!(
            r#"<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="{id}" IssueInstant="{at}" Version="2.0"><saml:Issuer>{ENTITY}</saml:Issuer>"#
        );
        let user = format!("worker-{number}@heart.example");
        let pair = format!("{},{}", server::role_arn(), server::saml_provider_arn());
        let attributes: String = [
            ("Role", [pair.as_str()].as_slice()),
            ("RoleSessionName", &[&user]),
            ("SessionDuration", &["3600"]),
            ("PrincipalTag:access-project", &["heart"]),
            ("PrincipalTag:cost-center", &["12345"]),
            ("PrincipalTag:department", &["research"]),
            ("TransitiveTagKeys", &["access-project"]),
        ]
        .into_iter()
        .map(|(name, values)| {
            attribute(&format!("https://aws.amazon.com/SAML/Attributes/{name}"), values)
        })
        .chain([
            attribute("urn:oid:1.3.6.1.4.1.5923.1.1.1.1", &["staff", "member"]),
            attribute("urn:oid:0.9.2342.19200300.100.1.3", &[&user]),
        ])
        .collect();
        let tail = format!(
            r#"<saml:Subject><saml:NameID Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent">{user}</saml:NameID><saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData NotOnOrAfter="{closes}" Recipient="{SIGN_IN}"></saml:SubjectConfirmationData></saml:SubjectConfirmation></saml:Subject><saml:Conditions NotBefore="{begun}" NotOnOrAfter="{closes}"><saml:AudienceRestriction><saml:Audience>urn:amazon:webservices</saml:Audience></saml:AudienceRestriction></saml:Conditions><saml:AuthnStatement AuthnInstant="{at}" SessionIndex="{id}" SessionNotOnOrAfter="{ends}"><saml:AuthnContext><saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement><saml:AttributeStatement>{attributes}</saml:AttributeStatement></saml:Assertion>"#
        );
        self.signed(&Element { id, head, tail })
    }

    /// The element with its signature.
    fn signed(&self, element: &Element) -> Outcome<String> {
        let Element { id, head, tail } = element;
        let canonical = format!("{head}{tail}").replace(UNUSED, "");
        let digest = BASE64.encode(digest::digest(&digest::SHA256, canonical.as_bytes()));
        let info = format!(
            r##"<ds:CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"></ds:CanonicalizationMethod><ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"></ds:SignatureMethod><ds:Reference URI="#{id}"><ds:Transforms><ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"></ds:Transform><ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"></ds:Transform></ds:Transforms><ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"></ds:DigestMethod><ds:DigestValue>{digest}</ds:DigestValue></ds:Reference></ds:SignedInfo>"##
        );
        let canonical =
            format!(r#"<ds:SignedInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#">{info}"#);
        let mut value = vec![0; self.key.public_modulus_len()];
        self.key
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), canonical.as_bytes(), &mut value)
            .map_err(|error| error.to_string())?;
        Ok(format!(
            r#"{head}<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:SignedInfo>{info}<ds:SignatureValue>{}</ds:SignatureValue><ds:KeyInfo><ds:X509Data><ds:X509Certificate>{}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></ds:Signature>{tail}"#,
            BASE64.encode(value),
            self.certificate
        ))
    }

    fn encrypted(&self, assertion: &str) -> Outcome<String> {
        let (mut key, mut nonce) = ([0; 32], [0; 12]);
        rand::fill(&mut key).and(rand::fill(&mut nonce)).map_err(|error| error.to_string())?;
        let mut sealed = assertion.as_bytes().to_vec();
        UnboundKey::new(&AES_256_GCM, &key)
            .and_then(|key| {
                let nonce = Nonce::assume_unique_for_key(nonce);
                LessSafeKey::new(key).seal_in_place_append_tag(nonce, Aad::empty(), &mut sealed)
            })
            .map_err(|error| error.to_string())?;
        let mut wrapped = vec![0; self.to.ciphertext_size()];
        self.to
            .encrypt(&OAEP_SHA1_MGF1SHA1, &key, &mut wrapped, None)
            .map_err(|error| error.to_string())?;
        let (sealed, wrapped) =
            (BASE64.encode([&nonce[..], &sealed].concat()), BASE64.encode(wrapped));
        Ok(format!(
            r#"<saml:EncryptedAssertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"><xenc:EncryptedData xmlns:xenc="http://www.w3.org/2001/04/xmlenc#" Type="http://www.w3.org/2001/04/xmlenc#Element"><xenc:EncryptionMethod Algorithm="http://www.w3.org/2009/xmlenc11#aes256-gcm"></xenc:EncryptionMethod><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><xenc:EncryptedKey><xenc:EncryptionMethod Algorithm="http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p"></xenc:EncryptionMethod><xenc:CipherData><xenc:CipherValue>{wrapped}</xenc:CipherValue></xenc:CipherData></xenc:EncryptedKey></ds:KeyInfo><xenc:CipherData><xenc:CipherValue>{sealed}</xenc:CipherValue></xenc:CipherData></xenc:EncryptedData></saml:EncryptedAssertion>"#
        ))
    }
}

fn attribute(name: &str, values: &[&str]) -> String {
    let values: String = values
        .iter()
        .map(|value| {
            format!(
                r#"<saml:AttributeValue{UNUSED} xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="xs:string">{value}</saml:AttributeValue>"#
            )
        })
        .collect();
    format!(r#"<saml:Attribute Name="{name}">{values}</saml:Attribute>"#)
}
