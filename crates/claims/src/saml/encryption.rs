//! Encrypted assertions (XML Encryption 1.1): an AES key under our RSA key, an assertion under the
//! AES key. What comes out is a stranger's text like any other: it passes every check again.
//!
//! ATTACK: a decryption oracle. Nothing here says more than that it failed, and the judgement as a
//! whole gives one sentence for every failure of an encrypted response. CBC, whose ciphertexts can
//! be altered, is taken in strict mode only within a response whose signature held before anything
//! was decrypted (corpus/saml/encrypted/).

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::cipher::{
    AES_128, AES_256, DecryptionContext, PaddedBlockDecryptingKey, UnboundCipherKey,
};
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::rsa::{
    OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OAEP_SHA384_MGF1SHA384, OAEP_SHA512_MGF1SHA512,
    OaepAlgorithm, OaepPrivateDecryptingKey, PrivateDecryptingKey,
};
use uppsala::NodeId;
use zeroize::Zeroizing;

use super::xml::{DS, XENC, XENC11, Xml};
use crate::jose::der;

/// Recipients of one assertion that are tried, at most.
const MAX_RECIPIENTS: usize = 2;

/// A private key that assertions may be encrypted to.
#[derive(Clone)]
pub struct DecryptionKey(std::sync::Arc<OaepPrivateDecryptingKey>);

impl std::fmt::Debug for DecryptionKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DecryptionKey")
    }
}

impl DecryptionKey {
    /// From PEM: PKCS#8 or PKCS#1, RSA of 2048 to 8192 bits, not encrypted. None for anything else.
    #[must_use]
    pub fn from_pem(pem: &str) -> Option<Self> {
        let pkcs8 = match pem_block(pem, "PRIVATE KEY") {
            Some(pkcs8) => pkcs8,
            None => Zeroizing::new(der::rsa_pkcs8(&pem_block(pem, "RSA PRIVATE KEY")?)),
        };
        let key = PrivateDecryptingKey::from_pkcs8(&pkcs8).ok()?;
        Some(Self(std::sync::Arc::new(OaepPrivateDecryptingKey::new(key).ok()?)))
    }
}

/// The DER in a PEM text of this label (RFC 7468).
fn pem_block(pem: &str, label: &str) -> Option<Zeroizing<Vec<u8>>> {
    use base64::Engine;
    let (_, rest) = pem.split_once(&format!("-----BEGIN {label}-----"))?;
    let (body, _) = rest.split_once(&format!("-----END {label}-----"))?;
    let body: Zeroizing<String> =
        Zeroizing::new(body.chars().filter(|c| !c.is_ascii_whitespace()).collect());
    base64::engine::general_purpose::STANDARD.decode(body.as_bytes()).ok().map(Zeroizing::new)
}

/// An `EncryptedAssertion`, read but not decrypted.
pub(super) struct Encrypted {
    cipher: Cipher,
    ciphertext: Vec<u8>,
    recipients: Vec<Recipient>,
}

struct Recipient {
    oaep: &'static OaepAlgorithm,
    wrapped: Vec<u8>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Cipher {
    Cbc(usize),
    Gcm(usize),
}

impl Encrypted {
    /// Reads the element; none if it is not of the shape and the algorithms that are accepted.
    pub(super) fn read(xml: &Xml<'_>, encrypted_assertion: NodeId) -> Option<Self> {
        let data = xml.only(encrypted_assertion, XENC, "EncryptedData")?;
        if xml
            .attribute(data, "Type")
            .is_some_and(|kind| kind.strip_prefix(XENC) != Some("Element"))
        {
            return None;
        }
        let cipher = match method(xml, data)? {
            "http://www.w3.org/2001/04/xmlenc#aes128-cbc" => Cipher::Cbc(16),
            "http://www.w3.org/2001/04/xmlenc#aes256-cbc" => Cipher::Cbc(32),
            "http://www.w3.org/2009/xmlenc11#aes128-gcm" => Cipher::Gcm(16),
            "http://www.w3.org/2009/xmlenc11#aes256-gcm" => Cipher::Gcm(32),
            _ => return None,
        };
        // The key stands in the data's KeyInfo, or beside the data.
        let within = xml.only(data, DS, "KeyInfo").into_iter().chain([encrypted_assertion]);
        let keys: Vec<NodeId> =
            within.flat_map(|place| xml.named(place, XENC, "EncryptedKey")).collect();
        if keys.is_empty() || keys.len() > MAX_RECIPIENTS {
            return None;
        }
        let recipients = keys.into_iter().map(|key| Recipient::read(xml, key));
        Some(Self {
            cipher,
            ciphertext: value(xml, data)?,
            recipients: recipients.collect::<Option<_>>()?,
        })
    }

    /// Whether altering the ciphertext goes unnoticed by the cipher itself.
    pub(super) fn is_malleable(&self) -> bool {
        matches!(self.cipher, Cipher::Cbc(_))
    }

