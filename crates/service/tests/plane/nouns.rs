//! IAM, noun by noun: made, read, changed, listed by pages, deleted; and each of its refusals.

use serde_json::{Value, json};

use crate::support::{AWAY, HOME, Keys, Reply, Town, allow, trusts};

fn arn(of: &str) -> String {
    format!("arn:aws:iam::{HOME}:{of}")
}

async fn admin(town: &Town, action: &str, input: &[(&str, &str)]) -> Reply {
    town.iam(&town.admin, action, input).await
}

/// All pages of two items each.
async fn pages(
    town: &Town,
    action: &str,
    input: &[(&str, &str)],
    element: &str,
) -> Vec<Vec<String>> {
    let (mut found, mut marker) = (Vec::new(), None::<String>);
    loop {
        let mut input = input.to_vec();
        input.push(("MaxItems", "2"));
        input.extend(marker.as_deref().map(|marker| ("Marker", marker)));
        let reply = admin(town, action, &input).await.ok();
        found.push(reply.all(element));
        if reply.text("IsTruncated") == "false" {
            assert_eq!(reply.text("Marker"), "");
            return found;
        }
        marker = Some(reply.text("Marker"));
    }
}

#[tokio::test]
async fn users_live_and_die() {
    let town = Town::new().await;
    let boundary = "arn:aws:iam::aws:policy/ReadOnlyAccess";
    let known = admin(&town, "GetPolicy", &[("PolicyArn", boundary)]).await.status == 200;
    let boundary = if known { boundary } else { "arn:aws:iam::aws:policy/AdministratorAccess" };
    let input = [
        ("UserName", "Anna"),
        ("Path", "/heart/"),
        ("PermissionsBoundary", boundary),
        ("Tags.member.1.Key", "k"),
        ("Tags.member.1.Value", "v"),
    ];
    let made = admin(&town, "CreateUser", &input).await.ok();
    assert_eq!(made.text("Arn"), arn("user/heart/Anna"));
    assert!(made.text("UserId").starts_with("AIDA"));
    assert_eq!(made.text("CreateDate"), "2026-01-01T00:00:00Z");
    let read = admin(&town, "GetUser", &[("UserName", "anna")]).await.ok();
    assert_eq!(read.text("UserName"), "Anna", "found in any case, shown as made");
    assert_eq!(read.text("PermissionsBoundaryArn"), boundary);
    assert_eq!((read.text("Key"), read.text("Value")), ("k".to_owned(), "v".to_owned()));

    let twice = admin(&town, "CreateUser", &[("UserName", "ANNA")]).await;
    twice.refused(409, "EntityAlreadyExists", "User with name ANNA already exists.");
    let none = admin(&town, "GetUser", &[("UserName", "bob")]).await;
    none.refused(404, "NoSuchEntity", "The user with name bob cannot be found.");
    let wrong = admin(&town, "CreateUser", &[("UserName", "a b"), ("Path", "heart")]).await;
    assert_eq!((wrong.status, wrong.text("Code")), (400, "ValidationError".to_owned()));
    assert!(wrong.text("Message").starts_with("2 validation errors detected: "));

    // A new name: its key, its group and its policies go with it.
    let keys = town.key_of(&town.admin, "Anna").await;
    town.set_up("CreateGroup", &[("GroupName", "g")]).await;
    town.set_up("AddUserToGroup", &[("GroupName", "g"), ("UserName", "anna")]).await;
    let document = allow("iam:GetUser", "*").to_string();
    let put = [("UserName", "Anna"), ("PolicyName", "p"), ("PolicyDocument", document.as_str())];
    town.set_up("PutUserPolicy", &put).await;
    let rename = [("UserName", "Anna"), ("NewUserName", "Berta"), ("NewPath", "/sun/")];
    town.set_up("UpdateUser", &rename).await;
    let own = town.iam(&keys, "GetUser", &[]).await.ok();
    assert_eq!(own.text("Arn"), arn("user/sun/Berta"));
    assert_eq!(own.text("UserId"), made.text("UserId"));
    let members = town.set_up("GetGroup", &[("GroupName", "g")]).await;
    assert_eq!(members.all("UserName"), ["Berta"]);
    let none = admin(&town, "GetUser", &[("UserName", "Anna")]).await;
    assert_eq!(none.text("Code"), "NoSuchEntity");
    let taken = [("UserName", "Berta"), ("NewUserName", "admin")];
    let taken = admin(&town, "UpdateUser", &taken).await;
    taken.refused(409, "EntityAlreadyExists", "User with name admin already exists.");

    // Whatever hangs on it must go first.
    let berta = [("UserName", "Berta")];
    let one = |more: (&'static str, &'static str)| [("UserName", "Berta"), more];
    let conflict = |text: &str| format!("Cannot delete entity, {text}");
    let refused = admin(&town, "DeleteUser", &berta).await;
    refused.refused(409, "DeleteConflict", &conflict("must delete policies first."));
    town.set_up("DeleteUserPolicy", &one(("PolicyName", "p"))).await;
    let refused = admin(&town, "DeleteUser", &berta).await;
    refused.refused(409, "DeleteConflict", &conflict("must delete access keys first."));
    town.set_up("DeleteAccessKey", &[berta[0], ("AccessKeyId", &keys.id)]).await;
    let refused = admin(&town, "DeleteUser", &berta).await;
    refused.refused(409, "DeleteConflict", &conflict("must remove users from group first."));
    town.set_up("RemoveUserFromGroup", &one(("GroupName", "g"))).await;
    town.set_up("DeleteUser", &berta).await;
    let none = admin(&town, "DeleteUser", &berta).await;
    none.refused(404, "NoSuchEntity", "The user with name Berta cannot be found.");
}

