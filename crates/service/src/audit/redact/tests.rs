use serde::Serialize;
use serde_json::json;

use super::{bounded_value, digest_of, scrubbed, to_raw};

const TOKEN: &str = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJtZSJ9.c2lnbmF0dXJl";

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Credentials {
    access_key_id: &'static str,
    secret_access_key: &'static str,
    session_token: &'static str,
    expiration: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Output {
    credentials: Credentials,
    packed_policy_size: Option<u8>,
    none: Option<u8>,
    transitive_tag_keys: Vec<&'static str>,
}

#[test]
fn an_answer_keeps_its_facts_and_loses_its_secrets() {
    let output = Output {
        credentials: Credentials {
            access_key_id: "ASIAEXAMPLE",
            secret_access_key: "wJalrXUtnFEMI",
            session_token: "FwoGZXIvYXdzEPP",
            expiration: "2016-03-23T02:39:57Z",
        },
        packed_policy_size: Some(6),
        none: None,
        transitive_tag_keys: vec!["A"],
    };
    let raw = to_raw(&output).unwrap();
    assert_eq!(
        raw.get(),
        format!(
            r#"{{"credentials":{{"accessKeyId":"ASIAEXAMPLE","sessionToken":"{}","expiration":"Mar 23, 2016, 2:39:57 AM"}},"packedPolicySize":6,"none":null,"transitiveTagKeys":["A"]}}"#,
            digest_of(b"FwoGZXIvYXdzEPP")
        )
    );
}

#[test]
fn a_tree_is_filtered_like_a_struct() {
    let input = json!({
        "RoleArn": "arn:aws:iam::111122223333:role/r",
        "WebIdentityToken": TOKEN,
        "SAMLAssertionID": "_1",
        "Tags": [{"Key": "Password", "Value": "kept: it is a tag"}],
        "PrincipalTags": {"SecretAccessKey": "a tag's name, kept"},
        "RoleSessionName": TOKEN,
    });
    let text = to_raw(&input).unwrap().get().to_owned();
    assert!(!text.contains(TOKEN), "{text}");
    assert!(!text.contains("webIdentityToken"), "{text}");
    assert!(text.contains(r#""sAMLAssertionID":"_1""#), "{text}");
    assert!(text.contains(r#"{"key":"Password","value":"kept: it is a tag"}"#), "{text}");
    assert!(text.contains(r#""principalTags":{"SecretAccessKey":"a tag's name, kept"}"#), "{text}");
    assert!(text.contains(r#""roleSessionName":"[token sha256:"#), "{text}");
}

#[test]
fn nothing_is_null_not_an_empty_object() {
    assert!(to_raw(&json!({})).is_none());
    assert!(to_raw(&json!({"Password": "x"})).is_none());
    assert!(to_raw(&()).is_none());
}

#[test]
fn a_token_in_a_sentence_is_scrubbed_and_ordinary_text_is_not() {
    let text = format!("Value '{TOKEN}' at 'x'");
    let clean = scrubbed(&text);
    assert_eq!(clean, format!("Value '[token {}]' at 'x'", digest_of(TOKEN.as_bytes())));
    assert_eq!(scrubbed("key eyJ stays"), "key eyJ stays");
    assert_eq!(scrubbed("repo:acme/api:ref:refs/heads/main"), "repo:acme/api:ref:refs/heads/main");
}

#[test]
fn claims_are_cut_in_length_count_and_depth() {
    let long = json!({"a": "x".repeat(9000), "b": vec![1; 500], "c": [[[[[["deep"]]]]]]});
    let cut = bounded_value(long);
    assert_eq!(cut["a"].as_str().unwrap().chars().count(), 513);
    assert_eq!(cut["b"].as_array().unwrap().len(), 64);
    assert!(!cut.to_string().contains("deep"));
}

#[test]
fn a_huge_parameter_is_cut_with_its_size_told() {
    let raw = to_raw(&json!({"PolicyDocument": "é".repeat(20_000)})).unwrap();
    assert!(raw.get().len() < 17_000);
    assert!(raw.get().contains("… [40000 bytes]"));
}

/// What the published models, and we, mark as not to be told is in no event.
#[test]
fn every_sensitive_member_of_every_model_is_dropped_or_digested() {
    let models = [
        include_str!("../../../../wire/models/iam.json"),
        include_str!("../../../../wire/models/sts.json"),
        include_str!("../../../../wire/models/cloudtrail.json"),
    ];
    let mut seen = 0;
    for model in models {
        let model: serde_json::Value = serde_json::from_str(model).unwrap();
        for shape in model["shapes"].as_object().unwrap().values() {
            for member in shape["members"].as_array().into_iter().flatten() {
                if !member[2].as_str().is_some_and(|flags| flags.contains('s')) {
                    continue;
                }
                let name = member[0].as_str().unwrap().to_ascii_lowercase();
                let known = [super::DROPPED, super::DIGESTED].concat();
                assert!(known.contains(&name.as_str()), "{name} would be written");
                seen += 1;
            }
        }
    }
    assert!(seen > 10);
}
