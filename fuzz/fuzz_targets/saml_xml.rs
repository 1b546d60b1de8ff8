//! SAML: responses, and what an encrypted assertion may hold; metadata. The first byte chooses.

#![no_main]

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use claims::saml::{Certificate, DecryptionKey, Input, Metadata, ProviderRules, inspect, verify};
use claims::{Checks, UnixTime};
use libfuzzer_sys::fuzz_target;

static CERTIFICATES: LazyLock<Vec<Certificate>> = LazyLock::new(|| {
    let pem = include_str!("../../corpus/saml/keys/idp.crt");
    let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    vec![Certificate::from_der(&STANDARD.decode(body).unwrap()).unwrap()]
});

static KEYS: LazyLock<Vec<DecryptionKey>> = LazyLock::new(|| {
    vec![DecryptionKey::from_pem(include_str!("../../corpus/saml/keys/sp.key")).unwrap()]
});

fn judge(response: &[u8]) {
    for checks in [Checks::Strict, Checks::Aws] {
        let rules = ProviderRules {
            entity_id: Some("https://idp.example/metadata".to_owned()),
            checks,
            audiences: Vec::new(),
            addresses: Vec::new(),
            skew: 60,
            encryption_required: false,
        };
        let input = Input {
            response,
            rules: &rules,
            certificates: &CERTIFICATES,
            keys: &KEYS,
            wanted: None,
            now: UnixTime(1_800_000_000),
        };
        let outcome = verify(&input);
        assert!(!outcome.findings.is_empty());
        // What is proven would also do without proof, and nothing in the seeds is signed.
        assert!(outcome.result.is_err());
        let _ = inspect(&input);
    }
}

fuzz_target!(|data: &[u8]| {
    let Some((choice, rest)) = data.split_first() else { return };
    match choice % 2 {
        0 => judge(rest),
        _ => {
            let Ok(text) = std::str::from_utf8(rest) else { return };
            if let Ok(metadata) = Metadata::parse(text) {
                assert!(!metadata.trusted().is_empty());
            }
        }
    }
});
