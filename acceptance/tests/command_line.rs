//! The operator's side: the demo, and the story of a refusal, on a server's data and offline.

use std::{fs, process::Output};

use acceptance::{Boto3, Federation, OidcProvider, Setup, Tools, Vestibule};
use serde_json::{Value, json};
use tempfile::TempDir;

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn the_demo_tells_every_refusal_with_its_reason_and_ends() {
    let folder = TempDir::new().unwrap();
    let output = std::process::Command::new(Tools::find().vestibule())
        .current_dir(folder.path())
        .args(["demo", "--once"])
        .output()
        .unwrap();
    let story = said(&output);
    assert!(output.status.success(), "{story}{}", String::from_utf8_lossy(&output.stderr));
    // What the line after each refusal must name: what was wanted, and what was there.
    for (refusal, reason) in [
        ("GetRole sun-app", &["sun", "heart"][..]),
        ("wrong audience", &["another-app", "demo-app"]),
        ("wrong subject", &["robot:nightly"]),
        ("expired", &["exp"]),
        ("not yet valid", &["nbf"]),
        ("bad signature", &["signature"]),
        ("unknown key", &["kid"]),
        ("issuer with a slash too many", &["/"]),
        ("tags without sts:TagSession", &["sts:TagSession"]),
        ("longer than the role permits", &["7200", "3600"]),
    ] {
        let mut lines = story.lines().skip_while(|line| !line.contains(&format!("✗ {refusal}")));
        assert!(lines.next().is_some(), "no refusal {refusal:?} in:\n{story}");
        let told = lines.next().unwrap_or_default();
        for part in reason {
            assert!(told.contains(part), "{refusal}: no {part:?} in {told:?}");
        }
    }
    assert!(story.contains("the same token gets in"), "{story}");
}

#[test]
fn a_refusal_is_explained_by_its_request_id() {
    let idp = OidcProvider::start();
    let server = Vestibule::start(Setup::beside(&idp));
    let boto3 = Boto3::start(&server);
    let federation = Federation::set_up(&boto3.signed(server.admin()), &idp);
    let token = idp.mint("rs256", "alice", Federation::claims("heart"));
    let alice = boto3.signed(&federation.assume(&boto3.anonymous(), &token, "alice"));
    let denied = alice.refused("iam", "get_role", json!({"RoleName": "sun-app"}));
    let request = denied.headers["x-amzn-requestid"].as_str();

    let told = server.command(&["explain", request, "--data", "data"]).output().unwrap();
    assert_eq!(told.status.code(), Some(1), "{}", String::from_utf8_lossy(&told.stderr));
    let told = said(&told);
    for part in ["OwnProject", "aws:ResourceTag/access-project", "heart", "sun"] {
        assert!(told.contains(part), "no {part:?} in:\n{told}");
    }
    let arguments = ["explain", request, "--data", "data", "--format", "json"];
    let told = said(&server.command(&arguments).output().unwrap());
    serde_json::from_str::<Value>(&told).unwrap_or_else(|error| panic!("{error}: {told}"));

    let unknown = server.command(&["explain", "no-such-call", "--data", "data"]).output().unwrap();
    assert_eq!(unknown.status.code(), Some(2));
}

#[test]
fn a_token_is_held_against_a_trust_policy_offline() {
    let idp = OidcProvider::start();
    let folder = TempDir::new().unwrap();
    let write = |name: &str, text: String| fs::write(folder.path().join(name), text).unwrap();
    write("token.jwt", idp.mint("rs256", "alice", Federation::claims("heart")));
    let check = |audience: &str| {
        let provider = format!("arn:aws:iam::111122223333:oidc-provider/{}", idp.host());
        let trust = json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow",
            "Principal": {"Federated": provider},
            "Action": ["sts:AssumeRoleWithWebIdentity", "sts:TagSession"],
            "Condition": {"StringEquals": {format!("{}:aud", idp.host()): audience}},
        }]});
        write("trust.json", trust.to_string());
        let output = std::process::Command::new(Tools::find().vestibule())
            .current_dir(folder.path())
            .args(["trust", "check", "--role-file", "trust.json", "--token", "@token.jwt"])
            .args(["--client-id", "rs256"])
            .output()
            .unwrap();
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(complaint.contains("NOT checked"), "{complaint}");
        (output.status.code(), said(&output))
    };
    let (code, told) = check("rs256");
    assert_eq!(code, Some(0), "{told}");
    let (code, told) = check("es256");
    assert_eq!(code, Some(1), "{told}");
    for part in ["es256", "rs256", ":aud"] {
        assert!(told.contains(part), "no {part:?} in:\n{told}");
    }
}
