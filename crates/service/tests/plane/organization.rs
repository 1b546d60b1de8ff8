//! An organization's policies over an account: what they forbid, no administrator can allow.

use policy::AccountId;
use serde_json::{Value, json};
use service::plane::Organization;

use crate::support::{HOME, Town, trusts};

const ROLES: &[(&str, &str)] = &[];

async fn guard(town: &Town, scp: Value) {
    let full = json!({ "Effect": "Allow", "Action": "*", "Resource": "*" });
    let document = json!({ "Version": "2012-10-17", "Statement": [full, scp] });
    let wanted = json!({ "scps": [[{ "name": "guard", "document": document }]] });
    let wanted: Organization = serde_json::from_value(wanted).unwrap();
    town.plane.guard(AccountId::parse(HOME).unwrap(), wanted).await.unwrap();
}

#[tokio::test]
async fn what_a_service_control_policy_denies_no_administrator_may() {
    let town = Town::new().await;
    town.iam(&town.admin, "ListRoles", ROLES).await.ok();

    guard(&town, json!({ "Effect": "Deny", "Action": "iam:ListRoles", "Resource": "*" })).await;
    town.iam(&town.admin, "ListRoles", ROLES).await.denied(&format!(
        "User: arn:aws:iam::{HOME}:user/admin is not authorized to perform: iam:ListRoles \
         on resource: arn:aws:iam::{HOME}:role/ with an explicit deny in a service control policy"
    ));
    town.iam(&town.admin, "ListUsers", ROLES).await.ok();

    let lifted = Organization::default();
    town.plane.guard(AccountId::parse(HOME).unwrap(), lifted).await.unwrap();
    town.iam(&town.admin, "ListRoles", ROLES).await.ok();
}

#[tokio::test]
async fn a_level_that_allows_nothing_blocks_and_a_malformed_one_changes_nothing() {
    let town = Town::new().await;
    let home = AccountId::parse(HOME).unwrap();
    let empty: Organization = serde_json::from_value(json!({ "scps": [[]] })).unwrap();
    town.plane.guard(home, empty).await.unwrap();
    town.iam(&town.admin, "ListRoles", ROLES).await.denied(&format!(
        "User: arn:aws:iam::{HOME}:user/admin is not authorized to perform: iam:ListRoles \
         on resource: arn:aws:iam::{HOME}:role/ because no service control policy allows the \
         iam:ListRoles action"
    ));

    town.plane.guard(home, Organization::default()).await.unwrap();
    let wrong = json!({ "scps": [[{ "name": "wrong", "document": { "Statement": 1 } }]] });
    let wrong: Organization = serde_json::from_value(wrong).unwrap();
    let error = town.plane.guard(home, wrong).await.unwrap_err().to_string();
    assert!(error.contains("the policy is refused: wrong"), "{error}");
    town.iam(&town.admin, "ListRoles", ROLES).await.ok();
}

#[tokio::test]
async fn a_resource_control_policy_binds_who_may_assume_a_role() {
    let town = Town::new().await;
    let trust = trusts(&json!({ "AWS": HOME }), &["sts:AssumeRole"], None);
    let role = town.role("reader", &trust, None).await;
    let input = [("RoleArn", role.as_str()), ("RoleSessionName", "s1")];
    let guard = async |resource: &str| {
        let deny = json!({
            "Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole", "Resource": resource,
        });
        let document = json!({ "Version": "2012-10-17", "Statement": deny });
        let wanted = json!({ "rcps": [[{ "name": "guard", "document": document }]] });
        let wanted: Organization = serde_json::from_value(wanted).unwrap();
        town.plane.guard(AccountId::parse(HOME).unwrap(), wanted).await.unwrap();
    };
    guard(&format!("arn:aws:iam::{HOME}:role/other")).await;
    town.sts(&town.admin, "AssumeRole", &input).await.ok();

    guard(&role).await;
    let denied = town.sts(&town.admin, "AssumeRole", &input).await;
    let denied = denied.denied(&format!(
        "User: arn:aws:iam::{HOME}:user/admin is not authorized to perform: sts:AssumeRole \
         on resource: {role}"
    ));
    assert_eq!(denied.why(), "explicitDeny rcp sts:AssumeRole");
}
