//! The one place where a signature is checked. The primitives are AWS-LC's.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ECDSA_P521_SHA512_FIXED, ParsedPublicKey,
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512,
    RsaPublicKeyComponents,
};

use crate::jose::alg::{Alg, Family};

/// A public key, parsed once, that can check signatures.
#[derive(Clone)]
pub(crate) enum Material {
    /// The library binds an RSA key to one hash function, so there is one per algorithm.
    Rsa { rs256: ParsedPublicKey, rs384: ParsedPublicKey, rs512: ParsedPublicKey },
    /// A curve has exactly one algorithm.
    Ec(Alg, ParsedPublicKey),
}

impl Material {
    /// An RSA key from unsigned big-endian numbers without leading zeros.
    pub(crate) fn rsa(n: &[u8], e: &[u8]) -> Option<Self> {
        let key = RsaPublicKeyComponents { n, e };
        Some(Self::Rsa {
            rs256: key.to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256).ok()?,
            rs384: key.to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA384).ok()?,
            rs512: key.to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA512).ok()?,
        })
    }

    /// A key on a curve from an uncompressed point. Checks that the point is on the curve.
    pub(crate) fn ec(family: Family, point: &[u8]) -> Option<Self> {
        let (alg, parsed) = match family {
            Family::Rsa => return None,
            Family::P256 => (Alg::Es256, ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)),
            Family::P384 => (Alg::Es384, ParsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, point)),
            Family::P521 => (Alg::Es512, ParsedPublicKey::new(&ECDSA_P521_SHA512_FIXED, point)),
        };
        Some(Self::Ec(alg, parsed.ok()?))
    }

    /// Whether `signature` is this key's over `signed` under `alg`.
    ///
    /// INVARIANT: an algorithm that does not belong to the key's family never verifies, so a
    /// header cannot choose how a key is used.
    /// ATTACK: ECDSA in DER, all-zero r and s, cut or empty signatures
    /// (corpus/tokens/oidc/signature-*.json).
    pub(crate) fn verifies(&self, alg: Alg, signed: &[u8], signature: &[u8]) -> bool {
        let key = match (self, alg) {
            (Self::Rsa { rs256, .. }, Alg::Rs256) => rs256,
            (Self::Rsa { rs384, .. }, Alg::Rs384) => rs384,
            (Self::Rsa { rs512, .. }, Alg::Rs512) => rs512,
            (Self::Ec(own, key), _) if *own == alg => key,
            _ => return false,
        };
        key.verify_sig(signed, signature).is_ok()
    }
}

impl std::fmt::Debug for Material {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Rsa { .. } => "Rsa",
            Self::Ec(..) => "Ec",
        })
    }
}
