//! Tokens held against roles: by the server, and by the check that asks no server.

use std::path::Path;

use crate::support::{Server, folder, github_token, run, start, start_at, text, write};

fn with_role(folder: &Path) -> Server {
    let server = start(folder, &["--test-issuer"]);
    let issuer = format!("{}/_issuer/github", server.address);
    let seed = format!(
        r#"{{
          "oidc_provider": [{{ "url": "http://{issuer}", "client_ids": ["sts.amazonaws.com"] }}],
          "role": [{{ "name": "deploy", "trust": {{
            "Version": "2012-10-17",
            "Statement": [{{
              "Effect": "Allow",
              "Action": "sts:AssumeRoleWithWebIdentity",
              "Principal": {{ "Federated": "arn:aws:iam::111122223333:oidc-provider/{issuer}" }},
              "Condition": {{ "StringLike": {{ "{issuer}:sub": "repo:octo-org/*" }} }}
            }}]
          }} }}]
        }}"#
    );
    write(folder, "seed.json", &seed);
    let port = server.address.rsplit(':').next().unwrap().to_owned();
    assert_eq!(server.stop(), 0);
    // The same port again: the issuer's name holds it.
    start_at(folder, &port, &["--test-issuer", "--seed", "seed.json"])
}

fn assume(server: &Server, token: &str) -> String {
    server.aws(&format!(
        "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleSessionName=s1\
         &RoleArn=arn:aws:iam::111122223333:role/deploy&WebIdentityToken={token}"
    ))
}

#[test]
fn a_minted_token_opens_the_role_and_its_twin_is_explained() {
    let folder = folder();
    let server = with_role(folder.path());
    let mint = |extra: &[&str]| {
        let arguments = ["token", "mint", "--profile", "github", "--aud", "sts.amazonaws.com"];
        let (code, token, told) = text(&run(folder.path(), &[&arguments, extra].concat()));
        assert_eq!(code, 0, "{told}");
        token.trim().to_owned()
    };
    let good = mint(&[]);
    let answer = assume(&server, &good);
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("<SessionToken>"), "{answer}");
    let (code, told, _) = text(&run(folder.path(), &["explain", "last"]));
    assert!(code == 0 && told.starts_with("ALLOW"), "{told}");

    let bad = mint(&["--set", "repo=other-org/app"]);
    let answer = assume(&server, &bad);
    assert!(answer.contains("<Code>AccessDenied</Code>"), "{answer}");
    let id = answer.split("x-amzn-requestid: ").nth(1).unwrap().split("\r\n").next().unwrap();
    let (code, told, _) = text(&run(folder.path(), &["explain", id]));
    assert_eq!(code, 1);
    assert!(told.contains("repo:other-org/app:ref:refs/heads/main"), "{told}");
    let (_, told, _) = text(&run(folder.path(), &["tail", "--denied", "--no-follow"]));
    assert_eq!(told.lines().count(), 1, "{told}");
    assert_eq!(text(&run(folder.path(), &["explain", "no-such-id"])).0, 2);

    // The same answers from a check that asks no server.
    let check = |token: &str| {
        text(&run(folder.path(), &["trust", "check", "--role", "deploy", "--token", token]))
    };
    let (code, told, _) = check(&good);
    assert!(code == 0 && told.starts_with("ALLOW"), "{told}");
    let (code, told, _) = check(&bad);
    assert!(code == 1 && told.contains("repo:other-org/app"), "{told}");
}

#[test]
fn a_check_without_keys_says_so_and_one_with_the_wrong_keys_refuses() {
    let folder = folder();
    let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow",
        "Action":"sts:AssumeRoleWithWebIdentity","Principal":{"Federated":
        "arn:aws:iam::444455556666:oidc-provider/token.actions.githubusercontent.com"},
        "Condition":{"StringEquals":{
        "token.actions.githubusercontent.com:sub":"repo:octo-org/octo-repo:ref:refs/heads/main"}}}]}"#;
    write(folder.path(), "trust.json", trust);
    let mint = |data: &str| {
        let arguments = [
            "--data",
            data,
            "token",
            "mint",
            "--profile",
            "github",
            "--issuer",
            "profile",
            "--aud",
            "sts.amazonaws.com",
        ];
        text(&run(folder.path(), &arguments)).1.trim().to_owned()
    };
    let jwks = |data: &str| text(&run(folder.path(), &["--data", data, "token", "jwks"])).1;
    let token = mint("a");
    write(folder.path(), "right.json", &jwks("a"));
    write(folder.path(), "wrong.json", &jwks("b"));
    let check = |extra: &[&str]| {
        let arguments = ["trust", "check", "--role-file", "trust.json", "--token", &token];
        text(&run(folder.path(), &[&arguments, extra].concat()))
    };
    let (code, told, said) = check(&[]);
    assert!(code == 0 && told.starts_with("ALLOW"), "{told}");
    assert!(said.contains("signature was NOT checked"), "{said}");
    assert!(told.contains("· signature"), "{told}");

    let (code, told, said) = check(&["--jwks", "right.json"]);
    assert!(code == 0 && told.contains("✓ signature") && said.is_empty(), "{told}{said}");
    let (code, told, _) = check(&["--jwks", "wrong.json"]);
    assert!(code == 1 && told.contains("✗ signature"), "{told}");
    let (code, told, _) = check(&["--now", "2001-01-01T00:00:00Z"]);
    assert!(code == 1 && told.contains("✗ issued-at"), "{told}");
    let (code, told, _) = check(&["--client-id", "other"]);
    assert!(code == 1 && told.contains("✗ audience"), "{told}");
}