#[tokio::test]
async fn lists_come_by_pages_and_by_path() {
    let town = Town::new().await;
    for name in ["e", "c", "A", "d", "B"] {
        let path = if name == "e" { "/sun/" } else { "/heart/" };
        town.set_up("CreateUser", &[("UserName", name), ("Path", path)]).await;
        town.set_up("CreateGroup", &[("GroupName", name), ("Path", path)]).await;
    }
    let users = pages(&town, "ListUsers", &[], "UserName").await;
    assert_eq!(users, [vec!["A", "admin"], vec!["B", "c"], vec!["d", "e"]]);
    let hearts = pages(&town, "ListGroups", &[("PathPrefix", "/heart/")], "GroupName").await;
    assert_eq!(hearts, [vec!["A", "B"], vec!["c", "d"]]);
    let listed = town.set_up("ListUsers", &[]).await;
    assert!(!listed.body.contains("<Tags>"), "lists leave tags out");
    for name in ["A", "c", "d"] {
        town.set_up("AddUserToGroup", &[("GroupName", "e"), ("UserName", name)]).await;
        town.set_up("AddUserToGroup", &[("GroupName", name), ("UserName", "e")]).await;
    }
    let members = pages(&town, "GetGroup", &[("GroupName", "e")], "UserName").await;
    assert_eq!(members, [vec!["A", "c"], vec!["d"]]);
    let groups = pages(&town, "ListGroupsForUser", &[("UserName", "e")], "GroupName").await;
    assert_eq!(groups, [vec!["A", "c"], vec!["d"]]);
    let wrong = admin(&town, "ListUsers", &[("Marker", "%%")]).await;
    wrong.refused(400, "ValidationError", "Invalid Marker.");
    let wrong = admin(&town, "ListUsers", &[("MaxItems", "0")]).await;
    assert_eq!((wrong.status, wrong.text("Code")), (400, "ValidationError".to_owned()));
}

