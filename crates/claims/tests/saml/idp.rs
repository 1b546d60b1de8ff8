//! An identity provider of the tests: makes responses by the recipes of `corpus/saml`, signs and
//! encrypts them. Shares no line with the code under test but the canonicaliser, which
//! `differential.rs` holds against another one.

use std::path::PathBuf;

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::cipher::{
    AES_128, AES_256, EncryptionContext, PaddedBlockEncryptingKey, UnboundCipherKey,
};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepPublicEncryptingKey};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256,
    RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RsaKeyPair,
};
use aws_lc_rs::{digest, hmac};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bergshamra_c14n::{C14nMode, canonicalize_doc};
use bergshamra_xml::NodeSet;
use serde::Deserialize;
use uppsala::{Document, NodeId};

/// How one response is made. Everything has a default: `{}` is the plain signed response.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Recipe {
    /// Replacements in the unsigned response; a third member repeats the second, `{n}` counting.
    pub edit: Vec<Edit>,
    /// Who signs what; the assertion, by `idp`, unless said otherwise.
    pub sign: Option<Vec<Sign>>,
    /// Encrypts the assertion, after it was signed and before the response is.
    pub encrypt: Option<Encrypt>,
    /// A document to put in place of the response: `{{assertion}}`, `{{bare}}` (the same without
    /// its signature), `{{signature}}`, `{{evil}}` (a forged one, `_evil`), `{{twin}}` (a forged
    /// one of the same id), `{{head}}` (the response's start) and `{{response}}` (all of it).
    pub document: Option<String>,
    /// Replacements in what was signed.
    pub alter: Vec<Edit>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Edit {
    Once(String, String),
    Many(String, String, usize),
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sign {
    /// The id of the element.
    pub id: String,
    #[serde(default = "idp")]
    pub key: String,
    #[serde(default = "rsa_sha256")]
    pub alg: String,
    /// What is used as the secret of an HMAC: `pem`, `der`.
    #[serde(default)]
    pub hmac: Option<String>,
    /// Replacements in the signature before it is made.
    #[serde(default)]
    pub edit: Vec<Edit>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Encrypt {
    pub to: String,
    pub data: String,
    #[serde(default = "mgf1p")]
    pub key: String,
    /// Replacements in the plaintext.
    #[serde(default)]
    pub edit: Vec<Edit>,
}

fn idp() -> String {
    "idp".to_owned()
}

fn rsa_sha256() -> String {
    "rsa-sha256".to_owned()
}

fn mgf1p() -> String {
    "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p".to_owned()
}

impl Sign {
    pub fn plain(id: &str) -> Self {
        Self { id: id.to_owned(), key: idp(), alg: rsa_sha256(), hmac: None, edit: Vec::new() }
    }
}

impl Edit {
    fn apply(&self, text: &str) -> String {
        let (find, put, times) = match self {
            Self::Once(find, put) => (find, put, 1),
            Self::Many(find, put, times) => (find, put, *times),
        };
        assert!(text.contains(find.as_str()), "nothing to replace: {find}");
        let all: String = (0..times).map(|n| put.replace("{n}", &n.to_string())).collect();
        text.replacen(find.as_str(), &all, 1)
    }

    fn all(edits: &[Self], text: String) -> String {
        edits.iter().fold(text, |text, edit| edit.apply(&text))
    }
}

pub fn corpus() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../corpus/saml"))
}

pub fn file(name: &str) -> String {
    let path = corpus().join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|why| panic!("{}: {why}", path.display()))
}

/// The DER in a PEM file of `corpus/saml/keys`.
pub fn der(name: &str) -> Vec<u8> {
    let pem = file(&format!("keys/{name}"));
    let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    STANDARD.decode(body).unwrap()
}

/// The response by this recipe.
pub fn make(recipe: &Recipe) -> String {
    let mut xml = Edit::all(&recipe.edit, file("response.xml"));
    let signs = recipe.sign.clone().unwrap_or_else(|| vec![Sign::plain("_a1")]);
    let (of_response, of_others): (Vec<Sign>, Vec<Sign>) =
        signs.into_iter().partition(|sign| sign.id == "_r1");
    for sign in &of_others {
        xml = signed(&xml, sign);
    }
    xml = xml.replace("{{sign:_a1}}", "");
    if let Some(encrypt) = &recipe.encrypt {
        xml = encrypted(&xml, encrypt);
    }
    for sign in &of_response {
        xml = signed(&xml, sign);
    }
    xml = xml.replace("{{sign:_r1}}", "");
    if let Some(document) = &recipe.document {
        xml = rearranged(&xml, document);
    }
    Edit::all(&recipe.alter, xml)
}

