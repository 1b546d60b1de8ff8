//! Users' passwords, and what the account asks of them.

use serde_json::json;
use service::plane::Organization;

use crate::support::{HOME, Town, allow};

const ANNA: (&str, &str) = ("UserName", "anna");
const FIRST: (&str, &str) = ("Password", "Correct-horse-1");
const VIOLATION: &str = "Password does not conform to the account password policy.";

#[tokio::test]
async fn a_password_lives_is_changed_and_goes_and_is_never_told() {
    let town = Town::new().await;
    let anna = town.user("anna", Some(&allow("iam:ChangePassword", "*"))).await;
    let missing = "Login Profile for User anna cannot be found.";
    for action in ["GetLoginProfile", "DeleteLoginProfile", "UpdateLoginProfile"] {
        let reply = town.iam(&town.admin, action, &[ANNA]).await;
        reply.refused(404, "NoSuchEntity", missing);
    }
    let weak = town.iam(&town.admin, "CreateLoginProfile", &[ANNA, ("Password", "weak")]).await;
    weak.refused(400, "PasswordPolicyViolation", VIOLATION);
    let input = [ANNA, FIRST, ("PasswordResetRequired", "true")];
    let made = town.set_up("CreateLoginProfile", &input).await;
    assert_eq!(made.text("PasswordResetRequired"), "true");
    let event = serde_json::to_string(&made.event()).unwrap();
    assert!(!event.contains("horse") && !made.body.contains("horse"), "{event}");
    let twice = town.iam(&town.admin, "CreateLoginProfile", &[ANNA, FIRST]).await;
    let text = "Login Profile for user anna already exists.";
    twice.refused(409, "EntityAlreadyExists", text);
    let held = town.iam(&town.admin, "DeleteUser", &[ANNA]).await;
    assert_eq!(held.text("Code"), "DeleteConflict");

    let change = |old, new| [("OldPassword", old), ("NewPassword", new)];
    let wrong = town.iam(&anna, "ChangePassword", &change("Wrong-horse-1", "Better-horse-2")).await;
    assert_eq!((wrong.status, wrong.text("Code")), (403, "AccessDenied".to_owned()));
    let right = change(FIRST.1, "Better-horse-2");
    town.iam(&anna, "ChangePassword", &right).await.ok();
    assert_eq!(town.iam(&anna, "ChangePassword", &right).await.status, 403, "it is another now");
    let read = town.set_up("GetLoginProfile", &[ANNA]).await;
    assert_eq!(read.text("PasswordResetRequired"), "false");
    let reset = [ANNA, ("PasswordResetRequired", "true")];
    town.set_up("UpdateLoginProfile", &reset).await;
    let read = town.set_up("GetLoginProfile", &[ANNA]).await;
    assert_eq!(read.text("PasswordResetRequired"), "true");
    town.set_up("DeleteLoginProfile", &[ANNA]).await;
    let gone = town.iam(&town.admin, "GetLoginProfile", &[ANNA]).await;
    gone.refused(404, "NoSuchEntity", missing);
}

#[tokio::test]
async fn the_account_s_policy_holds_for_every_new_password() {
    let town = Town::new().await;
    town.user("anna", None).await;
    let none = town.iam(&town.admin, "GetAccountPasswordPolicy", &[]).await;
    let text = format!("The Password Policy with domain name {HOME} cannot be found.");
    none.refused(404, "NoSuchEntity", &text);
    let policy = [
        ("MinimumPasswordLength", "14"),
        ("RequireSymbols", "true"),
        ("MaxPasswordAge", "90"),
        ("PasswordReusePrevention", "2"),
    ];
    town.set_up("UpdateAccountPasswordPolicy", &policy).await;
    let read = town.set_up("GetAccountPasswordPolicy", &[]).await;
    for (name, value) in policy.into_iter().chain([
        ("RequireNumbers", "false"),
        ("ExpirePasswords", "true"),
        ("AllowUsersToChangePassword", "false"),
    ]) {
        assert_eq!(read.text(name), value, "{name}");
    }
    assert_eq!(read.text("HardExpiry"), "");
    for short in ["Correct-horse", "Correcthorse10"] {
        let input = [ANNA, ("Password", short)];
        let reply = town.iam(&town.admin, "CreateLoginProfile", &input).await;
        reply.refused(400, "PasswordPolicyViolation", VIOLATION);
    }
    town.set_up("CreateLoginProfile", &[ANNA, FIRST]).await;
    // The last two may not come again; the third may.
    let passwords = [FIRST.1, "Correct-horse-2", "Correct-horse-3", FIRST.1];
    let update = |password| [ANNA, ("Password", password)];
    for (at, password) in passwords.into_iter().enumerate().skip(1) {
        let last = town.iam(&town.admin, "UpdateLoginProfile", &update(passwords[at - 1])).await;
        last.refused(400, "PasswordPolicyViolation", VIOLATION);
        town.set_up("UpdateLoginProfile", &update(password)).await;
    }
    // What is not given goes back to its default; the whole policy may go.
    town.set_up("UpdateAccountPasswordPolicy", &[("HardExpiry", "true")]).await;
    let read = town.set_up("GetAccountPasswordPolicy", &[]).await;
    let got = ["MinimumPasswordLength", "ExpirePasswords", "MaxPasswordAge", "HardExpiry"];
    assert_eq!(got.map(|name| read.text(name)), ["6", "false", "", "true"]);
    town.set_up("DeleteAccountPasswordPolicy", &[]).await;
    let none = town.iam(&town.admin, "DeleteAccountPasswordPolicy", &[]).await;
    let text = "The account policy with name PasswordPolicy cannot be found.";
    none.refused(404, "NoSuchEntity", text);
}

