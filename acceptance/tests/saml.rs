//! SAML: identity providers that we did not write (pysaml2, which signs by xmlsec1; samlp, which signs
//! by xml-crypto), boto3, and a second role behind the first.

use std::io::Write as _;

use acceptance::{ACCOUNT, Boto3, Credentials, SamlIdp, Setup, Vestibule};
use serde_json::{Value, json};

const PROVIDER: &str = "arn:aws:iam::111122223333:saml-provider/Corp";
const SAML: [&str; 3] = ["sts:AssumeRoleWithSAML", "sts:TagSession", "sts:SetSourceIdentity"];

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

fn document(principal: Value, actions: &[&str]) -> String {
    let statement = json!({"Effect": "Allow", "Principal": principal, "Action": actions});
    json!({"Version": "2012-10-17", "Statement": [statement]}).to_string()
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
    let server = Vestibule::start(Setup::default());
    let boto3 = Boto3::start(&server);
    let admin = boto3.signed(server.admin());
    let made = admin.ok(
        "iam",
        "create_saml_provider",
        json!({"Name": "Corp", "SAMLMetadataDocument": idp.metadata()}),
    );
    assert_eq!(made["SAMLProviderArn"], PROVIDER);
    let shown = admin.ok("iam", "get_saml_provider", json!({"SAMLProviderArn": PROVIDER}));
    assert_eq!(shown["SAMLMetadataDocument"], idp.metadata());

    let role = format!("arn:aws:iam::{ACCOUNT}:role/door");
    let trust = document(json!({"Federated": PROVIDER}), &SAML);
    let create = json!({"RoleName": "door", "AssumeRolePolicyDocument": trust});
    admin.ok("iam", "create_role", create);
    let trust = document(
        json!({"AWS": role}),
        &["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"],
    );
    let create = json!({"RoleName": "inner", "AssumeRolePolicyDocument": trust});
    let inner = admin.ok("iam", "create_role", create)["Role"]["Arn"].clone();
    let policy = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": "iam:ListRoles", "Resource": "*",
        "Condition": {
            "StringEquals": {"aws:PrincipalTag/project": "heart", "aws:SourceIdentity": "alice"},
            "Null": {"aws:PrincipalTag/cost-center": "true"},
        },
    }]});
    let put = json!({"RoleName": "inner", "PolicyName": "p", "PolicyDocument": policy.to_string()});
    admin.ok("iam", "put_role_policy", put);

    let anyone = boto3.anonymous();
    let request = |response: &str| json!({"RoleArn": role, "PrincipalArn": PROVIDER, "SAMLAssertion": response});
    let plain = attributes(&role);
    let key = json!({"SAMLProviderArn": PROVIDER, "AddPrivateKey": idp.private_key()});
    admin.ok("iam", "update_saml_provider", key);
    let usual = [json!({}), json!({"sign_response": false})];
    for how in usual.iter().chain(more) {
        let response = idp.response("alice", &plain, how);
        let session = anyone.ok("sts", "assume_role_with_saml", request(&response));
        assert_eq!(session["Subject"], "alice");
        assert_eq!(session["SubjectType"], "persistent");
        assert_eq!(session["Issuer"], issuer);
        assert_eq!(session["Audience"], "https://signin.aws.amazon.com/saml");
        assert_eq!(session["SourceIdentity"], "alice");
        assert_eq!(
            session["AssumedRoleUser"]["Arn"],
            format!("arn:aws:sts::{ACCOUNT}:assumed-role/door/alice@corp.example")
        );
        let first = boto3.signed(&Credentials::of(&session));
        first.refused("iam", "list_roles", json!({}));
        let next = json!({"RoleArn": inner, "RoleSessionName": "second"});
        let second = boto3.signed(&Credentials::of(&first.ok("sts", "assume_role", next)));
        second.ok("iam", "list_roles", json!({}));
    }

    // What must not get in.
    let invalid = "Response signature invalid";
    let refused = |how: Value| {
        let response = idp.response("alice", &plain, &how);
        anyone.refused("sts", "assume_role_with_saml", request(&response))
    };
    assert_eq!(refused(json!({"algorithm": "sha1"})).said(), ("InvalidIdentityToken", invalid));
    let unsigned = refused(json!({"sign_assertion": false}));
    assert!(unsigned.message.contains("an assertion with a mandatory signature"), "{unsigned:?}");
    let other = attributes(&format!("arn:aws:iam::{ACCOUNT}:role/other"));
    let response = idp.response("alice", &other, &json!({}));
    let refusal = anyone.refused("sts", "assume_role_with_saml", request(&response));
    assert_eq!(
        refusal.message,
        "SAML Assertion doesn't contain the requested Role and Metadata in the attributes"
    );
    let stranger = SamlIdp::samlp().response("alice", &plain, &json!({}));
    let refusal = anyone.refused("sts", "assume_role_with_saml", request(&stranger));
    assert_eq!(refusal.said(), ("InvalidIdentityToken", invalid));
    // The same assertion once more, as another session.
    let response = idp.response("alice", &plain, &json!({}));
    anyone.ok("sts", "assume_role_with_saml", request(&response));
    let mut again = request(&response);
    again["DurationSeconds"] = json!(900);
    let refusal = anyone.refused("sts", "assume_role_with_saml", again);
    assert_eq!(refusal.said(), ("ExpiredTokenException", "Response has expired"));
}

/// `vestibule claims preview`, offline.
#[test]
fn a_response_can_be_looked_at_before_anything_is_set_up() {
    let idp = SamlIdp::pysaml2();
    let server = Vestibule::start(Setup::default());
    let role = format!("arn:aws:iam::{ACCOUNT}:role/door");
    let response = idp.response("alice", &attributes(&role), &json!({}));
    let file = |text: &str| {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        file
    };
    let (response, metadata) = (file(&response), file(idp.metadata()));
    let path = |file: &tempfile::NamedTempFile| file.path().to_str().unwrap().to_owned();
    let preview = |more: &[&str]| {
        let path = path(&response);
        let mut arguments = vec!["claims", "preview", "--saml", &path];
        arguments.extend_from_slice(more);
        let output = server.command(&arguments).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (code, told) = preview(&["--metadata", &path(&metadata)]);
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
    let stranger = file(SamlIdp::pysaml2().metadata());
    let (code, told) = preview(&["--metadata", &path(&stranger)]);
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("Response signature invalid"), "{told}");
    let (code, told) = preview(&["--format", "json"]);
    assert_eq!(code, Some(0), "{told}");
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["signature"], "not checked");
    assert_eq!(told["said"]["complete"]["roles"][0][0], role);
}
