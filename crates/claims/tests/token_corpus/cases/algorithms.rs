//! Faults in how the header says the token is to be checked.

use aws_lc_rs::signature::KeyPair;
use aws_lc_rs::{hmac, rand, signature};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::build::{ACCEPTED, Case, Keys, b64, resigned, says, usual_claims};

pub(crate) fn cases(keys: &Keys) -> Vec<Case> {
    [none(keys), symmetric(keys), foreign(keys), header(keys), types(keys)]
        .into_iter()
        .flatten()
        .collect()
}

fn none(keys: &Keys) -> Vec<Case> {
    const SOURCE: &str = "RFC 8725 sections 2.1 and 3.2";
    let spelled = |alg: &str| keys.rsa1.token(json!({ "alg": alg }), json!({}));
    let unsigned = |alg: &str| {
        let token = spelled(alg);
        format!("{}.", token.rsplit_once('.').unwrap().0)
    };
    let mut cases = vec![
        Case::new(
            keys,
            "alg-none",
            "alg is none and there is no signature.",
            SOURCE,
            unsigned("none"),
            says::not_a_jwt("structure"),
        ),
        Case::new(
            keys,
            "alg-missing",
            "The header has no alg.",
            "RFC 7515 section 4.1.1",
            keys.rsa1.raw("{\"kid\":\"rsa-1\"}", &usual_claims(json!({})).to_string()),
            says::algorithm(),
        ),
        Case::new(
            keys,
            "alg-null",
            "alg is null.",
            "RFC 7515 section 4.1.1",
            keys.rsa1.raw("{\"alg\":null,\"kid\":\"rsa-1\"}", &usual_claims(json!({})).to_string()),
            says::not_a_jwt("structure"),
        ),
        Case::new(
            keys,
            "alg-array",
            "alg is an array.",
            "RFC 7515 section 4.1.1",
            keys.rsa1.token(json!({"alg": ["none", "RS256"]}), json!({})),
            says::not_a_jwt("structure"),
        ),
    ];
    for (name, alg) in [
        ("alg-none-signed", "none"),
        ("alg-none-capital", "None"),
        ("alg-none-mixed", "nOnE"),
        ("alg-lower-case", "rs256"),
        ("alg-blank-after", "RS256 "),
        ("alg-empty", ""),
    ] {
        cases.push(Case::new(
            keys,
            name,
            &format!("alg is {alg:?}, with a signature that RS256 would accept."),
            SOURCE,
            spelled(alg),
            says::algorithm(),
        ));
    }
    cases
}

/// ATTACK: a verifier that lets the header choose takes the public key, which everybody knows, for
/// the shared secret.
fn symmetric(keys: &Keys) -> Vec<Case> {
    let spki = &keys.rsa1.spki;
    let lines: Vec<String> = STANDARD
        .encode(spki)
        .as_bytes()
        .chunks(64)
        .map(|line| String::from_utf8(line.to_vec()).unwrap())
        .collect();
    let pem =
        format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n"));
    let jwk = keys.rsa1.signing.public_jwk();
    let n = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(jwk["n"].as_str().unwrap())
        .unwrap();
    let pkcs8 = keys.rsa1.signing.to_pkcs8().unwrap();
    let pkcs1 = signature::RsaKeyPair::from_pkcs8(&pkcs8).unwrap().public_key().as_ref().to_vec();
    let secrets: [(&str, &str, Vec<u8>); 7] = [
        ("pem", "its PEM", pem.clone().into_bytes()),
        (
            "pem-without-newline",
            "its PEM without the last newline",
            pem.trim_end().as_bytes().to_vec(),
        ),
        ("der", "its DER (SubjectPublicKeyInfo)", spki.clone()),
        ("pkcs1", "its PKCS#1 form", pkcs1),
        ("jwk", "its JWK", jwk.to_string().into_bytes()),
        ("modulus", "its modulus", n),
        ("nothing", "the empty string", Vec::new()),
    ];
    secrets
        .into_iter()
        .map(|(name, what, secret)| {
            let token = keys.rsa1.token(json!({"alg": "HS256"}), json!({}));
            let signed = token.rsplit_once('.').unwrap().0.to_owned();
            let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &secret), signed.as_bytes());
            Case::new(
                keys,
                &format!("alg-hs256-keyed-with-{name}"),
                &format!("HS256, the public RSA key as the secret: {what}."),
                "RFC 8725 section 2.1",
                resigned(&token, tag.as_ref()),
                says::algorithm(),
            )
        })
        .collect()
}