#[test]
fn a_check_lets_a_policy_name_principals_that_only_aws_knows() {
    let folder = folder();
    let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow",
        "Action":["sts:AssumeRoleWithWebIdentity","sts:AssumeRole"],"Principal":{
        "AWS":["arn:aws:iam::999988887777:role/ci","AROAEXAMPLEEXAMPLE123","AIDAEXAMPLEEXAMPLE123"],
        "Federated":"arn:aws:iam::444455556666:oidc-provider/token.actions.githubusercontent.com"},
        "Condition":{"StringEquals":{
        "token.actions.githubusercontent.com:sub":"repo:octo-org/octo-repo:ref:refs/heads/main"}}}]}"#;
    write(folder.path(), "trust.json", trust);
    let check = |repository: &str| {
        let token = github_token(folder.path(), repository);
        let arguments = ["trust", "check", "--role-file", "trust.json", "--token", &token];
        text(&run(folder.path(), &arguments))
    };
    let (code, told, _) = check("octo-org/octo-repo");
    assert!(code == 0 && told.starts_with("ALLOW"), "{told}");
    let (code, told, _) = check("other-org/app");
    assert!(code == 1 && told.contains("repo:other-org/app"), "{told}");
    // What IAM itself refuses in such a policy stays refused.
    write(folder.path(), "trust.json", &trust.replace(":sub", ":aud"));
    let (code, told, _) = check("octo-org/octo-repo");
    assert!(code == 1 && told.contains("AWS refuses this policy"), "{told}");
}

#[test]
fn a_check_of_a_registered_role_knows_its_path_its_tags_and_the_organization() {
    let folder = folder();
    let issuer = "token.actions.githubusercontent.com";
    let role = |name: &str, team: &str| {
        format!(
            r#"{{ "name": "{name}", "path": "/ci/", "tags": {{ "team": "{team}" }}, "trust": {{
              "Version": "2012-10-17",
              "Statement": [{{
                "Effect": "Allow",
                "Action": "sts:AssumeRoleWithWebIdentity",
                "Principal": {{ "Federated": "arn:aws:iam::111122223333:oidc-provider/{issuer}" }},
                "Condition": {{
                  "StringEquals": {{ "aws:ResourceTag/team": "heart" }},
                  "StringLike": {{ "{issuer}:sub": "repo:octo-org/*" }}
                }}
              }}]
            }} }}"#
        )
    };
    let seed = format!(
        r#"{{
          "oidc_provider": [{{ "url": "https://{issuer}", "client_ids": ["sts.amazonaws.com"],
            "thumbprints": ["0000000000000000000000000000000000000000"] }}],
          "role": [{}, {}]
        }}"#,
        role("heart", "heart"),
        role("sun", "sun"),
    );
    write(folder.path(), "seed.json", &seed);
    assert_eq!(start(folder.path(), &["--seed", "seed.json"]).stop(), 0);

    let token = github_token(folder.path(), "octo-org/octo-repo");
    let check = |role: &str| {
        text(&run(folder.path(), &["trust", "check", "--role", role, "--token", &token]))
    };
    let (code, told, _) = check("heart");
    assert!(code == 0 && told.starts_with("ALLOW"), "{told}");
    let (code, told, _) = check("sun");
    assert!(code == 1 && told.contains("aws:ResourceTag/team"), "{told}");
    assert_eq!(check("arn:aws:iam::111122223333:role/ci/heart").0, 0);
    assert_eq!(check("arn:aws:iam::111122223333:role/heart").0, 2, "another path is another role");

    let guard = |paths: &str| {
        let rcps = format!(
            r#"{{"rcps":[[{{"name":"no-ci","document":{{"Version":"2012-10-17","Statement":[{{
            "Effect":"Deny","Principal":"*","Action":"sts:AssumeRoleWithWebIdentity",
            "Resource":"arn:aws:iam::111122223333:role/{paths}/*"}}]}}}}]]}}"#
        );
        write(folder.path(), "guard.json", &rcps);
        let arguments = ["account", "guard", "111122223333", "guard.json"];
        let (code, _, told) = text(&run(folder.path(), &arguments));
        assert_eq!(code, 0, "{told}");
    };
    guard("ci");
    let (code, told, _) = check("heart");
    assert!(code == 1 && told.contains("no-ci") && told.contains("resource control"), "{told}");
    guard("elsewhere");
    assert_eq!(check("heart").0, 0);
}
