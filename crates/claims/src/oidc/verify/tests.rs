use serde_json::{Value, json};

use super::*;
use crate::Verdict;
use crate::jose::{SigningKey, jwks};

const NOW: UnixTime = UnixTime(1_790_000_000);
const ROLE: &str = "arn:aws:iam::123456789012:role/deploy";

fn rules() -> ProviderRules {
    ProviderRules {
        issuer: Issuer::from_registered("idp.example"),
        client_ids: vec!["sts.amazonaws.com".to_owned()],
        checks: Checks::Strict,
    }
}

fn claims(more: Value) -> Claims {
    let mut claims = json!({
        "iss": "https://idp.example", "sub": "ada", "aud": "sts.amazonaws.com",
        "iat": NOW.0, "exp": NOW.0 + 60,
    });
    for (name, value) in more.as_object().unwrap() {
        claims[name] = value.clone();
    }
    Claims::new(claims.as_object().cloned().unwrap())
}

fn keys(key: &SigningKey) -> KeySet {
    KeySet::from_jwks(jwks([key]).to_string().as_bytes(), Checks::Strict).unwrap()
}

fn judged(more: Value, by: &SigningKey, published: &SigningKey) -> Outcome {
    let token = by.sign(&claims(more)).unwrap();
    verify_text(&token, &rules(), &keys(published), Some(ROLE), NOW)
}

fn verdicts(outcome: &Outcome) -> Vec<(Check, Verdict)> {
    outcome.findings.iter().map(|finding| (finding.check, finding.verdict)).collect()
}

#[test]
fn every_algorithm_proves_its_own_tokens_and_no_others() {
    for alg in Alg::ALL {
        let key = SigningKey::generate(alg, "k").unwrap();
        let outcome = judged(json!({}), &key, &key);
        assert_eq!(outcome.result.unwrap().alg, alg);
        let again = SigningKey::from_pkcs8(alg, "k", &key.to_pkcs8().unwrap()).unwrap();
        assert!(judged(json!({}), &again, &key).result.is_ok(), "{alg} survives PKCS#8");
        let other = SigningKey::generate(alg, "k").unwrap();
        let outcome = judged(json!({}), &other, &key);
        assert_eq!(outcome.result.unwrap_err(), Failure::Signature, "{alg}");
    }
}

#[test]
fn a_good_token_passes_every_check_in_order() {
    use Check::*;
    use Verdict::{Pass, Skipped};
    let key = SigningKey::generate(Alg::Es256, "k").unwrap();
    let outcome = judged(json!({}), &key, &key);
    assert_eq!(
        verdicts(&outcome),
        [
            (Structure, Pass),
            (Duplicates, Pass),
            (Algorithm, Pass),
            (Critical, Pass),
            (Type, Pass),
            (Issuer, Pass),
            (RequiredClaims, Pass),
            (Subject, Pass),
            (Key, Pass),
            (Signature, Pass),
            (Expiry, Pass),
            (IssuedAt, Pass),
            (NotBefore, Skipped),
            (Audience, Pass),
            (Tags, Skipped),
            (SourceIdentity, Skipped),
            (Roles, Skipped),
        ]
    );
}

/// The result is the first failure in AWS's order; the findings tell of all.
#[test]
fn all_faults_are_found_and_the_first_decides() {
    let key = SigningKey::generate(Alg::Es256, "k").unwrap();
    let other = SigningKey::generate(Alg::Es256, "k").unwrap();
    let unknown = SigningKey::generate(Alg::Es256, "gone").unwrap();
    let mut faults = json!({
        "iss": "https://idp.example/", "exp": 1, "iat": NOW.0 + 9000, "nbf": NOW.0 + 9000,
        "aud": "other", "https://aws.amazon.com/tags": 1,
        "https://aws.amazon.com/source_identity": 1, "https://aws.amazon.com/roles": [],
    });
    let expected = [
        ("iss", Check::Issuer),
        ("", Check::Signature),
        ("exp", Check::Expiry),
        ("iat", Check::IssuedAt),
        ("nbf", Check::NotBefore),
        ("aud", Check::Audience),
        ("https://aws.amazon.com/tags", Check::Tags),
        ("https://aws.amazon.com/source_identity", Check::SourceIdentity),
        ("https://aws.amazon.com/roles", Check::Roles),
    ];
    let mut signer = &other;
    for (place, (mended, first)) in expected.iter().enumerate() {
        let outcome = judged(faults.clone(), signer, &key);
        let failed: Vec<Check> = outcome
            .findings
            .iter()
            .filter(|finding| finding.verdict == Verdict::Fail)
            .map(|finding| finding.check)
            .collect();
        let wanted: Vec<Check> = expected[place..].iter().map(|(_, check)| *check).collect();
        assert_eq!(failed, wanted);
        assert_eq!(outcome.result.unwrap_err().check(), *first);
        match *mended {
            "" => signer = &key,
            claim => drop(faults.as_object_mut().unwrap().remove(claim)),
        }
    }
    let outcome = judged(faults, signer, &key);
    assert!(outcome.result.is_ok());
    let outcome = judged(json!({"exp": 1}), &unknown, &key);
    assert_eq!(outcome.result.unwrap_err().check(), Check::Key);
}