/// Other algorithms, and the right ones with the wrong key.
fn foreign(keys: &Keys) -> Vec<Case> {
    const SOURCE: &str = "RFC 8725 section 3.1";
    let claims = usual_claims(json!({})).to_string();
    let pss = {
        let unsigned = format!("{}.{}", b64("{\"alg\":\"PS256\",\"kid\":\"rsa-1\"}"), b64(&claims));
        let pkcs8 = keys.rsa1.signing.to_pkcs8().unwrap();
        let pair = signature::RsaKeyPair::from_pkcs8(&pkcs8).unwrap();
        let mut bytes = vec![0; pair.public_modulus_len()];
        pair.sign(
            &signature::RSA_PSS_SHA256,
            &rand::SystemRandom::new(),
            unsigned.as_bytes(),
            &mut bytes,
        )
        .unwrap();
        format!("{unsigned}.{}", b64(bytes))
    };
    let ed25519 = {
        let unsigned = format!("{}.{}", b64("{\"alg\":\"EdDSA\",\"kid\":\"rsa-1\"}"), b64(&claims));
        let pair = signature::Ed25519KeyPair::generate().unwrap();
        format!("{unsigned}.{}", b64(pair.sign(unsigned.as_bytes())))
    };
    let as_rs512 = {
        let pkcs8 = keys.rsa1.signing.to_pkcs8().unwrap();
        claims::jose::SigningKey::from_pkcs8(claims::jose::Alg::Rs512, "rsa-1", &pkcs8).unwrap()
    };
    let rs512 =
        as_rs512.sign_parts(b"{\"alg\":\"RS512\",\"kid\":\"rsa-1\"}", claims.as_bytes()).unwrap();
    let undeclared = json!({"keys": [keys.rsa1.jwk_with(json!({"alg": null}))]});
    let named = |alg: &str, kid: &str| json!({"alg": alg, "kid": kid});
    vec![
        Case::new(
            keys,
            "alg-ps256",
            "PS256, correctly signed; AWS does not take it.",
            "AWS STS API, AssumeRoleWithWebIdentity",
            pss,
            says::algorithm(),
        ),
        Case::new(
            keys,
            "alg-eddsa",
            "EdDSA, signed with a key of the sender's own.",
            "AWS STS API, AssumeRoleWithWebIdentity",
            ed25519,
            says::algorithm(),
        ),
        Case::new(
            keys,
            "alg-rs512-key-declares-rs256",
            "RS512 with a key whose JWK says RS256.",
            "RFC 7517 section 4.4",
            rs512.clone(),
            says::key(),
        )
        .aws(ACCEPTED)
        .twin(json!({"token": rs512, "jwks": undeclared})),
        Case::new(
            keys,
            "alg-rs256-with-ec-key",
            "RS256 names a key on P-256.",
            SOURCE,
            keys.rsa1.token(json!({"kid": "ec-1"}), json!({})),
            says::key(),
        ),
        Case::new(
            keys,
            "alg-es256-with-rsa-key",
            "ES256 names an RSA key.",
            SOURCE,
            keys.p256.token(json!({"kid": "rsa-1"}), json!({})),
            says::key(),
        )
        .twin(json!({"token": keys.p256.usual()})),
        Case::new(
            keys,
            "alg-es384-with-p256-key",
            "ES384 names a key on P-256.",
            "RFC 7518 section 3.4",
            keys.p256.token(named("ES384", "ec-1"), json!({})),
            says::key(),
        )
        .twin(json!({"token": keys.p256.usual()})),
        Case::new(
            keys,
            "alg-es256-with-p384-key",
            "ES256 names a key on P-384.",
            "RFC 7518 section 3.4",
            keys.p384.token(named("ES256", "ec-2"), json!({})),
            says::key(),
        )
        .field("jwks", keys.p384.jwks_with(json!({"alg": null})))
        .twin(json!({"token": keys.p384.usual()})),
        Case::new(
            keys,
            "alg-rs384-signed-rs256",
            "The header says RS384, the signature is RS256.",
            SOURCE,
            keys.rsa1.token(named("RS384", "rsa-1"), json!({})),
            says::signature(),
        )
        .field("jwks", undeclared.clone()),
    ]
}

