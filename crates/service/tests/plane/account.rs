//! What tells of a whole account, and the roles in it that belong to services.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::support::{AWAY, HOME, Town, allow, trusts};

#[tokio::test]
async fn everybody_s_policies_are_told_page_by_page() {
    let town = Town::new().await;
    let document = allow("iam:ListUsers", "*").to_string();
    let own = [("PolicyName", "own"), ("PolicyDocument", document.as_str())];
    let arn = town.set_up("CreatePolicy", &own).await.text("Arn");
    town.user("anna", Some(&allow("s3:*", "*"))).await;
    town.set_up("CreateGroup", &[("GroupName", "g")]).await;
    town.set_up("AddUserToGroup", &[("GroupName", "g"), ("UserName", "anna")]).await;
    town.set_up("AttachGroupPolicy", &[("GroupName", "g"), ("PolicyArn", &arn)]).await;
    let trust = trusts(&json!({"AWS": HOME}), &["sts:AssumeRole"], None);
    town.role("r", &trust, None).await;
    town.set_up("CreateInstanceProfile", &[("InstanceProfileName", "p")]).await;
    let fill = [("InstanceProfileName", "p"), ("RoleName", "r")];
    town.set_up("AddRoleToInstanceProfile", &fill).await;

    let all = town.set_up("GetAccountAuthorizationDetails", &[]).await;
    assert_eq!(all.all("UserName"), ["admin", "anna"]);
    assert_eq!(all.all("GroupList"), ["<member>g</member>"], "the other is in none");
    assert_eq!(all.text("InstanceProfileName"), "p");
    assert_eq!(all.document("AssumeRolePolicyDocument"), trust);
    assert_eq!(all.document("PolicyDocument"), allow("s3:*", "*"));
    assert_eq!(all.document("Document"), allow("iam:ListUsers", "*"));
    assert!(all.body.contains("AdministratorAccess"), "the administrator has it");
    assert!(!all.body.contains("PowerUserAccess"), "nobody has it");
    let lists = ["UserDetailList", "GroupDetailList", "RoleDetailList", "Policies"];
    let told = |filter: &'static str| [("Filter.member.1", filter)];
    for (filter, list) in [
        ("User", "UserDetailList"),
        ("Group", "GroupDetailList"),
        ("Role", "RoleDetailList"),
        ("LocalManagedPolicy", "Policies"),
        ("AWSManagedPolicy", "Policies"),
    ] {
        let some = town.set_up("GetAccountAuthorizationDetails", &told(filter)).await;
        for other in lists {
            let empty = some.body.contains(&format!("<{other}/>"));
            assert_eq!(empty, other != list, "{filter}: {}", some.body);
        }
    }
    let (mut seen, mut marker) = (0, None::<String>);
    loop {
        let mut input = vec![("MaxItems", "2")];
        input.extend(marker.as_deref().map(|marker| ("Marker", marker)));
        let page = town.set_up("GetAccountAuthorizationDetails", &input).await;
        seen += 1;
        if page.text("IsTruncated") == "false" {
            break;
        }
        marker = Some(page.text("Marker"));
    }
    assert_eq!(seen, 3, "six in pages of two");
}

#[tokio::test]
async fn the_credential_report_tells_of_every_user() {
    let town = Town::new().await;
    let none = town.iam(&town.admin, "GetCredentialReport", &[]).await;
    assert_eq!((none.status, none.text("Code")), (410, "ReportNotPresent".to_owned()));
    town.user("an,na", None).await;
    let login = [("UserName", "an,na"), ("Password", "Correct-horse-1")];
    town.set_up("CreateLoginProfile", &login).await;
    town.set_up("UpdateAccountPasswordPolicy", &[("MaxPasswordAge", "1")]).await;
    assert_eq!(town.set_up("GenerateCredentialReport", &[]).await.text("State"), "STARTED");
    assert_eq!(town.set_up("GenerateCredentialReport", &[]).await.text("State"), "COMPLETE");
    let read = town.set_up("GetCredentialReport", &[]).await;
    assert_eq!(read.text("GeneratedTime"), "2026-01-01T00:00:00Z");
    let content = STANDARD.decode(read.text("Content")).unwrap();
    let content = String::from_utf8(content).unwrap();
    let lines: Vec<_> = content.lines().collect();
    let columns = lines[0].split(',').count();
    assert_eq!((lines.len(), columns), (4, 22));
    assert!(lines[1].starts_with(&format!("<root_account>,arn:aws:iam::{HOME}:root,")));
    assert!(lines[2].starts_with("admin,") && lines[2].contains(",false,N/A,N/A,N/A,false,true,"));
    let anna = "\"an,na\",\"arn:aws:iam::111122223333:user/an,na\",2026-01-01T00:00:00+00:00,true,no_information,2026-01-01T00:00:00+00:00,2026-01-02T00:00:00+00:00,false,true,2026-01-01T00:00:00+00:00,N/A,N/A,N/A,false,N/A,N/A,N/A,N/A,false,N/A,false,N/A";
    assert_eq!(lines[3], anna);
    town.pass(4 * 3600);
    let old = town.iam(&town.admin, "GetCredentialReport", &[]).await;
    assert_eq!((old.status, old.text("Code")), (410, "ReportExpired".to_owned()));
    assert_eq!(town.set_up("GenerateCredentialReport", &[]).await.text("State"), "STARTED");
}

