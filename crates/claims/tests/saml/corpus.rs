//! `corpus/saml`: every attack is refused for the stated reason, in both modes, and its twin, made
//! by the same hands without the attack, is accepted.

use std::collections::BTreeMap;
use std::path::Path;

use claims::saml::{Certificate, DecryptionKey, Input, Outcome, ProviderRules, Wanted, verify};
use claims::{Checks, UnixTime, Verdict};
use serde::Deserialize;

use crate::idp::{self, Recipe, make};

/// 2027-01-15T08:00:00Z
pub const NOW: UnixTime = UnixTime(1_800_000_000);
const ROLE: &str = "arn:aws:iam::123456789012:role/deploy";
const PROVIDER: &str = "arn:aws:iam::123456789012:saml-provider/Corp";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    case: String,
    fault: String,
    source: String,
    #[serde(default)]
    recipe: Recipe,
    #[serde(default)]
    twin: Recipe,
    #[serde(default)]
    provider: Provider,
    expect: BTreeMap<String, Expected>,
}

/// The provider, where it is not the plain one.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Provider {
    pub certificates: Vec<String>,
    pub keys: Vec<String>,
    pub encryption_required: bool,
    pub audiences: Vec<String>,
    pub addresses: Vec<String>,
}

impl Default for Provider {
    fn default() -> Self {
        Self {
            certificates: vec!["idp".to_owned()],
            keys: vec!["sp".to_owned()],
            encryption_required: false,
            audiences: Vec::new(),
            addresses: Vec::new(),
        }
    }
}

#[derive(Debug, Deserialize, PartialEq, Eq)]
#[serde(untagged)]
enum Expected {
    Accepted(String),
    Refused { failure: String, check: String, text: String },
}

pub fn judge(response: &[u8], provider: &Provider, checks: Checks) -> Outcome {
    let rules = ProviderRules {
        entity_id: Some("https://idp.example/metadata".to_owned()),
        checks,
        audiences: provider.audiences.clone(),
        addresses: provider.addresses.clone(),
        skew: 60,
        encryption_required: provider.encryption_required,
    };
    let certificate = |name: &String| Certificate::from_der(&idp::der(&format!("{name}.crt")));
    let certificates: Vec<Certificate> =
        provider.certificates.iter().map(|name| certificate(name).unwrap()).collect();
    let key = |name: &String| DecryptionKey::from_pem(&idp::file(&format!("keys/{name}.key")));
    let keys: Vec<DecryptionKey> = provider.keys.iter().map(|name| key(name).unwrap()).collect();
    verify(&Input {
        response,
        rules: &rules,
        certificates: &certificates,
        keys: &keys,
        wanted: Some(Wanted { role: ROLE, provider: PROVIDER }),
        now: NOW,
    })
}

fn cases() -> Vec<(String, Case)> {
    let mut cases = Vec::new();
    for folder in std::fs::read_dir(idp::corpus()).unwrap() {
        let folder = folder.unwrap().path();
        if !folder.is_dir() || folder.ends_with("keys") {
            continue;
        }
        for file in std::fs::read_dir(&folder).unwrap() {
            let file = file.unwrap().path();
            cases.push((stem(&file), read(&file)));
        }
    }
    assert!(cases.len() > 60, "the corpus is there");
    cases
}

fn stem(file: &Path) -> String {
    file.file_stem().unwrap().to_str().unwrap().to_owned()
}

fn read(file: &Path) -> Case {
    let text = std::fs::read_to_string(file).unwrap();
    serde_json::from_str(&text).unwrap_or_else(|why| panic!("{}: {why}", file.display()))
}

fn outcome_of(outcome: &Outcome) -> Expected {
    match &outcome.result {
        Ok(_) => Expected::Accepted("accepted".to_owned()),
        Err(failure) => Expected::Refused {
            failure: failure.name().to_owned(),
            check: failure.check().name().to_owned(),
            text: failure.client_text(),
        },
    }
}

#[test]
fn every_attack_is_refused_for_its_reason_and_its_twin_is_not() {
    let mut wrong = Vec::new();
    for (name, case) in cases() {
        assert_eq!(name, case.case);
        assert!(!case.fault.is_empty() && !case.source.is_empty(), "{name}");
        assert_eq!(case.expect.len(), 2, "{name}: both modes");
        let (attack, twin) = (make(&case.recipe), make(&case.twin));
        let mut refused = false;
        for (mode, checks) in [("strict", Checks::Strict), ("aws", Checks::Aws)] {
            let outcome = judge(attack.as_bytes(), &case.provider, checks);
            let got = outcome_of(&outcome);
            if got != case.expect[mode] {
                wrong.push(format!("{name} in {mode}: {got:?}\n{:#?}", outcome.findings.last()));
            }
            if let Err(failure) = &outcome.result {
                refused = true;
                let first = outcome.findings.iter().find(|it| it.verdict == Verdict::Fail);
                assert_eq!(first.map(|it| it.check), Some(failure.check()), "{name} in {mode}");
            }
            // An attack that a mode takes must not have changed what is taken.
            if let Ok(verified) = &outcome.result {
                assert_eq!(verified.subject, "ada", "{name} in {mode}");
                assert!(!verified.roles.iter().any(|(role, _)| role.ends_with("admin")));
            }
            let outcome = judge(twin.as_bytes(), &case.provider, checks);
            if let Err(failure) = outcome.result {
                wrong.push(format!("the twin of {name} in {mode}: {failure:?}"));
            }
        }
        assert!(refused || case.fault.starts_with("None"), "{name} is refused somewhere");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_plain_response_says_all_that_it_says() {
    let response = make(&Recipe::default());
    let outcome = judge(response.as_bytes(), &Provider::default(), Checks::Strict);
    let verified = outcome.result.unwrap();
    assert_eq!(verified.id, "_a1");
    assert_eq!(verified.issuer, "https://idp.example/metadata");
    assert_eq!((verified.subject.as_str(), verified.subject_type.as_str()), ("ada", "persistent"));
    assert_eq!(verified.recipient, "https://signin.aws.amazon.com/saml");
    let read = "arn:aws:iam::123456789012:role/read";
    let pair = |role: &str| (role.to_owned(), PROVIDER.to_owned());
    assert_eq!(verified.roles, [pair(ROLE), pair(read)], "in either order");
    assert_eq!(verified.session_name, "ada@corp.example");
    assert_eq!(verified.session_duration, Some(7200));
    assert_eq!(verified.session_ends, Some(NOW.plus(8 * 3600)));
    assert_eq!(verified.source_identity.as_deref(), Some("ada"));
    let tag = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    assert_eq!(verified.tags.principal, [tag("cost-center", "4711"), tag("project", "heart")]);
    assert_eq!(verified.tags.transitive, ["project"]);
    assert_eq!(verified.refused_from, NOW.plus(360), "the earliest end, and the skew");
    let keys: Vec<_> = verified.keys.iter().map(|it| (it.name, it.values.join(" "))).collect();
    assert_eq!(
        keys,
        [
            ("saml:eduPersonAffiliation", "staff member".to_owned()),
            ("saml:mail", "ada@corp.example".to_owned())
        ]
    );
    assert!(outcome.findings.iter().all(|it| it.verdict != Verdict::Fail));
}
