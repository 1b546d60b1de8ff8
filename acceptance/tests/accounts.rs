//! A second account, with an administrator of its own: a door between accounts needs both sides.

use acceptance::{ACCOUNT, Boto3, Credentials, Setup, Vestibule};
use serde_json::json;

const OTHER: &str = "444455556666";

#[test]
fn a_role_opens_to_another_account_when_both_say_so() {
    let server = Vestibule::start(Setup::default());
    let boto3 = Boto3::start(&server);
    let here = boto3.signed(server.admin());
    let there = boto3.signed(&server.create_account(OTHER));
    assert_eq!(there.ok("sts", "get_caller_identity", json!({}))["Account"], OTHER);

    // The accounts do not see each other.
    there.ok("iam", "create_user", json!({"UserName": "erin"}));
    let unseen = here.refused("iam", "get_user", json!({"UserName": "erin"}));
    assert_eq!(unseen.said(), ("NoSuchEntity", "The user with name erin cannot be found."));

    let trust = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow",
        "Principal": {"AWS": format!("arn:aws:iam::{OTHER}:root")},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": "a-shared-word"}},
    }]});
    let role = here.ok(
        "iam",
        "create_role",
        json!({"RoleName": "guest", "AssumeRolePolicyDocument": trust.to_string()}),
    );
    let role_arn = role["Role"]["Arn"].as_str().unwrap();
    let key = Credentials::of(&there.ok("iam", "create_access_key", json!({"UserName": "erin"})));
    let erin = boto3.signed(&key);
    let knock =
        |word: &str| json!({"RoleArn": role_arn, "RoleSessionName": "erin", "ExternalId": word});
    let text = format!(
        "User: arn:aws:iam::{OTHER}:user/erin is not authorized to perform: sts:AssumeRole on resource: \
         {role_arn}"
    );

    // Her own account has not said yes yet: the same words as for a role that does not exist.
    let refusal = erin.refused("sts", "assume_role", knock("a-shared-word"));
    assert_eq!(refusal.said(), ("AccessDenied", text.as_str()));
    let policy = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": "sts:AssumeRole", "Resource": role_arn,
    }]});
    there.ok(
        "iam",
        "put_user_policy",
        json!({"UserName": "erin", "PolicyName": "p", "PolicyDocument": policy.to_string()}),
    );
    let refusal = erin.refused("sts", "assume_role", knock("a-wrong-word"));
    assert_eq!(refusal.said(), ("AccessDenied", text.as_str()));
    let guest = erin.ok("sts", "assume_role", knock("a-shared-word"));
    assert_eq!(
        guest["AssumedRoleUser"]["Arn"],
        format!("arn:aws:sts::{ACCOUNT}:assumed-role/guest/erin")
    );
    let guest = boto3.signed(&Credentials::of(&guest));
    assert_eq!(guest.ok("sts", "get_caller_identity", json!({}))["Account"], ACCOUNT);
}
