//! The runner: reads the files, knows nothing of how they were made.

use std::collections::BTreeSet;
use std::path::PathBuf;

use claims::jose::KeySet;
use claims::oidc::{Issuer, Outcome, ProviderRules, inspect, peek, verify_text};
use claims::{Checks, UnixTime, Verdict};
use serde_json::Value;

pub(crate) fn corpus() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../corpus/tokens")
}

fn files() -> Vec<(String, Value)> {
    let mut files: Vec<(String, Value)> = std::fs::read_dir(corpus().join("oidc"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|it| it == "json"))
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let text = std::fs::read_to_string(&path).unwrap();
            let case =
                serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
            (name, case)
        })
        .collect();
    files.sort_by(|a, b| a.0.cmp(&b.0));
    files
}

/// One run of a token: `Ok`, or failure, failed check and client text.
fn judge(case: &Value, checks: Checks) -> Result<Outcome, String> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let rules = ProviderRules {
        issuer: Issuer::from_url(text(&case["rules"]["issuer"])),
        client_ids: case["rules"]["client_ids"].as_array().unwrap().iter().map(text).collect(),
        checks,
    };
    let jwks = match &case["jwks"] {
        Value::String(document) => document.clone(),
        document => document.to_string(),
    };
    let now = UnixTime(case["now"].as_i64().unwrap());
    let token = case["token"].as_str().unwrap();
    let role = case["role"].as_str();
    match KeySet::from_jwks(jwks.as_bytes(), checks) {
        Ok(keys) => Ok(verify_text(token, &rules, &keys, role, now)),
        Err(_) => {
            // Without keys nothing is ever proven; the other checks still run.
            if let Ok(token) = peek(token) {
                let _ = inspect(&token, &rules, role, now);
            }
            Err("jwks".to_owned())
        }
    }
}

fn summary(outcome: &Result<Outcome, String>) -> String {
    match outcome {
        Ok(Outcome { result: Ok(_), .. }) => "accepted".to_owned(),
        Ok(Outcome { result: Err(failure), .. }) => {
            format!("{} ({}): {}", failure.name(), failure.check().name(), failure.client_text())
        }
        Err(document) => document.clone(),
    }
}

fn wanted(expect: &Value) -> String {
    match expect {
        Value::String(word) => word.clone(),
        fields => format!(
            "{} ({}): {}",
            fields["failure"].as_str().unwrap(),
            fields["check"].as_str().unwrap(),
            fields["text"].as_str().unwrap()
        ),
    }
}

fn twin_of(case: &Value) -> Value {
    let mut twin = case.clone();
    for (name, value) in case["twin"].as_object().unwrap() {
        twin[name] = value.clone();
    }
    twin
}

#[test]
fn every_token_is_judged_as_the_corpus_says() {
    let mut wrong = Vec::new();
    for (name, case) in files() {
        assert_eq!(case["case"].as_str(), Some(name.as_str()), "a file is named after its case");
        for (mode, checks) in [("strict", Checks::Strict), ("aws", Checks::Aws)] {
            let outcome = judge(&case, checks);
            let (is, want) = (summary(&outcome), wanted(&case["expect"][mode]));
            if is != want {
                wrong.push(format!("{name}, {mode}:\n  want {want}\n  is   {is}"));
            }
            let Ok(outcome) = outcome else { continue };
            // The first failing finding is the one that the failure speaks of, and there is none
            // for an accepted token.
            let failed = outcome.findings.iter().find(|finding| finding.verdict == Verdict::Fail);
            let spoken = outcome.result.as_ref().err().map(|failure| failure.check());
            assert_eq!(failed.map(|finding| finding.check), spoken, "{name}, {mode}");
            let twin = summary(&judge(&twin_of(&case), checks));
            if twin != "accepted" {
                wrong.push(format!("{name}, {mode}: the twin is not accepted: {twin}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}\n{} wrong", wrong.join("\n"), wrong.len());
}

#[test]
fn every_case_has_a_fault_and_a_twin() {
    let files = files();
    assert!(files.len() >= 100, "only {} cases", files.len());
    for (name, case) in &files {
        for field in ["fault", "source", "token"] {
            assert!(case[field].as_str().is_some(), "{name} has no {field}");
        }
        assert!(!case["twin"].as_object().unwrap().is_empty(), "{name} has no twin");
        let both = ["strict", "aws"].map(|mode| wanted(&case["expect"][mode]));
        assert!(both.iter().any(|it| it != "accepted"), "{name} is refused nowhere");
    }
}

/// The comments marked ATTACK name files of this corpus: they must exist.
#[test]
fn attacks_named_in_the_source_are_in_the_corpus() {
    let names: BTreeSet<String> = files().into_iter().map(|(name, _)| name).collect();
    let mut folders = vec![PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src")];
    let mut seen = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            for rest in text.split("corpus/tokens/oidc/").skip(1) {
                let name: String = rest
                    .chars()
                    .take_while(|c| c.is_ascii_alphanumeric() || "-*.".contains(*c))
                    .collect();
                let Some(name) = name.strip_suffix(".json").or(name.strip_suffix(".json.")) else {
                    continue;
                };
                seen += 1;
                let found = match name.split_once('*') {
                    Some((prefix, _)) => names.iter().any(|it| it.starts_with(prefix)),
                    None => names.contains(name),
                };
                assert!(found, "{}: there is no {name}", path.display());
            }
        }
    }
    assert!(seen >= 8, "{seen}");
}

/// Without keys nothing can become `Verified`: `inspect` says so in the findings.
#[test]
fn without_keys_the_signature_is_skipped_and_said_so() {
    let (_, case) = files().into_iter().find(|(name, _)| name == "signature-zero").unwrap();
    let rules = ProviderRules {
        issuer: Issuer::from_url(case["rules"]["issuer"].as_str().unwrap()),
        client_ids: vec!["sts.amazonaws.com".to_owned()],
        checks: Checks::Strict,
    };
    let token = peek(case["token"].as_str().unwrap()).unwrap();
    let inspection = inspect(&token, &rules, None, UnixTime(case["now"].as_i64().unwrap()));
    assert!(!inspection.result.unwrap().signature_checked);
    let signature = inspection
        .findings
        .iter()
        .find(|finding| finding.check == claims::Check::Signature)
        .unwrap();
    assert_eq!(signature.verdict, Verdict::Skipped);
    assert_eq!(signature.note, "signature not checked: no keys at hand");
}