#[tokio::test]
async fn groups_lend_their_policies_to_their_members() {
    let town = Town::new().await;
    let anna = town.user("anna", None).await;
    town.set_up("CreateGroup", &[("GroupName", "readers")]).await;
    let document = allow("iam:ListUsers", "*").to_string();
    let put = [("GroupName", "readers"), ("PolicyName", "p"), ("PolicyDocument", &document)];
    town.set_up("PutGroupPolicy", &put).await;
    assert_eq!(town.iam(&anna, "ListUsers", &[]).await.status, 403);
    let member = [("GroupName", "readers"), ("UserName", "anna")];
    town.set_up("AddUserToGroup", &member).await;
    town.set_up("AddUserToGroup", &member).await;
    town.iam(&anna, "ListUsers", &[]).await.ok();
    town.set_up("UpdateGroup", &[("GroupName", "readers"), ("NewGroupName", "lookers")]).await;
    town.iam(&anna, "ListUsers", &[]).await.ok();
    let conflict = admin(&town, "DeleteGroup", &[("GroupName", "lookers")]).await;
    assert_eq!((conflict.status, conflict.text("Code")), (409, "DeleteConflict".to_owned()));
    let member = [("GroupName", "lookers"), ("UserName", "anna")];
    town.set_up("RemoveUserFromGroup", &member).await;
    assert_eq!(town.iam(&anna, "ListUsers", &[]).await.status, 403);

    for at in 0..10 {
        let name = format!("g{at}");
        town.set_up("CreateGroup", &[("GroupName", &name)]).await;
        town.set_up("AddUserToGroup", &[("GroupName", &name), ("UserName", "anna")]).await;
    }
    let eleventh = admin(&town, "AddUserToGroup", &member).await;
    eleventh.refused(409, "LimitExceeded", "Cannot exceed quota for GroupsPerUser: 10");
}

#[tokio::test]
async fn access_keys_are_two_are_switched_and_show_their_secret_once() {
    let town = Town::new().await;
    let anna = town.user("anna", Some(&allow("iam:*AccessKey*", arn("user/anna")))).await;
    let made = town.iam(&anna, "CreateAccessKey", &[]).await.ok();
    let secret = made.text("SecretAccessKey");
    assert_eq!((secret.len(), made.text("UserName")), (40, "anna".to_owned()));
    let event = serde_json::to_string(&made.event()).unwrap();
    assert!(!event.contains(&secret), "the secret is in the log book");
    assert!(event.contains(&made.text("AccessKeyId")));
    let second = Keys::long_term(&made.text("AccessKeyId"), &secret);
    town.sts(&second, "GetCallerIdentity", &[]).await.ok();

    let third = town.iam(&anna, "CreateAccessKey", &[]).await;
    third.refused(409, "LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: 2");
    let listed = town.iam(&anna, "ListAccessKeys", &[]).await.ok();
    assert_eq!(listed.all("Status"), ["Active", "Active"]);
    assert!(!listed.body.contains("Secret"));
    let used = [("AccessKeyId", second.id.as_str())];
    let used = town.iam(&anna, "GetAccessKeyLastUsed", &used).await.ok();
    let used = ["UserName", "ServiceName", "Region"].map(|name| used.text(name));
    assert_eq!(used, ["anna", "sts", "us-east-1"]);

    let switch = |status| [("AccessKeyId", second.id.as_str()), ("Status", status)];
    town.iam(&anna, "UpdateAccessKey", &switch("Inactive")).await.ok();
    let off = town.sts(&second, "GetCallerIdentity", &[]).await;
    assert_eq!(off.text("Code"), "InvalidClientTokenId");
    assert_eq!(off.failed(), "access-key: the access key is inactive");
    town.iam(&anna, "UpdateAccessKey", &switch("Active")).await.ok();
    town.sts(&second, "GetCallerIdentity", &[]).await.ok();

    // Another's key is not there, whichever way it is named.
    let bob = town.user("bob", None).await;
    let text = format!("The Access Key with id {} cannot be found.", bob.id);
    let other = town.iam(&anna, "DeleteAccessKey", &[("AccessKeyId", &bob.id)]).await;
    other.refused(404, "NoSuchEntity", &text);
    let bobs = [("AccessKeyId", bob.id.as_str()), ("UserName", "bob")];
    let denied = town.iam(&anna, "DeleteAccessKey", &bobs).await;
    assert_eq!(denied.why(), "implicitDeny identity iam:DeleteAccessKey");
    town.iam(&anna, "DeleteAccessKey", &[("AccessKeyId", &second.id)]).await.ok();
    let gone = town.sts(&second, "GetCallerIdentity", &[]).await;
    assert_eq!(gone.failed(), "access-key: no such access key");

    // A role is no user.
    let trust = trusts(&json!({"AWS": HOME}), &["sts:AssumeRole"], None);
    let role = town.role("r", &trust, Some(&allow("iam:*", "*"))).await;
    let input = [("RoleArn", role.as_str()), ("RoleSessionName", "s1")];
    let session = town.sts(&town.admin, "AssumeRole", &input).await.ok().keys();
    let text = "Must specify userName when calling with non-User credentials";
    town.iam(&session, "ListAccessKeys", &[]).await.refused(400, "ValidationError", text);
    town.iam(&session, "GetUser", &[]).await.refused(400, "ValidationError", text);
    town.iam(&session, "ListAccessKeys", &[("UserName", "anna")]).await.ok();
}

