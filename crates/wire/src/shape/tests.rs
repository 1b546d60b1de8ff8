//! The tables load whole; inputs are decoded exactly; all violations come at once, in AWS's words.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::model::Kind;
use super::*;
use crate::query::{Form, encode};

fn refused(model: &Model, operation: &str, pairs: &[(&str, &str)]) -> String {
    match decode(model, operation, pairs) {
        Err(Refusal::Invalid(violations)) => violations.to_string(),
        other => panic!("{other:?}"),
    }
}

fn decode(model: &Model, operation: &str, pairs: &[(&str, &str)]) -> Result<Value, Refusal> {
    let text = encode(pairs.iter().copied());
    let form = Form::parse(text.as_bytes()).unwrap();
    model.operation(operation).unwrap().decode(&form)
}

const ROLE: (&str, &str) = ("RoleArn", "arn:aws:iam::111122223333:role/developer");
const SESSION: (&str, &str) = ("RoleSessionName", "ci");

#[test]
fn the_tables_load_and_every_pattern_compiles() {
    for (model, least) in [(sts(), 11), (iam(), 160), (cloudtrail(), 40), (organizations(), 60)] {
        assert!(model.operations().count() >= least, "{}", model.service);
        let shapes = model.operations().next().unwrap().shapes;
        let mut id = 0;
        while let Some(shape) = shapes.shape(id) {
            if let Kind::Text { pattern: Some(pattern), .. } = &shape.kind {
                assert!(pattern.compiled().is_some(), "{}", pattern.as_str());
            }
            id += 1;
        }
        assert!(id > 40);
    }
}

#[test]
fn operations_say_how_they_are_called_and_answered() {
    let operation = sts().operation("AssumeRoleWithWebIdentity").unwrap();
    assert!(operation.unsigned);
    assert_eq!(operation.result_wrapper, Some("AssumeRoleWithWebIdentityResult"));
    assert_eq!(operation.namespace, "https://sts.amazonaws.com/doc/2011-06-15/");
    let error = operation.errors.iter().find(|e| e.name == "IDPRejectedClaimException").unwrap();
    assert_eq!((error.code, error.status), ("IDPRejectedClaim", 403));
    assert!(!sts().operation("AssumeRole").unwrap().unsigned);
    assert!(sts().operation("assumerole").is_none());
    assert_eq!(iam().operation("DeleteRole").unwrap().result_wrapper, None);
    let missing = iam().operation("GetRole").unwrap();
    let missing = missing.errors.iter().find(|e| e.code == "NoSuchEntity").unwrap();
    assert_eq!(missing.status, 404);
    assert_eq!(cloudtrail().target, "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101");
}

#[test]
fn an_input_becomes_typed_json() {
    let input = decode(
        sts(),
        "AssumeRole",
        &[
            ROLE,
            SESSION,
            ("DurationSeconds", "3600"),
            ("Tags.member.2.Key", "b"),
            ("Tags.member.1.Key", "a"),
            ("Tags.member.1.Value", ""),
            ("Tags.member.2.Value", "2"),
            ("TransitiveTagKeys.member.1", "a"),
            ("PolicyArns", ""),
            ("Unknown.member.x", "ignored"),
        ],
    );
    assert_eq!(
        input.unwrap(),
        json!({
            "RoleArn": ROLE.1, "RoleSessionName": "ci", "DurationSeconds": 3600,
            "Tags": [{"Key": "a", "Value": ""}, {"Key": "b", "Value": "2"}],
            "TransitiveTagKeys": ["a"], "PolicyArns": [],
        })
    );
    assert_eq!(decode(sts(), "GetCallerIdentity", &[("x", "y")]).unwrap(), json!({}));
    let input = decode(iam(), "UpdateAccountPasswordPolicy", &[("RequireNumbers", "true")]);
    assert_eq!(input.unwrap(), json!({"RequireNumbers": true}));
}

#[test]
fn one_violation_is_told_in_the_singular() {
    assert_eq!(
        refused(sts(), "AssumeRole", &[ROLE, ("RoleSessionName", "a b")]),
        "1 validation error detected: Value 'a b' at 'roleSessionName' failed to satisfy \
         constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*"
    );
}

#[test]
fn all_violations_are_told_at_once() {
    assert_eq!(
        refused(
            sts(),
            "AssumeRole",
            &[
                ("RoleSessionName", "!"),
                ("DurationSeconds", "43201"),
                ("Tags.member.1.Key", "ok"),
                ("Tags.member.2.Key", "a#"),
                ("Tags.member.2.Value", "v"),
                ("PolicyArns.member.1.arn", "short"),
            ]
        ),
        "7 validation errors detected: \
         Value null at 'roleArn' failed to satisfy constraint: Member must not be null; \
         Value '!' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular \
         expression pattern: [\\w+=,.@-]*; \
         Value '!' at 'roleSessionName' failed to satisfy constraint: Member must have length \
         greater than or equal to 2; \
         Value 'short' at 'policyArns.1.member.arn' failed to satisfy constraint: Member must have \
         length greater than or equal to 20; \
         Value '43201' at 'durationSeconds' failed to satisfy constraint: Member must have value \
         less than or equal to 43200; \
         Value null at 'tags.1.member.value' failed to satisfy constraint: Member must not be null; \
         Value 'a#' at 'tags.2.member.key' failed to satisfy constraint: Member must satisfy \
         regular expression pattern: [\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]+"
    );
}

