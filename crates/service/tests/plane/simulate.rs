//! The policy simulator against `corpus/simulate/cases.json`, and against whole answers as botocore
//! reads them (`corpus/wire/calls.json`). What its callers need leave for is asked as everywhere.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value, json};
use service::plane::Organization;

use crate::support::{AWAY, HOME, Reply, Town, allow};

type Pairs = Vec<(String, String)>;

async fn call(town: &Town, keys: &crate::support::Keys, action: &str, input: &Value) -> Reply {
    let mut pairs = Pairs::new();
    flatten(&mut pairs, "", input);
    let pairs: Vec<_> = pairs.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    town.iam(keys, action, &pairs).await
}

/// As botocore writes an input: an empty list is an empty text.
fn flatten(pairs: &mut Pairs, at: &str, value: &Value) {
    let below = |name: &str| if at.is_empty() { name.to_owned() } else { format!("{at}.{name}") };
    match value {
        Value::Array(items) if items.is_empty() => pairs.push((at.to_owned(), String::new())),
        Value::Array(items) => {
            for (item, number) in items.iter().zip(1..) {
                flatten(pairs, &below(&format!("member.{number}")), item);
            }
        }
        Value::Object(members) => {
            for (name, item) in members {
                flatten(pairs, &below(name), item);
            }
        }
        Value::String(text) => pairs.push((at.to_owned(), text.clone())),
        other => pairs.push((at.to_owned(), other.to_string())),
    }
}

/// The content of an element as JSON; what is empty is an empty text.
pub fn tree(xml: &str) -> Value {
    let mut found: Vec<(String, Value)> = Vec::new();
    let mut rest = xml;
    while let Some((_, after)) = rest.split_once('<') {
        let (name, after) = after.split_once('>').unwrap();
        if let Some(name) = name.strip_suffix('/') {
            found.push((name.to_owned(), Value::String(String::new())));
            rest = after;
            continue;
        }
        let name = name.split(' ').next().unwrap();
        let (content, after) = closed(after, name);
        found.push((name.to_owned(), tree(content)));
        rest = after;
    }
    match found.first().map(|(name, _)| name.as_str()) {
        None => Value::String(xml.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")),
        Some("member") => found.into_iter().map(|(_, value)| value).collect(),
        Some("entry") => {
            let entry = |(_, value): (_, Value)| {
                (value["key"].as_str().unwrap().to_owned(), value["value"].clone())
            };
            Value::Object(found.into_iter().map(entry).collect())
        }
        Some(_) => Value::Object(found.into_iter().collect::<Map<_, _>>()),
    }
}

/// What stands before the end of the element `name`, and after it.
fn closed<'a>(text: &'a str, name: &str) -> (&'a str, &'a str) {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let balanced =
        |content: &str| content.matches(&open).count() == content.matches(&close).count();
    let mut ends = text.match_indices(&close).map(|(at, _)| text.split_at(at));
    let (content, rest) = ends.find(|(content, _)| balanced(content)).unwrap();
    (content, rest.split_at(close.len()).1)
}

/// As the XML says it.
fn plain(value: &Value) -> Value {
    match value {
        Value::Array(items) if items.is_empty() => json!(""),
        Value::Object(members) if members.is_empty() => json!(""),
        Value::Array(items) => items.iter().map(plain).collect(),
        Value::Object(members) => {
            Value::Object(members.iter().map(|(k, v)| (k.clone(), plain(v))).collect())
        }
        Value::String(_) => value.clone(),
        other => Value::String(other.to_string()),
    }
}

