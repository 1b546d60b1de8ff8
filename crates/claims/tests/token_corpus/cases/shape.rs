//! Faults in the shape of a token, of its base64url, of its JSON.

use serde_json::json;

use crate::build::{ACCEPTED, Case, Keys, NOW, b64, says, usual_claims};

pub(crate) fn cases(keys: &Keys) -> Vec<Case> {
    let good = keys.rsa1.usual();
    let parts: Vec<&str> = good.split('.').collect();
    let (header, claims, signature) = (parts[0], parts[1], parts[2]);
    let shape = |name: &str, fault: &str, source: &str, token: String| {
        Case::new(keys, name, fault, source, token, says::not_a_jwt("structure"))
    };
    let payload = |name: &str, fault: &str, claims: &str| {
        shape(name, fault, "RFC 7519 section 7.2, step 10", keys.rsa1.claims_text(claims))
    };
    let usual = usual_claims(json!({})).to_string();
    let plus = |more: &str| format!("{},{more}}}", usual.strip_suffix('}').unwrap());
    let nested =
        |levels: usize| plus(&format!("\"x\":{}{}", "[".repeat(levels), "]".repeat(levels)));
    let many = |values: usize| plus(&format!("\"x\":[{}1]", "1,".repeat(values)));

    let padded_claims = |size| keys.rsa1.token(json!({}), json!({"x": "y".repeat(size)}));
    let padded_header = |size| keys.rsa1.token(json!({"x": "y".repeat(size)}), json!({}));
    let deep_header = |levels: usize| {
        let (open, close) = ("[".repeat(levels), "]".repeat(levels));
        let header = format!("{{\"alg\":\"RS256\",\"kid\":\"rsa-1\",\"x\":{open}{close}}}");
        keys.rsa1.raw(&header, &usual)
    };

    let mut cases = vec![
        shape("parts-one", "Not a JWT at all.", "RFC 7515 section 7.1", "token".to_owned()),
        shape(
            "parts-two",
            "The signature and its dot are gone.",
            "RFC 7515 section 7.1",
            format!("{header}.{claims}"),
        ),
        shape(
            "parts-four",
            "A fourth part follows.",
            "RFC 7515 section 7.1",
            format!("{good}.AAAA"),
        ),
        shape(
            "parts-five",
            "Five parts, as an encrypted token has.",
            "RFC 7516 section 7.1",
            format!("{good}.AAAA.AAAA"),
        ),
        shape(
            "parts-signature-empty",
            "The signature is empty.",
            "RFC 8725 section 2.1",
            format!("{header}.{claims}."),
        ),
        shape(
            "parts-claims-empty",
            "The claims are empty (a detached payload).",
            "RFC 7515 appendix F",
            format!("{header}..{signature}"),
        ),
        shape(
            "token-too-long",
            "More than 20000 characters.",
            "AWS STS API, WebIdentityToken",
            padded_claims(15_000),
        )
        .twin(json!({"token": padded_claims(14_000)})),
        shape(
            "base64-padding",
            "The header is padded with =.",
            "RFC 7515 section 2",
            format!("{header}=.{claims}.{signature}"),
        ),
        shape(
            "base64-signature-padded",
            "The signature is padded with =.",
            "RFC 7515 section 2",
            format!("{good}=="),
        ),
        shape(
            "base64-spare-bits",
            "The last character has spare bits set: other text, same bytes.",
            "RFC 4648 section 3.5",
            spare_bits(&good),
        ),
        shape(
            "base64-standard-alphabet",
            "The signature is in base64, not base64url.",
            "RFC 4648 section 5",
            {
                let swapped = signature.replace('-', "+").replace('_', "/");
                format!("{header}.{claims}.{swapped}")
            },
        ),
        shape("base64-newline", "A newline within the claims.", "RFC 7515 section 2", {
            let (a, b) = claims.split_at(40);
            format!("{header}.{a}\n{b}.{signature}")
        }),
        shape(
            "base64-blank-before",
            "A blank before the token.",
            "RFC 7515 section 2",
            format!(" {good}"),
        ),
        shape(
            "header-not-json",
            "The header is not JSON.",
            "RFC 7515 section 5.2, step 3",
            keys.rsa1.raw("alg=RS256", &usual),
        ),
        shape(
            "header-array",
            "The header is an array.",
            "RFC 7515 section 4",
            keys.rsa1.raw("[\"RS256\"]", &usual),
        ),
        shape(
            "header-huge",
            "A header of more than 8 KiB.",
            "limits of this reader",
            padded_header(9000),
        ),
        shape(
            "header-deep",
            "A header nested deeper than 8 levels.",
            "limits of this reader",
            deep_header(8),
        )
        .twin(json!({"token": deep_header(7)})),
        payload("claims-array", "The claims are an array.", "[1]"),
        payload(
            "claims-nested-jws",
            "The claims are another token, as text.",
            &format!("\"{good}\""),
        ),
        payload("claims-bare-jws", "The claims are another token, bare (cty JWT).", &good),
        payload(
            "claims-trailing-text",
            "Text follows the claims' object.",
            &format!("{usual}{{}}"),
        ),
        payload(
            "claims-byte-order-mark",
            "A byte order mark before the claims.",
            &format!("\u{feff}{usual}"),
        ),
        payload(
            "claims-lone-surrogate",
            "A lone surrogate in a string.",
            &plus("\"x\":\"\\ud800\""),
        ),
        payload(
            "claims-number-out-of-range",
            "A number that no double can hold.",
            &plus("\"x\":1e999"),
        ),
        payload("claims-comment", "A comment in the JSON.", &usual.replacen('{', "{/* */", 1)),
        payload("claims-deep", "Claims nested deeper than 32 levels.", &nested(32))
            .twin(json!({"token": keys.rsa1.claims_text(&nested(31))})),
        payload(
            "claims-deep-stack",
            "Claims nested as deeply as the token's length allows.",
            &nested(7000),
        )
        .twin(json!({"token": keys.rsa1.claims_text(&nested(31))})),
        payload("claims-many-values", "More than 4096 values.", &many(5000))
            .twin(json!({"token": keys.rsa1.claims_text(&many(4000))})),
        shape("claims-not-utf8", "A string that is not UTF-8.", "RFC 7519 section 7.2", {
            let bytes = [usual.trim_end_matches('}').as_bytes(), b",\"x\":\"\xff\"}"].concat();
            keys.rsa1.signing.sign_parts(keys.rsa1.header().to_string().as_bytes(), &bytes).unwrap()
        }),
    ];
    cases.extend(duplicates(keys, &usual));
    cases
}

