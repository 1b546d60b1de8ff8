//! What the server answers to every action (`corpus/wire/answers.json`, which the tests of `service` hold it
//! to), read by unmodified clients.

use acceptance::{Parsed, Recorded};
use serde_json::Value;

#[test]
fn botocore_reads_every_answer_and_every_refusal() {
    let parsed = Parsed::by_botocore();
    assert_eq!(parsed.wrong, Vec::<String>::new());
    assert!(parsed.count > 500, "{}", parsed.count);
}

#[test]
fn the_javascript_sdk_reads_every_answer_of_sts() {
    let parsed = Parsed::by_javascript();
    assert_eq!(parsed.wrong, Vec::<String>::new());
    assert!(parsed.count >= 30, "{}", parsed.count);
}

#[test]
fn aws_cli_v2_reads_rich_answers() {
    let recorded = Recorded::start();
    for (service, action, arguments) in [
        ("iam", "GetRole", ["get-role", "--role-name", "full"].as_slice()),
        ("iam", "GetUser", &["get-user"]),
        ("iam", "ListRoles", &["list-roles"]),
        ("iam", "ListPolicies", &["list-policies"]),
        ("iam", "GetAccountAuthorizationDetails", &["get-account-authorization-details"]),
        ("iam", "ListVirtualMFADevices", &["list-virtual-mfa-devices"]),
        ("iam", "ListEntitiesForPolicy", &["list-entities-for-policy", "--policy-arn", ARN]),
        ("sts", "AssumeRole", &["assume-role", "--role-arn", ARN, "--role-session-name", "s1"]),
    ] {
        let (printed, answer) = recorded.by_aws_cli(service, action, arguments);
        let mut texts = Vec::new();
        leaves(&printed, &mut texts);
        let mut count = 0;
        for leaf in answer.split('<').filter_map(|rest| rest.split_once('>')) {
            let (name, text) = leaf;
            // Documents are printed decoded, times in another form.
            let other = text.is_empty() || text.starts_with("%7B") || name.ends_with("Date");
            // Members that are younger than the machine's CLI, which knows no more than its model.
            let young = ["SessionTokenSize", "SessionTokenUtilization", "MinimumSessionTokenSize"];
            if other || ["RequestId", "Expiration"].contains(&name) || young.contains(&name) {
                continue;
            }
            assert!(texts.iter().any(|it| it == text), "{action}: {name} {text} in {printed:#}");
            count += 1;
        }
        assert!(count > 3, "{action}: {count}");
    }
}

const ARN: &str = "arn:aws:iam::111122223333:policy/full";

fn leaves(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => members.values().for_each(|it| leaves(it, found)),
        Value::Array(items) => items.iter().for_each(|it| leaves(it, found)),
        Value::String(text) => found.push(text.clone()),
        other => found.push(other.to_string()),
    }
}
