//! When access keys and roles were last used.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use store::{Kind, Store};

use crate::support::{HOME, Keys, Reply, Town, allow, trusts};

/// What IAM says of a key's last use: date, service, region.
async fn last_used(town: &Town, key: &str) -> [String; 3] {
    let reply = town.set_up("GetAccessKeyLastUsed", &[("AccessKeyId", key)]).await;
    ["LastUsedDate", "ServiceName", "Region"].map(|name| reply.text(name))
}

async fn get_role(town: &Town) -> Reply {
    town.set_up("GetRole", &[("RoleName", "reader")]).await
}

async fn session(town: &Town) -> Keys {
    let role = format!("arn:aws:iam::{HOME}:role/reader");
    let input = [("RoleArn", role.as_str()), ("RoleSessionName", "s1")];
    town.sts(&town.admin, "AssumeRole", &input).await.ok().keys()
}

#[tokio::test]
async fn a_key_tells_its_last_proven_call() {
    let town = Town::new().await;
    let anna = town.user("anna", None).await;
    assert_eq!(last_used(&town, &anna.id).await, ["", "N/A", "N/A"]);

    // Another's signature under the key's id proves nothing.
    let forged = Keys::long_term(&anna.id, "another secret");
    let refused = town.sts(&forged, "GetCallerIdentity", &[]).await;
    assert_eq!(refused.text("Code"), "SignatureDoesNotMatch");
    assert_eq!(last_used(&town, &anna.id).await, ["", "N/A", "N/A"]);

    town.sts(&anna, "GetCallerIdentity", &[]).await.ok();
    assert_eq!(last_used(&town, &anna.id).await, ["2026-01-01T00:00:00Z", "sts", "us-east-1"]);
    // What is denied was a use all the same.
    town.pass(90);
    let denied = town.iam(&anna, "ListUsers", &[]).await;
    assert_eq!(denied.why(), "implicitDeny identity iam:ListUsers");
    assert_eq!(last_used(&town, &anna.id).await, ["2026-01-01T00:01:30Z", "iam", "us-east-1"]);
}

#[tokio::test]
async fn the_credential_report_tells_of_uses() {
    let town = Town::new().await;
    let anna = town.user("anna", None).await;
    town.user("ben", None).await;
    town.sts(&anna, "GetCallerIdentity", &[]).await.ok();
    town.set_up("GenerateCredentialReport", &[]).await;
    let report = town.set_up("GetCredentialReport", &[]).await.text("Content");
    let report = String::from_utf8(STANDARD.decode(report).unwrap()).unwrap();
    let keys: Vec<_> = report.lines().filter_map(|line| line.split_once(",true,")).collect();
    let key = |name: &str| {
        let found = keys.iter().find(|(user, _)| user.starts_with(name));
        found.unwrap().1.split(',').skip(1).take(3).collect::<Vec<_>>()
    };
    assert_eq!(key("anna"), ["2026-01-01T00:00:00+00:00", "us-east-1", "sts"]);
    assert_eq!(key("ben"), ["N/A", "N/A", "N/A"]);
}

#[tokio::test]
async fn a_role_tells_when_a_session_of_it_last_called() {
    let town = Town::new().await;
    let trust = trusts(&json!({"AWS": HOME}), &["sts:AssumeRole"], None);
    town.role("reader", &trust, Some(&allow("iam:ListUsers", "*"))).await;
    let keys = session(&town).await;
    assert!(get_role(&town).await.body.contains("<RoleLastUsed/>"), "issuing is no use");

    town.pass(60);
    town.iam(&keys, "ListUsers", &[]).await.ok();
    let used = "<RoleLastUsed><LastUsedDate>2026-01-01T00:01:00Z</LastUsedDate>\
                <Region>us-east-1</Region></RoleLastUsed>";
    let read = get_role(&town).await;
    assert!(read.body.contains(used), "{}", read.body);
    assert!(!town.set_up("ListRoles", &[]).await.body.contains("RoleLastUsed"));

    town.pass(400 * 86_400 - 1);
    assert!(get_role(&town).await.body.contains(used));
    town.pass(1);
    assert!(get_role(&town).await.body.contains("<RoleLastUsed/>"), "400 days are told of");
}

#[tokio::test]
async fn uses_outlive_the_process_make_no_revision_and_go_with_their_owner() {
    let town = Town::new().await;
    let trust = trusts(&json!({"AWS": HOME}), &["sts:AssumeRole"], None);
    town.role("reader", &trust, None).await;
    let anna = town.user("anna", None).await;
    let before = town.plane.world().revision;
    town.sts(&anna, "GetCallerIdentity", &[]).await.ok();
    town.sts(&session(&town).await, "GetCallerIdentity", &[]).await.ok();
    let used = ["2026-01-01T00:00:00Z", "sts", "us-east-1"];

    let early = town.beside().await;
    assert_eq!(
        last_used(&early, &anna.id).await,
        ["", "N/A", "N/A"],
        "nothing is written per call"
    );
    town.plane.finish().await;
    let later = town.beside().await;
    assert_eq!(last_used(&later, &anna.id).await, used);
    assert!(get_role(&later).await.body.contains("<LastUsedDate>2026-01-01T00:00:00Z"));
    assert_eq!((town.plane.world().revision, town.store.revision().await), (before, Ok(before)));

    // An older use that is written later does not count.
    early.plane.finish().await;
    assert_eq!(last_used(&town.beside().await, &anna.id).await, used);

    let notes = async || {
        let notes = town.store.notes(&Kind::new("last-used")).await.unwrap();
        notes.iter().map(|note| note.id.as_str().split_at(4).0.to_owned()).collect::<Vec<_>>()
    };
    // The administrator and its key, anna and hers, the role.
    assert_eq!(notes().await, ["AIDA", "AIDA", "AKIA", "AKIA", "AROA"]);
    town.set_up("DeleteAccessKey", &[("UserName", "anna"), ("AccessKeyId", &anna.id)]).await;
    town.set_up("DeleteRole", &[("RoleName", "reader")]).await;
    town.plane.finish().await;
    assert_eq!(notes().await, ["AIDA", "AIDA", "AKIA"]);
    town.set_up("DeleteUser", &[("UserName", "anna")]).await;
    town.plane.finish().await;
    assert_eq!(notes().await, ["AIDA", "AKIA"]);
}
