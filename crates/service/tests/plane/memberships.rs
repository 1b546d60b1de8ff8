//! Accounts that leave an organization, are taken out or closed; services and their administrators.

use serde_json::json;

use crate::organizations::{Organization, refusal, text};
use crate::support::{HOME, allow, trusts};

const SCP: &str = "SERVICE_CONTROL_POLICY";
const CONSTRAINT: &str = "ConstraintViolationException";

/// While an account is a member, policies bind it; from when it is not, they do not.
#[tokio::test]
async fn who_leaves_or_is_taken_out_is_bound_no_more() {
    let org = Organization::new().await;
    let town = &org.town;
    let deny = json!({
        "Effect": "Deny", "Action": ["iam:ListUsers", "organizations:LeaveOrganization"],
        "Resource": "*",
    });
    let guard = org.policy(SCP, "guard", deny).await;
    org.attach(&guard, &org.root).await;
    let (one, two) = (org.account("one").await, org.account("two").await);
    let (in_one, in_two) = (org.enter(&one).await, org.enter(&two).await);
    let denied = town.iam(&in_one, "ListUsers", &[]).await;
    assert_eq!(denied.why_in(&one), "explicitDeny scp iam:ListUsers");
    // Even to leave is denied, by the policy that says so.
    let leave = json!({});
    let denied = town.organizations_as(&in_one, "LeaveOrganization", &leave).await;
    assert_eq!(denied.why_in(&one), "explicitDeny scp organizations:LeaveOrganization");

    org.call("RemoveAccountFromOrganization", json!({"AccountId": one})).await;
    town.iam(&in_one, "ListUsers", &[]).await.ok();
    let outside = town.organizations_as(&in_one, "DescribeOrganization", &leave).await;
    assert_eq!(refusal(&outside).0, "AWSOrganizationsNotInUseException");
    let denied = town.iam(&in_two, "ListUsers", &[]).await;
    assert_eq!(denied.why_in(&two), "explicitDeny scp iam:ListUsers");

    org.detach(&guard, &org.root).await;
    town.organizations_as(&in_two, "LeaveOrganization", &leave).await.ok();
    let again = town.organizations_as(&in_two, "LeaveOrganization", &leave).await;
    assert_eq!(refusal(&again).0, "AWSOrganizationsNotInUseException");
    let accounts = org.call("ListAccounts", json!({})).await;
    assert_eq!(accounts["Accounts"].as_array().unwrap().len(), 1);
    // What is alone may end; its account is free then.
    org.call("DeletePolicy", json!({"PolicyId": guard})).await;
    org.call("DeleteOrganization", json!({})).await;
}

#[tokio::test]
async fn the_managing_account_stays_and_so_does_who_administers_a_service() {
    let org = Organization::new().await;
    let town = &org.town;
    let (account, service) = (org.account("heart").await, "sso.amazonaws.com");
    let home = json!({"AccountId": HOME});
    for (action, code) in [
        ("RemoveAccountFromOrganization", "MasterCannotLeaveOrganizationException"),
        ("CloseAccount", CONSTRAINT),
    ] {
        assert_eq!(org.refused(action, home.clone()).await.0, code);
        let nobody = org.refused(action, json!({"AccountId": "999999999999"})).await;
        assert_eq!(nobody.0, "AccountNotFoundException");
    }
    let leave = org.refused("LeaveOrganization", json!({})).await;
    assert_eq!(leave.0, "MasterCannotLeaveOrganizationException");

    let pair = json!({"AccountId": account, "ServicePrincipal": service});
    let early = org.refused("RegisterDelegatedAdministrator", pair.clone()).await;
    assert_eq!(early.0, CONSTRAINT, "{}", early.1);
    let odd = org.refused("EnableAWSServiceAccess", json!({"ServicePrincipal": "sso"})).await;
    let text_of = "You specified an unrecognized service principal.".to_owned();
    assert_eq!(odd, ("InvalidInputException".to_owned(), text_of));
    org.call("EnableAWSServiceAccess", json!({"ServicePrincipal": service})).await;
    let listed = org.call("ListAWSServiceAccessForOrganization", json!({})).await;
    assert_eq!(listed["EnabledServicePrincipals"][0]["ServicePrincipal"], service);

    // Members may not read the organization; who administers a service for it may, and only read.
    let member = org.enter(&account).await;
    let list = json!({});
    let reply = town.organizations_as(&member, "ListAccounts", &list).await;
    assert_eq!(refusal(&reply).0, "AccessDeniedException");
    org.call("RegisterDelegatedAdministrator", pair.clone()).await;
    town.organizations_as(&member, "ListAccounts", &list).await.ok();
    let unit = json!({"ParentId": org.root, "Name": "x"});
    let reply = town.organizations_as(&member, "CreateOrganizationalUnit", &unit).await;
    assert_eq!(refusal(&reply).0, "AccessDeniedException");

    let again = org.refused("RegisterDelegatedAdministrator", pair.clone()).await;
    assert_eq!(again.0, "AccountAlreadyRegisteredException");
    let own = json!({"AccountId": HOME, "ServicePrincipal": service});
    assert_eq!(org.refused("RegisterDelegatedAdministrator", own).await.0, CONSTRAINT);
    for (filter, count) in [(None, 1), (Some(service), 1), (Some("ssm.amazonaws.com"), 0)] {
        let input = filter.map_or(json!({}), |it| json!({"ServicePrincipal": it}));
        let listed = org.call("ListDelegatedAdministrators", input).await;
        let listed = listed["DelegatedAdministrators"].as_array().unwrap();
        assert_eq!(listed.len(), count, "{filter:?}");
        assert!(listed.iter().all(|it| it["DelegationEnabledDate"] == 1_767_225_600));
    }
    let services = org.call("ListDelegatedServicesForAccount", json!({"AccountId": account})).await;
    assert_eq!(services["DelegatedServices"][0]["ServicePrincipal"], service);
    for action in ["RemoveAccountFromOrganization", "CloseAccount"] {
        assert_eq!(org.refused(action, json!({"AccountId": account})).await.0, CONSTRAINT);
    }
    let held = org.refused("DisableAWSServiceAccess", json!({"ServicePrincipal": service})).await;
    assert_eq!(held.0, CONSTRAINT);
    org.call("DeregisterDelegatedAdministrator", pair.clone()).await;
    for (action, input) in [
        ("DeregisterDelegatedAdministrator", pair),
        ("ListDelegatedServicesForAccount", json!({"AccountId": account})),
    ] {
        assert_eq!(org.refused(action, input).await.0, "AccountNotRegisteredException");
    }
    org.call("DisableAWSServiceAccess", json!({"ServicePrincipal": service})).await;
    org.call("RemoveAccountFromOrganization", json!({"AccountId": account})).await;
}

