//! The commands that look at policies before they are used: `simulate` and `test`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::Value;

/// Exit code, stdout and stderr of a command in `folder`.
fn run(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vestibule"));
    command.current_dir(folder).args(arguments).env_remove("VESTIBULE_CONFIG");
    let output = command.env_remove("VESTIBULE_DATA").stdin(Stdio::null()).output().unwrap();
    let read = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().unwrap(), read(&output.stdout), read(&output.stderr))
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn examples() -> PathBuf {
    root().join("examples/policy-tests")
}

#[test]
fn the_corpus_and_the_examples_pass() {
    let (code, told, said) = run(&root(), &["test", "corpus/policy"]);
    assert!(code == 0 && told.contains(" 0 failed, in "), "{told}{said}");
    let (passed, _) = told.split_once(" passed").unwrap();
    assert!(passed.parse::<usize>().unwrap() >= 600, "{told}");
    let (code, told, said) = run(&root(), &["test", "examples/policy-tests"]);
    assert_eq!((code, told.as_str()), (0, "6 passed, 0 failed, in 1 file\n"), "{said}");
}

#[test]
fn a_failing_case_shows_what_was_wanted_and_had_and_why() {
    let folder = tempfile::tempdir().unwrap();
    for file in ["records.json", "reader.json", "trust.json"] {
        std::fs::copy(examples().join(file), folder.path().join(file)).unwrap();
    }
    let cases = std::fs::read_to_string(folder.path().join("records.json")).unwrap();
    let wrong = cases.replace(r#""sun""#, r#""heart""#);
    std::fs::write(folder.path().join("records.json"), &wrong).unwrap();
    let (code, told, _) = run(folder.path(), &["test", "."]);
    assert_eq!(code, 1);
    let named = "✗ ./records.json: another team's record stays closed\n    verdict\n      \
                 wanted  \"implicit-deny\"\n      had     \"allow\"\n    ALLOW  s3:GetObject";
    assert!(told.starts_with(named), "{told}");
    assert!(told.contains("allowed by statement 0 \"OwnTeam\" of reader.json"), "{told}");
    assert!(told.ends_with("5 passed, 1 failed, in 1 file\n"), "{told}");

    let (code, told, _) = run(folder.path(), &["--format", "json", "test", "records.json"]);
    let report: Value = serde_json::from_str(&told).unwrap();
    assert_eq!((code, &report["failed"]), (1, &Value::from(1)));
    let failure = report["failures"].get(0).unwrap();
    assert_eq!((&failure["wanted"], &failure["had"]), (&"implicit-deny".into(), &"allow".into()));
    assert_eq!(failure["story"]["verdict"], "ALLOW");

    // What is misspelt, lost or no case file at all is found too.
    std::fs::write(folder.path().join("a.json"), cases.replace("verdict", "veredict")).unwrap();
    let (code, told, _) = run(folder.path(), &["test", "a.json"]);
    assert!(code == 1 && told.contains("unknown field `veredict`"), "{told}");
    std::fs::write(folder.path().join("a.json"), cases.replace("reader.json", "lost.json"))
        .unwrap();
    let (code, told, _) = run(folder.path(), &["test", "a.json"]);
    assert!(code == 1 && told.contains("lost.json: No such file"), "{told}");
    let (code, told, _) = run(folder.path(), &["test", "reader.json"]);
    assert!(code == 1 && told.contains("this is no case file: unknown field `Version`"), "{told}");
    std::fs::remove_file(folder.path().join("a.json")).unwrap();
    std::fs::remove_file(folder.path().join("records.json")).unwrap();
    let (code, _, said) = run(folder.path(), &["test", "."]);
    assert!(code == 2 && said.contains("there are no cases"), "{said}");
}

#[test]
fn a_simulation_on_files_decides_explains_and_tells_what_was_not_given() {
    let ask = ["simulate", "--identity", "reader.json", "--action", "s3:GetObject"];
    let ask = [&ask[..], &["--resource", "arn:aws:s3:::records/1"]].concat();
    let with = |keys: &[&str]| {
        let pairs = keys.iter().flat_map(|key| ["--context", key]);
        run(&examples(), &ask.iter().copied().chain(pairs).collect::<Vec<_>>())
    };
    let inside = "aws:SourceIp=10.1.2.3";
    let team = "aws:PrincipalTag/team=heart";
    let (code, told, _) = with(&[inside, team, "s3:ExistingObjectTag/team=heart"]);
    assert!(code == 0 && told.starts_with("ALLOW  s3:GetObject"), "{told}");
    assert!(told.contains("allowed by statement 0 \"OwnTeam\" of reader.json"), "{told}");
    let (code, told, _) = with(&[inside, team, "s3:ExistingObjectTag/team=sun"]);
    assert!(code == 1 && told.starts_with("DENY") && told.contains("had     sun"), "{told}");
    let (code, told, _) = with(&[]);
    assert_eq!(code, 1);
    let missing = "not given\n  aws:PrincipalTag/team\n  aws:SourceIp: statement 1 of reader.json \
                   denies for want of it\n  s3:ExistingObjectTag/team\n";
    assert!(told.ends_with(missing), "{told}");

    // Other layers: each lets through, or not, for its own reason.
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, effect: &str, more: &str| {
        let text = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"{effect}","Action":"s3:*"{more}}}]}}"#
        );
        std::fs::write(folder.path().join(name), text).unwrap();
    };
    write("all.json", "Allow", r#","Resource":"*""#);
    write("none.json", "Deny", r#","Resource":"*""#);
    write("rcp.json", "Deny", r#","Resource":"*","Principal":"*""#);
    let simulate = |more: &[&str]| {
        let all =
            ["--format", "json", "simulate", "--identity", "all.json", "--action", "s3:GetObject"];
        let (code, told, said) = run(folder.path(), &[&all, more].concat());
        let report: Value = serde_json::from_str(&told).unwrap_or_default();
        (code, report["results"][0]["decision"]["layer"].clone(), said)
    };
    for (option, file, layer) in [
        ("--scp", "none.json", "scp"),
        ("--rcp", "rcp.json", "rcp"),
        ("--boundary", "none.json", "boundary"),
        ("--session", "none.json", "session"),
        ("--resource-policy", "rcp.json", "resource"),
        ("--identity", "none.json", "identity"),
    ] {
        let (code, decided, said) = simulate(&[option, file]);
        assert_eq!((code, decided), (1, layer.into()), "{option} {said}");
    }
    let (code, decided, said) = simulate(&["--scp", "all.json,all.json", "--scp", "all.json"]);
    assert_eq!((code, decided), (0, "identity".into()), "{said}");
    let (code, decided, _) = simulate(&["--resource", "*", "--resource", "arn:aws:s3:::b"]);
    assert_eq!((code, decided), (0, "identity".into()));
    let (code, _, said) = simulate(&["--principal", "nobody"]);
    assert!(code == 2 && said.contains("not a principal: nobody"), "{said}");
    std::fs::write(folder.path().join("wrong.json"), "{").unwrap();
    let (code, _, said) = simulate(&["--boundary", "wrong.json"]);
    assert!(code == 2 && said.contains("AWS refuses this policy"), "{said}");
    let (code, _, said) = simulate(&["--context", "aws:SourceIp"]);
    assert!(code == 2 && said.contains("there is no ="), "{said}");
}

#[test]
fn a_simulation_knows_trust_policies() {
    let provider = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com";
    let trust = |sub: &str| {
        let sub = format!("token.actions.githubusercontent.com:sub=repo:octo-org/app:{sub}");
        let aud = "token.actions.githubusercontent.com:aud=sts.amazonaws.com";
        let asked = ["--action", "sts:AssumeRoleWithWebIdentity", "--principal", provider];
        let given = ["simulate", "--trust", "trust.json", "--context", &sub, "--context", aud];
        run(&examples(), &[&given[..], &asked[..]].concat())
    };
    let (code, told, _) = trust("ref:refs/heads/main");
    assert!(code == 0 && told.contains("allowed by statement 0 \"Main\""), "{told}");
    let (code, told, _) = trust("pull_request");
    assert!(code == 1 && told.contains("had     repo:octo-org/app:pull_request"), "{told}");
    assert!(told.contains("answer   AccessDenied: Not authorized to perform"), "{told}");
}
