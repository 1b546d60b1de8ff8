//! X.509 certificates as IAM takes them: PEM texts that are read, and asked for their dates.

use aws_lc_rs::digest;
use claims::saml::Certificate;
use data_encoding::BASE32_NOPAD;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::error::Code;
use crate::record::Millis;

/// The certificate cannot be read.
pub const MALFORMED_CERTIFICATE: Code = Code::new("MalformedCertificate", 400);

/// A certificate with its dates.
pub struct Dated {
    /// What it says.
    pub der: CertificateDer<'static>,
    /// From when it is valid.
    pub not_before: Millis,
    /// Until when it is valid.
    pub not_after: Millis,
}

impl Dated {
    /// The one certificate in a PEM text (RFC 7468). None for no certificate or several, and for
    /// keys other than RSA from 2048 to 8192 bits and the curves P-256, P-384 and P-521.
    pub fn from_pem(text: &str) -> Option<Self> {
        let mut all = chain(text)?.into_iter();
        let (Some(der), None) = (all.next(), all.next()) else { return None };
        let read = Certificate::from_der(&der)?;
        let millis = |seconds: claims::UnixTime| seconds.0.saturating_mul(1000);
        let (not_before, not_after) = (millis(read.not_before), millis(read.not_after));
        Some(Self { der, not_before, not_after })
    }

    /// What AWS calls a signing certificate by: 32 characters.
    pub fn id(&self) -> String {
        BASE32_NOPAD.encode(digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, &self.der).as_ref())
    }
}

/// The certificates of a PEM text, in their order. None if there is none, or one is broken.
pub fn chain(text: &str) -> Option<Vec<CertificateDer<'static>>> {
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text.as_bytes()).collect();
    all.ok().filter(|all| !all.is_empty())
}
