//! The real binary: starting, readiness, test switches, drain, and the commands beside it.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use tempfile::TempDir;

const BINARY: &str = env!("CARGO_BIN_EXE_vestibule");

struct Server {
    child: Child,
    /// `127.0.0.1:PORT`.
    address: String,
    /// What it printed before it was ready.
    said: Vec<String>,
}

fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(BINARY);
    command.current_dir(folder).args(arguments).env_remove("VESTIBULE_CONFIG");
    command.env_remove("VESTIBULE_DATA").stdin(Stdio::null());
    command
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    command(folder, arguments).output().unwrap()
}

fn text(output: &Output) -> (i32, String, String) {
    let read = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().unwrap(), read(&output.stdout), read(&output.stderr))
}

/// Starts a server and waits for its readiness line.
fn start(folder: &Path, arguments: &[&str]) -> Server {
    start_at(folder, "0", arguments)
}

fn start_at(folder: &Path, port: &str, arguments: &[&str]) -> Server {
    let mut child = command(folder, &["up", "--port", port])
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    // From here on the process ends with the value that holds it.
    let mut server = Server { child, address: String::new(), said: Vec::new() };
    for line in lines {
        let line = line.unwrap();
        if let Some(url) = line.strip_prefix("vestibule ready http://") {
            server.address = url.to_owned();
            return server;
        }
        server.said.push(line);
    }
    panic!("the server ended before it was ready: {:?}", server.said);
}