fn header(keys: &Keys) -> Vec<Case> {
    let mallorys = |more: Value| keys.mallory.token(more, json!({}));
    let own_key = "A token signed by somebody else, who puts his own key";
    let offered = |name: &str, how: &str, more: Value| {
        Case::new(
            keys,
            name,
            &format!("{own_key} {how}."),
            "RFC 8725 section 3.10",
            mallorys(more.clone()),
            says::signature(),
        )
        .twin(json!({"token": keys.rsa1.token(more, json!({}))}))
    };
    let crit = |name: &str, fault: &str, more: Value| {
        Case::new(
            keys,
            name,
            fault,
            "RFC 7515 section 4.1.11",
            keys.rsa1.token(more, json!({})),
            says::critical(),
        )
    };
    vec![
        offered(
            "header-jwk",
            "into the header (jwk)",
            json!({"jwk": keys.mallory.signing.public_jwk()}),
        ),
        offered(
            "header-jku",
            "behind a URL in the header (jku)",
            json!({"jku": "https://mallory.example/jwks"}),
        ),
        offered(
            "header-x5u",
            "behind a URL in the header (x5u)",
            json!({"x5u": "https://mallory.example/chain.pem"}),
        ),
        offered(
            "header-x5c",
            "as a certificate into the header (x5c)",
            json!({"x5c": [keys.mallory.certificate]}),
        ),
        crit(
            "header-crit-unknown",
            "A critical extension that nobody knows.",
            json!({"crit": ["http://example.com/UNDEFINED"], "http://example.com/UNDEFINED": true}),
        ),
        crit("header-crit-empty", "An empty crit.", json!({"crit": []})),
        crit(
            "header-crit-exp",
            "crit names a header member that we would read anyway.",
            json!({"crit": ["kid"]}),
        ),
        crit(
            "header-crit-b64",
            "An unencoded payload, declared critical.",
            json!({"crit": ["b64"], "b64": false}),
        ),
        Case::new(
            keys,
            "header-b64-false",
            "b64 is false without crit: readers differ about what is signed.",
            "RFC 7797 section 6",
            keys.rsa1.token(json!({"b64": false}), json!({})),
            says::not_a_jwt("critical"),
        )
        .aws(ACCEPTED),
    ]
}

/// Tokens of other kinds, signed by the same issuer.
fn types(keys: &Keys) -> Vec<Case> {
    let mut cases = vec![Case::new(
        keys,
        "typ-number",
        "typ is a number.",
        "RFC 7515 section 4.1.9",
        keys.rsa1.token(json!({"typ": 1}), json!({})),
        says::not_a_jwt("structure"),
    )];
    for (name, typ) in [
        ("typ-access-token", "at+jwt"),
        ("typ-access-token-full", "application/at+jwt"),
        ("typ-logout-token", "logout+jwt"),
        ("typ-dpop-proof", "dpop+jwt"),
        ("typ-security-event", "secevent+jwt"),
        ("typ-jose", "JOSE"),
    ] {
        let case = Case::new(
            keys,
            name,
            &format!("typ is {typ}: not an identity token."),
            "RFC 8725 section 3.11",
            keys.rsa1.token(json!({ "typ": typ }), json!({})),
            says::not_a_jwt("type"),
        );
        cases.push(case.aws(ACCEPTED));
    }
    cases
}