#[test]
fn elements_of_plain_lists_are_judged_together() {
    assert_eq!(
        refused(
            sts(),
            "AssumeRole",
            &[
                ROLE,
                SESSION,
                ("TransitiveTagKeys.member.1", "fine"),
                ("TransitiveTagKeys.member.2", "not#fine"),
            ]
        ),
        "1 validation error detected: Value '[fine, not#fine]' at 'transitiveTagKeys' failed to \
         satisfy constraint: Member must satisfy constraint: [Member must have length less than or \
         equal to 128, Member must have length greater than or equal to 1, Member must satisfy \
         regular expression pattern: [\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]+]"
    );
}

#[test]
fn too_many_elements_are_told() {
    let names: Vec<String> = (1..=51).map(|n| format!("TransitiveTagKeys.member.{n}")).collect();
    let mut pairs = vec![ROLE, SESSION];
    pairs.extend(names.iter().map(|name| (name.as_str(), "k")));
    let said = refused(sts(), "AssumeRole", &pairs);
    assert!(said.starts_with("1 validation error detected: Value '[k, k, "), "{said}");
    assert!(said.ends_with("Member must have length less than or equal to 50"), "{said}");
    pairs.pop();
    assert!(decode(sts(), "AssumeRole", &pairs).is_ok());
}

#[test]
fn words_of_an_enum_are_told() {
    assert_eq!(
        refused(
            iam(),
            "UpdateAccessKey",
            &[("AccessKeyId", "AKIAEXAMPLEEXAMPLE12"), ("Status", "active"),]
        ),
        "1 validation error detected: Value 'active' at 'status' failed to satisfy constraint: \
         Member must satisfy enum value set: [Active, Inactive, Expired]"
    );
}

#[test]
fn sensitive_values_are_not_told() {
    let said =
        refused(sts(), "AssumeRoleWithWebIdentity", &[ROLE, SESSION, ("WebIdentityToken", "hus")]);
    assert_eq!(
        said,
        "1 validation error detected: Value at 'webIdentityToken' failed to satisfy constraint: \
         Member must have length greater than or equal to 4"
    );
    let said = refused(sts(), "AssumeRoleWithSAML", &[ROLE, ("PrincipalArn", ROLE.1)]);
    assert!(said.contains("Value null at 'sAMLAssertion'"), "{said}");

    let names: Vec<String> =
        (1..=6).map(|n| format!("ProvidedContexts.member.{n}.ContextAssertion")).collect();
    let mut pairs = vec![ROLE, SESSION];
    pairs.extend(names.iter().map(|name| (name.as_str(), "hush")));
    let said = refused(sts(), "AssumeRole", &pairs);
    assert!(said.contains("at 'providedContexts'") && !said.contains("hush"), "{said}");
}

#[test]
fn sensitive_members_are_redacted_and_nothing_else() {
    let operation = sts().operation("AssumeRole").unwrap();
    let mut input = json!({
        "RoleArn": "r", "TokenCode": "123456",
        "ProvidedContexts": [{"ProviderArn": "p", "ContextAssertion": "hush"}],
    });
    operation.redact(&mut input, &mut |text| format!("({})", text.len()));
    assert_eq!(
        input,
        json!({
            "RoleArn": "r", "TokenCode": "(6)",
            "ProvidedContexts": [{"ProviderArn": "p", "ContextAssertion": "(4)"}],
        })
    );
    let operation = iam().operation("CreateLoginProfile").unwrap();
    let mut input = json!({"UserName": "u", "Password": "hush"});
    operation.redact(&mut input, &mut |_| "***".to_owned());
    assert_eq!(input, json!({"UserName": "u", "Password": "***"}));
}

#[test]
fn integers_are_read_as_java_reads_them() {
    for (text, value) in [("900", 900), ("+900", 900), ("0900", 900), ("+00901", 901)] {
        let input = decode(sts(), "AssumeRole", &[ROLE, SESSION, ("DurationSeconds", text)]);
        assert_eq!(input.unwrap()["DurationSeconds"], value, "{text}");
    }
    for text in [" 900 ", "900.0", "9e2", "", "+", "0x384", "9 00", "2147483648", "٩٠٠", "--900"]
    {
        let input = decode(sts(), "AssumeRole", &[ROLE, SESSION, ("DurationSeconds", text)]);
        let path = "durationSeconds".to_owned();
        assert_eq!(input, Err(Refusal::Malformed { path }), "{text}");
    }
    let said = refused(sts(), "AssumeRole", &[ROLE, SESSION, ("DurationSeconds", "-900")]);
    assert!(said.contains("Value '-900' at 'durationSeconds'"), "{said}");
}

