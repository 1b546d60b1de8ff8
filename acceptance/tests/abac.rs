//! A token's tags decide what its session may touch; they travel through role chains; chains are short.

use acceptance::{ACCOUNT, Boto3, Credentials, Federation, OidcProvider, Setup, Vestibule};
use serde_json::{Value, json};

#[test]
fn a_session_tagged_heart_changes_hearts_role_and_not_suns() {
    let idp = OidcProvider::start();
    let server = Vestibule::start(Setup::beside(&idp));
    let boto3 = Boto3::start(&server);
    let admin = boto3.signed(server.admin());
    let federation = Federation::set_up(&admin, &idp);
    let token = idp.mint("rs256", "alice", Federation::claims("heart"));
    let alice = boto3.signed(&federation.assume(&boto3.anonymous(), &token, "alice"));
    let tag =
        |role: &str| json!({"RoleName": role, "Tags": [{"Key": "seen-by", "Value": "alice"}]});

    alice.ok("iam", "tag_role", tag("heart-app"));
    let tags = admin.ok("iam", "list_role_tags", json!({"RoleName": "heart-app"}));
    assert!(
        tags["Tags"].as_array().unwrap().contains(&json!({"Key": "seen-by", "Value": "alice"}))
    );

    let denied = alice.refused("iam", "tag_role", tag("sun-app"));
    assert_eq!(denied.status, 403);
    let text = format!(
        "User: arn:aws:sts::{ACCOUNT}:assumed-role/developer/alice is not authorized to perform: \
         iam:TagRole on resource: arn:aws:iam::{ACCOUNT}:role/sun-app because no identity-based policy \
         allows the iam:TagRole action"
    );
    assert_eq!(denied.said(), ("AccessDenied", text.as_str()));
    let tags = admin.ok("iam", "list_role_tags", json!({"RoleName": "sun-app"}));
    assert_eq!(tags["Tags"], json!([{"Key": "access-project", "Value": "sun"}]));

    // Who may not touch a role may not rename it into his own project either.
    let own = json!({"RoleName": "sun-app", "Tags": [{"Key": "access-project", "Value": "heart"}]});
    alice.refused("iam", "tag_role", own);
}

#[test]
fn a_project_that_the_trust_policy_does_not_name_stays_outside() {
    let idp = OidcProvider::start();
    let server = Vestibule::start(Setup::beside(&idp));
    let boto3 = Boto3::start(&server);
    let federation = Federation::set_up(&boto3.signed(server.admin()), &idp);
    let token = idp.mint("es256", "mallory", Federation::claims("thunder"));
    let refusal = boto3.anonymous().refused(
        "sts",
        "assume_role_with_web_identity",
        federation.request(&token, "mallory"),
    );
    assert_eq!(
        refusal.said(),
        ("AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity")
    );
    assert_eq!(refusal.status, 403);
}

#[test]
fn transitive_tags_travel_a_chain_that_lasts_an_hour_at_most() {
    let idp = OidcProvider::start();
    let server = Vestibule::start(Setup::beside(&idp));
    let boto3 = Boto3::start(&server);
    let admin = boto3.signed(server.admin());
    let federation = Federation::set_up(&admin, &idp);
    let next = next_role(&admin, &federation);
    admin.ok(
        "iam",
        "put_role_policy",
        json!({
            "RoleName": "developer",
            "PolicyName": "chain",
            "PolicyDocument": json!({"Version": "2012-10-17", "Statement": [{
                "Effect": "Allow", "Action": ["sts:AssumeRole", "sts:TagSession"], "Resource": next,
            }]}).to_string(),
        }),
    );
    let token = idp.mint("rs256", "alice", Federation::claims("heart"));
    let alice = boto3.signed(&federation.assume(&boto3.anonymous(), &token, "alice"));

    let request = |seconds: u64| json!({"RoleArn": next, "RoleSessionName": "chained", "DurationSeconds": seconds});
    let chained = Credentials::of(&alice.ok("sts", "assume_role", request(3600)));
    let chained = boto3.signed(&chained);
    let who = chained.ok("sts", "get_caller_identity", json!({}));
    assert_eq!(who["Arn"], format!("arn:aws:sts::{ACCOUNT}:assumed-role/next/chained"));
    // `access-project` was transitive and came along; `cost-center` was not, and did not.
    chained.ok("iam", "get_role", json!({"RoleName": "heart-app"}));
    chained.refused("iam", "get_role", json!({"RoleName": "sun-app"}));
    chained.refused("iam", "list_roles", json!({}));

    let refusal = alice.refused("sts", "assume_role", request(3601));
    assert_eq!(
        refusal.said(),
        (
            "ValidationError",
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role \
             chaining."
        )
    );
    let mut retag = request(900);
    retag["Tags"] = json!([{"Key": "Access-Project", "Value": "sun"}]);
    let refusal = alice.refused("sts", "assume_role", retag);
    assert_eq!(
        refusal.said(),
        (
            "InvalidParameterValue",
            "One of the specified transitive tag keys can't be set because it conflicts with a \
             transitive tag key from the calling session."
        )
    );
}

/// A role that `developer` sessions may take on, and that may read what carries their transitive tag,
/// or anything for sessions that still had the other one.
fn next_role(admin: &acceptance::Session, federation: &Federation) -> String {
    let trust = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow",
        "Principal": {"AWS": federation.role_arn},
        "Action": ["sts:AssumeRole", "sts:TagSession"],
    }]});
    let made = admin.ok(
        "iam",
        "create_role",
        json!({
            "RoleName": "next",
            "AssumeRolePolicyDocument": trust.to_string(),
            "MaxSessionDuration": 7200,
        }),
    );
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {
            "Effect": "Allow", "Action": "iam:GetRole", "Resource": "*",
            "Condition": {"StringEquals": {
                "aws:ResourceTag/access-project": "${aws:PrincipalTag/access-project}"
            }},
        },
        {
            "Effect": "Allow", "Action": "iam:ListRoles", "Resource": "*",
            "Condition": {"StringEquals": {"aws:PrincipalTag/cost-center": "12345"}},
        },
    ]});
    admin.ok(
        "iam",
        "put_role_policy",
        json!({"RoleName": "next", "PolicyName": "own", "PolicyDocument": policy.to_string()}),
    );
    made.pointer("/Role/Arn").and_then(Value::as_str).unwrap().to_owned()
}