#[tokio::test]
async fn only_users_change_their_own_and_only_if_they_may() {
    let town = Town::new().await;
    let anna = town.user("anna", None).await;
    town.set_up("CreateLoginProfile", &[ANNA, FIRST]).await;
    let change = [("OldPassword", FIRST.1), ("NewPassword", "Better-horse-2")];
    let denied = town.iam(&anna, "ChangePassword", &change).await;
    assert_eq!(denied.why(), "implicitDeny identity iam:ChangePassword");
    let policy = ("PolicyArn", "arn:aws:iam::aws:policy/IAMUserChangePassword");
    town.set_up("AttachUserPolicy", &[ANNA, policy]).await;
    town.iam(&anna, "ChangePassword", &change).await.ok();
    let trust = crate::support::trusts(&json!({"AWS": HOME}), &["sts:AssumeRole"], None);
    let role = town.role("r", &trust, Some(&allow("iam:*", "*"))).await;
    let session = [("RoleArn", role.as_str()), ("RoleSessionName", "s1")];
    let session = town.sts(&town.admin, "AssumeRole", &session).await.ok().keys();
    let reply = town.iam(&session, "ChangePassword", &change).await;
    assert_eq!((reply.status, reply.text("Code")), (400, "InvalidUserType".to_owned()));
}

/// The account's switch is leave for one's own password, and nothing that denies gives way to it.
#[tokio::test]
async fn the_switch_gives_every_user_leave_for_its_own() {
    let town = Town::new().await;
    let anna = town.user("anna", None).await;
    town.set_up("CreateLoginProfile", &[ANNA, FIRST]).await;
    let change = |from, to| [("OldPassword", from), ("NewPassword", to)];
    let next = change(FIRST.1, "Better-horse-2");
    for value in ["false", "true"] {
        let switch = [("AllowUsersToChangePassword", value)];
        town.set_up("UpdateAccountPasswordPolicy", &switch).await;
        let read = town.iam(&anna, "GetAccountPasswordPolicy", &[]).await;
        let changed = town.iam(&anna, "ChangePassword", &next).await;
        if value == "false" {
            assert_eq!(read.why(), "implicitDeny identity iam:GetAccountPasswordPolicy");
            assert_eq!(changed.why(), "implicitDeny identity iam:ChangePassword");
            continue;
        }
        read.ok();
        // The log book names what granted it.
        let event = serde_json::to_string(&changed.ok().event()).unwrap();
        assert!(event.contains("account password policy"), "{event}");
    }
    // It is leave for nothing else, and for nobody else's.
    let other = [("UserName", "admin"), ("Password", "Better-horse-3")];
    let denied = town.iam(&anna, "UpdateLoginProfile", &other).await;
    assert_eq!(denied.why(), "implicitDeny identity iam:UpdateLoginProfile");

    let again = change("Better-horse-2", "Better-horse-4");
    let deny = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Deny", "Action": "iam:ChangePassword", "Resource": "*"},
    ]});
    let put = [ANNA, ("PolicyName", "no"), ("PolicyDocument", &*deny.to_string())];
    town.set_up("PutUserPolicy", &put).await;
    let denied = town.iam(&anna, "ChangePassword", &again).await;
    assert_eq!(denied.why(), "explicitDeny identity iam:ChangePassword");
    town.set_up("DeleteUserPolicy", &put[..2]).await;
    let document = allow("s3:*", "*").to_string();
    let policy = [("PolicyName", "narrow"), ("PolicyDocument", document.as_str())];
    let policy = town.set_up("CreatePolicy", &policy).await.text("Arn");
    let bound = [ANNA, ("PermissionsBoundary", policy.as_str())];
    town.set_up("PutUserPermissionsBoundary", &bound).await;
    let denied = town.iam(&anna, "ChangePassword", &again).await;
    assert_eq!(denied.why(), "implicitDeny boundary iam:ChangePassword");
    town.set_up("DeleteUserPermissionsBoundary", &bound[..1]).await;
    let denies: Organization = serde_json::from_value(json!({
        "scps": [[{"name": "full", "document": allow("*", "*")}, {"name": "no", "document": deny}]],
    }))
    .unwrap();
    let home = policy::AccountId::parse(HOME).unwrap();
    town.plane.guard(home, denies).await.unwrap();
    let denied = town.iam(&anna, "ChangePassword", &again).await;
    assert_eq!(denied.why(), "explicitDeny scp iam:ChangePassword");
    town.plane.guard(home, Organization::default()).await.unwrap();
    town.iam(&anna, "ChangePassword", &again).await.ok();
}