#[test]
fn what_has_the_wrong_shape_is_malformed() {
    for (name, value, path) in [
        ("Tags.member.x.Key", "k", "tags"),
        ("Tags.member.1.Key.More", "k", "tags.1.member.key"),
        ("RoleArn.x", "k", "roleArn"),
    ] {
        let refusal = decode(sts(), "AssumeRole", &[SESSION, (name, value)]);
        assert_eq!(refusal, Err(Refusal::Malformed { path: path.to_owned() }), "{name}");
    }
    let refusal = decode(iam(), "UpdateAccountPasswordPolicy", &[("RequireNumbers", "yes")]);
    assert_eq!(refusal, Err(Refusal::Malformed { path: "requireNumbers".to_owned() }));
}

#[test]
fn length_counts_characters() {
    let name = |n: usize| ("Description", "ä".repeat(n));
    let role = ("RoleName", "r");
    for (n, fits) in [(1000, true), (1001, false)] {
        let (key, text) = name(n);
        let document = ("AssumeRolePolicyDocument", "{}");
        let input = decode(iam(), "CreateRole", &[role, document, (key, &text)]);
        assert_eq!(input.is_ok(), fits, "{n}");
    }
}

#[test]
fn patterns_mean_what_they_mean_in_java() {
    let matches = |java: &str, text: &str| pattern::Pattern::new(java.to_owned()).matches(text);
    // Whole string.
    assert!(matches("[\\w+=,.@-]*", "a_B-9@x.y"));
    assert!(!matches("[\\w+=,.@-]*", "a b"));
    assert!(!matches("[A-Z]", "AB"));
    assert!(!matches("^[a-z]+$", "a\n"));
    // ASCII classes.
    assert!(!matches("[\\w]*", "ä"));
    assert!(!matches("\\d{12}", "٩٩٩٩٩٩٩٩٩٩٩٩"));
    // Unicode properties are Unicode's.
    assert!(matches("[\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*", "Größe 9-日本"));
    assert!(!matches("[\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*", "a#"));
    // Java reads exactly four digits after \u.
    let user = "[\\u0009\\u000A\\u000D\\u0020-\\u00FF]+";
    assert!(matches(user, "{\"a\": \"ÿ\"}\n") && !matches(user, "Ā") && !matches(user, "\u{1}"));
    // No line terminators in a dot, unless asked.
    assert!(!matches(".*", "a\u{2028}b") && matches("(?s).*", "a\nb"));
    // The one look-ahead.
    let alias = "^[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]$";
    assert!(matches(alias, "my-own-alias") && !matches(alias, "my--alias"));
    assert!(!matches(alias, "-my") && !matches(alias, "my-") && matches(alias, "abc"));
}

#[test]
fn json_inputs_are_converted_and_checked() {
    let lookup = cloudtrail().operation("LookupEvents").unwrap();
    let input = json!({
        "LookupAttributes": [{"AttributeKey": "EventName", "AttributeValue": "x"}],
        "StartTime": 1767225600.5, "EndTime": 1767225601, "MaxResults": 5, "NextToken": null,
        "Unknown": [],
    });
    assert_eq!(
        lookup.decode_json(&input).unwrap(),
        json!({
            "LookupAttributes": [{"AttributeKey": "EventName", "AttributeValue": "x"}],
            "StartTime": 1767225600.5, "EndTime": 1767225601, "MaxResults": 5,
        })
    );
    for (wrong, path) in [
        (json!({"MaxResults": "5"}), "maxResults"),
        (json!({"MaxResults": 5.5}), "maxResults"),
        (json!({"StartTime": 1e300}), "startTime"),
        (json!({"LookupAttributes": {}}), "lookupAttributes"),
        (json!({"LookupAttributes": [1]}), "lookupAttributes.1.member"),
    ] {
        let path = path.to_owned();
        assert_eq!(lookup.decode_json(&wrong), Err(Refusal::Malformed { path }), "{wrong}");
    }
    let input = json!({"LookupAttributes": [{"AttributeKey": "Nothing"}], "MaxResults": 51});
    assert_eq!(
        lookup.decode_json(&input).unwrap_err().to_string(),
        "3 validation errors detected: Value 'Nothing' at \
         'lookupAttributes.1.member.attributeKey' failed to satisfy constraint: Member must satisfy \
         enum value set: [EventId, EventName, ReadOnly, Username, ResourceType, ResourceName, \
         EventSource, AccessKeyId]; Value null at 'lookupAttributes.1.member.attributeValue' failed \
         to satisfy constraint: Member must not be null; Value '51' at 'maxResults' failed to \
         satisfy constraint: Member must have value less than or equal to 50"
    );
}