fn signed(xml: &str, sign: &Sign) -> String {
    let mark = format!("{{{{sign:{}}}}}", sign.id);
    let template = Edit::all(&sign.edit, file("signature.xml").trim().to_owned());
    let template = template
        .replace("{{id}}", &sign.id)
        .replace("{{alg}}", &sign.alg)
        .replace("{{certificate}}", &STANDARD.encode(der(&format!("{}.crt", sign.key))));
    let xml = xml.replace(&mark, &template);

    let canonical = |xml: &str, what: &str| {
        let text = xml.replace("{{sign:_r1}}", "");
        let doc = uppsala::parse(&text).unwrap_or_else(|why| panic!("{why}: {text}"));
        let element = by_id(&doc, &sign.id);
        let signature = child(&doc, element, "Signature");
        let info = child(&doc, signature, "SignedInfo");
        let whole = NodeSet::tree_without_comments(element, &doc);
        let (nodes, method) = match what {
            "element" => {
                let but = NodeSet::tree_with_comments(signature, &doc);
                (whole.subtract(&but), "Transform")
            }
            _ => (NodeSet::tree_without_comments(info, &doc), "CanonicalizationMethod"),
        };
        let all = doc.descendants(info);
        let method = all.into_iter().rfind(|it| is(&doc, *it, method));
        let uri = method.and_then(|it| doc.get_attribute(it, "Algorithm")).unwrap_or_default();
        let list = method.and_then(|it| doc.children(it).first().copied());
        let list = list.and_then(|it| doc.get_attribute(it, "PrefixList")).unwrap_or_default();
        let prefixes: Vec<&str> = list.split_ascii_whitespace().collect();
        let mode = C14nMode::from_uri(uri).unwrap_or(C14nMode::Exclusive);
        canonicalize_doc(&doc, mode, Some(&nodes), &prefixes).unwrap()
    };
    let digest = digest::digest(digest_of(&template), &canonical(&xml, "element"));
    let xml = xml.replace("{{digest}}", &STANDARD.encode(digest));
    let value = sign_bytes(sign, &canonical(&xml, "info"));
    xml.replace("{{value}}", &STANDARD.encode(value))
}

fn digest_of(signature: &str) -> &'static digest::Algorithm {
    match signature {
        it if it.contains("xmldsig#sha1") => &digest::SHA1_FOR_LEGACY_USE_ONLY,
        it if it.contains("xmlenc#sha512") => &digest::SHA512,
        _ => &digest::SHA256,
    }
}

fn sign_bytes(sign: &Sign, bytes: &[u8]) -> Vec<u8> {
    let random = SystemRandom::new();
    if let Some(secret) = &sign.hmac {
        let secret = match secret.as_str() {
            "pem" => file(&format!("keys/{}.crt", sign.key)).into_bytes(),
            "key" => {
                let key = RsaKeyPair::from_pkcs8(&der(&format!("{}.key", sign.key))).unwrap();
                key.public_key().as_ref().to_vec()
            }
            _ => der(&format!("{}.crt", sign.key)),
        };
        return hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &secret), bytes).as_ref().to_vec();
    }
    let pkcs8 = der(&format!("{}.key", sign.key));
    if sign.alg.starts_with("ecdsa") {
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &pkcs8).unwrap();
        return key.sign(&random, bytes).unwrap().as_ref().to_vec();
    }
    let key = RsaKeyPair::from_pkcs8(&pkcs8).unwrap();
    let scheme = match sign.alg.as_str() {
        "rsa-sha512" => &RSA_PKCS1_SHA512,
        "rsa-sha384" => &RSA_PKCS1_SHA384,
        _ => &RSA_PKCS1_SHA256,
    };
    let mut value = vec![0; key.public_modulus_len()];
    key.sign(scheme, &random, bytes, &mut value).unwrap();
    value
}

