//! Faults in when a token is valid. The leeway is five minutes, both ways.

use serde_json::{Value, json};

use crate::build::{ACCEPTED, Case, Keys, NOW, says, usual_claims};

pub(crate) fn cases(keys: &Keys) -> Vec<Case> {
    let claim = |name: &str, value: Value| keys.rsa1.token(json!({}), json!({ name: value }));
    // JSON that serde_json would not write.
    let text = |name: &str, text: &str| {
        let usual = usual_claims(json!({ name: "PLACE" })).to_string();
        keys.rsa1.claims_text(&usual.replace("\"PLACE\"", text))
    };
    let case = |name: &str, fault: &str, token: String, expect| {
        Case::new(
            keys,
            name,
            fault,
            "RFC 7519 section 4.1; AWS STS API (integers only)",
            token,
            expect,
        )
    };
    let edge = |name: &str, seconds: i64| json!({"token": claim(name, json!(seconds))});
    let (exp, iat, nbf) =
        (says::timestamp("expiry"), says::timestamp("issued-at"), says::timestamp("not-before"));
    vec![
        case("exp-missing", "No exp.", claim("exp", Value::Null), says::missing("exp")),
        case(
            "exp-passed",
            "Expired an hour ago.",
            claim("exp", json!(NOW - 3600)),
            says::expired(NOW - 300, NOW - 3600),
        ),
        case(
            "exp-passed-by-the-leeway",
            "Expired exactly five minutes ago.",
            claim("exp", json!(NOW - 300)),
            says::expired(NOW - 300, NOW - 300),
        )
        .twin(edge("exp", NOW - 299)),
        case("exp-zero", "exp is 0.", claim("exp", json!(0)), says::expired(NOW - 300, 0)),
        case("exp-negative", "exp lies before 1970.", claim("exp", json!(-1)), exp.clone())
            .aws(says::expired(NOW - 300, -1)),
        case("exp-null", "exp is null.", keys.rsa1.token_with_null("exp"), exp.clone()),
        case("exp-fraction", "exp has a fraction.", text("exp", "1790003600.5"), exp.clone()),
        case(
            "exp-whole-fraction",
            "exp is whole but written with a fraction.",
            text("exp", "1790003600.0"),
            exp.clone(),
        ),
        case(
            "exp-exponent",
            "exp is written with an exponent.",
            text("exp", "1.79e10"),
            exp.clone(),
        ),
        case("exp-huge", "exp has forty digits.", text("exp", &"9".repeat(40)), exp.clone()),
        case(
            "exp-over-64-bits",
            "exp wraps around in 64 bits.",
            text("exp", "18446744075499551616"),
            exp.clone(),
        ),
        case(
            "exp-unsigned-64-bits",
            "exp is over the signed 64 bits.",
            text("exp", "9223372036854775808"),
            exp.clone(),
        ),
        case(
            "exp-year-10000",
            "exp lies beyond the year 9999.",
            claim("exp", json!(253_402_300_800_i64)),
            exp.clone(),
        )
        .aws(ACCEPTED)
        .twin(edge("exp", 253_402_300_799)),
        case(
            "exp-text",
            "exp is a string of digits; AWS takes it.",
            claim("exp", json!((NOW + 3600).to_string())),
            exp.clone(),
        )
        .aws(ACCEPTED),
        case(
            "exp-text-fraction",
            "exp is a string with a fraction.",
            claim("exp", json!("1790003600.5")),
            exp.clone(),
        ),
        case(
            "exp-text-date",
            "exp is a date.",
            claim("exp", json!("2026-09-21T15:00:00Z")),
            exp.clone(),
        ),
        case("exp-text-empty", "exp is the empty string.", claim("exp", json!("")), exp.clone()),
        case("exp-bool", "exp is true.", claim("exp", json!(true)), exp.clone()),
        case("exp-array", "exp is an array.", claim("exp", json!([NOW + 3600])), exp),
        case("iat-missing", "No iat.", claim("iat", Value::Null), says::missing("iat")),
        case(
            "iat-future",
            "Issued more than five minutes from now.",
            claim("iat", json!(NOW + 301)),
            says::issued_in_future(NOW + 301),
        )
        .twin(edge("iat", NOW + 300)),
        case("iat-null", "iat is null.", keys.rsa1.token_with_null("iat"), iat.clone()),
        case("iat-fraction", "iat has a fraction.", text("iat", "1789999990.25"), iat.clone()),
        case(
            "iat-text",
            "iat is a string of digits; AWS takes it.",
            claim("iat", json!((NOW - 10).to_string())),
            iat.clone(),
        )
        .aws(ACCEPTED),
        case("iat-negative", "iat lies before 1970.", claim("iat", json!(-1)), iat)
            .aws(ACCEPTED)
            .twin(edge("iat", 0)),
        case(
            "nbf-future",
            "Valid only more than five minutes from now.",
            claim("nbf", json!(NOW + 301)),
            says::not_yet_valid(NOW + 300, NOW + 301),
        )
        .twin(edge("nbf", NOW + 300)),
        case("nbf-null", "nbf is null.", keys.rsa1.token_with_null("nbf"), nbf.clone())
            .twin(json!({"token": claim("nbf", Value::Null)})),
        case("nbf-fraction", "nbf has a fraction.", text("nbf", "1789999990.5"), nbf.clone()),
        case("nbf-words", "nbf is words.", claim("nbf", json!("tomorrow")), nbf),
    ]
}
