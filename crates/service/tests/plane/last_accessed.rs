//! What principals may use by their policies, and when they last did.

use serde_json::{Value, json};

use crate::support::{HOME, Reply, Town, allow};

const IAM: &str = "AWS Identity and Access Management";

fn arn(of: &str) -> String {
    format!("arn:aws:iam::{HOME}:{of}")
}

async fn details(town: &Town, arn: &str, granularity: &str) -> (String, Reply) {
    let input = [("Arn", arn), ("Granularity", granularity)];
    let job = town.set_up("GenerateServiceLastAccessedDetails", &input).await.text("JobId");
    let reply = town.set_up("GetServiceLastAccessedDetails", &[("JobId", &job)]).await;
    assert_eq!(reply.text("JobStatus"), "COMPLETED");
    (job, reply)
}

/// Anna may list users, by an inline policy and by her group's; Bob is in the group, too.
async fn scene() -> (Town, crate::support::Keys) {
    let town = Town::new().await;
    let anna = town.user("anna", Some(&allow(json!(["iam:List*", "S3:Get?bject"]), "*"))).await;
    town.user("bob", None).await;
    town.set_up("CreateGroup", &[("GroupName", "people")]).await;
    let policy = allow("sts:*", "*").to_string();
    let policy = [("PolicyName", "tokens"), ("PolicyDocument", policy.as_str())];
    let policy = town.set_up("CreatePolicy", &policy).await.text("Arn");
    let attach = [("GroupName", "people"), ("PolicyArn", policy.as_str())];
    town.set_up("AttachGroupPolicy", &attach).await;
    for user in ["anna", "bob"] {
        let put = [("GroupName", "people"), ("UserName", user)];
        town.set_up("AddUserToGroup", &put).await;
    }
    (town, anna)
}

#[tokio::test]
async fn services_are_those_of_the_policies_and_dates_those_of_proven_calls() {
    let (town, anna) = scene().await;
    let (_, before) = details(&town, &arn("user/anna"), "SERVICE_LEVEL").await;
    assert_eq!(before.all("ServiceNamespace"), ["iam", "s3", "sts"]);
    assert_eq!(
        (before.text("ServiceName"), before.text("JobType")),
        (IAM.into(), "SERVICE_LEVEL".into())
    );
    assert!(!before.body.contains("LastAuthenticated>"), "nothing was used yet");
    assert_eq!(before.all("TotalAuthenticatedEntities"), ["0", "0", "0"]);

    town.pass(60);
    town.iam(&anna, "ListUsers", &[]).await.ok();
    town.pass(60);
    // What is denied was tried all the same, as on AWS.
    let denied = town.iam(&anna, "CreateGroup", &[("GroupName", "x")]).await;
    assert_eq!(denied.why(), "implicitDeny identity iam:CreateGroup");
    let (job, after) = details(&town, &arn("user/anna"), "ACTION_LEVEL").await;
    assert_eq!(after.all("LastAuthenticated"), ["2026-01-01T00:02:00Z"]);
    assert_eq!(after.text("LastAuthenticatedEntity"), arn("user/anna"));
    assert_eq!(after.text("LastAuthenticatedRegion"), "us-east-1");
    assert_eq!(after.all("ActionName"), ["CreateGroup", "ListUsers"]);
    assert_eq!(after.all("LastAccessedTime"), ["2026-01-01T00:02:00Z", "2026-01-01T00:01:00Z"]);
    let page = [("JobId", job.as_str()), ("MaxItems", "1")];
    let page = town.set_up("GetServiceLastAccessedDetails", &page).await;
    assert_eq!(
        (page.all("ServiceNamespace"), page.text("IsTruncated")),
        (vec!["iam".to_owned()], "true".into())
    );

    // Of the group and of its policy: whoever has them, and who of them used it.
    for subject in ["group/people", "policy/tokens"] {
        let (job, reply) = details(&town, &arn(subject), "SERVICE_LEVEL").await;
        assert_eq!(reply.all("ServiceNamespace"), ["sts"], "{subject}");
        let of = [("JobId", job.as_str()), ("ServiceNamespace", "iam")];
        let who = town.set_up("GetServiceLastAccessedDetailsWithEntities", &of).await;
        assert_eq!(who.all("Name"), ["anna", "bob"], "{subject}");
        assert_eq!(who.all("LastAuthenticated"), ["2026-01-01T00:02:00Z"], "{subject}");
    }
}

