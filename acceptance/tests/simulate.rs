//! The policy simulator, as boto3 asks it.

use acceptance::{ACCOUNT, Boto3, Setup, Vestibule};
use serde_json::{Value, json};

fn policy() -> Value {
    json!({"Version": "2012-10-17", "Statement": [{
        "Sid": "OwnProject",
        "Effect": "Allow",
        "Action": "s3:GetObject",
        "Resource": "*",
        "Condition": {"StringEquals": {"aws:ResourceTag/project": "${aws:PrincipalTag/project}"}},
    }]})
}

fn tag(key: &str, value: &str) -> Value {
    json!({"ContextKeyName": key, "ContextKeyValues": [value], "ContextKeyType": "string"})
}

fn asked(own: &str, resource: &str) -> Value {
    json!([tag("aws:PrincipalTag/project", own), tag("aws:ResourceTag/project", resource)])
}

#[test]
fn a_document_is_tried_without_anybody_having_it() {
    let server = Vestibule::start(Setup::default());
    let boto3 = Boto3::start(&server);
    let admin = boto3.signed(server.admin());

    let keys = admin.ok(
        "iam",
        "get_context_keys_for_custom_policy",
        json!({"PolicyInputList": [policy().to_string()]}),
    );
    let mut keys: Vec<&str> =
        keys["ContextKeyNames"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    keys.sort_unstable();
    assert_eq!(keys, ["aws:PrincipalTag/project", "aws:ResourceTag/project"]);

    let simulate = |context: Value| {
        let answer = admin.ok(
            "iam",
            "simulate_custom_policy",
            json!({
                "PolicyInputList": [policy().to_string()],
                "ActionNames": ["s3:GetObject"],
                "ContextEntries": context,
            }),
        );
        answer["EvaluationResults"][0].clone()
    };
    let allowed = simulate(asked("heart", "heart"));
    assert_eq!(allowed["EvalDecision"], "allowed");
    assert_eq!(allowed["MatchedStatements"][0]["SourcePolicyType"], "IAM Policy");
    assert_eq!(simulate(asked("heart", "sun"))["EvalDecision"], "implicitDeny");

    let open = simulate(json!([tag("aws:PrincipalTag/project", "heart")]));
    assert_eq!(open["EvalDecision"], "implicitDeny");
    assert_eq!(open["MissingContextValues"], json!(["aws:ResourceTag/project"]));
}

#[test]
fn a_user_is_tried_with_what_it_has() {
    let server = Vestibule::start(Setup::default());
    let boto3 = Boto3::start(&server);
    let admin = boto3.signed(server.admin());
    admin.ok("iam", "create_user", json!({"UserName": "erin"}));
    let erin = format!("arn:aws:iam::{ACCOUNT}:user/erin");
    let simulate = || {
        let answer = admin.ok(
            "iam",
            "simulate_principal_policy",
            json!({
                "PolicySourceArn": erin,
                "ActionNames": ["s3:GetObject"],
                "ContextEntries": asked("heart", "heart"),
            }),
        );
        answer["EvaluationResults"][0]["EvalDecision"].clone()
    };
    assert_eq!(simulate(), "implicitDeny");
    admin.ok(
        "iam",
        "put_user_policy",
        json!({"UserName": "erin", "PolicyName": "own", "PolicyDocument": policy().to_string()}),
    );
    assert_eq!(simulate(), "allowed");
}
