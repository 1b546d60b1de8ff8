//! Tokens: taking apart, judging, and key documents. The first byte chooses: a whole token; header and
//! payload as JSON, parted by a line feed, to be encoded; a JWKS; a discovery document.

#![no_main]

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use claims::jose::KeySet;
use claims::oidc::{self, Input, Issuer, ProviderRules};
use claims::{Checks, UnixTime};
use libfuzzer_sys::fuzz_target;

/// A file of the token corpus, for its key set.
const CASE: &str = include_str!("../../corpus/tokens/oidc/alg-array.json");

static CASE_KEYS: LazyLock<KeySet> = LazyLock::new(|| {
    let case: serde_json::Value = serde_json::from_str(CASE).unwrap();
    KeySet::from_jwks(case["jwks"].to_string().as_bytes(), Checks::Aws).unwrap()
});

fn judge(token: &str) {
    let Ok(unverified) = oidc::peek(token) else { return };
    for checks in [Checks::Strict, Checks::Aws] {
        let rules = ProviderRules {
            issuer: Issuer::from_url("https://idp.example/tenant"),
            client_ids: vec!["sts.amazonaws.com".to_owned()],
            checks,
        };
        let (keys, now) = (&*CASE_KEYS, UnixTime(1_790_000_000));
        let outcome =
            oidc::verify(&Input { token: &unverified, rules: &rules, keys, role: None, now });
        let inspected = oidc::inspect(&unverified, &rules, None, now);
        // A token that is proven is one whose claims do.
        assert!(outcome.result.is_err() || inspected.result.is_ok());
        assert!(!outcome.findings.is_empty());
    }
}

fuzz_target!(|data: &[u8]| {
    let Some((choice, rest)) = data.split_first() else { return };
    match choice % 4 {
        0 => {
            let Ok(token) = std::str::from_utf8(rest) else { return };
            judge(token);
        }
        1 => {
            let mut parts = rest.splitn(2, |b| *b == b'\n').map(|p| URL_SAFE_NO_PAD.encode(p));
            let (Some(header), Some(payload)) = (parts.next(), parts.next()) else { return };
            judge(&format!("{header}.{payload}.{}", "A".repeat(342)));
        }
        2 => {
            for checks in [Checks::Strict, Checks::Aws] {
                let _ = KeySet::from_jwks(rest, checks);
            }
        }
        _ => {
            let issuer = Issuer::from_url("https://idp.example/tenant");
            let _ =
                oidc::discovery::Discovery::parse(rest, &issuer, oidc::discovery::Transport::Https);
        }
    }
});