#[tokio::test]
async fn uses_outlive_a_restart_and_questions_do_not() {
    let (town, anna) = scene().await;
    town.iam(&anna, "ListUsers", &[]).await.ok();
    let (job, _) = details(&town, &arn("user/anna"), "SERVICE_LEVEL").await;
    town.plane.finish().await;
    let town = town.restarted().await;
    let gone = town.iam(&town.admin, "GetServiceLastAccessedDetails", &[("JobId", &job)]).await;
    gone.refused(404, "NoSuchEntity", &format!("The job with id {job} cannot be found."));
    let (job, again) = details(&town, &arn("user/anna"), "ACTION_LEVEL").await;
    assert_eq!(again.all("ActionName"), ["ListUsers"]);
    // Another account's question is none of ours; neither is one of last week.
    let away = town.account(crate::support::AWAY).await;
    let other = town.iam(&away, "GetServiceLastAccessedDetails", &[("JobId", &job)]).await;
    assert_eq!((other.status, other.text("Code")), (404, "NoSuchEntity".to_owned()));
    town.pass(7 * 86_400);
    let old = town.iam(&town.admin, "GetServiceLastAccessedDetails", &[("JobId", &job)]).await;
    assert_eq!((old.status, old.text("Code")), (404, "NoSuchEntity".to_owned()));
    let nobody = [("Arn", &*arn("user/nobody"))];
    let nobody = town.iam(&town.admin, "GenerateServiceLastAccessedDetails", &nobody).await;
    nobody.refused(404, "NoSuchEntity", &format!("ARN {} cannot be found.", arn("user/nobody")));
}

#[tokio::test]
async fn a_policy_grants_a_service_if_some_allow_reaches_into_it() {
    let town = Town::new().await;
    town.user("anna", None).await;
    let grants = async |effect: &str, element: &str, actions: Value| {
        let document = json!({"Version": "2012-10-17", "Statement": [
            {"Effect": effect, element: actions, "Resource": "*"},
        ]});
        let document = document.to_string();
        let put = [("UserName", "anna"), ("PolicyName", "p"), ("PolicyDocument", &*document)];
        town.set_up("PutUserPolicy", &put).await;
        let arn = arn("user/anna");
        let input = [("Arn", arn.as_str()), ("ServiceNamespaces.member.1", "s3")];
        let reply = town.set_up("ListPoliciesGrantingServiceAccess", &input).await;
        assert_eq!(reply.text("ServiceNamespace"), "s3");
        let found = reply.all("PolicyName");
        if !found.is_empty() {
            let inline = ["INLINE", "USER", "anna"].map(str::to_owned);
            let told = ["PolicyType", "EntityType", "EntityName"].map(|name| reply.text(name));
            assert_eq!(told, inline);
        }
        !found.is_empty()
    };
    for (effect, element, actions, wanted) in [
        ("Allow", "Action", json!("*"), true),
        ("Allow", "Action", json!("s3:GetObject"), true),
        ("Allow", "Action", json!(["ec2:*", "S3:Put*"]), true),
        ("Allow", "Action", json!("s3express:*"), false),
        ("Deny", "Action", json!("s3:*"), false),
        ("Allow", "NotAction", json!("iam:*"), true),
        ("Allow", "NotAction", json!("s3:GetObject"), true),
        ("Allow", "NotAction", json!(["iam:*", "s3:*"]), false),
        ("Allow", "NotAction", json!("*"), false),
    ] {
        let found = grants(effect, element, actions.clone()).await;
        assert_eq!(found, wanted, "{effect} {element} {actions}");
    }
    let policy = arn("policy/x");
    let input = [("Arn", policy.as_str()), ("ServiceNamespaces.member.1", "s3")];
    let none = town.iam(&town.admin, "ListPoliciesGrantingServiceAccess", &input).await;
    assert_eq!((none.status, none.text("Code")), (404, "NoSuchEntity".to_owned()));
}
