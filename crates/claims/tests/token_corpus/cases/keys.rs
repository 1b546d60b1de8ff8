//! Faults in which key a token names, and in the keys that an issuer publishes.

use serde_json::{Value, json};

use crate::build::{ACCEPTED, Case, Keys, says, usual_claims};

pub(crate) fn cases(keys: &Keys) -> Vec<Case> {
    [ids(keys), purposes(keys), numbers(keys), documents(keys)].into_iter().flatten().collect()
}

fn ids(keys: &Keys) -> Vec<Case> {
    let kid = |kid: Value| keys.rsa1.token(json!({ "kid": kid }), json!({}));
    let claims = usual_claims(json!({})).to_string();
    let without = keys.rsa1.raw("{\"alg\":\"RS256\"}", &claims);
    let both = |other: Value| json!({"keys": [keys.rsa1.signing.public_jwk(), other]});
    let mut cases = vec![
        Case::new(
            keys,
            "kid-missing",
            "No kid, and the issuer publishes two keys.",
            "AWS STS behaviour; RFC 7515 section 4.1.4",
            without.clone(),
            says::key(),
        )
        .twin(json!({"token": without, "jwks": keys.rsa1.jwks_with(json!({}))})),
        Case::new(
            keys,
            "kid-missing-beside-unusable-key",
            "No kid; of two keys one is usable. AWS counts both.",
            "RFC 7515 section 4.1.4",
            without.clone(),
            says::key(),
        )
        .strict(ACCEPTED)
        .field("jwks", both(keys.rsa2.jwk_with(json!({"use": "enc"}))))
        .twin(json!({"token": keys.rsa1.usual()})),
        Case::new(
            keys,
            "kid-number",
            "kid is a number.",
            "RFC 7515 section 4.1.4",
            kid(json!(1)),
            says::not_a_jwt("structure"),
        ),
        Case::new(
            keys,
            "kid-of-another-key",
            "kid names another key of the same issuer.",
            "RFC 7515 section 4.1.4",
            kid(json!("rsa-2")),
            says::signature(),
        )
        .field("jwks", both(keys.rsa2.signing.public_jwk())),
    ];
    for (name, id, what) in [
        ("kid-unknown", "rsa-9", "names a key that the issuer does not publish"),
        ("kid-empty", "", "is empty"),
        ("kid-path", "../../../../dev/null", "is a path"),
        ("kid-url", "https://mallory.example/jwks#rsa-1", "is a URL"),
        ("kid-query", "x' UNION SELECT 'key' --", "is a database query"),
        ("kid-case", "RSA-1", "differs in case"),
        ("kid-blank-after", "rsa-1 ", "has a blank at the end"),
        ("kid-nul-after", "rsa-1\u{0}", "has a NUL at the end"),
    ] {
        cases.push(Case::new(
            keys,
            name,
            &format!("kid {what}."),
            "RFC 8725 section 3.10",
            kid(json!(id)),
            says::key(),
        ));
    }
    cases
}