fn corpus(file: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpus").join(file);
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[tokio::test]
async fn every_case_is_answered_as_by_aws() {
    let file = corpus("simulate/cases.json");
    let town = Town::new().await;
    for step in file["setup"].as_array().unwrap() {
        call(&town, &town.admin, step[0].as_str().unwrap(), &step[1]).await.ok();
    }
    let mut wrong = Vec::new();
    let mut names = BTreeMap::new();
    for case in file["cases"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        assert_eq!(names.insert(name, ()), None, "{name} twice");
        let action = case["operation"].as_str().unwrap();
        let reply = call(&town, &town.admin, action, &case["input"]).await;
        let had = match reply.status {
            200 => {
                tree(&reply.body)[format!("{action}Response")][format!("{action}Result")].clone()
            }
            status => json!({
                "status": status, "code": reply.text("Code"), "message": reply.text("Message"),
            }),
        };
        let wanted = match case.get("error") {
            Some(error) => error.clone(),
            None => plain(&case["output"]),
        };
        if had != wanted {
            wrong.push(format!("{name}\n  wanted {wanted}\n  had    {had}"));
        }
    }
    assert!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[tokio::test]
async fn answers_are_byte_for_byte_what_botocore_reads() {
    let town = Town::new().await;
    let file = corpus("wire/calls.json");
    let mut count = 0;
    for vector in file["vectors"].as_array().unwrap() {
        let action = vector["operation"].as_str().unwrap();
        if action != "SimulateCustomPolicy" && action != "GetContextKeysForCustomPolicy" {
            continue;
        }
        let reply = call(&town, &town.admin, action, &vector["input"]).await.ok();
        let id = vector["request_id"].as_str().unwrap();
        assert_eq!(reply.body.replace(&reply.request_id, id), vector["body"].as_str().unwrap());
        count += 1;
    }
    assert_eq!(count, 3);
}

#[tokio::test]
async fn who_simulates_needs_leave_for_the_entity_that_is_found() {
    let town = Town::new().await;
    let admin = |path: &'static str| [("UserName", "boss"), ("Path", path)];
    town.set_up("CreateUser", &admin("/admins/")).await;
    let arn = |path: &str| format!("arn:aws:iam::{HOME}:user/{path}");
    let policy = allow(["iam:SimulatePrincipalPolicy", "iam:GetContextKeysFor*"], arn("dev/*"));
    let anna = town.user("anna", Some(&policy)).await;
    let input = |path: &str| json!({"PolicySourceArn": arn(path), "ActionNames": ["s3:GetObject"]});
    let refused = |action: &str, on: &str| {
        format!(
            "User: arn:aws:iam::{HOME}:user/anna is not authorized to perform: iam:{action} on \
             resource: {on} because no identity-based policy allows the iam:{action} action"
        )
    };
    // The path in the input leads nowhere: the user is another than it says.
    let action = "SimulatePrincipalPolicy";
    let lured = call(&town, &anna, action, &input("dev/boss")).await;
    lured.denied(&refused(action, &arn("admins/boss")));
    let action = "GetContextKeysForPrincipalPolicy";
    let lured = call(&town, &anna, action, &json!({"PolicySourceArn": arn("dev/boss")})).await;
    lured.denied(&refused(action, &arn("admins/boss")));
    let action = "SimulateCustomPolicy";
    let custom = json!({"PolicyInputList": [], "ActionNames": ["s3:GetObject"]});
    call(&town, &anna, action, &custom).await.denied(&refused(action, "*"));

    town.set_up("UpdateUser", &[("UserName", "boss"), ("NewPath", "/dev/")]).await;
    call(&town, &anna, "SimulatePrincipalPolicy", &input("dev/boss")).await.ok();
    let keys = json!({"PolicySourceArn": arn("admins/boss")});
    call(&town, &anna, "GetContextKeysForPrincipalPolicy", &keys).await.ok();

    // Another account's administrator learns nothing of this one's users.
    let away = town.account(AWAY).await;
    let reply = call(&town, &away, "SimulatePrincipalPolicy", &input("dev/boss")).await;
    let text = format!(
        "Invalid Policy Source Arn: caller's account {AWAY} does not have access to policies in \
         account {HOME}."
    );
    reply.refused(400, "InvalidInput", &text);
}

#[tokio::test]
async fn the_account_s_organization_is_told_of() {
    let town = Town::new().await;
    let document = allow("*", "*");
    let denied = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Effect": "Deny", "Action": "s3:*", "Resource": "*"},
    ]});
    let wanted = json!({ "scps": [[{ "name": "guard", "document": denied }]] });
    let wanted: Organization = serde_json::from_value(wanted).unwrap();
    town.plane.guard(policy::AccountId::parse(HOME).unwrap(), wanted).await.unwrap();
    town.user("anna", Some(&document)).await;
    let source = format!("arn:aws:iam::{HOME}:user/anna");
    let mut input =
        json!({"PolicySourceArn": source, "ActionNames": ["s3:GetObject", "ec2:RunInstances"]});
    let reply = call(&town, &town.admin, "SimulatePrincipalPolicy", &input).await.ok();
    assert_eq!(reply.all("EvalDecision"), ["explicitDeny", "allowed"]);
    assert_eq!(reply.all("AllowedByOrganizations"), ["false", "true"]);
    assert_eq!(reply.all("SourcePolicyId"), ["user_anna_own"]);
    input["PolicyExclusionList"] = json!([{"PolicyType": "scp"}]);
    let reply = call(&town, &town.admin, "SimulatePrincipalPolicy", &input).await.ok();
    assert_eq!(reply.all("EvalDecision"), ["allowed", "allowed"]);
    assert!(reply.all("AllowedByOrganizations").is_empty());
    // The organization is not asked about whole inputs.
    let custom =
        json!({"PolicyInputList": [document.to_string()], "ActionNames": ["s3:GetObject"]});
    let reply = call(&town, &town.admin, "SimulateCustomPolicy", &custom).await.ok();
    assert_eq!(reply.all("EvalDecision"), ["allowed"]);
}

#[tokio::test]
async fn one_call_evaluates_only_so_much() {
    let town = Town::new().await;
    let statement = json!({"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"});
    let statements: Vec<&Value> = std::iter::repeat_n(&statement, 100).collect();
    let document = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
    let resources = |count: usize| -> Vec<String> {
        (0..count).map(|n| format!("arn:aws:s3:::b/{n}")).collect()
    };
    let input = |count| {
        json!({
            "PolicyInputList": [document], "ResourceArns": resources(count),
            "ActionNames": ["s3:PutObject", "s3:PutObject", "s3:PutObject"],
        })
    };
    let reply = call(&town, &town.admin, "SimulateCustomPolicy", &input(500)).await.ok();
    assert_eq!(reply.all("EvalActionName").len(), 2, "a page ends early");
    assert_eq!(
        (reply.text("IsTruncated"), reply.text("Marker")),
        ("true".into(), "simulation-2".into())
    );
    let reply = call(&town, &town.admin, "SimulateCustomPolicy", &input(1001)).await;
    reply.refused(
        400,
        "InvalidInput",
        "The request has too many resources for that many statements.",
    );
}
