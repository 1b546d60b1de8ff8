//! The certificates of a provider's metadata: a public key and two dates each.
//!
//! A certificate here is an envelope for a key. The administrator who gave the metadata trusts it;
//! who issued it is not asked (SAML V2.0 Metadata Interoperability Profile section 2.6.1).

use aws_lc_rs::digest;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ECDSA_P521_SHA512_FIXED, ParsedPublicKey,
    RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RsaPublicKeyComponents,
};

use super::date;
use crate::UnixTime;
use crate::jose::der::{self, CertificateKey};

/// Signature algorithms by their XML names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SignatureAlg {
    RsaSha1,
    RsaSha256,
    RsaSha384,
    RsaSha512,
    EcdsaSha256,
    EcdsaSha384,
    EcdsaSha512,
}

impl SignatureAlg {
    pub(super) fn named(uri: &str) -> Option<Self> {
        if uri == "http://www.w3.org/2000/09/xmldsig#rsa-sha1" {
            return Some(Self::RsaSha1);
        }
        Some(match uri.strip_prefix("http://www.w3.org/2001/04/xmldsig-more#")? {
            "rsa-sha256" => Self::RsaSha256,
            "rsa-sha384" => Self::RsaSha384,
            "rsa-sha512" => Self::RsaSha512,
            "ecdsa-sha256" => Self::EcdsaSha256,
            "ecdsa-sha384" => Self::EcdsaSha384,
            "ecdsa-sha512" => Self::EcdsaSha512,
            _ => return None,
        })
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::RsaSha1 => "RSA with SHA-1",
            Self::RsaSha256 => "RSA with SHA-256",
            Self::RsaSha384 => "RSA with SHA-384",
            Self::RsaSha512 => "RSA with SHA-512",
            Self::EcdsaSha256 => "ECDSA P-256 with SHA-256",
            Self::EcdsaSha384 => "ECDSA P-384 with SHA-384",
            Self::EcdsaSha512 => "ECDSA P-521 with SHA-512",
        }
    }
}

/// A key that the provider signs with.
#[derive(Clone)]
pub struct Certificate {
    keys: Vec<(SignatureAlg, ParsedPublicKey)>,
    /// From when it is valid.
    pub not_before: UnixTime,
    /// Until when it is valid. AWS does not ask, and neither do we: it is told.
    pub not_after: UnixTime,
    /// SHA-256 of the certificate, lower-case hexadecimal.
    pub fingerprint: String,
}

impl Certificate {
    /// From DER (RFC 5280); none for what cannot be read, and for keys that no accepted algorithm
    /// takes: RSA under 2048 bits, curves other than P-256, P-384, P-521.
    #[must_use]
    pub fn from_der(der: &[u8]) -> Option<Self> {
        let keys = match der::certificate_key(der)? {
            CertificateKey::Rsa { n, e } => rsa(&n, &e)?,
            CertificateKey::Point(point) => vec![ec(&point)?],
        };
        let (not_before, not_after) = der::validity(der)?;
        Some(Self {
            keys,
            not_before: date::from_asn1(not_before)?,
            not_after: date::from_asn1(not_after)?,
            fingerprint: hex(digest::digest(&digest::SHA256, der).as_ref()),
        })
    }

    /// Whether now lies within its dates.
    #[must_use]
    pub fn is_current(&self, now: UnixTime) -> bool {
        self.not_before <= now && now <= self.not_after
    }

    /// INVARIANT: a key is only ever used under an algorithm of its own kind.
    pub(super) fn verifies(&self, alg: SignatureAlg, signed: &[u8], signature: &[u8]) -> bool {
        let key = self.keys.iter().find(|(own, _)| *own == alg);
        key.is_some_and(|(_, key)| key.verify_sig(signed, signature).is_ok())
    }
}

impl std::fmt::Debug for Certificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Certificate({})", self.fingerprint)
    }
}

/// The library looks at the size only when it verifies; metadata is refused before that.
fn rsa(n: &[u8], e: &[u8]) -> Option<Vec<(SignatureAlg, ParsedPublicKey)>> {
    let bits = n.len() * 8 - n.first().map_or(0, |byte| byte.leading_zeros() as usize);
    if !(2048..=8192).contains(&bits) {
        return None;
    }
    let key = RsaPublicKeyComponents { n, e };
    [
        (SignatureAlg::RsaSha256, &RSA_PKCS1_2048_8192_SHA256),
        (SignatureAlg::RsaSha384, &RSA_PKCS1_2048_8192_SHA384),
        (SignatureAlg::RsaSha512, &RSA_PKCS1_2048_8192_SHA512),
        (SignatureAlg::RsaSha1, &RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY),
    ]
    .into_iter()
    .map(|(alg, parameters)| Some((alg, key.to_parsed_public_key(parameters).ok()?)))
    .collect()
}

fn ec(point: &[u8]) -> Option<(SignatureAlg, ParsedPublicKey)> {
    let (alg, parsed) = match point.len() {
        65 => (SignatureAlg::EcdsaSha256, ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)),
        97 => (SignatureAlg::EcdsaSha384, ParsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, point)),
        133 => (SignatureAlg::EcdsaSha512, ParsedPublicKey::new(&ECDSA_P521_SHA512_FIXED, point)),
        _ => return None,
    };
    Some((alg, parsed.ok()?))
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        for digit in [byte >> 4, byte & 15] {
            text.extend(char::from_digit(u32::from(digit), 16));
        }
        text
    })
}