#[tokio::test]
async fn managed_policies_have_versions_and_know_who_uses_them() {
    let town = Town::new().await;
    let document = |action: &str| allow(action, "*").to_string();
    let first = document("iam:ListUsers");
    let input = [
        ("PolicyName", "reads"),
        ("PolicyDocument", first.as_str()),
        ("Description", "d"),
        ("Path", "/heart/"),
    ];
    let made = admin(&town, "CreatePolicy", &input).await.ok();
    let policy = arn("policy/heart/reads");
    assert_eq!(
        (made.text("Arn"), made.text("DefaultVersionId")),
        (policy.clone(), "v1".to_owned())
    );
    assert_eq!(made.text("Description"), "", "only GetPolicy tells it");
    let twice = [("PolicyName", "Reads"), ("PolicyDocument", first.as_str())];
    let twice = admin(&town, "CreatePolicy", &twice).await;
    let text = "A policy called Reads already exists. Duplicate names are not allowed.";
    twice.refused(409, "EntityAlreadyExists", text);

    let anna = town.user("anna", None).await;
    let attach = [("UserName", "anna"), ("PolicyArn", policy.as_str())];
    town.set_up("AttachUserPolicy", &attach).await;
    town.iam(&anna, "ListUsers", &[]).await.ok();
    let the = [("PolicyArn", policy.as_str())];
    let read = admin(&town, "GetPolicy", &the).await.ok();
    assert_eq!(
        (read.text("AttachmentCount"), read.text("Description")),
        ("1".to_owned(), "d".to_owned())
    );

    // A version in waiting changes nothing; set as default it does, at once.
    let second = document("iam:ListRoles");
    let version = [the[0], ("PolicyDocument", second.as_str())];
    let made = admin(&town, "CreatePolicyVersion", &version).await.ok();
    assert_eq!(
        (made.text("VersionId"), made.text("IsDefaultVersion")),
        ("v2".to_owned(), "false".to_owned())
    );
    assert!(!made.body.contains("<Document>"));
    assert_eq!(town.iam(&anna, "ListRoles", &[]).await.status, 403);
    town.set_up("SetDefaultPolicyVersion", &[the[0], ("VersionId", "v2")]).await;
    town.iam(&anna, "ListRoles", &[]).await.ok();
    assert_eq!(town.iam(&anna, "ListUsers", &[]).await.status, 403);
    let read = admin(&town, "GetPolicyVersion", &[the[0], ("VersionId", "v1")]).await.ok();
    assert_eq!(read.document("Document"), serde_json::from_str::<Value>(&first).unwrap());
    assert!(read.text("Document").starts_with("%7B%22"), "URL-encoded");
    let none = admin(&town, "GetPolicyVersion", &[the[0], ("VersionId", "v9")]).await;
    let text = format!("Policy {policy} version v9 does not exist or is not attachable.");
    none.refused(404, "NoSuchEntity", &text);

    for _ in 0..3 {
        town.set_up("CreatePolicyVersion", &version).await;
    }
    let sixth = admin(&town, "CreatePolicyVersion", &version).await;
    sixth.refused(
        409,
        "LimitExceeded",
        "A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing version.",
    );
    let versions = pages(&town, "ListPolicyVersions", &the, "VersionId").await;
    assert_eq!(versions, [vec!["v5", "v4"], vec!["v3", "v2"], vec!["v1"]]);
    let default = admin(&town, "DeletePolicyVersion", &[the[0], ("VersionId", "v2")]).await;
    default.refused(409, "DeleteConflict", "Cannot delete the default version of a policy.");
    town.set_up("DeletePolicyVersion", &[the[0], ("VersionId", "v5")]).await;
    let again = admin(&town, "CreatePolicyVersion", &version).await.ok();
    assert_eq!(again.text("VersionId"), "v6", "numbers are never used twice");

    // Who uses it.
    let trust = trusts(&json!({"AWS": HOME}), &["sts:AssumeRole"], None);
    town.role("bounded", &trust, None).await;
    let bound = [("RoleName", "bounded"), ("PermissionsBoundary", policy.as_str())];
    town.set_up("PutRolePermissionsBoundary", &bound).await;
    let users = admin(&town, "ListEntitiesForPolicy", &the).await.ok();
    assert_eq!(
        (users.text("UserName"), users.text("RoleName")),
        ("anna".to_owned(), "bounded".to_owned())
    );
    let bounds = [the[0], ("PolicyUsageFilter", "PermissionsBoundary")];
    let bounds = admin(&town, "ListEntitiesForPolicy", &bounds).await.ok();
    assert_eq!(
        (bounds.text("UserName"), bounds.text("RoleName")),
        (String::new(), "bounded".to_owned())
    );
    let roles = [the[0], ("EntityFilter", "User")];
    let only = admin(&town, "ListEntitiesForPolicy", &roles).await.ok();
    assert_eq!(only.all("RoleName"), Vec::<String>::new());
    let own = admin(&town, "ListPolicies", &[("Scope", "Local")]).await.ok();
    assert_eq!(own.all("PolicyName"), ["reads"]);
    let aws =
        admin(&town, "ListPolicies", &[("Scope", "AWS"), ("OnlyAttached", "true")]).await.ok();
    assert_eq!(aws.all("PolicyName"), ["AdministratorAccess"]);

    let used = admin(&town, "DeletePolicy", &the).await;
    used.refused(409, "DeleteConflict", "Cannot delete a policy attached to entities.");
    town.set_up("DetachUserPolicy", &attach).await;
    let detached = admin(&town, "DetachUserPolicy", &attach).await;
    assert_eq!((detached.status, detached.text("Code")), (404, "NoSuchEntity".to_owned()));
    town.set_up("DeleteRolePermissionsBoundary", &[("RoleName", "bounded")]).await;
    let versions = admin(&town, "DeletePolicy", &the).await;
    assert!(versions.text("Message").starts_with("This policy has more than one version."));
    for version in ["v1", "v3", "v4", "v6"] {
        town.set_up("DeletePolicyVersion", &[the[0], ("VersionId", version)]).await;
    }
    town.set_up("DeletePolicy", &the).await;
    let none = admin(&town, "GetPolicy", &the).await;
    none.refused(404, "NoSuchEntity", &format!("Policy {policy} was not found."));
    let unreadable = admin(&town, "GetPolicy", &[("PolicyArn", "not-an-arn-at-all-really")]).await;
    unreadable.refused(400, "ValidationError", "Invalid ARN:  Could not be parsed!");
}

