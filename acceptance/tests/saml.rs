//! SAML: identity providers that we did not write (pysaml2, which signs by xmlsec1; samlp, which signs
//! by xml-crypto), boto3, and a second role behind the first.

mod door;
mod login;
mod variants;

use std::io::Write as _;

use acceptance::{Boto3, SamlIdp, Setup, Vestibule};
use serde_json::{Value, json};
use tempfile::NamedTempFile;

use self::door::{Door, PROVIDER, arn};

fn attributes(role: &str) -> Value {
    json!({
        "Role": [format!("{role},{PROVIDER}")],
        "RoleSessionName": ["alice@corp.example"],
        "SessionDuration": ["1800"],
        "SourceIdentity": ["alice"],
        "PrincipalTag:project": ["heart"],
        "PrincipalTag:cost-center": ["4711"],
        "TransitiveTagKeys": ["project"],
    })
}

#[test]
fn an_enterprise_signs_in_and_its_tags_reach_the_second_role() {
    signs_in(&SamlIdp::pysaml2(), "https://pysaml2.example/idp", &[json!({"algorithm": "sha512"})]);
}

#[test]
fn another_provider_signs_in_and_encrypts() {
    signs_in(&SamlIdp::samlp(), "https://samlp.example/idp", &[json!({"encrypt": true})]);
}

fn signs_in(idp: &SamlIdp, issuer: &str, more: &[Value]) {
    let mut door = Door::open(Setup::default(), idp.metadata(), idp.private_key());
    let plain = attributes(&arn("door"));
    let usual = [json!({}), json!({"sign_response": false})];
    for how in usual.iter().chain(more) {
        let session = door.opens(&idp.response("alice", &plain, how));
        assert_eq!(session["Subject"], "alice");
        assert_eq!(session["SubjectType"], "persistent");
        assert_eq!(session["Issuer"], issuer);
        assert_eq!(session["Audience"], "https://signin.aws.amazon.com/saml");
    }

    // What must not get in.
    let invalid = ("InvalidIdentityToken", "Response signature invalid");
    let refused = |how: Value| door.keeps_out(&idp.response("alice", &plain, &how));
    assert_eq!(refused(json!({"algorithm": "sha1"})).said(), invalid);
    let unsigned = refused(json!({"sign_assertion": false}));
    assert!(unsigned.message.contains("an assertion with a mandatory signature"), "{unsigned:?}");
    let refusal = door.keeps_out(&idp.response("alice", &attributes(&arn("other")), &json!({})));
    assert_eq!(
        refusal.message,
        "SAML Assertion doesn't contain the requested Role and Metadata in the attributes"
    );
    let stranger = SamlIdp::samlp().response("alice", &plain, &json!({}));
    assert_eq!(door.keeps_out(&stranger).said(), invalid);
    // The same assertion once more, as another session.
    let response = idp.response("alice", &plain, &json!({}));
    door.opens(&response);
    let mut again = Door::request(&response);
    again["DurationSeconds"] = json!(900);
    let used = ("ExpiredTokenException", "Response has expired");
    let exchange = "assume_role_with_saml";
    let refusal = door.boto3.anonymous().refused("sts", exchange, again.clone());
    assert_eq!(refusal.said(), used);
    // Nor after `kill -9`: the event was there before the answer.
    door.server.restart();
    door.boto3 = Boto3::start(&door.server);
    assert_eq!(door.boto3.anonymous().refused("sts", exchange, again).said(), used);
    door.opens(&idp.response("alice", &plain, &json!({})));
}

/// `vestibule claims preview`, offline.
#[test]
fn a_response_can_be_looked_at_before_anything_is_set_up() {
    let idp = SamlIdp::pysaml2();
    let server = Vestibule::start(Setup::default());
    let role = arn("door");
    let response = idp.response("alice", &attributes(&role), &json!({}));
    let (code, told) = preview(&server, &response, idp.metadata(), &[]);
    assert_eq!(code, Some(0), "{told}");
    for part in [
        "project = heart  (transitive)",
        "cost-center = 4711",
        "saml:sub = alice",
        "saml:sub_type = persistent",
        &format!("{role} by {PROVIDER}"),
        "STS would take it.",
    ] {
        assert!(told.contains(part), "no {part:?} in:\n{told}");
    }
    let how = json!({"encrypt": "aes256-gcm"});
    let encrypted = idp.response("alice", &attributes(&role), &how);
    let key = file(idp.private_key());
    let (code, told) = preview(&server, &encrypted, idp.metadata(), &["--key", path(&key)]);
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains("project = heart  (transitive)"), "{told}");
    let (code, told) = preview(&server, &encrypted, idp.metadata(), &[]);
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("FAIL encryption"), "{told}");
    assert!(told.contains("the provider has no private key"), "{told}");
    let (code, told) = preview(&server, &response, SamlIdp::pysaml2().metadata(), &[]);
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("Response signature invalid"), "{told}");
    assert!(told.contains("upload its metadata of today (iam:UpdateSAMLProvider)"), "{told}");
    let response = file(&response);
    let inspect = ["claims", "preview", "--format", "json", "--saml", path(&response)];
    let told = server.command(&inspect).output().unwrap();
    assert_eq!(told.status.code(), Some(0), "{told:?}");
    let told: Value = serde_json::from_slice(&told.stdout).unwrap();
    assert_eq!(told["signature"], "not checked");
    assert_eq!(told["said"]["complete"]["roles"][0][0], role);
}

/// `vestibule claims preview`: its exit code, and what it tells.
fn preview(
    server: &Vestibule,
    response: &str,
    metadata: &str,
    more: &[&str],
) -> (Option<i32>, String) {
    let (response, metadata) = (file(response), file(metadata));
    let preview = ["claims", "preview", "--saml", path(&response), "--metadata", path(&metadata)];
    let output = server.command(&preview).args(more).output().unwrap();
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

fn file(text: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

fn path(file: &NamedTempFile) -> &str {
    file.path().to_str().unwrap()
}