fn purposes(keys: &Keys) -> Vec<Case> {
    let rsa = &keys.rsa1;
    let published = |name: &str, fault: &str, source: &str, changes: Value| {
        Case::new(keys, name, fault, source, rsa.usual(), says::key())
            .field("jwks", rsa.jwks_with(changes))
            .twin(json!({"jwks": rsa.jwks_with(json!({}))}))
    };
    vec![
        published(
            "jwk-use-enc",
            "The key is for encryption.",
            "RFC 7517 section 4.2",
            json!({"use": "enc"}),
        ),
        published(
            "jwk-use-number",
            "use is not a string.",
            "RFC 7517 section 4.2",
            json!({"use": 1}),
        ),
        published(
            "jwk-key-ops-sign",
            "key_ops lacks verify.",
            "RFC 7517 section 4.3",
            json!({"key_ops": ["sign"]}),
        ),
        published(
            "jwk-key-ops-text",
            "key_ops is not an array.",
            "RFC 7517 section 4.3",
            json!({"key_ops": "verify"}),
        ),
        published(
            "jwk-key-ops-verify",
            "key_ops is present and right; AWS refuses any.",
            "AWS STS behaviour",
            json!({"key_ops": ["verify"]}),
        )
        .strict(ACCEPTED),
        published(
            "jwk-alg-of-another-hash",
            "The JWK says RS512, the token RS256.",
            "RFC 7517 section 4.4",
            json!({"alg": "RS512"}),
        )
        .aws(ACCEPTED),
        published(
            "jwk-alg-hs256",
            "The JWK of an RSA key says HS256.",
            "RFC 7517 section 4.4",
            json!({"alg": "HS256"}),
        )
        .aws(ACCEPTED),
        published(
            "jwk-alg-ps256",
            "The JWK says PS256.",
            "RFC 7517 section 4.4",
            json!({"alg": "PS256"}),
        )
        .aws(ACCEPTED),
        published(
            "jwk-private-part",
            "The issuer publishes its private key.",
            "RFC 7517 section 9.2",
            json!({"d": "AQAB"}),
        )
        .aws(ACCEPTED),
        published(
            "jwk-without-kid",
            "The key has no kid.",
            "AWS STS behaviour",
            json!({"kid": null}),
        ),
        published(
            "jwk-empty-kid",
            "The key's kid is empty.",
            "AWS STS behaviour",
            json!({"kid": ""}),
        ),
        published(
            "jwk-certificate-of-another-key",
            "x5c certifies another key.",
            "RFC 7517 section 4.7",
            json!({"x5c": [keys.rsa2.certificate]}),
        )
        .twin(json!({"jwks": rsa.jwks_with(json!({"x5c": [rsa.certificate]}))})),
        published(
            "jwk-certificate-unreadable",
            "x5c is not a certificate.",
            "RFC 7517 section 4.7",
            json!({"x5c": ["AAAA"]}),
        ),
        published(
            "jwk-certificate-only",
            "A certificate instead of the numbers.",
            "AWS STS behaviour",
            json!({"n": null, "e": null, "x5c": [rsa.certificate]}),
        ),
        published(
            "jwk-oct",
            "A shared secret in place of the key.",
            "RFC 7518 section 6.4",
            json!({"kty": "oct", "k": "AQAB", "n": null, "e": null}),
        ),
        published(
            "jwk-okp",
            "A key type that is not accepted.",
            "RFC 8037",
            json!({"kty": "OKP", "crv": "Ed25519", "x": "AAAA"}),
        ),
        published("jwk-kty-missing", "No kty.", "RFC 7517 section 4.1", json!({"kty": null})),
    ]
}

fn numbers(keys: &Keys) -> Vec<Case> {
    let rsa = &keys.rsa1;
    let ec = &keys.p256;
    let wrong = |name: &str, fault: &str, source: &str, changes: Value| {
        Case::new(keys, name, fault, source, rsa.usual(), says::key())
            .field("jwks", rsa.jwks_with(changes))
            .twin(json!({"jwks": rsa.jwks_with(json!({}))}))
    };
    let wrong_point = |name: &str, fault: &str, source: &str, changes: Value| {
        Case::new(keys, name, fault, source, ec.usual(), says::key())
            .field("jwks", ec.jwks_with(changes))
            .twin(json!({"jwks": ec.jwks_with(json!({}))}))
    };
    let (jwk, point) = (rsa.signing.public_jwk(), ec.signing.public_jwk());
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let weak = json!({"keys": [{"kty": "RSA", "kid": "weak", "n": keys.weak["n"], "e": "AQAB"}]});
    vec![
        Case::new(
            keys,
            "jwk-rsa-1024",
            "An RSA key of 1024 bits, correctly used.",
            "RFC 7518 section 3.3",
            text(&keys.weak["token"]),
            says::key(),
        )
        .field("jwks", weak)
        .twin(json!({"token": rsa.usual(), "jwks": keys.published()})),
        wrong(
            "jwk-exponent-1",
            "The exponent is 1: every message is its own signature.",
            "RFC 8017 section 3.1",
            json!({"e": "AQ"}),
        ),
        wrong(
            "jwk-exponent-even",
            "The exponent is even.",
            "RFC 8017 section 3.1",
            json!({"e": "AQAA"}),
        ),
        wrong(
            "jwk-modulus-base64",
            "The modulus is in padded base64.",
            "RFC 7518 section 6.3.1.1",
            json!({"n": format!("{}==", text(&jwk["n"]).replace('-', "+").replace('_', "/"))}),
        ),
        wrong(
            "jwk-modulus-number",
            "The modulus is not a string.",
            "RFC 7518 section 6.3.1.1",
            json!({"n": 5}),
        ),
        wrong_point(
            "jwk-point-off-curve",
            "The point is not on the curve.",
            "RFC 7518 section 6.2.1",
            json!({"x": point["y"], "y": point["x"]}),
        ),
        wrong_point(
            "jwk-point-short",
            "A coordinate is one byte short.",
            "RFC 7518 section 6.2.1.2",
            json!({"x": text(&point["x"]).split_at(42).0}),
        ),
        wrong_point(
            "jwk-point-on-another-curve",
            "crv says P-384 for a point on P-256.",
            "RFC 7518 section 6.2.1.1",
            json!({"crv": "P-384"}),
        ),
        wrong_point(
            "jwk-secp256k1",
            "A curve that is not accepted.",
            "RFC 8812",
            json!({"crv": "secp256k1"}),
        ),
    ]
}