#[tokio::test]
async fn aws_s_policies_are_read_and_attached_and_never_changed() {
    let town = Town::new().await;
    let away = town.account(AWAY).await;
    let the = [("PolicyArn", "arn:aws:iam::aws:policy/AdministratorAccess")];
    let read = admin(&town, "GetPolicy", &the).await.ok();
    assert_eq!(read.text("AttachmentCount"), "1");
    let read = admin(&town, "GetPolicyVersion", &[the[0], ("VersionId", "v1")]).await.ok();
    assert_eq!(read.document("Document")["Statement"][0]["Action"], "*");
    for action in ["DeletePolicy", "TagPolicy"] {
        let tag = [("Tags.member.1.Key", "k"), ("Tags.member.1.Value", "v")];
        let refused = admin(&town, action, &[the[0], tag[0], tag[1]]).await;
        assert_eq!((refused.status, refused.text("Code")), (400, "InvalidInput".to_owned()));
    }
    // Another account's policy is its own.
    let document = allow("s3:*", "*").to_string();
    let made = [("PolicyName", "own"), ("PolicyDocument", document.as_str())];
    let policy = town.iam(&away, "CreatePolicy", &made).await.ok().text("Arn");
    let denied = admin(&town, "GetPolicy", &[("PolicyArn", &policy)]).await;
    assert_eq!((denied.status, denied.text("Code")), (403, "AccessDenied".to_owned()));
}