/// A closed account is told of, and is nobody's door any more: not for whoever is inside, not for
/// whoever would come in.
#[tokio::test]
async fn a_closed_account_opens_for_nobody() {
    let org = Organization::new().await;
    let town = &org.town;
    let (account, open) = (org.account("heart").await, org.account("open").await);
    let inside = org.enter(&account).await;
    town.iam(&inside, "CreateUser", &[("UserName", "erin")]).await.ok();
    let key = town.key_of(&inside, "erin").await;
    let put = [
        ("UserName", "erin"),
        ("PolicyName", "p"),
        ("PolicyDocument", &*allow("iam:*", "*").to_string()),
    ];
    town.iam(&inside, "PutUserPolicy", &put).await.ok();
    town.iam(&key, "ListUsers", &[]).await.ok();
    let trust = trusts(&json!({"AWS": account}), &["sts:AssumeRole"], None);
    town.role("guest", &trust, None).await;
    let closing = json!({"AccountId": account});
    org.call("CloseAccount", closing.clone()).await;
    for keys in [&inside, &key] {
        let reply = town.iam(keys, "ListUsers", &[]).await;
        assert_eq!((reply.status, reply.text("Code")), (403, "InvalidClientTokenId".to_owned()));
    }
    let role = format!("arn:aws:iam::{account}:role/OrganizationAccountAccessRole");
    let input = [("RoleArn", role.as_str()), ("RoleSessionName", "s1")];
    let shut = town.sts(&town.admin, "AssumeRole", &input).await;
    assert_eq!((shut.status, shut.text("Code")), (403, "AccessDenied".to_owned()));
    // Its twin is open, and stays so.
    org.enter(&open).await;
    // No role elsewhere lets its people in, though trust names them.
    let guest = format!("arn:aws:iam::{HOME}:role/guest");
    let input = [("RoleArn", guest.as_str()), ("RoleSessionName", "s1")];
    let reply = town.sts(&key, "AssumeRole", &input).await;
    assert_eq!(reply.text("Code"), "InvalidClientTokenId");

    let told = org.call("DescribeAccount", closing.clone()).await;
    assert_eq!(
        (text(&told["Account"]["Status"]), text(&told["Account"]["State"])),
        ("SUSPENDED".into(), "CLOSED".into())
    );
    let twice = org.refused("CloseAccount", closing.clone()).await;
    assert_eq!(twice.0, "AccountAlreadyClosedException");
    assert_eq!(org.refused("RemoveAccountFromOrganization", closing).await.0, CONSTRAINT);
    let statuses = org.call("ListCreateAccountStatus", json!({"States": ["SUCCEEDED"]})).await;
    assert_eq!(statuses["CreateAccountStatuses"].as_array().unwrap().len(), 2);
    let statuses = org.call("ListCreateAccountStatus", json!({"States": ["FAILED"]})).await;
    assert_eq!(statuses["CreateAccountStatuses"], json!([]));
}

#[tokio::test]
async fn ten_accounts_may_be_closed_within_a_month() {
    let org = Organization::new().await;
    for at in 0..10 {
        let account = org.account(&format!("a{at}")).await;
        org.call("CloseAccount", json!({"AccountId": account})).await;
    }
    let last = json!({"AccountId": org.account("last").await});
    let refused = org.refused("CloseAccount", last.clone()).await;
    let text = "You have exceeded close account quota for the past 30 days.".to_owned();
    assert_eq!(refused, (CONSTRAINT.to_owned(), text));
    org.town.pass(30 * 86_400);
    org.call("CloseAccount", last).await;
}