#[tokio::test]
async fn the_preferred_token_version_is_kept() {
    let town = Town::new().await;
    let entry = |version| format!("<key>GlobalEndpointTokenVersion</key><value>{version}</value>");
    for (set, told) in [("v1Token", 1), ("v2Token", 2)] {
        let input = [("GlobalEndpointTokenVersion", set)];
        town.set_up("SetSecurityTokenServicePreferences", &input).await;
        let summary = town.set_up("GetAccountSummary", &[]).await;
        assert!(summary.body.contains(&entry(told)), "{}", summary.body);
    }
}

const LINKED: (&str, &str) = ("RoleName", "AWSServiceRoleForAutoScaling_blue");

#[tokio::test]
async fn a_service_s_role_is_made_once_and_changed_by_nobody() {
    let town = Town::new().await;
    let service = ("AWSServiceName", "autoscaling.amazonaws.com");
    let input = [service, ("CustomSuffix", "blue"), ("Description", "d")];
    let made = town.set_up("CreateServiceLinkedRole", &input).await;
    assert_eq!(made.text("RoleName"), LINKED.1);
    assert_eq!(made.text("Path"), "/aws-service-role/autoscaling.amazonaws.com/");
    let twice = town.iam(&town.admin, "CreateServiceLinkedRole", &input).await;
    let text = format!(
        "Service role name {} has been taken in this account, please try a different suffix.",
        LINKED.1
    );
    twice.refused(400, "InvalidInput", &text);
    for wrong in [
        vec![("AWSServiceName", "nobody.amazonaws.com")],
        vec![("AWSServiceName", "rds.amazonaws.com"), ("CustomSuffix", "x")],
    ] {
        let reply = town.iam(&town.admin, "CreateServiceLinkedRole", &wrong).await;
        assert_eq!((reply.status, reply.text("Code")), (400, "InvalidInput".to_owned()));
    }
    let trust = trusts(&json!({"AWS": HOME}), &["sts:AssumeRole"], None).to_string();
    let document = allow("*", "*").to_string();
    let admin = ("PolicyArn", "arn:aws:iam::aws:policy/AdministratorAccess");
    let bound = ("PermissionsBoundary", admin.1);
    let text = format!(
        "Cannot perform the operation on the protected role '{}' - this role is only modifiable by AWS",
        LINKED.1
    );
    for (action, more) in [
        ("UpdateAssumeRolePolicy", vec![("PolicyDocument", trust.as_str())]),
        ("PutRolePolicy", vec![("PolicyName", "p"), ("PolicyDocument", &document)]),
        ("DeleteRolePolicy", vec![("PolicyName", "p")]),
        ("AttachRolePolicy", vec![admin]),
        ("DetachRolePolicy", vec![admin]),
        ("PutRolePermissionsBoundary", vec![bound]),
        ("DeleteRolePermissionsBoundary", vec![]),
        ("UpdateRole", vec![("MaxSessionDuration", "7200")]),
        ("DeleteRole", vec![]),
    ] {
        let input: Vec<_> = [LINKED].into_iter().chain(more).collect();
        let reply = town.iam(&town.admin, action, &input).await;
        reply.refused(400, "UnmodifiableEntity", &text);
    }
    town.set_up("UpdateRole", &[LINKED, ("Description", "e")]).await;
    assert_eq!(town.set_up("GetRole", &[LINKED]).await.text("Description"), "e");
    // Nobody else makes a role look like one.
    let path = ("Path", "/aws-service-role/ec2.amazonaws.com/");
    let input = [("RoleName", "x"), path, ("AssumeRolePolicyDocument", &trust)];
    let reply = town.iam(&town.admin, "CreateRole", &input).await;
    assert_eq!((reply.status, reply.text("Code")), (400, "InvalidInput".to_owned()));

    let task = town.set_up("DeleteServiceLinkedRole", &[LINKED]).await.text("DeletionTaskId");
    assert!(
        task.starts_with(&format!("task/aws-service-role/autoscaling.amazonaws.com/{}/", LINKED.1))
    );
    let status = [("DeletionTaskId", task.as_str())];
    let done = town.set_up("GetServiceLinkedRoleDeletionStatus", &status).await;
    assert_eq!(done.text("Status"), "SUCCEEDED");
    let away = town.account(AWAY).await;
    let theirs = town.iam(&away, "GetServiceLinkedRoleDeletionStatus", &status).await;
    assert_eq!((theirs.status, theirs.text("Code")), (404, "NoSuchEntity".to_owned()));
    let gone = town.iam(&town.admin, "DeleteServiceLinkedRole", &[LINKED]).await;
    assert_eq!((gone.status, gone.text("Code")), (404, "NoSuchEntity".to_owned()));
}

#[tokio::test]
async fn a_service_s_role_is_made_only_for_the_services_that_the_caller_may() {
    let town = Town::new().await;
    let mut policy = allow("iam:CreateServiceLinkedRole", "*");
    let condition = json!({"StringEquals": {"iam:AWSServiceName": "rds.amazonaws.com"}});
    policy["Statement"][0]["Condition"] = condition;
    let anna = town.user("anna", Some(&policy)).await;
    let input = [("AWSServiceName", "rds.amazonaws.com")];
    town.iam(&anna, "CreateServiceLinkedRole", &input).await.ok();
    let input = [("AWSServiceName", "ecs.amazonaws.com")];
    let denied = town.iam(&anna, "CreateServiceLinkedRole", &input).await;
    assert_eq!(denied.why(), "implicitDeny identity iam:CreateServiceLinkedRole");
}