#[tokio::test]
async fn a_document_s_fault_is_told_to_the_client_and_shown_in_the_log_book() {
    let town = Town::new().await;
    let broken = "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [{\n    \"Effect\": \"Alow\",\n    \"Action\": \"s3:*\", \"Resource\": \"*\"\n  }]\n}";
    let twice = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Effect":"Allow","Action":"*","Resource":"*"}]}"#;
    for (text, line) in [(broken, 4), (twice, 1)] {
        let input = [("PolicyName", "p"), ("PolicyDocument", text)];
        let refused = admin(&town, "CreatePolicy", &input).await;
        assert_eq!(
            (refused.status, refused.text("Code")),
            (400, "MalformedPolicyDocument".to_owned())
        );
        let found = serde_json::to_value(refused.event().vestibule.diagnostics).unwrap();
        assert_eq!(found[0]["line"], line, "{found}");
        assert!(found[0]["column"].as_u64().unwrap() > 1, "{found}");
    }
    let principal = trusts(&json!({"AWS": "*"}), &["sts:AssumeRole"], None).to_string();
    let input = [("PolicyName", "p"), ("PolicyDocument", principal.as_str())];
    let refused = admin(&town, "CreatePolicy", &input).await;
    assert_eq!(refused.text("Code"), "MalformedPolicyDocument");

    // A trust policy names only who exists, and shows who is gone by its raw id.
    let trust = trusts(&json!({"AWS": arn("user/anna")}), &["sts:AssumeRole"], None).to_string();
    let input = [("RoleName", "r"), ("AssumeRolePolicyDocument", trust.as_str())];
    let refused = admin(&town, "CreateRole", &input).await;
    let text = format!("Invalid principal in policy: \"AWS\":\"{}\"", arn("user/anna"));
    refused.refused(400, "MalformedPolicyDocument", &text);
    let id = town.set_up("CreateUser", &[("UserName", "anna")]).await.text("UserId");
    let made = admin(&town, "CreateRole", &input).await.ok();
    let shown = |reply: &Reply| {
        reply.document("AssumeRolePolicyDocument")["Statement"][0]["Principal"]["AWS"].clone()
    };
    assert_eq!(shown(&made), arn("user/anna"));
    town.set_up("DeleteUser", &[("UserName", "anna")]).await;
    town.set_up("CreateUser", &[("UserName", "anna")]).await;
    let read = town.set_up("GetRole", &[("RoleName", "r")]).await;
    assert_eq!(shown(&read), id, "the namesake is not trusted");
}

#[tokio::test]
async fn roles_are_read_as_they_were_made_and_bounded_by_their_boundary() {
    let town = Town::new().await;
    let trust = trusts(&json!({"AWS": HOME}), &["sts:AssumeRole"], None).to_string();
    let input = [
        ("RoleName", "R"),
        ("Path", "/heart/"),
        ("AssumeRolePolicyDocument", trust.as_str()),
        ("Description", "d"),
        ("MaxSessionDuration", "7200"),
        ("Tags.member.1.Key", "project"),
        ("Tags.member.1.Value", "heart"),
    ];
    admin(&town, "CreateRole", &input).await.ok();
    let read = town.set_up("GetRole", &[("RoleName", "r")]).await;
    assert_eq!(
        (read.text("Arn"), read.text("MaxSessionDuration")),
        (arn("role/heart/R"), "7200".to_owned())
    );
    assert_eq!(
        (read.text("Description"), read.text("Value")),
        ("d".to_owned(), "heart".to_owned())
    );
    assert!(read.body.contains("<RoleLastUsed/>"));
    let twice = [("RoleName", "r"), ("AssumeRolePolicyDocument", trust.as_str())];
    let twice = admin(&town, "CreateRole", &twice).await;
    twice.refused(409, "EntityAlreadyExists", "Role with name r already exists.");
    town.set_up("UpdateRole", &[("RoleName", "R"), ("Description", "e")]).await;
    let read = town.set_up("GetRole", &[("RoleName", "R")]).await;
    assert_eq!(
        (read.text("Description"), read.text("MaxSessionDuration")),
        ("e".to_owned(), "3600".to_owned())
    );
    let long = [("RoleName", "R"), ("MaxSessionDuration", "43201")];
    assert_eq!(admin(&town, "UpdateRole", &long).await.text("Code"), "ValidationError");
    let profiles = town.set_up("ListInstanceProfilesForRole", &[("RoleName", "R")]).await;
    assert!(profiles.body.contains("<InstanceProfiles/><IsTruncated>false</IsTruncated>"));

    // What an identity may and its boundary does not allow is denied by the boundary.
    let anna = town.user("anna", Some(&allow("iam:*", "*"))).await;
    let document = allow("iam:ListUsers", "*").to_string();
    let made = [("PolicyName", "b"), ("PolicyDocument", document.as_str())];
    let boundary = town.set_up("CreatePolicy", &made).await.text("Arn");
    let bound = [("UserName", "anna"), ("PermissionsBoundary", boundary.as_str())];
    town.set_up("PutUserPermissionsBoundary", &bound).await;
    town.iam(&anna, "ListUsers", &[]).await.ok();
    let denied = town.iam(&anna, "ListRoles", &[]).await;
    assert_eq!(denied.why(), "implicitDeny boundary iam:ListRoles");
}

