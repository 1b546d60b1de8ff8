//! The little DER (X.690) that keys need: taking a certificate's public key out, and reading and
//! writing an RSA public key.

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const EXPLICIT_0: u8 = 0xa0;

/// The public key of an X.509 certificate (RFC 5280 section 4.1): for RSA modulus and exponent,
/// for elliptic curves the point. Checks no signature and no validity: a certificate in a JWKS is
/// trusted because the JWKS is.
pub(crate) fn certificate_key(der: &[u8]) -> Option<CertificateKey> {
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
    for _ in ["signature", "issuer", "validity", "subject"] {
        rest = expect(rest, SEQUENCE)?.1;
    }
    let (subject_key, _) = expect(rest, SEQUENCE)?;
    let (_, after_algorithm) = expect(subject_key, SEQUENCE)?;
    let (bits, _) = expect(after_algorithm, BIT_STRING)?;
    let (unused, key) = bits.split_first()?;
    if *unused != 0 {
        return None;
    }
    Some(match rsa_public_key(key) {
        Some((n, e)) => CertificateKey::Rsa { n, e },
        None => CertificateKey::Point(key.to_vec()),
    })
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
