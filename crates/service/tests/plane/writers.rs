//! Several writers at once: nobody's change is lost, and nobody writes with leave that is gone.

use std::sync::Arc;

use crate::support::{AWAY, Keys, Town, allow};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn changes_of_one_role_at_once_all_land() {
    let town = Arc::new(Town::new().await);
    let trust = crate::support::trusts(
        &serde_json::json!({"AWS": crate::support::HOME}),
        &["sts:AssumeRole"],
        None,
    );
    town.role("busy", &trust, None).await;
    let writers: Vec<_> = (0..16)
        .map(|at| {
            let town = Arc::clone(&town);
            tokio::spawn(async move {
                let key = format!("k{at:02}");
                let tag = [("Tags.member.1.Key", key.as_str()), ("Tags.member.1.Value", "v")];
                town.iam(&town.admin, "TagRole", &[("RoleName", "busy"), tag[0], tag[1]])
                    .await
                    .ok();
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    let tags = town.set_up("ListRoleTags", &[("RoleName", "busy")]).await;
    let wanted: Vec<String> = (0..16).map(|at| format!("k{at:02}")).collect();
    assert_eq!(tags.all("Key"), wanted);
}

#[tokio::test]
async fn two_processes_conflict_and_both_succeed() {
    let first = Town::new().await;
    let second = first.beside().await;
    first.set_up("CreateUser", &[("UserName", "anna")]).await;
    // The second has not looked since: its commit conflicts, it looks, decides anew, and commits.
    let before = second.plane.world().revision;
    second.set_up("CreateUser", &[("UserName", "bob")]).await;
    assert!(second.plane.world().revision.0 > before.0 + 1, "it went past the other's commit");
    let users = second.set_up("ListUsers", &[]).await;
    assert_eq!(users.all("UserName"), ["admin", "anna", "bob"]);
    // What the other did in between decides: the name is taken now.
    let taken = first.iam(&first.admin, "CreateUser", &[("UserName", "Bob")]).await;
    taken.refused(409, "EntityAlreadyExists", "User with name Bob already exists.");
}

#[tokio::test]
async fn a_revoked_administrator_s_write_does_not_land() {
    let first = Town::new().await;
    let deputy = first.user("deputy", Some(&allow("iam:*", "*"))).await;
    let second = first.beside().await;
    second.iam(&deputy, "CreateUser", &[("UserName", "before")]).await.ok();
    first.plane.refresh().await.unwrap();

    let own = [("UserName", "deputy"), ("PolicyName", "own")];
    first.set_up("DeleteUserPolicy", &own).await;
    // The second still believes that the deputy may: the write is decided again where it commits.
    let denied = second.iam(&deputy, "CreateUser", &[("UserName", "after")]).await;
    assert_eq!((denied.status, denied.text("Code")), (403, "AccessDenied".to_owned()));
    assert_eq!(denied.why(), "implicitDeny identity iam:CreateUser");
    let users = first.set_up("ListUsers", &[]).await;
    assert_eq!(users.all("UserName"), ["admin", "before", "deputy"]);
}

#[tokio::test]
async fn a_key_made_beside_is_known_at_once_and_one_never_made_is_not() {
    let first = Town::new().await;
    let second = first.beside().await;
    // The second has not looked since this account and its key were made.
    let there = first.account(AWAY).await;
    let identity = second.sts(&there, "GetCallerIdentity", &[]).await.ok();
    assert_eq!(identity.text("Account"), AWAY);

    let nobody = Keys::long_term("AKIANEVERMADE0000000", "secret");
    let refused = second.sts(&nobody, "GetCallerIdentity", &[]).await;
    refused.refused(
        403,
        "InvalidClientTokenId",
        "The security token included in the request is invalid.",
    );
}

#[tokio::test]
async fn what_was_committed_is_there_after_a_restart() {
    let town = Town::new().await;
    let anna = town.user("anna", Some(&allow("iam:GetUser", "*"))).await;
    let again = town.beside().await;
    let reply = again.iam(&anna, "GetUser", &[]).await.ok();
    assert_eq!(reply.text("UserName"), "anna");
}