#[tokio::test]
async fn tags_and_boundaries_on_creation_are_asked_for() {
    let town = Town::new().await;
    let boundary = "arn:aws:iam::aws:policy/AdministratorAccess";
    let mut making = allow("iam:CreateUser", "*");
    let bounded = json!({"StringEquals": {"iam:PermissionsBoundary": boundary}});
    making["Statement"][0]["Condition"] = bounded;
    let anna = town.user("anna", Some(&making)).await;
    let bound = ("PermissionsBoundary", boundary);
    town.iam(&anna, "CreateUser", &[("UserName", "a"), bound]).await.ok();
    let denied = town.iam(&anna, "CreateUser", &[("UserName", "b")]).await;
    assert_eq!(denied.why(), "implicitDeny identity iam:CreateUser");
    let tag = [("Tags.member.1.Key", "k"), ("Tags.member.1.Value", "v")];
    let denied = town.iam(&anna, "CreateUser", &[("UserName", "b"), bound, tag[0], tag[1]]).await;
    assert_eq!(denied.why(), "implicitDeny identity iam:TagUser");

    let only = json!({"ArnEquals": {"iam:PolicyARN": boundary}});
    let mut attaching = allow("iam:AttachUserPolicy", "*");
    attaching["Statement"][0]["Condition"] = only;
    let bob = town.user("bob", Some(&attaching)).await;
    town.iam(&bob, "AttachUserPolicy", &[("UserName", "a"), ("PolicyArn", boundary)]).await.ok();
    let other = [("UserName", "a"), ("PolicyArn", "arn:aws:iam::aws:policy/IAMFullAccess")];
    let denied = town.iam(&bob, "AttachUserPolicy", &other).await;
    assert_eq!(denied.why(), "implicitDeny identity iam:AttachUserPolicy");

    let twice = [
        ("UserName", "c"),
        tag[0],
        tag[1],
        ("Tags.member.2.Key", "K"),
        ("Tags.member.2.Value", "w"),
    ];
    let text = "Duplicate tag keys found. Please note that Tag keys are case insensitive.";
    admin(&town, "CreateUser", &twice).await.refused(400, "InvalidInput", text);
}

#[tokio::test]
async fn an_account_has_an_alias_and_a_summary() {
    let town = Town::new().await;
    let away = town.account(AWAY).await;
    let alias = |name| [("AccountAlias", name)];
    town.set_up("CreateAccountAlias", &alias("heart")).await;
    town.set_up("CreateAccountAlias", &alias("heart-lab")).await;
    let listed = town.set_up("ListAccountAliases", &[]).await;
    assert_eq!(listed.all("member"), ["heart-lab"]);
    let taken = town.iam(&away, "CreateAccountAlias", &alias("heart-lab")).await;
    assert_eq!((taken.status, taken.text("Code")), (409, "EntityAlreadyExists".to_owned()));
    town.iam(&away, "CreateAccountAlias", &alias("heart")).await.ok();
    let wrong = admin(&town, "DeleteAccountAlias", &alias("heart")).await;
    assert_eq!((wrong.status, wrong.text("Code")), (404, "NoSuchEntity".to_owned()));
    town.set_up("DeleteAccountAlias", &alias("heart-lab")).await;

    let summary = town.set_up("GetAccountSummary", &[]).await;
    let entry =
        |key: &str, value: usize| format!("<entry><key>{key}</key><value>{value}</value></entry>");
    for (key, value) in [("Users", 1), ("Roles", 0), ("AccessKeysPerUserQuota", 2)] {
        assert!(summary.body.contains(&entry(key, value)), "{key}: {}", summary.body);
    }
}
