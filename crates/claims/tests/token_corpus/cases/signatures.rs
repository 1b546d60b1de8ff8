//! Faults in the signature itself.

use serde_json::json;

use crate::build::{Case, Keys, resigned, says, signature_of};

pub(crate) fn cases(keys: &Keys) -> Vec<Case> {
    let rs256 = keys.rsa1.usual();
    let es256 = keys.p256.usual();
    let es384 = keys.p384.usual();
    let es512 = keys.p521.usual();
    let (rsa, ec) = (signature_of(&rs256), signature_of(&es256));
    let wrong = |name: &str, fault: &str, source: &str, token: String| {
        Case::new(keys, name, fault, source, token, says::signature())
    };
    const RSA: &str = "RFC 8017 section 8.2.2";
    const ECDSA: &str = "RFC 7518 section 3.4";
    let of_ec = |name: &str, fault: &str, signature: Vec<u8>| {
        wrong(name, fault, ECDSA, resigned(&es256, signature)).twin(json!({"token": es256}))
    };
    let flipped = |signature: &[u8]| {
        let mut bytes = signature.to_vec();
        bytes[10] ^= 1;
        bytes
    };
    let other = keys.rsa1.token(json!({}), json!({"sub": "repo:acme/admin:ref:refs/heads/main"}));
    let spliced = {
        let mut parts: Vec<&str> = rs256.split('.').collect();
        parts[1] = other.split('.').nth(1).unwrap();
        parts.join(".")
    };
    // The order of P-256's group: as r it is out of range, as is zero.
    let order =
        hex::decode("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551").unwrap();
    vec![
        wrong(
            "signature-by-another-key",
            "Signed by a key that the issuer does not have.",
            RSA,
            keys.mallory.usual(),
        ),
        wrong("signature-of-other-claims", "The claims were replaced after signing.", RSA, spliced),
        wrong(
            "signature-flipped-bit",
            "One bit of the signature differs.",
            RSA,
            resigned(&rs256, flipped(&rsa)),
        ),
        wrong("signature-zero", "256 zero bytes.", RSA, resigned(&rs256, [0; 256])),
        wrong(
            "signature-one",
            "The number one.",
            RSA,
            resigned(&rs256, [vec![0; 255], vec![1]].concat()),
        ),
        wrong("signature-short", "The last byte is missing.", RSA, resigned(&rs256, &rsa[..255])),
        wrong(
            "signature-long",
            "A zero byte follows.",
            RSA,
            resigned(&rs256, [&rsa[..], &[0]].concat()),
        ),
        wrong(
            "signature-leading-zero",
            "A zero byte precedes.",
            RSA,
            resigned(&rs256, [&[0], &rsa[..]].concat()),
        ),
        wrong("signature-huge", "4 KiB of signature.", RSA, resigned(&rs256, vec![1; 4096])),
        of_ec("signature-es256-der", "In DER, as other protocols have it.", der(&ec)),
        of_ec("signature-es256-zero", "r and s are zero (CVE-2022-21449).", vec![0; 64]),
        of_ec("signature-es256-r-zero", "r is zero.", [&[0; 32], &ec[32..]].concat()),
        of_ec(
            "signature-es256-r-order",
            "r is the group's order.",
            [&order[..], &ec[32..]].concat(),
        ),
        of_ec(
            "signature-es256-s-order",
            "s is the group's order.",
            [&ec[..32], &order[..]].concat(),
        ),
        of_ec("signature-es256-swapped", "r and s are swapped.", [&ec[32..], &ec[..32]].concat()),
        of_ec("signature-es256-short", "The last byte is missing.", ec[..63].to_vec()),
        of_ec(
            "signature-es256-widened",
            "Each number has a zero byte before it.",
            [&[0][..], &ec[..32], &[0], &ec[32..]].concat(),
        ),
        of_ec("signature-es256-flipped-bit", "One bit of the signature differs.", flipped(&ec)),
        wrong(
            "signature-es384-flipped-bit",
            "One bit of the signature differs.",
            ECDSA,
            resigned(&es384, flipped(&signature_of(&es384))),
        )
        .field("jwks", keys.p384.jwks_with(json!({})))
        .twin(json!({"token": es384})),
        wrong(
            "signature-es512-flipped-bit",
            "One bit of the signature differs.",
            ECDSA,
            resigned(&es512, flipped(&signature_of(&es512))),
        )
        .field("jwks", keys.p521.jwks_with(json!({})))
        .twin(json!({"token": es512})),
    ]
}

/// r and s as an ASN.1 sequence.
fn der(fixed: &[u8]) -> Vec<u8> {
    let integer = |bytes: &[u8]| {
        let start = bytes.iter().position(|byte| *byte != 0).unwrap();
        let mut body = bytes[start..].to_vec();
        if body[0] & 0x80 != 0 {
            body.insert(0, 0);
        }
        [vec![2, body.len() as u8], body].concat()
    };
    let body = [integer(&fixed[..32]), integer(&fixed[32..])].concat();
    [vec![0x30, body.len() as u8], body].concat()
}