#[test]
fn a_verified_token_says_what_the_service_needs() {
    let key = SigningKey::generate(Alg::Es256, "k").unwrap();
    let outcome = judged(
        json!({
            "sub": 4711, "aud": ["api", "web"], "azp": "sts.amazonaws.com", "nbf": NOW.0 + 300,
            "https://aws.amazon.com/tags":
                {"principal_tags": {"team": ["heart"]}, "transitive_tag_keys": ["team"]},
            "https://aws.amazon.com/tags/principal_tags/env": "prod",
            "https://aws.amazon.com/source_identity": "ada",
            "https://aws.amazon.com/roles": format!("arn:aws:iam::1:role/x;{ROLE}"),
        }),
        &key,
        &key,
    );
    let verified = outcome.result.unwrap();
    assert!(verified.signature_checked);
    assert_eq!(verified.subject, "4711");
    assert_eq!(verified.audience, "sts.amazonaws.com");
    assert_eq!(verified.original_audience, ["api", "web"]);
    let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    assert_eq!(verified.tags.principal, [pair("team", "heart"), pair("env", "prod")]);
    assert_eq!(verified.tags.transitive, ["team"]);
    assert_eq!(verified.source_identity.as_deref(), Some("ada"));
    assert!(verified.role_authorized_by_idp);
    assert_eq!(verified.expires_at, NOW.plus(60));
    assert_eq!(verified.not_before, Some(NOW.plus(300)));
    assert_eq!(verified.kid.as_deref(), Some("k"));
    assert_eq!(verified.claims.text("azp"), Some("sts.amazonaws.com"));

    let plain = judged(json!({}), &key, &key).result.unwrap();
    assert!(!plain.role_authorized_by_idp, "without a roles claim the issuer has not said so");
    assert_eq!(plain.roles, None);
}

#[test]
fn findings_never_hold_the_token() {
    let key = SigningKey::generate(Alg::Es256, "k").unwrap();
    let token = key.sign(&claims(json!({"aud": "other", "exp": 1}))).unwrap();
    let outcome = verify_text(&token, &rules(), &keys(&key), None, NOW);
    let told = serde_json::to_string(&outcome.findings).unwrap()
        + &serde_json::to_string(&outcome.result.unwrap_err()).unwrap();
    for part in token.split('.') {
        assert!(!told.contains(part));
    }
}

#[test]
fn findings_survive_being_written_and_read() {
    let key = SigningKey::generate(Alg::Es256, "k").unwrap();
    let outcome = judged(json!({"aud": "other"}), &key, &key);
    let text = serde_json::to_string(&outcome.findings).unwrap();
    let read: Vec<Finding> = serde_json::from_str(&text).unwrap();
    assert_eq!(read, outcome.findings);
}

#[test]
fn a_provider_is_found_by_the_issuer_of_the_token() {
    assert_eq!(Issuer::registered_name_of("https://a/b/"), Some("a/b/"));
    assert_eq!(Issuer::registered_name_of("accounts.google.com"), Some("accounts.google.com"));
    assert_eq!(Issuer::registered_name_of("a/b"), None, "only Google may leave out the scheme");
}

#[test]
fn what_precedes_the_provider_can_be_asked_first() {
    let key = SigningKey::generate(Alg::Es256, "k").unwrap();
    let claims = serde_json::to_vec(&claims(json!({}))).unwrap();
    let admissible = |header: &str| {
        let token = key.sign_parts(header.as_bytes(), &claims).unwrap();
        crate::oidc::peek(&token).unwrap().admissible()
    };
    assert_eq!(admissible(r#"{"alg":"ES256"}"#), Ok(()));
    assert_eq!(admissible(r#"{"alg":"ES256","crit":["x"]}"#), Err(Failure::Critical));
    let had = "HS256".to_owned();
    assert_eq!(admissible(r#"{"alg":"HS256"}"#), Err(Failure::Algorithm { had }));
}
