//! How long a SAML response takes on one core, and what the dearest ones cost that the limits let
//! through: `cargo run --release -p claims --example saml_speed`. The aim is 20 ms for the worst.
#![expect(clippy::print_stdout, reason = "a program for people")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "it stops at a fault")]

#[path = "../tests/saml/idp.rs"]
#[allow(
    clippy::string_slice,
    clippy::indexing_slicing,
    dead_code,
    reason = "the corpus wants more of it, on texts that it has made itself"
)]
mod idp;

use std::time::{Duration, Instant};

use claims::saml::{Certificate, DecryptionKey, Input, ProviderRules, Wanted, verify};
use claims::{Checks, UnixTime};
use serde_json::json;

/// The server's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let twice = json!([{"id": "_a1"}, {"id": "_r1"}]);
    let to = |data: &str| json!({"to": "sp", "data": data});
    let filled = |text: String| json!({"edit": [[">staff<", format!(">{text}<")]], "sign": twice});
    let nested = |open: &dyn Fn(usize) -> String, levels: usize, inner: &str| {
        (0..levels).map(open).collect::<String>() + inner + &"</a>".repeat(levels)
    };
    let declare = |level: usize| {
        let spaces = (0..29).map(|at| format!(" xmlns:p{level}x{at}=\"u\""));
        format!("<a{}>", spaces.collect::<String>())
    };
    let declare_and_use = |level: usize| {
        let space = |at| format!(" xmlns:p{level}x{at}=\"u\" p{level}x{at}:z{at}=\"\"");
        format!("<a{}>", (0..14).map(space).collect::<String>())
    };
    let user = r#"<p0x0:b p0x1:c="" p0x2:d="" p0x3:e="" p0x4:f="" p0x5:g="" p0x6:h=""/>"#;
    let users: String = (0..3000).map(|at| format!("<p1x{}:b/>", at % 29)).collect();
    let attributes: String = (0..30).map(|at| format!(" a{at}=\"\"")).collect();
    for (name, recipe) in [
        ("one signature", json!({})),
        ("two signatures", json!({"sign": twice})),
        ("encrypted, AES-128-GCM", json!({"encrypt": to("aes128-gcm")})),
        (
            "encrypted, AES-256-CBC, signed twice",
            json!({"encrypt": to("aes256-cbc"), "sign": twice}),
        ),
        ("3850 elements", filled("<x/>".repeat(3850))),
        ("200 elements of 30 attributes", filled(format!("<x{attributes}/>").repeat(200))),
        ("50 levels", filled(nested(&|_| "<a>".to_owned(), 50, ""))),
        ("58 namespaces, 3000 users of them", filled(nested(&declare, 2, &users))),
        (
            "56 namespaces in use, 6500 users of a few",
            filled(nested(&declare_and_use, 4, &user.repeat(920))),
        ),
    ] {
        measure(name, idp::make(&serde_json::from_value(recipe).unwrap()).as_bytes());
    }
}

fn measure(name: &str, response: &[u8]) {
    let certificates = [Certificate::from_der(&idp::der("idp.crt")).unwrap()];
    let keys = [DecryptionKey::from_pem(&idp::file("keys/sp.key")).unwrap()];
    let rules = ProviderRules {
        entity_id: Some("https://idp.example/metadata".to_owned()),
        checks: Checks::Strict,
        audiences: Vec::new(),
        addresses: Vec::new(),
        skew: 60,
        encryption_required: false,
    };
    let input = Input {
        response,
        rules: &rules,
        certificates: &certificates,
        keys: &keys,
        wanted: Some(Wanted {
            role: "arn:aws:iam::123456789012:role/deploy",
            provider: "arn:aws:iam::123456789012:saml-provider/Corp",
        }),
        now: UnixTime(1_800_000_000),
    };
    let mut best = Duration::MAX;
    for _ in 0..300 {
        let started = Instant::now();
        let outcome = verify(&input);
        best = best.min(started.elapsed());
        assert!(outcome.result.is_ok(), "{name} is refused: {:?}", outcome.result.err());
    }
    println!("{name:40} {:6} bytes  {:6} µs", response.len(), best.as_micros());
}