    /// The plaintext, under the first of the keys that opens it.
    pub(super) fn open(&self, keys: &[DecryptionKey]) -> Option<Zeroizing<Vec<u8>>> {
        let tries = keys.iter().flat_map(|key| self.recipients.iter().map(move |to| (key, to)));
        tries
            .into_iter()
            .find_map(|(key, to)| self.cipher.open(&to.unwrap(&key.0)?, &self.ciphertext))
    }
}

impl Recipient {
    fn read(xml: &Xml<'_>, key: NodeId) -> Option<Self> {
        let method_node = xml.only(key, XENC, "EncryptionMethod")?;
        let parameter = |namespace, local| {
            let node = xml.only(method_node, namespace, local)?;
            xml.attribute(node, "Algorithm")
        };
        let digest = parameter(DS, "DigestMethod");
        let mask = parameter(XENC11, "MGF");
        let oaep = match (method(xml, key)?, digest, mask) {
            (MGF1P, None | Some(SHA1), None) => &OAEP_SHA1_MGF1SHA1,
            (OAEP, None | Some(SHA1), None) | (OAEP, None | Some(SHA1), Some(MGF_SHA1)) => {
                &OAEP_SHA1_MGF1SHA1
            }
            (OAEP, Some(SHA256), Some(MGF_SHA256)) => &OAEP_SHA256_MGF1SHA256,
            (OAEP, Some(SHA384), Some(MGF_SHA384)) => &OAEP_SHA384_MGF1SHA384,
            (OAEP, Some(SHA512), Some(MGF_SHA512)) => &OAEP_SHA512_MGF1SHA512,
            _ => return None,
        };
        if xml.only(method_node, XENC, "OAEPparams").is_some() {
            return None;
        }
        Some(Self { oaep, wrapped: value(xml, key)? })
    }

    fn unwrap(&self, key: &OaepPrivateDecryptingKey) -> Option<Zeroizing<Vec<u8>>> {
        let mut plain = Zeroizing::new(vec![0; key.min_output_size()]);
        let length = key.decrypt(self.oaep, &self.wrapped, &mut plain, None).ok()?.len();
        plain.truncate(length);
        Some(plain)
    }
}

const MGF1P: &str = "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p";
const OAEP: &str = "http://www.w3.org/2009/xmlenc11#rsa-oaep";
const SHA1: &str = "http://www.w3.org/2000/09/xmldsig#sha1";
const SHA256: &str = "http://www.w3.org/2001/04/xmlenc#sha256";
const SHA384: &str = "http://www.w3.org/2001/04/xmldsig-more#sha384";
const SHA512: &str = "http://www.w3.org/2001/04/xmlenc#sha512";
const MGF_SHA1: &str = "http://www.w3.org/2009/xmlenc11#mgf1sha1";
const MGF_SHA256: &str = "http://www.w3.org/2009/xmlenc11#mgf1sha256";
const MGF_SHA384: &str = "http://www.w3.org/2009/xmlenc11#mgf1sha384";
const MGF_SHA512: &str = "http://www.w3.org/2009/xmlenc11#mgf1sha512";

impl Cipher {
    fn open(self, key: &[u8], ciphertext: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        match self {
            Self::Cbc(length) => {
                let algorithm = if length == 16 { &AES_128 } else { &AES_256 };
                let key = UnboundCipherKey::new(algorithm, key).ok()?;
                let key = PaddedBlockDecryptingKey::cbc_iso10126(key).ok()?;
                let (iv, blocks) = ciphertext.split_first_chunk::<16>()?;
                let iv = DecryptionContext::Iv128(FixedLength::from(iv));
                let mut blocks = Zeroizing::new(blocks.to_vec());
                let length = key.decrypt(&mut blocks, iv).ok()?.len();
                blocks.truncate(length);
                Some(blocks)
            }
            Self::Gcm(length) => {
                let algorithm = if length == 16 { &AES_128_GCM } else { &AES_256_GCM };
                let key = LessSafeKey::new(UnboundKey::new(algorithm, key).ok()?);
                let (nonce, sealed) = ciphertext.split_first_chunk::<12>()?;
                let nonce = Nonce::assume_unique_for_key(*nonce);
                let mut sealed = Zeroizing::new(sealed.to_vec());
                let length = key.open_in_place(nonce, Aad::empty(), &mut sealed).ok()?.len();
                sealed.truncate(length);
                Some(sealed)
            }
        }
    }
}

fn method<'x>(xml: &'x Xml<'_>, of: NodeId) -> Option<&'x str> {
    xml.attribute(xml.only(of, XENC, "EncryptionMethod")?, "Algorithm")
}

fn value(xml: &Xml<'_>, of: NodeId) -> Option<Vec<u8>> {
    xml.base64(xml.only(xml.only(of, XENC, "CipherData")?, XENC, "CipherValue")?)
}