fn duplicates(keys: &Keys, usual: &str) -> Vec<Case> {
    const SOURCE: &str = "RFC 7515 section 4, RFC 7519 section 4";
    let twice = |name: &str, fault: &str, token: String| {
        Case::new(keys, name, fault, SOURCE, token, says::not_a_jwt("duplicates")).aws(ACCEPTED)
    };
    let first = |member: &str| usual.replacen('{', &format!("{{{member},"), 1);
    let tag = |tags: &str| {
        let claim = format!(",\"https://aws.amazon.com/tags\":{{\"principal_tags\":{{{tags}}}}}}}");
        keys.rsa1.claims_text(&format!("{}{claim}", usual.strip_suffix('}').unwrap()))
    };
    vec![
        twice(
            "claims-duplicate-sub",
            "sub occurs twice: two readers see two callers.",
            keys.rsa1.claims_text(&first("\"sub\":\"repo:acme/admin:ref:refs/heads/main\"")),
        ),
        twice(
            "claims-duplicate-escaped",
            "sub occurs twice, once written with an escape.",
            keys.rsa1.claims_text(&first("\"\\u0073ub\":\"repo:acme/admin:ref:refs/heads/main\"")),
        ),
        twice(
            "claims-duplicate-exp",
            "exp occurs twice.",
            keys.rsa1.claims_text(&first(&format!("\"exp\":{}", NOW - 9000))),
        ),
        twice(
            "claims-duplicate-tag",
            "A session tag occurs twice within the tags claim.",
            tag("\"team\":[\"a\"],\"team\":[\"b\"]"),
        )
        .twin(json!({"token": tag("\"team\":[\"b\"]")})),
        twice(
            "header-duplicate-alg",
            "alg occurs twice, none first.",
            keys.rsa1.raw("{\"alg\":\"none\",\"alg\":\"RS256\",\"kid\":\"rsa-1\"}", usual),
        ),
        twice(
            "header-duplicate-kid",
            "kid occurs twice.",
            keys.rsa1.raw("{\"alg\":\"RS256\",\"kid\":\"ec-1\",\"kid\":\"rsa-1\"}", usual),
        ),
    ]
}

/// The same signature in other characters: the spare bits of the last one set.
fn spare_bits(token: &str) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let last = token.as_bytes()[token.len() - 1];
    let place = ALPHABET.iter().position(|byte| *byte == last).unwrap();
    assert_eq!(b64([0; 256]).len() % 4, 2, "a 2048 bit signature leaves four spare bits");
    format!("{}{}", token.split_at(token.len() - 1).0, char::from(ALPHABET[place + 1]))
}