impl Server {
    fn send(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn get(&self, path: &str) -> String {
        self.send(&format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"))
    }

    fn post(&self, path: &str, kind: &str, body: &str) -> String {
        self.send(&format!(
            "POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: {kind}\r\n\
             content-length: {}\r\n\r\n{body}",
            body.len()
        ))
    }

    fn aws(&self, form: &str) -> String {
        self.post("/", "application/x-www-form-urlencoded", form)
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill").arg(name).arg(self.child.id().to_string()).status();
        assert!(sent.unwrap().success());
    }

    fn stop(mut self) -> i32 {
        self.signal("-TERM");
        self.child.wait().unwrap().code().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn write(folder: &Path, name: &str, content: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, content).unwrap();
    path
}

#[test]
fn the_first_start_prints_a_key_once_and_the_second_does_not() {
    let folder = folder();
    let server = start(folder.path(), &["--ready-file", "ready"]);
    assert!(server.said[0].starts_with("account 111122223333, user admin"), "{:?}", server.said);
    assert!(server.said[1].contains("AWS_ACCESS_KEY_ID=AKIA"), "{:?}", server.said);
    let ready = std::fs::read_to_string(folder.path().join("ready")).unwrap();
    assert_eq!(ready, format!("http://{}\n", server.address));
    let health = server.get("/_health");
    assert!(health.starts_with("HTTP/1.1 200") && health.contains("\"status\":\"ok\""), "{health}");
    assert_eq!(server.stop(), 0);
    assert_eq!(start(folder.path(), &[]).said, [""; 0]);
}

#[test]
fn one_folder_has_one_server_and_is_not_reset_under_it() {
    let folder = folder();
    let server = start(folder.path(), &[]);
    let (code, _, told) = text(&run(folder.path(), &["up", "--port", "0"]));
    assert_eq!(code, 2);
    assert!(told.contains(&format!("in use by the server at http://{}", server.address)), "{told}");
    let (code, _, told) = text(&run(folder.path(), &["reset", "--yes"]));
    assert_eq!(code, 2);
    assert!(told.contains("stop the server first"), "{told}");

    assert_eq!(server.stop(), 0);
    assert_eq!(text(&run(folder.path(), &["reset"])).0, 2, "not asked without a terminal");
    let (code, said, _) = text(&run(folder.path(), &["reset", "--yes"]));
    assert_eq!(code, 0);
    assert!(said.contains("vestibule.db"), "{said}");
    assert_eq!(start(folder.path(), &[]).said.len(), 3, "it is the first start again");
}

#[test]
fn test_switches_bind_loopback_only() {
    let folder = folder();
    for switch in ["--test-issuer", "--test-clock"] {
        let arguments = ["up", "--listen", "0.0.0.0:0", switch];
        let (code, _, told) = text(&run(folder.path(), &arguments));
        assert_eq!(code, 2);
        assert!(told.contains("for loopback addresses only"), "{told}");
    }
    assert!(!folder.path().join(".vestibule").exists(), "refused before anything was made");
}

#[test]
fn the_test_clock_decides_what_time_it_is() {
    let folder = folder();
    let server = start(folder.path(), &["--test-clock"]);
    let order = r#"{"stand":"2031-01-01T00:00:00Z"}"#;
    assert!(server.post("/_test/clock", "application/json", order).starts_with("HTTP/1.1 200"));
    server.aws("Action=GetCallerIdentity&Version=2011-06-15");
    let (_, told, _) = text(&run(folder.path(), &["explain", "last", "--format", "json"]));
    assert!(told.contains("\"eventTime\":\"2031-01-01T00:00:00Z\""), "{told}");

    let server_without = start(&folder.path().join("."), &["--data", "other"]);
    let answer = server_without.post("/_test/clock", "application/json", order);
    assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
}

#[test]
fn settings_are_refused_with_their_place() {
    let folder = folder();
    write(folder.path(), "vestibule.toml", "[listen]\nadress = \"127.0.0.1:0\"\n");
    let (code, _, told) = text(&run(folder.path(), &["up"]));
    assert_eq!(code, 2);
    for part in ["unknown setting `listen.adress`", "vestibule.toml:2:1", "did you mean `address`"]
    {
        assert!(told.contains(part), "{told}");
    }
}

/// A server whose test issuer's tokens open the role `deploy`.
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

/// A token that GitHub would issue, signed by the folder's own test issuer.
fn github_token(folder: &Path, repository: &str) -> String {
    let repository = format!("repo={repository}");
    let arguments =
        ["token", "mint", "--profile", "github", "--issuer", "profile", "--set", &repository];
    let (code, token, told) =
        text(&run(folder, &[&arguments[..], &["--aud", "sts.amazonaws.com"]].concat()));
    assert_eq!(code, 0, "{told}");
    token.trim().to_owned()
}

#[test]
fn an_account_made_beside_a_running_server_is_there_at_once() {
    let folder = folder();
    let server = start(folder.path(), &[]);
    let arguments = ["account", "create", "--id", "444455556666", "--name", "two"];
    let (code, told, _) =
        text(&run(folder.path(), &[&arguments[..], &["--format", "json"]].concat()));
    assert_eq!(code, 0);
    assert!(told.contains("\"account\":\"444455556666\""), "{told}");
    assert_eq!(text(&run(folder.path(), &arguments)).0, 2, "it exists already");
    let (_, told, _) = text(&run(folder.path(), &["account", "list"]));
    assert_eq!(told.lines().count(), 2, "{told}");
    // The server has taken it in when its revision is the newer one.
    while !server.get("/_health").contains("\"revision\":2") {
        std::thread::yield_now();
    }
}

#[test]
fn what_cannot_be_understood_is_wrong_usage() {
    let folder = folder();
    assert_eq!(text(&run(folder.path(), &["frobnicate"])).0, 2);
    assert_eq!(text(&run(folder.path(), &["trust", "check", "--token", "x"])).0, 2);
    assert_eq!(text(&run(folder.path(), &["explain", "last"])).0, 2, "there is no data folder");
    assert_eq!(text(&run(folder.path(), &["token", "decode", "not-a-token"])).0, 1);
    let (code, told, _) = text(&run(folder.path(), &["policy", "check", "none.json"]));
    assert!(code == 2 && told.is_empty());
}

#[test]
fn colours_stay_off_a_pipe_unless_asked_for() {
    let folder = folder();
    let policy = write(folder.path(), "p.json", "{\"Foo\":1}");
    let check = |colour: &str| {
        let arguments = ["policy", "check", policy.to_str().unwrap(), "--color", colour];
        text(&run(folder.path(), &arguments)).1
    };
    assert!(!check("auto").contains('\u{1b}'));
    assert!(!check("never").contains('\u{1b}'));
    assert!(check("always").contains('\u{1b}'));
}
