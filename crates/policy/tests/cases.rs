//! What the runner of case files says of cases that do not hold: nothing passes unnoticed.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use policy::case::{run, run_with};

const READ: &str = r#"{"Version":"2012-10-17","Statement":[{"Sid":"Read","Effect":"Allow","Action":"s3:GetObject","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"true"}}}]}"#;

/// The fault of the one case with these members; none when it passes.
fn fault(more: &str, policies: &str, expect: &str) -> Option<String> {
    let text = format!(
        r#"{{"cases":[{{"name":"n","principal":"user/ann","action":"s3:GetObject","resource":"*",
          "context":{{"aws:SecureTransport":"true"}},"policies":{policies},"expect":{expect}{more}}}]}}"#
    );
    let outcomes = run_with(&text, &|name| match name {
        "read.json" => Ok(READ.to_owned()),
        other => Err(format!("{other}: no such file")),
    });
    outcomes.unwrap().remove(0).fault.map(|fault| fault.to_string())
}

#[test]
fn each_expectation_can_fail() {
    let identity = format!(r#"{{"identity":[{READ}]}}"#);
    let had = |expect: &str| fault("", &identity, expect);
    assert_eq!(had(r#"{"verdict":"allow","layer":"identity","determining":["Read"]}"#), None);
    for (expect, told) in [
        (r#"{"verdict":"explicit-deny"}"#, r#"verdict: expected "explicit-deny", was "allow""#),
        (r#"{"verdict":"allow","layer":"scp"}"#, r#"layer: expected "scp", was "identity""#),
        (r#"{"verdict":"allow","level":1}"#, "level: expected 1, was null"),
        (r#"{"verdict":"allow","grant":"exact"}"#, r#"grant: expected "exact", was "none""#),
        (
            r#"{"verdict":"allow","determining":["Other"]}"#,
            r#"determining: expected ["Other"], was ["Read"]"#,
        ),
        (r#"{"verdict":"allow","reason":{"sid":"Lost"}}"#, "there is no such statement"),
        (
            r#"{"verdict":"allow","reason":{"failed":"Action"}}"#,
            r#"failed: expected "Action", was null"#,
        ),
        (r#"{"verdict":"allow","reason":{"key":"a:b"}}"#, r#"key: expected "a:b", was null"#),
        (
            r#"{"verdict":"allow","reason":{"how":"compared"}}"#,
            r#"how: expected "compared", was null"#,
        ),
        (
            r#"{"verdict":"allow","reason":{"missing":"a:b"}}"#,
            r#"missing: expected ["a:b"], was []"#,
        ),
    ] {
        assert_eq!(had(expect).as_deref(), Some(told), "{expect}");
    }
}

#[test]
fn what_keeps_a_case_from_running_is_its_fault() {
    let allow = r#"{"verdict":"allow"}"#;
    assert_eq!(fault("", r#"{"identity":["read.json"]}"#, allow), None, "a policy of a file");
    let lost = fault("", r#"{"identity":["lost.json"]}"#, allow);
    assert_eq!(lost.as_deref(), Some("lost.json: no such file"));
    let wrong = fault("", r#"{"boundary":[{"Version":"2012-10-17"}]}"#, allow).unwrap();
    assert!(wrong.starts_with("policy 0 (Boundary): MalformedPolicyDocument: "), "{wrong}");
    let named = r#"{"documents":[{"name":"n","kind":"identity","document":"read.json"}]}"#;
    let mut outcomes = run(named).unwrap();
    let told = outcomes.remove(0).fault.unwrap();
    assert_eq!(told.to_string(), "a file cannot be named here");
    assert!(told.told.is_none() && told.compared.is_none());
    assert!(run(r#"{"case":[]}"#).is_err(), "a member that is misspelt");
}

#[test]
fn conditions_and_documents_can_fail_too() {
    let told = |text: &str| {
        let mut outcomes = run(text).unwrap();
        outcomes.remove(0).fault.map(|fault| fault.to_string())
    };
    let condition = |holds: &str| {
        told(&format!(
            r#"{{"conditions":[{{"name":"n","if":{{"Bool":{{"a:b":"true"}}}},"context":{{"a:b":"true"}},{holds}}}]}}"#
        ))
    };
    assert_eq!(condition(r#""holds":true"#), None);
    assert_eq!(condition(r#""holds":false"#).as_deref(), Some("holds: expected false, was true"));
    let twin = r#""holds":true,"holds_in_deny":false"#;
    let told_twin = r#"as a Deny: expected "allow", was "explicit-deny""#;
    assert_eq!(condition(twin).as_deref(), Some(told_twin));
    let how = r#""holds":true,"how":"presence""#;
    assert_eq!(condition(how).as_deref(), Some(r#"how: expected "presence", was "compared""#));
    let document =
        |more: &str| told(&format!(r#"{{"documents":[{{"name":"n","kind":"identity"{more}}}]}}"#));
    assert_eq!(document("").as_deref(), Some("one of document and text is needed"));
    let accepted = format!(r#","document":{READ},"refused":"No.""#);
    assert_eq!(document(&accepted).as_deref(), Some(r#"message: expected "No.", was null"#));
    let refused = "refused: MalformedPolicyDocument: Syntax errors in policy.";
    assert_eq!(document(r#","text":"{""#).as_deref(), Some(refused));
    let marked = r#","document":[],"refused":"Syntax errors in policy.","marks":"{}""#;
    assert_eq!(document(marked).as_deref(), Some(r#"marks: expected "{}", was "[]""#));
    let coded = r#","document":[],"refused":"Syntax errors in policy.","diagnostic":"other""#;
    assert!(document(coded).unwrap().starts_with(r#"diagnostic: expected "other", was "#));
}