fn encrypted(xml: &str, how: &Encrypt) -> String {
    let assertion = between(xml, "<saml:Assertion", "</saml:Assertion>");
    let plain = Edit::all(&how.edit, assertion.to_owned());
    let key: Vec<u8> = match how.data.contains("256") {
        true => (0..32).collect(),
        false => (0..16).collect(),
    };
    let sealed = match how.data.ends_with("cbc") {
        true => cbc(&key, plain.as_bytes()),
        false => gcm(&key, plain.as_bytes()),
    };
    let oaep = match how.key.contains("sha256") {
        true => &OAEP_SHA256_MGF1SHA256,
        false => &OAEP_SHA1_MGF1SHA1,
    };
    let private = der(&format!("{}.key", how.to));
    let public = aws_lc_rs::rsa::PrivateDecryptingKey::from_pkcs8(&private).unwrap().public_key();
    let to = OaepPublicEncryptingKey::new(public).unwrap();
    let mut wrapped = vec![0; to.ciphertext_size()];
    let wrapped = to.encrypt(oaep, &key, &mut wrapped, None).unwrap();
    let parameters = match how.key.contains("sha256") {
        true => {
            r#"<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/><e11:MGF xmlns:e11="http://www.w3.org/2009/xmlenc11#" Algorithm="http://www.w3.org/2009/xmlenc11#mgf1sha256"/>"#
        }
        false => "",
    };
    let key_uri = how.key.trim_end_matches("+sha256");
    let (sealed, wrapped) = (STANDARD.encode(sealed), STANDARD.encode(wrapped));
    let family = if how.data.ends_with("gcm") { "2009/xmlenc11" } else { "2001/04/xmlenc" };
    let element = format!(
        r#"<saml:EncryptedAssertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"><xenc:EncryptedData xmlns:xenc="http://www.w3.org/2001/04/xmlenc#" Type="http://www.w3.org/2001/04/xmlenc#Element"><xenc:EncryptionMethod Algorithm="http://www.w3.org/{family}#{}"/><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><xenc:EncryptedKey><xenc:EncryptionMethod Algorithm="{key_uri}">{parameters}</xenc:EncryptionMethod><xenc:CipherData><xenc:CipherValue>{wrapped}</xenc:CipherValue></xenc:CipherData></xenc:EncryptedKey></ds:KeyInfo><xenc:CipherData><xenc:CipherValue>{sealed}</xenc:CipherValue></xenc:CipherData></xenc:EncryptedData></saml:EncryptedAssertion>"#,
        how.data
    );
    xml.replace(assertion, &element)
}

fn gcm(key: &[u8], plain: &[u8]) -> Vec<u8> {
    let algorithm = if key.len() == 32 { &AES_256_GCM } else { &AES_128_GCM };
    let key = LessSafeKey::new(UnboundKey::new(algorithm, key).unwrap());
    let mut sealed = plain.to_vec();
    let nonce = [7; 12];
    key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut sealed)
        .unwrap();
    [nonce.as_slice(), &sealed].concat()
}

fn cbc(key: &[u8], plain: &[u8]) -> Vec<u8> {
    let algorithm = if key.len() == 32 { &AES_256 } else { &AES_128 };
    let key = UnboundCipherKey::new(algorithm, key).unwrap();
    let key = PaddedBlockEncryptingKey::cbc_pkcs7(key).unwrap();
    let mut sealed = plain.to_vec();
    let iv = [9; 16];
    let context = EncryptionContext::Iv128((&iv).into());
    key.less_safe_encrypt(&mut sealed, context).unwrap();
    [iv.as_slice(), &sealed].concat()
}

fn rearranged(xml: &str, document: &str) -> String {
    let assertion = between(xml, "<saml:Assertion", "</saml:Assertion>");
    let signature = between(assertion, "<ds:Signature", "</ds:Signature>");
    let bare = assertion.replace(signature, "");
    let twin = bare
        .replace(">ada<", ">eve<")
        .replace(":role/deploy", ":role/admin")
        .replace(">ada@corp.example<", ">eve@corp.example<");
    let evil = twin.replace("ID=\"_a1\"", "ID=\"_evil\"");
    let head = xml.split("<saml:Assertion").next().unwrap();
    let whole = between(xml, "<samlp:Response", "</samlp:Response>");
    document
        .replace("{{response}}", whole)
        .replace("{{head}}", head)
        .replace("{{assertion}}", assertion)
        .replace("{{signature}}", signature)
        .replace("{{bare}}", &bare)
        .replace("{{evil}}", &evil)
        .replace("{{twin}}", &twin)
}

fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    let start = text.find(from).unwrap_or_else(|| panic!("no {from}"));
    let end = text.rfind(to).unwrap_or_else(|| panic!("no {to}")) + to.len();
    &text[start..end]
}

fn by_id(doc: &Document<'_>, id: &str) -> NodeId {
    let all = doc.descendants(doc.root());
    let found = all
        .into_iter()
        .find(|node| doc.element(*node).is_some() && doc.get_attribute(*node, "ID") == Some(id));
    found.unwrap_or_else(|| panic!("no element {id}"))
}

fn child(doc: &Document<'_>, of: NodeId, name: &str) -> NodeId {
    doc.children(of).into_iter().find(|it| is(doc, *it, name)).unwrap()
}

fn is(doc: &Document<'_>, node: NodeId, name: &str) -> bool {
    doc.element(node).is_some_and(|element| element.name.local_name == name)
}