fn documents(keys: &Keys) -> Vec<Case> {
    let rsa = &keys.rsa1;
    let twin = json!({"jwks": keys.published()});
    let document = |name: &str, fault: &str, source: &str, jwks: Value| {
        Case::new(keys, name, fault, source, rsa.usual(), says::key())
            .field("jwks", jwks)
            .twin(twin.clone())
    };
    let other = keys.rsa2.jwk_with(json!({"kid": "rsa-1"}));
    let crowd = |count: usize| {
        let filler = (0..count)
            .map(|n| json!({"kty": "RSA", "kid": format!("f{n}"), "n": "AQAB", "e": "AQAB"}));
        json!({"keys": filler.chain([rsa.signing.public_jwk()]).collect::<Vec<_>>()})
    };
    let text = keys.published().to_string();
    vec![
        document(
            "jwks-empty",
            "The issuer publishes no keys.",
            "RFC 7517 section 5",
            json!({"keys": []}),
        ),
        document(
            "jwks-not-keys",
            "The entries are no keys.",
            "RFC 7517 section 5",
            json!({"keys": ["rsa-1", null]}),
        ),
        document(
            "jwks-not-json",
            "The document is a web page.",
            "RFC 7517 section 5",
            json!("<!doctype html>"),
        )
        .strict(says::jwks())
        .aws(says::jwks()),
        document(
            "jwks-keys-missing",
            "There is no array named keys.",
            "RFC 7517 section 5",
            json!({"key": []}),
        )
        .strict(says::jwks())
        .aws(says::jwks()),
        document(
            "jwks-duplicate-member",
            "A member occurs twice.",
            "RFC 7517 section 4",
            json!(text.replacen("\"kid\":\"rsa-1\"", "\"kid\":\"rsa-0\",\"kid\":\"rsa-1\"", 1)),
        )
        .strict(says::jwks())
        .aws(ACCEPTED),
        document(
            "jwks-same-kid-later-right",
            "Two keys have the same kid, the later is the right one.",
            "RFC 7517 section 4.5",
            json!({"keys": [other, rsa.signing.public_jwk()]}),
        )
        .aws(ACCEPTED),
        document(
            "jwks-same-kid-later-wrong",
            "Two keys have the same kid, the earlier is the right one.",
            "RFC 7517 section 4.5",
            json!({"keys": [rsa.signing.public_jwk(), other]}),
        )
        .aws(says::signature()),
        document(
            "jwks-101-rsa-keys",
            "More than 100 RSA keys.",
            "AWS IAM, OIDC provider requirements",
            crowd(100),
        )
        .twin(json!({"jwks": crowd(99)})),
        document(
            "keys-of-another-registration",
            "The same issuer, registered by another account with keys of its own.",
            "design: caches of trust belong to a provider, never to an issuer",
            json!({"keys": [keys.mallory.signing.public_jwk()]}),
        )
        .strict(says::signature())
        .aws(says::signature()),
    ]
}
