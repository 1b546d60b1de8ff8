//! Instance profiles, and what it takes to put a role into one.

use serde_json::json;

use crate::support::{HOME, Town, allow, trusts};

const P: (&str, &str) = ("InstanceProfileName", "p");
const R: (&str, &str) = ("RoleName", "r");

fn arn(of: &str) -> String {
    format!("arn:aws:iam::{HOME}:{of}")
}

#[tokio::test]
async fn a_profile_lives_holds_one_role_and_dies() {
    let town = Town::new().await;
    let trust = trusts(&json!({"Service": "ec2.amazonaws.com"}), &["sts:AssumeRole"], None);
    town.role("r", &trust, None).await;
    town.role("s", &trust, None).await;
    let tag = [("Tags.member.1.Key", "k"), ("Tags.member.1.Value", "v")];
    let input = [P, ("Path", "/heart/"), tag[0], tag[1]];
    let made = town.set_up("CreateInstanceProfile", &input).await;
    assert_eq!(made.text("Arn"), arn("instance-profile/heart/p"));
    assert!(made.text("InstanceProfileId").starts_with("AIPA"));
    assert_eq!(made.text("CreateDate"), "2026-01-01T00:00:00Z");
    let get = |name| [("InstanceProfileName", name)];
    let twice = town.iam(&town.admin, "CreateInstanceProfile", &get("P")).await;
    twice.refused(409, "EntityAlreadyExists", "Instance Profile P already exists.");
    let none = town.iam(&town.admin, "GetInstanceProfile", &get("q")).await;
    none.refused(404, "NoSuchEntity", "Instance Profile q cannot be found.");

    town.set_up("AddRoleToInstanceProfile", &[P, R]).await;
    let full = town.iam(&town.admin, "AddRoleToInstanceProfile", &[P, ("RoleName", "s")]).await;
    let text = "Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1";
    full.refused(409, "LimitExceeded", text);
    let read = town.set_up("GetInstanceProfile", &get("P")).await;
    assert_eq!((read.text("RoleName"), read.text("Key")), ("r".to_owned(), "k".to_owned()));
    let of_role = town.set_up("ListInstanceProfilesForRole", &[R]).await;
    assert_eq!(of_role.all("InstanceProfileName"), ["p"]);
    let other = town.set_up("ListInstanceProfilesForRole", &[("RoleName", "s")]).await;
    assert!(other.body.contains("<InstanceProfiles/><IsTruncated>false</IsTruncated>"));

    let conflict = "Cannot delete entity, must remove roles from instance profile first.";
    let held = town.iam(&town.admin, "DeleteRole", &[R]).await;
    held.refused(409, "DeleteConflict", conflict);
    let held = town.iam(&town.admin, "DeleteInstanceProfile", &[P]).await;
    held.refused(409, "DeleteConflict", conflict);
    let input = [P, ("RoleName", "s")];
    let wrong = town.iam(&town.admin, "RemoveRoleFromInstanceProfile", &input).await;
    assert_eq!((wrong.status, wrong.text("Code")), (404, "NoSuchEntity".to_owned()));
    town.set_up("RemoveRoleFromInstanceProfile", &[P, R]).await;
    town.set_up("DeleteInstanceProfile", &[P]).await;
    town.set_up("DeleteRole", &[R]).await;
    let none = town.set_up("ListInstanceProfiles", &[]).await;
    assert!(none.body.contains("<InstanceProfiles/>"));
}

#[tokio::test]
async fn profiles_come_by_pages_and_by_path() {
    let town = Town::new().await;
    for name in ["c", "A", "b"] {
        let path = if name == "c" { "/sun/" } else { "/heart/" };
        let input = [("InstanceProfileName", name), ("Path", path)];
        town.set_up("CreateInstanceProfile", &input).await;
    }
    let page = town.set_up("ListInstanceProfiles", &[("MaxItems", "2")]).await;
    assert_eq!(page.all("InstanceProfileName"), ["A", "b"]);
    let marker = page.text("Marker");
    let page = town.set_up("ListInstanceProfiles", &[("Marker", &marker)]).await;
    assert_eq!(page.all("InstanceProfileName"), ["c"]);
    let page = town.set_up("ListInstanceProfiles", &[("PathPrefix", "/sun/")]).await;
    assert_eq!(page.all("InstanceProfileName"), ["c"]);
}

/// ATTACK: who may fill instance profiles hands a role of administrators to a machine of its own.
#[tokio::test]
async fn a_role_is_passed_only_by_those_who_may_pass_it() {
    let town = Town::new().await;
    let trust = trusts(&json!({"Service": "ec2.amazonaws.com"}), &["sts:AssumeRole"], None);
    let role = town.role("r", &trust, None).await;
    town.set_up("CreateInstanceProfile", &[P]).await;
    let filling = allow("iam:AddRoleToInstanceProfile", "*");
    let anna = town.user("anna", Some(&filling)).await;
    let denied = town.iam(&anna, "AddRoleToInstanceProfile", &[P, R]).await;
    let denied = denied.denied(&format!(
        "User: {} is not authorized to perform: iam:PassRole on resource: {role} because no \
         identity-based policy allows the iam:PassRole action",
        arn("user/anna")
    ));
    assert_eq!(denied.why(), "implicitDeny identity iam:PassRole");

    for (name, service, leave) in
        [("bob", "lambda.amazonaws.com", 403), ("eve", "ec2.amazonaws.com", 200)]
    {
        let mut policy = allow(json!(["iam:AddRoleToInstanceProfile", "iam:PassRole"]), "*");
        let to = json!({"StringEquals": {"iam:PassedToService": service}});
        policy["Statement"][0]["Action"] = json!("iam:PassRole");
        policy["Statement"][0]["Condition"] = to;
        let fill =
            json!({"Effect": "Allow", "Action": "iam:AddRoleToInstanceProfile", "Resource": "*"});
        policy["Statement"].as_array_mut().unwrap().push(fill);
        let keys = town.user(name, Some(&policy)).await;
        let reply = town.iam(&keys, "AddRoleToInstanceProfile", &[P, R]).await;
        assert_eq!(reply.status, leave, "{service}");
    }
}