#[test]
fn maps_are_read_from_entries() {
    let first = [("Properties.entry.1.key", "ab/cd"), ("Properties.entry.1.value", "b")];
    let input = decode(iam(), "PutAccountProperties", &first);
    assert!(
        matches!(&input, Ok(input) if input["Properties"] == json!({"ab/cd": "b"})),
        "{input:?}"
    );
    let half = [first[0], first[1], ("Properties.entry.2.key", "ab/ef")];
    let path = "properties.2.entry".to_owned();
    assert_eq!(decode(iam(), "PutAccountProperties", &half), Err(Refusal::Malformed { path }));
    let empty = [first[0], ("Properties.entry.1.value", "")];
    let said = refused(iam(), "PutAccountProperties", &empty);
    assert!(said.starts_with("1 validation error detected: Value '' at 'properties.ab/cd.value'"));
}

#[test]
fn violations_and_echoes_are_bounded() {
    let names: Vec<String> = (1..=2000).map(|n| format!("Tags.member.{n}.Key")).collect();
    let mut pairs = vec![ROLE, SESSION];
    pairs.extend(names.iter().map(|name| (name.as_str(), "#")));
    let said = refused(sts(), "AssumeRole", &pairs);
    assert!(said.starts_with("100 validation errors detected: "), "{said}");
    let long = "#".repeat(100_000);
    let said = refused(sts(), "AssumeRole", &[ROLE, ("RoleSessionName", &long)]);
    assert!(said.len() < 20_000, "{}", said.len());
}

/// Run by hand: `cargo test -p wire --release -- --ignored --nocapture decoding`.
#[test]
#[ignore = "a measurement"]
fn decoding_takes_microseconds() {
    for (service, text) in [
        ("sts", include_str!("../../models/sts.json")),
        ("iam", include_str!("../../models/iam.json")),
    ] {
        let start = std::time::Instant::now();
        let model = model::load(text);
        println!("{service}: table of {} in {:?}", model.operations().count(), start.elapsed());
    }
    let tags = [("Tags.member.1.Key", "team"), ("Tags.member.1.Value", "heart")];
    let pairs = [&[ROLE, SESSION][..], &tags].concat();
    let text = encode(pairs.iter().copied());
    let operation = sts().operation("AssumeRole").unwrap();
    let run = || operation.decode(&Form::parse(text.as_bytes()).unwrap()).unwrap();
    let start = std::time::Instant::now();
    run();
    println!("first AssumeRole, patterns compiled: {:?}", start.elapsed());
    let start = std::time::Instant::now();
    (0..100_000).for_each(|_| drop(run()));
    println!("AssumeRole: {:?}", start.elapsed() / 100_000);
}

proptest! {
    #[test]
    fn hostile_inputs_never_panic(
        pairs in prop::collection::vec(
            ("(Tags|RoleArn|PolicyArns|DurationSeconds|TransitiveTagKeys)(\\.(member|[0-3x]|Key|arn)){0,4}", ".{0,6}"),
            0..12,
        ),
    ) {
        let text = encode(pairs.iter().map(|(n, v)| (n.as_str(), v.as_str())));
        let form = Form::parse(text.as_bytes()).unwrap();
        let _ = sts().operation("AssumeRole").unwrap().decode(&form).map_err(|e| e.to_string());
    }

    #[test]
    fn well_formed_inputs_survive(
        duration in 900..=43200_i64,
        tags in prop::collection::btree_map("[a-zA-Z]{1,9}", "[a-z ]{0,9}", 0..12),
    ) {
        let seconds = duration.to_string();
        let mut pairs = vec![
            (ROLE.0.to_owned(), ROLE.1), (SESSION.0.to_owned(), SESSION.1),
            ("DurationSeconds".to_owned(), seconds.as_str()),
        ];
        for (n, (key, value)) in tags.iter().enumerate() {
            pairs.push((format!("Tags.member.{}.Key", n + 1), key));
            pairs.push((format!("Tags.member.{}.Value", n + 1), value));
        }
        let pairs: Vec<_> = pairs.iter().map(|(n, v)| (n.as_str(), *v)).collect();
        let input = decode(sts(), "AssumeRole", &pairs).unwrap();
        prop_assert_eq!(&input["DurationSeconds"], duration);
        let read = input["Tags"].as_array().cloned().unwrap_or_default();
        let sent: Vec<_> = tags.iter().map(|(k, v)| json!({"Key": k, "Value": v})).collect();
        prop_assert_eq!(read, sent);
    }
}
