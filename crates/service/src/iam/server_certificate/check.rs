//! What an upload must be: one certificate in its time, the private key of just that certificate,
//! and a chain that begins with who signed it. Source: IAM User Guide, "Manage server certificates".

use std::time::Duration;

use rustls::crypto::aws_lc_rs::{default_provider, sign::any_supported_type};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::sign::CertifiedKey;
use webpki::{EndEntityCert, KeyUsage, anchor_from_trusted_cert};

use crate::error::{Code, Error, Result};
use crate::iam::x509::{self, Dated, MALFORMED_CERTIFICATE};
use crate::record::Millis;

/// The private key is another certificate's.
const KEY_PAIR_MISMATCH: Code = Code::new("KeyPairMismatch", 400);

/// Checks an upload, and says when its certificate ends.
///
/// # Errors
/// `MalformedCertificate` or `KeyPairMismatch`; which texts are AWS's is told in `docs/unsure.md`.
pub(super) fn upload(body: &str, chain: Option<&str>, key: &str, now: Millis) -> Result<Millis> {
    let certificate = Dated::from_pem(body).ok_or_else(|| {
        malformed("Unable to parse certificate. Please ensure the certificate is in PEM format.")
    })?;
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).ok();
    let key = key.and_then(|key| any_supported_type(&key).ok()).ok_or_else(|| {
        malformed("Unable to parse private key. Please ensure the private key is in PEM format.")
    })?;
    let pair = CertifiedKey::new(vec![certificate.der.clone()], key);
    match pair.keys_match() {
        Ok(()) => {}
        Err(rustls::Error::InconsistentKeys(_)) => {
            let text = "The public key certificate and the private key do not match.";
            return Err(Error::new(KEY_PAIR_MISMATCH, text));
        }
        Err(_) => return Err(malformed("The certificate is not an X.509 version 3 certificate.")),
    }
    if now > certificate.not_after {
        return Err(malformed(
            "Certificate is no longer valid. The 'Not After' date restriction on the certificate \
             has passed.",
        ));
    }
    if now < certificate.not_before {
        return Err(malformed(
            "Certificate is not yet valid. The 'Not Before' date restriction on the certificate \
             has not passed.",
        ));
    }
    if let Some(chain) = chain {
        let chain = x509::chain(chain).ok_or_else(|| {
            malformed(
                "Unable to parse certificate chain. Please ensure the chain is in PEM format.",
            )
        })?;
        if !leads_up(&certificate.der, &chain, now) {
            return Err(malformed(
                "Unable to validate certificate chain. The certificate chain must start with the \
                 immediate signing certificate, followed by any intermediaries in order. The index \
                 within the chain of the invalid certificate is: -1",
            ));
        }
    }
    Ok(certificate.not_after)
}

fn malformed(text: &str) -> Error {
    Error::new(MALFORMED_CERTIFICATE, text)
}

/// Whether each certificate is issued by the next one, and the signatures hold up to the last.
fn leads_up(leaf: &CertificateDer<'_>, chain: &[CertificateDer<'_>], now: Millis) -> bool {
    let Some((last, between)) = chain.split_last() else { return false };
    let Ok(anchor) = anchor_from_trusted_cert(last) else { return false };
    let Ok(certificate) = EndEntityCert::try_from(leaf) else { return false };
    let mut issuer = certificate.issuer().to_vec();
    for above in chain {
        let Ok(above) = EndEntityCert::try_from(above) else { return false };
        if above.subject() != issuer {
            return false;
        }
        issuer = above.issuer().to_vec();
    }
    let algorithms = default_provider().signature_verification_algorithms.all;
    let now = Duration::from_millis(u64::try_from(now).unwrap_or(0));
    let (now, usage) = (UnixTime::since_unix_epoch(now), KeyUsage::server_auth());
    certificate.verify_for_usage(algorithms, &[anchor], between, now, usage, None, None).is_ok()
}
