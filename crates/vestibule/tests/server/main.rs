//! The real binary: starting, readiness, test switches, drain, and the commands beside it.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod hang_up;
mod simulate;
mod support;
mod trust;

use support::{folder, run, start, text, write};

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
