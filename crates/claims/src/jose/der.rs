//! The little DER (X.690) that keys need: taking a certificate's public key and dates out, and
//! reading and writing an RSA public key.

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const EXPLICIT_0: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// The public key of an X.509 certificate (RFC 5280 section 4.1): for RSA modulus and exponent,
/// for elliptic curves the point. Checks no signature and no validity: a certificate in a JWKS is
/// trusted because the JWKS is.
pub(crate) fn certificate_key(der: &[u8]) -> Option<CertificateKey> {
    let (_, rest) = expect(from_validity(der)?, SEQUENCE)?;
    let (_, rest) = expect(rest, SEQUENCE)?; // subject
    let key = key_bits(rest)?;
    Some(match rsa_public_key(key) {
        Some((n, e)) => CertificateKey::Rsa { n, e },
        None => CertificateKey::Point(key.to_vec()),
    })
}

/// Modulus and exponent, without leading zeros, of an RSA key as a `SubjectPublicKeyInfo` (RFC 5280
/// section 4.1); none for other keys.
#[must_use]
pub fn rsa_components(subject_public_key: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    rsa_public_key(key_bits(subject_public_key)?)
}

/// The key in a `SubjectPublicKeyInfo`, whatever comes after that.
fn key_bits(der: &[u8]) -> Option<&[u8]> {
    let (subject_key, _) = expect(der, SEQUENCE)?;
    let (_, after_algorithm) = expect(subject_key, SEQUENCE)?;
    let (bits, _) = expect(after_algorithm, BIT_STRING)?;
    let (unused, key) = bits.split_first()?;
    (*unused == 0).then_some(key)
}

/// From when until when the certificate is valid, as it writes its times.
pub(crate) fn validity(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (times, _) = expect(from_validity(der)?, SEQUENCE)?;
    let time = |der| expect(der, UTC_TIME).or_else(|| expect(der, GENERALIZED_TIME));
    let (not_before, rest) = time(times)?;
    let (not_after, rest) = time(rest)?;
    rest.is_empty().then_some((not_before, not_after))
}

/// What follows the issuer in a certificate: validity, subject, key.
fn from_validity(der: &[u8]) -> Option<&[u8]> {
    let (certificate, rest) = expect(der, SEQUENCE)?;
    if !rest.is_empty() {
        return None;
    }
    let (tbs, _) = expect(certificate, SEQUENCE)?;
    let mut rest = tbs;
    if rest.first() == Some(&EXPLICIT_0) {
        rest = expect(rest, EXPLICIT_0)?.1; // version
    }
    rest = expect(rest, INTEGER)?.1; // serial number
    for _ in ["signature", "issuer"] {
        rest = expect(rest, SEQUENCE)?.1;
    }
    Some(rest)
}

/// What a certificate certifies.
pub(crate) enum CertificateKey {
    Rsa { n: Vec<u8>, e: Vec<u8> },
    Point(Vec<u8>),
}

/// Modulus and exponent of a PKCS#1 `RSAPublicKey` (RFC 8017 appendix A.1.1), without leading
/// zeros.
pub(crate) fn rsa_public_key(der: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let (body, rest) = expect(der, SEQUENCE)?;
    let (n, after_n) = expect(body, INTEGER)?;
    let (e, after_e) = expect(after_n, INTEGER)?;
    (rest.is_empty() && after_e.is_empty()).then(|| (unsigned(n).to_vec(), unsigned(e).to_vec()))
}

/// An unsigned number without its leading zeros.
pub(crate) fn unsigned(bytes: &[u8]) -> &[u8] {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    bytes.get(zeros..).unwrap_or_default()
}

/// One element with this tag: its content, and what follows it.
fn expect(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (first, rest) = der.split_first()?;
    if *first != tag {
        return None;
    }
    let (length, rest) = length(rest)?;
    rest.split_at_checked(length)
}

fn length(der: &[u8]) -> Option<(usize, &[u8])> {
    let (first, rest) = der.split_first()?;
    if *first < 0x80 {
        return Some((usize::from(*first), rest));
    }
    let count = usize::from(*first & 0x7f);
    if !(1..=3).contains(&count) {
        return None;
    }
    let (digits, rest) = rest.split_at_checked(count)?;
    let length = digits.iter().fold(0_usize, |sum, digit| sum << 8 | usize::from(*digit));
    Some((length, rest))
}

/// A PKCS#1 `RSAPrivateKey` as PKCS#8 (RFC 5958), which is what the library reads.
pub(crate) fn rsa_pkcs8(pkcs1: &[u8]) -> Vec<u8> {
    const OCTET_STRING: u8 = 0x04;
    /// Version 0, and `rsaEncryption` without parameters.
    const HEAD: [u8; 18] =
        [0x02, 1, 0, 0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0];
    element(SEQUENCE, &[HEAD.as_slice(), &element(OCTET_STRING, pkcs1)].concat())
}

fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).unwrap_or(u32::MAX).to_be_bytes();
    [&[tag, 0x84], length.as_slice(), content].concat()
}
