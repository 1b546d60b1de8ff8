//! The binary as a process: what is kept over a restart, how it ends, what it refuses to start with.

use acceptance::{Boto3, Federation, OidcProvider, Setup, Tools, Vestibule, get};
use serde_json::json;

#[test]
fn a_restart_keeps_roles_keys_and_sessions() {
    let idp = OidcProvider::start();
    let mut server = Vestibule::start(Setup::beside(&idp));
    let (credentials, federation) = {
        let boto3 = Boto3::start(&server);
        let federation = Federation::set_up(&boto3.signed(server.admin()), &idp);
        let token = idp.mint("rs256", "alice", Federation::claims("heart"));
        (federation.assume(&boto3.anonymous(), &token, "alice"), federation)
    };
    assert_eq!(server.stop(), Some(0), "{}", server.complaint());
    server.restart();
    let boto3 = Boto3::start(&server);
    let alice = boto3.signed(&credentials);
    alice.ok("iam", "get_role", json!({"RoleName": "heart-app"}));
    alice.refused("iam", "get_role", json!({"RoleName": "sun-app"}));
    let role = boto3.signed(server.admin()).ok("iam", "get_role", json!({"RoleName": "developer"}));
    assert_eq!(role["Role"]["Arn"], federation.role_arn);
}

#[test]
fn health_is_told_and_metrics_are_those_of_prometheus() {
    let server = Vestibule::start(Setup::default());
    assert_eq!(get(server.url(), "/_health").status, 200);
    let metrics = get(server.url(), "/_metrics");
    assert_eq!(metrics.status, 200);
    assert!(metrics.body.contains("# TYPE "), "{}", metrics.body);
}

#[test]
fn an_unknown_setting_is_refused_with_its_place() {
    let folder = tempfile::TempDir::new().unwrap();
    let config = folder.path().join("vestibule.toml");
    std::fs::write(&config, "[listen]\naddres = \"127.0.0.1:0\"\n").unwrap();
    let output = std::process::Command::new(Tools::find().vestibule())
        .current_dir(folder.path())
        .args(["up", "--port", "0", "--data", "data", "--config", "vestibule.toml"])
        .output()
        .unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{complaint}");
    for part in ["vestibule.toml:2", "addres", "address"] {
        assert!(complaint.contains(part), "no {part:?} in:\n{complaint}");
    }
}
